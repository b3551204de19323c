package loader

import "testing"

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
		{"https://files.example/m/a.safetensors?sig=1", Hub, "https://files.example/m", "a.safetensors?sig=1"},
		{"https://files.example/m", Hub, "https://files.example/m", ""},
		{"http://127.0.0.1:8000/m/", Hub, "http://127.0.0.1:8000/m", ""},
	} {
		l, err := ParseLink(c.text, c.hub)
		if err != nil || l.Base != c.base || l.File != c.file {
			t.Errorf("%q: %+v, %v; want %q %q", c.text, l, err, c.base, c.file)
		}
	}
	for _, bad := range []string{"", "name", "http://example.com/a.safetensors", "ftp://x/y", Hub, Hub + "/owner", "a b/c", "C:\\models\\a.safetensors"} {
		if l, err := ParseLink(bad, Hub); err == nil {
			t.Errorf("%q is taken for %+v", bad, l)
		}
	}
}
