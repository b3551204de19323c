package loader

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Hub has the models of the catalogue, unless a mirror is set.
const Hub = "https://huggingface.co"

// Link is the address of a model: a folder in diffusers' layout, or a single file.
type Link struct {
	Base  string // of the folder, without a slash at its end
	File  string // "" for a folder
	Query string // of the one file, as it was given: it may be signed
	Name  string // what its site calls it; "" where that is not known
}

// URL is the address of a file of the link's folder, or of its one file, without what may
// be secret in it: what the link is known by.
func (l Link) URL(name string) string {
	if name == "" {
		name = l.File
		if l.Query != "" {
			return Public(l.Base + "/" + name + "?" + l.Query)
		}
	}
	return l.Base + "/" + name
}

// Address is the same with the query that it is fetched by.
func (l Link) Address(name string) string {
	if (name == "" || name == l.File) && l.Query != "" {
		return l.Base + "/" + l.File + "?" + l.Query
	}
	return l.URL(name)
}

// known are hosts whose links are understood without https:// before them.
var known = []string{"huggingface.co/", "www.huggingface.co/", "hf.co/", "civitai.com/", "www.civitai.com/", "civitai.green/", "civitai.red/", "github.com/", "raw.githubusercontent.com/"}

// ParseLink understands what people paste: owner/name, a hub's page of a repository, a
// folder or a file of it, Civitai's download links, or the address of a file or folder
// anywhere. hub is Hub or a mirror that has the same paths. The error of a page that shows a
// model in several versions is a *VersionsError.
func ParseLink(text, hub string) (Link, error) {
	text = strings.TrimSpace(text)
	hub = strings.TrimSuffix(hub, "/")
	if text == "" {
		return Link{}, errors.New("paste a link to a model's page or to a file of weights")
	}
	if len(text) > 8192 {
		return Link{}, errors.New("this is too long for a link")
	}
	if !strings.Contains(strings.SplitN(text, "?", 2)[0], "://") {
		switch {
		case slices.ContainsFunc(known, func(host string) bool { return strings.HasPrefix(strings.ToLower(text), host) }):
			text = "https://" + text
		case strings.Count(text, "/") < 1 || strings.HasPrefix(text, "/") || strings.ContainsAny(text, " \\"):
			return Link{}, fmt.Errorf("%q is not a link: it should begin with https://, or be a name such as owner/model", text)
		default:
			text = hub + "/" + text
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return Link{}, errors.New("this is not a link: it should begin with https://")
	}
	u.Fragment = ""
	u.Host = strings.ToLower(u.Host)
	shown := Public(text)
	local := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1"
	if u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return Link{}, fmt.Errorf("%s cannot be fetched: a link has to begin with https://", shown)
	}
	if u.User != nil {
		return Link{}, errors.New("the link holds a name or a password, which a browser does not send: leave it out, or download the file yourself and drop it here")
	}
	switch u.Host {
	case "hf.co", "www.huggingface.co":
		u.Host = "huggingface.co"
	case "civitai.com", "www.civitai.com", "civitai.green", "www.civitai.green", "civitai.red", "www.civitai.red":
		return civitai(u, shown)
	case "github.com", "www.github.com":
		if part := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/"); len(part) > 4 && (part[2] == "blob" || part[2] == "raw") {
			u = &url.URL{Scheme: "https", Host: "raw.githubusercontent.com", Path: "/" + strings.Join(append(part[:2], part[3:]...), "/")}
		}
	}
	origin := u.Scheme + "://" + u.Host
	onHub := origin == Hub
	prefix := ""
	if h, err := url.Parse(hub); err == nil && origin == h.Scheme+"://"+h.Host {
		onHub = true
		prefix = strings.TrimSuffix(h.Path, "/")
	}
	p := strings.Trim(strings.TrimPrefix(u.EscapedPath(), prefix), "/")
	query := u.RawQuery
	if onHub {
		if p, err = hubPath(p, shown); err != nil {
			return Link{}, err
		}
		if query == "download=true" {
			query = ""
		}
	}
	full := origin + prefix + "/" + p
	if IsWeights(p) {
		at := strings.LastIndexByte(full, '/')
		return Link{Base: strings.TrimSuffix(full[:at], "/"), File: path.Base(p), Query: query}, nil
	}
	if isSettings(p) {
		return Link{}, fmt.Errorf("%s is not a file of weights: paste the address of its folder or its model's page, or of a file such as model.safetensors", shown)
	}
	if query != "" && !onHub {
		return Link{}, fmt.Errorf("%s has a query and is not a file of weights: give the folder's address without the query", shown)
	}
	return Link{Base: strings.TrimSuffix(full, "/")}, nil
}

// hubPath is the path of a repository's folder or file, from that of a page that shows it.
func hubPath(p, shown string) (string, error) {
	part := strings.Split(p, "/")
	if part[0] == "models" && len(part) > 2 {
		part = part[1:]
	}
	if part[0] == "datasets" || part[0] == "spaces" || part[0] == "collections" || part[0] == "papers" || part[0] == "docs" {
		return "", fmt.Errorf("%s is not a model's page: its address is %s/owner/model", shown, Hub)
	}
	if len(part) < 2 {
		return "", fmt.Errorf("%s is not the page of a model: the address of one continues with owner/model", shown)
	}
	repo, rest := part[0]+"/"+part[1], part[2:]
	revision := "main"
	switch {
	case len(rest) >= 2 && slices.Contains([]string{"tree", "blob", "resolve", "raw", "blame", "commits", "edit"}, rest[0]):
		revision, rest = rest[1], rest[2:]
	case len(rest) == 1 && (rest[0] == "tree" || rest[0] == "main"):
		rest = nil
	case len(rest) == 1 && rest[0] == "discussions", len(rest) > 1 && rest[0] == "discussions":
		rest = nil
	}
	return strings.Join(append([]string{repo, "resolve", revision}, rest...), "/"), nil
}

// IsWeights reports whether a file may be one of weights, by the ending of its name. Its content has
// to be read to be sure.
func IsWeights(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".safetensors", ".ckpt", ".gguf", ".bin", ".pt", ".pth", ".sft", ".onnx", ".ipadpt":
		return true
	}
	return false
}
