package loader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sniffed is how many of a file's first bytes CheckFile wants to see.
const Sniffed = 512

// checkText says of a text that came in place of a file of weights what it is: servers
// send pages and messages where a file is not there, and clones of a repository hold
// pointers where the files are elsewhere.
func checkText(name string, first []byte) error {
	if bytes.IndexByte(first[:min(len(first), 8)], 0) >= 0 {
		return nil // a size, as safetensors begins with: no text has a zero
	}
	text := strings.TrimLeft(strings.TrimPrefix(string(first), "\ufeff"), " \t\r\n")
	switch {
	case strings.HasPrefix(text, "version https://git-lfs"), strings.HasPrefix(text, "version https://hawser"):
		return fmt.Errorf("%s is a Git LFS pointer, not the file itself: run git lfs pull, or download the file from its page", name)
	case isPage(text):
		return fmt.Errorf("%s is a web page, not weights: use the link of the file itself (on a hub it has /resolve/, not /blob/)", name)
	case strings.HasPrefix(text, "<"):
		return fmt.Errorf("%s is an answer in XML, not weights%s: check the link", name, quoted(text))
	case strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["):
		return fmt.Errorf("%s is a message in JSON, not weights%s: check the link, and whether the file asks you to sign in", name, quoted(message(text)))
	}
	return nil
}

// isPage says whether a text begins as a web page does.
func isPage(text string) bool {
	text = strings.ToLower(text[:min(len(text), 16)])
	for _, tag := range []string{"<!doctype", "<html", "<head", "<body", "<!--"} {
		if strings.HasPrefix(text, tag) {
			return true
		}
	}
	return false
}

// checkPrintable says of any other text that it is one.
func checkPrintable(name string, first []byte) error {
	if !printable(first) {
		return nil
	}
	return fmt.Errorf("%s is a text, not weights%s: check the link, and whether the file asks you to sign in", name, quoted(strings.TrimPrefix(string(first), "\ufeff")))
}

// CheckSettings says of a file that should be JSON or a text what came in its place, and
// refuses a configuration with numbers beyond any model's.
func CheckSettings(name string, b []byte) error {
	text := strings.TrimLeft(strings.TrimPrefix(string(b[:min(len(b), Sniffed)]), "\ufeff"), " \t\r\n")
	switch {
	case strings.HasPrefix(text, "version https://git-lfs"):
		return fmt.Errorf("%s is a Git LFS pointer, not the file itself: run git lfs pull, or download the file from its page", name)
	case strings.HasPrefix(text, "<") && strings.HasSuffix(name, ".json"), isPage(text):
		return fmt.Errorf("%s is a web page, not the file itself: check the link", name)
	case strings.HasSuffix(name, ".json") && !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "["):
		return fmt.Errorf("%s is not JSON%s: check the link, and whether the model asks you to sign in", name, quoted(text))
	case strings.HasSuffix(name, "config.json"):
		return checkConfig(name, b)
	}
	return nil
}

// printable says whether bytes are a text of at least a few letters.
func printable(b []byte) bool {
	for len(b) > 0 && !utf8.FullRune(b[max(0, len(b)-3):]) && len(b) > Sniffed-4 {
		b = b[:len(b)-1] // a character that was cut
	}
	if len(bytes.TrimSpace(b)) < 3 || !utf8.Valid(b) {
		return false
	}
	for _, r := range string(b) {
		if !unicode.IsPrint(r) && !unicode.IsSpace(r) && r != '\ufeff' {
			return false
		}
	}
	return true
}

// quoted is the beginning of a text, for an error.
func quoted(text string) string {
	if text = brief(text, 81); text == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", text)
}

// brief puts a text that others wrote on one line, and cuts it to at most so many characters.
func brief(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// message is what a server's JSON says, or the JSON.
func message(text string) string {
	var m map[string]any
	if json.Unmarshal([]byte(text), &m) == nil {
		for _, key := range []string{"error", "message", "detail"} {
			if s, ok := m[key].(string); ok {
				return s
			}
		}
	}
	return text
}

var pointer = regexp.MustCompile(`(?m)\Aversion https://git-lfs[^\n]*\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize (\d+)$`)

// ParsePointer reads a Git LFS pointer: the SHA-256, in hexadecimal, and the size of the
// file that it stands for.
func ParsePointer(text []byte) (sha256 string, size int64, ok bool) {
	m := pointer.FindSubmatch(text)
	if m == nil {
		return "", 0, false
	}
	size, err := strconv.ParseInt(string(m[2]), 10, 64)
	return string(m[1]), size, err == nil
}

// PointerURL is where a hub shows the LFS pointer of a file, if it is a hub's.
func PointerURL(address string) (string, bool) {
	base, _, _ := strings.Cut(address, "?")
	before, after, ok := strings.Cut(base, "/resolve/")
	return before + "/raw/" + after, ok
}

// TreeURL is where a hub lists the files of a file's folder, and the file's path in its
// repository, if the address is a hub's.
func TreeURL(address string) (list, path string, ok bool) {
	base, _, _ := strings.Cut(address, "?")
	repo, after, ok := strings.Cut(base, "/resolve/")
	revision, path, ok2 := strings.Cut(after, "/")
	part := strings.Split(repo, "/")
	if !ok || !ok2 || len(part) < 5 {
		return "", "", false
	}
	hub := strings.Join(part[:len(part)-2], "/")
	list = hub + "/api/models/" + strings.Join(part[len(part)-2:], "/") + "/tree/" + revision
	if at := strings.LastIndexByte(path, '/'); at > 0 {
		list += "/" + path[:at]
	}
	path, err := url.PathUnescape(path)
	return list, path, err == nil
}

// ParseTree reads a hub's list of a folder: the SHA-256, in hexadecimal, and the size of the
// file at a path; "" and -1 where the list does not tell them.
func ParseTree(text []byte, path string) (sha256 string, size int64) {
	var list []struct {
		Path string `json:"path"`
		LFS  struct {
			OID  string `json:"oid"`
			Size int64  `json:"size"`
		} `json:"lfs"`
	}
	if json.Unmarshal(text, &list) != nil {
		return "", -1
	}
	for _, f := range list {
		if sum := sha256Of(strings.TrimPrefix(f.LFS.OID, "sha256:")); f.Path == path && sum != "" {
			return sum, f.LFS.Size
		}
	}
	return "", -1
}
