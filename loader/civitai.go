package loader

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// civitaiDownloads is the path of Civitai's files. The number of a version follows.
const civitaiDownloads = "/api/download/models"

// maxSiteName is how many characters are kept of a name that a site gives. The name of a file cannot
// be shortened: one with more bytes than maxFileName is not taken.
const (
	maxSiteName = 60
	maxFileName = 200
)

// civitai understands Civitai's download links and the pages of its models.
func civitai(u *url.URL, shown string) (Link, error) {
	part := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	origin := u.Scheme + "://" + u.Host
	number := func(s string) bool { _, err := strconv.ParseUint(s, 10, 64); return err == nil }
	switch {
	case len(part) == 4 && "/"+strings.Join(part[:3], "/") == civitaiDownloads && number(part[3]):
		return Link{Base: origin + civitaiDownloads, File: part[3], Query: u.RawQuery}, nil
	case len(part) >= 2 && part[0] == "models" && number(part[1]):
		query := ""
		if token := u.Query().Get("token"); token != "" {
			query = "token=" + url.QueryEscape(token)
		}
		if version := u.Query().Get("modelVersionId"); number(version) {
			return Link{Base: origin + civitaiDownloads, File: version, Query: query}, nil
		}
		return Link{}, &VersionsError{List: origin + "/api/v1/models/" + part[1], shown: shown, query: query}
	case len(part) >= 2 && part[0] == "model-versions" && number(part[1]):
		return Link{Base: origin + civitaiDownloads, File: part[1], Query: u.RawQuery}, nil
	}
	return Link{}, fmt.Errorf("%s is not a model on Civitai. Open the model's page there, right-click its Download button, choose \"Copy link address\", and paste that: it has %s/ in it", shown, civitaiDownloads)
}

// FindLink is ParseLink. If the link shows a model in several versions, it asks the site for them with
// fetch and chooses one.
func FindLink(text, hub string, fetch func(address string) ([]byte, error)) (Link, error) {
	link, err := ParseLink(text, hub)
	var versions *VersionsError
	if errors.As(err, &versions) {
		return versions.Choose(fetch)
	}
	return link, err
}

// VersionsError says that a page of Civitai shows a model in several versions.
type VersionsError struct {
	List         string // the address of the site's list of the versions, which pages may read, too
	shown, query string
}

func (e *VersionsError) Error() string {
	return fmt.Sprintf("%s shows a model in all of its versions. On that page, choose the version, right-click its Download button, choose \"Copy link address\", and paste that: it has %s/ in it", e.shown, civitaiDownloads)
}

// Choose asks for the list of versions with fetch, and returns the link of the first one for
// Stable Diffusion 1, which is the newest. If there is none, or if the list cannot be read,
// the error says how the visitor can choose.
func (e *VersionsError) Choose(fetch func(address string) ([]byte, error)) (Link, error) {
	text, err := fetch(e.List)
	if err != nil {
		return Link{}, fmt.Errorf("%w (its list of versions could not be read: %w)", e, err)
	}
	var model struct {
		Name          string           `json:"name"`
		ModelVersions []civitaiVersion `json:"modelVersions"`
	}
	if err := json.Unmarshal(text, &model); err != nil || len(model.ModelVersions) == 0 {
		return Link{}, fmt.Errorf("%w (its list of versions could not be read)", e)
	}
	var others []string
	for _, v := range model.ModelVersions {
		if strings.HasPrefix(v.BaseModel, "SD 1") {
			host, _, _ := strings.Cut(e.List, "/api/")
			name := strings.TrimSpace(brief(model.Name, maxSiteName) + " " + brief(v.Name, maxSiteName))
			return Link{Base: host + civitaiDownloads, File: strconv.FormatInt(v.ID, 10), Query: e.query, Name: name}, nil
		}
		others = append(others, brief(v.BaseModel, maxSiteName))
	}
	return Link{}, fmt.Errorf("%s has no version for Stable Diffusion 1.5: it is for %s", e.shown, strings.Join(others[:min(len(others), 3)], ", "))
}

type civitaiVersion struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	BaseModel string `json:"baseModel"` // "SD 1.5", "SDXL 1.0"
	Files     []struct {
		Name   string  `json:"name"`
		SizeKB float64 `json:"sizeKB"`
		Hashes struct {
			SHA256 string
		} `json:"hashes"`
	} `json:"files"`
}

// CivitaiVersionURL is where Civitai describes the version of a download link, if the address
// is one.
func CivitaiVersionURL(address string) (string, bool) {
	base, _, _ := strings.Cut(address, "?")
	origin, version, ok := strings.Cut(base, civitaiDownloads+"/")
	return origin + "/api/v1/model-versions/" + version, ok
}

// ParseCivitaiVersion reads that description. It returns the name and the SHA-256, in lower-case
// hexadecimal, of the version's file of a size, or "" if there is none, or more than one.
func ParseCivitaiVersion(text []byte, size int64) (name, sha256 string) {
	var v civitaiVersion
	if json.Unmarshal(text, &v) != nil {
		return "", ""
	}
	for _, f := range v.Files {
		// The number of kilobytes is exact in its fraction.
		if sum := sha256Of(f.Hashes.SHA256); sum != "" && sum != sha256 && math.Round(f.SizeKB*1024) == float64(size) {
			if sha256 != "" {
				return "", ""
			}
			name, sha256 = path.Base(strings.ReplaceAll(f.Name, `\`, "/")), sum
		}
	}
	if len(name) > maxFileName || !IsWeights(name) {
		name = ""
	}
	return name, sha256
}
