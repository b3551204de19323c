package loader

import (
	"errors"
	"strings"
	"testing"
)

// The page of a model in several versions leads to the newest one for Stable Diffusion 1, or
// says how to choose one.
func TestCivitaiVersions(t *testing.T) {
	_, err := ParseLink("https://civitai.com/models/4384/dreamshaper?token=SECRET", Hub)
	var versions *VersionsError
	if !errors.As(err, &versions) || versions.List != "https://civitai.com/api/v1/models/4384" || strings.Contains(err.Error(), "SECRET") || !strings.Contains(err.Error(), `right-click its Download button, choose "Copy link address"`) {
		t.Fatal(err)
	}
	answers := func(text string, err error) func(string) ([]byte, error) {
		return func(address string) ([]byte, error) {
			if address != versions.List {
				t.Errorf("%s is asked", address)
			}
			return []byte(text), err
		}
	}
	link, err := versions.Choose(answers(`{"name": "DreamShaper", "modelVersions": [{"id": 9, "name": "XL", "baseModel": "SDXL 1.0"}, {"id": 7, "name": "8 LCM", "baseModel": "SD 1.5 LCM"}, {"id": 5, "name": "8", "baseModel": "SD 1.5"}]}`, nil))
	if err != nil || link.Address("") != "https://civitai.com/api/download/models/7?token=SECRET" || link.URL("") != "https://civitai.com/api/download/models/7" || link.Name != "DreamShaper 8 LCM" {
		t.Errorf("%+v, %v", link, err)
	}
	for text, want := range map[string]string{
		`{"modelVersions": [{"id": 9, "baseModel": "SDXL 1.0"}, {"id": 8, "baseModel": "Pony"}]}`: "no version for Stable Diffusion 1.5: it is for SDXL 1.0, Pony",
		`{"modelVersions": []}`: "Copy link address",
		`<html>`:                "Copy link address",
	} {
		if _, err := versions.Choose(answers(text, nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := versions.Choose(answers("", errors.New("the network is down"))); err == nil || !strings.Contains(err.Error(), "Copy link address") || !strings.Contains(err.Error(), "the network is down") {
		t.Error(err)
	}
}

// Civitai's description of a version tells the name and the SHA-256 of the file that a link leads to.
func TestCivitaiVersion(t *testing.T) {
	if list, ok := CivitaiVersionURL("https://civitai.com/api/download/models/7?type=Model"); !ok || list != "https://civitai.com/api/v1/model-versions/7" {
		t.Error(list, ok)
	}
	if list, ok := CivitaiVersionURL(Hub + "/o/n/resolve/main/x.safetensors"); ok {
		t.Error(list)
	}
	a, b := strings.Repeat("0A", 32), strings.Repeat("0B", 32)
	text := `{"files": [{"name": "easy negative.pt", "sizeKB": 2082642.474609375, "hashes": {"SHA256": "` + a + `"}}, {"name": "../1234", "sizeKB": 100, "hashes": {"SHA256": "` + b + `"}}, {"sizeKB": 200}]}`
	twice := `{"files": [{"sizeKB": 100, "hashes": {"SHA256": "` + a + `"}}, {"sizeKB": 100, "hashes": {"SHA256": "` + b + `"}}]}`
	for _, c := range []struct {
		text       string
		size       int64
		name, want string
	}{{text, 2132625894, "easy negative.pt", strings.ToLower(a)}, {text, 102400, "", strings.ToLower(b)}, {text, 204800, "", ""}, {text, 5, "", ""}, {twice, 102400, "", ""}, {"<html>", 102400, "", ""}} {
		if name, got := ParseCivitaiVersion([]byte(c.text), c.size); got != c.want || name != c.name {
			t.Errorf("%d bytes of %s: %q, %q", c.size, c.text, name, got)
		}
	}
}
