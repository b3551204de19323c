package loader

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"strings"
)

// identifying are the parts of a query that say which file is meant, as Civitai's links
// have them. All others may be secrets: a signature, a token.
var identifying = map[string]bool{"type": true, "format": true, "size": true, "fp": true, "version": true, "revision": true, "rev": true, "ref": true}

// Public is an address without what may be secret in it: the parts of its query that do
// not say which file is meant, a password, a fragment. It is what may be shown, written
// down and put into a picture, and it stays the same when a link is signed anew.
func Public(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		address, _, _ = strings.Cut(address, "?")
		return address
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	var keep []string
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		if name, _, _ := strings.Cut(part, "="); identifying[strings.ToLower(name)] {
			keep = append(keep, part)
		}
	}
	u.RawQuery, u.ForceQuery = strings.Join(keep, "&"), false
	return u.String()
}

// Signed says whether an address has a part that may be secret.
func Signed(address string) bool { return Public(address) != address }

// NameOf is the name of the file at an address.
func NameOf(address string) string {
	p, _, _ := strings.Cut(address, "?")
	if u, err := url.Parse(address); err == nil {
		p = u.Path
	}
	return path.Base(p)
}

// isSettings says whether a name is that of a small file of a model's folder.
func isSettings(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".json", ".txt", ".md", ".yaml":
		return true
	}
	return false
}

// checkRedirect refuses a redirect from the network at large to this machine or the
// network behind it, where a server has no business to send anyone, and one that gives up
// the connection's protection.
func checkRedirect(asked, came string) error {
	from, err1 := url.Parse(asked)
	to, err2 := url.Parse(came)
	if came == "" || err1 != nil || err2 != nil || from.Host == to.Host && from.Scheme == to.Scheme {
		return nil
	}
	switch {
	case private(to.Hostname()) && !private(from.Hostname()):
		return fmt.Errorf("%s sends the request on to %s, an address of this machine or its own network: that is refused. Get the file from elsewhere", from.Host, to.Host)
	case from.Scheme == "https" && to.Scheme != "https":
		return fmt.Errorf("%s sends the request on to %s without encryption: that is refused. Get the file from elsewhere", from.Host, to.Host)
	}
	return nil
}

var carrierNAT = netip.MustParsePrefix("100.64.0.0/10")

// private says whether a host's name is of this machine or of a network behind it. What a
// public name stands for is the browser's to judge.
func private(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := parseIP(host); err == nil {
		ip = ip.Unmap()
		return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() || carrierNAT.Contains(ip) || ip.Is4() && ip.As4()[0] >= 240
	}
	if !strings.Contains(host, ".") {
		return true
	}
	for _, end := range []string{".localhost", ".local", ".internal", ".lan", ".home", ".home.arpa", ".intranet", ".corp"} {
		if strings.HasSuffix(host, end) {
			return true
		}
	}
	return false
}

func parseIP(host string) (netip.Addr, error) {
	if host == "" {
		return netip.Addr{}, errors.New("no host")
	}
	addr, _, _ := strings.Cut(strings.Trim(host, "[]"), "%")
	return netip.ParseAddr(addr)
}
