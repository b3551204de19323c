package loader

import (
	"strings"
	"testing"
)

func TestParseLink(t *testing.T) {
	for _, c := range []struct{ text, hub, base, file string }{
		{"owner/name", Hub, Hub + "/owner/name/resolve/main", ""},
		{Hub + "/owner/name", Hub, Hub + "/owner/name/resolve/main", ""},
		{Hub + "/owner/name/", Hub, Hub + "/owner/name/resolve/main", ""},
		{Hub + "/owner/name/tree/fp16/sub", Hub, Hub + "/owner/name/resolve/fp16/sub", ""},
		{Hub + "/owner/name/blob/main/a.safetensors", Hub, Hub + "/owner/name/resolve/main", "a.safetensors"},
		{" " + Hub + "/owner/name/resolve/main/x/a.safetensors?download=true ", Hub, Hub + "/owner/name/resolve/main/x", "a.safetensors"},
		{"owner/name", "https://mirror.example/hf/", "https://mirror.example/hf/owner/name/resolve/main", ""},
		{"https://mirror.example/hf/owner/name/blob/main/a.safetensors", "https://mirror.example/hf", "https://mirror.example/hf/owner/name/resolve/main", "a.safetensors"},
		{"https://files.example/m/a.safetensors?sig=1", Hub, "https://files.example/m", "a.safetensors"},
		{"https://hf.co/owner/name", Hub, Hub + "/owner/name/resolve/main", ""},
		{"hf.co/owner/name/blob/fp16/unet/a.safetensors", Hub, Hub + "/owner/name/resolve/fp16/unet", "a.safetensors"},
		{"huggingface.co/owner/name", "https://mirror.example/hf", Hub + "/owner/name/resolve/main", ""},
		{Hub + "/owner/name/raw/main/a.safetensors", Hub, Hub + "/owner/name/resolve/main", "a.safetensors"},
		{Hub + "/models/owner/name", Hub, Hub + "/owner/name/resolve/main", ""},
		{Hub + "/owner/name/discussions/3", Hub, Hub + "/owner/name/resolve/main", ""},
		{Hub + "/owner/name?library=diffusers", Hub, Hub + "/owner/name/resolve/main", ""},
		{Hub + "/owner/name/resolve/refs%2Fpr%2F1/a.safetensors", Hub, Hub + "/owner/name/resolve/refs%2Fpr%2F1", "a.safetensors"},
		{"https://civitai.com/api/download/models/128713", Hub, "https://civitai.com/api/download/models", "128713"},
		{"https://civitai.com/api/download/models/128713?type=Model&format=SafeTensor&size=pruned&fp=fp16", Hub, "https://civitai.com/api/download/models", "128713"},
		{"https://civitai.com/models/4384/dreamshaper?modelVersionId=128713", Hub, "https://civitai.com/api/download/models", "128713"},
		{"civitai.com/models/4384?modelVersionId=128713#x", Hub, "https://civitai.com/api/download/models", "128713"},
		{"https://github.com/o/r/blob/main/m/a.safetensors", Hub, "https://raw.githubusercontent.com/o/r/main/m", "a.safetensors"},
		{"https://files.example/m", Hub, "https://files.example/m", ""},
		{"http://127.0.0.1:8000/m/", Hub, "http://127.0.0.1:8000/m", ""},
	} {
		l, err := ParseLink(c.text, c.hub)
		if err != nil || l.Base != c.base || l.File != c.file {
			t.Errorf("%q: %+v, %v; want %q %q", c.text, l, err, c.base, c.file)
		}
	}
	for _, bad := range []string{"", "name", "http://example.com/a.safetensors", "ftp://x/y", Hub, Hub + "/owner", "a b/c", "C:\\models\\a.safetensors", "https://civitai.com/models/4384/dreamshaper", "https://civitai.com/user/x",
		Hub + "/datasets/owner/name", Hub + "/owner/name/blob/main/unet/config.json", "https://me:pass@files.example/a.safetensors", "https://files.example/m?x=1", strings.Repeat("a/", 5000)} {
		if l, err := ParseLink(bad, Hub); err == nil {
			t.Errorf("%q is taken for %+v", bad, l)
		}
	}
}

// What a link is known by and what its errors say has nothing of its secrets, and stays
// the same when it is signed anew.
func TestSecrets(t *testing.T) {
	for _, c := range []struct{ text, url string }{
		{"https://files.example/m/a.safetensors?X-Amz-Signature=SECRET&X-Amz-Expires=60", "https://files.example/m/a.safetensors"},
		{"https://files.example/m/a.safetensors?k=SECRET", "https://files.example/m/a.safetensors"},
		{"https://files.example/m/a.safetensors#SECRET", "https://files.example/m/a.safetensors"},
		{"https://civitai.com/api/download/models/1?type=Model&format=SafeTensor&token=SECRET", "https://civitai.com/api/download/models/1?type=Model&format=SafeTensor"},
		{Hub + "/o/n/resolve/main/a.safetensors?token=SECRET", Hub + "/o/n/resolve/main/a.safetensors"},
	} {
		l, err := ParseLink(c.text, Hub)
		if err != nil || l.URL("") != c.url {
			t.Errorf("%s: %s, %v; want %s", c.text, l.URL(""), err, c.url)
		}
		if l.URL("") == l.Address("") && !strings.Contains(c.text, "#") {
			t.Errorf("%s is fetched without its query", c.text)
		}
	}
	for _, bad := range []string{"https://me:SECRET@files.example/a.safetensors", "https://files.example/m?sig=SECRET", "http://files.example/a.safetensors?sig=SECRET", "https://civitai.com/x?token=SECRET", "https://files.example/%zz?sig=SECRET"} {
		if _, err := ParseLink(bad, Hub); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, status := range []int{0, 401, 403, 404, 416, 429, 500, 302} {
		if err := (Answer{Status: status}).Check("https://files.example/a.safetensors?sig=SECRET"); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%d: %v", status, err)
		}
	}
}
