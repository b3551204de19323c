package loader

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// Hub has the models of the catalogue, unless a mirror is set.
const Hub = "https://huggingface.co"

// Link is the address of a model: a folder in diffusers' layout, or a single file.
type Link struct {
	Base string // of the folder, without a slash at the end
	File string // "" for a folder
}

// URL is the address of a file in the link's folder, or, for "", of the link itself.
func (l Link) URL(name string) string {
	if name == "" {
		name = l.File
	}
	return l.Base + "/" + name
}

// ParseLink understands what people paste: owner/name, the hub's page of a repository or of a
// folder or file in it, or the address of a file or folder anywhere. hub is Hub or a mirror with
// the same paths.
func ParseLink(text, hub string) (Link, error) {
	text = strings.TrimSpace(text)
	hub = strings.TrimSuffix(hub, "/")
	if text == "" {
		return Link{}, errors.New("paste a link to a model's page or to a .safetensors file")
	}
	if !strings.Contains(text, "://") {
		if strings.Count(text, "/") < 1 || strings.HasPrefix(text, "/") || strings.ContainsAny(text, " \\") {
			return Link{}, fmt.Errorf("%q is not a link: it should begin with https://, or be a name such as owner/model", text)
		}
		text = hub + "/" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return Link{}, fmt.Errorf("%q is not a link: it should begin with https://", text)
	}
	local := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1"
	if u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return Link{}, fmt.Errorf("%s cannot be fetched: a link has to begin with https://", text)
	}
	origin := u.Scheme + "://" + u.Host
	onHub := origin == Hub
	prefix := ""
	if h, err := url.Parse(hub); err == nil && origin == h.Scheme+"://"+h.Host {
		onHub = true
		prefix = strings.TrimSuffix(h.Path, "/")
	}
	p := strings.Trim(strings.TrimPrefix(u.EscapedPath(), prefix), "/")
	if onHub {
		part := strings.Split(p, "/")
		if len(part) < 2 {
			return Link{}, fmt.Errorf("%s is not the page of a model: the address of one continues with owner/model", text)
		}
		repo, rest := part[0]+"/"+part[1], part[2:]
		revision := "main"
		if len(rest) >= 2 && (rest[0] == "tree" || rest[0] == "blob" || rest[0] == "resolve") {
			revision, rest = rest[1], rest[2:]
		} else if len(rest) == 1 && rest[0] == "tree" {
			rest = nil
		}
		p = strings.Join(append([]string{repo, "resolve", revision}, rest...), "/")
	}
	full := origin + prefix + "/" + p
	if query := u.RawQuery; query != "" && query != "download=true" {
		// A signed link works only as it is given.
		if !isWeights(p) {
			return Link{}, fmt.Errorf("%s has a query and is not a file: give the folder's address without the query", text)
		}
		return Link{origin + prefix + "/" + path.Dir(p), path.Base(p) + "?" + query}, nil
	}
	if isWeights(p) {
		return Link{strings.TrimSuffix(full[:strings.LastIndexByte(full, '/')], "/"), path.Base(p)}, nil
	}
	return Link{Base: strings.TrimSuffix(full, "/")}, nil
}

func isWeights(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".safetensors", ".ckpt", ".gguf", ".bin", ".pt", ".pth":
		return true
	}
	return false
}
