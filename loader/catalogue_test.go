package loader

import (
	"os"
	"strings"
	"testing"
)

func TestCatalogue(t *testing.T) {
	text, err := os.ReadFile("../web/catalogue.json")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCatalogue(text)
	if err != nil {
		t.Fatal(err)
	}
	c.Base = "https://mirror.example/hf"
	for id, want := range map[string]string{
		"sd15":            "https://mirror.example/hf/stable-diffusion-v1-5/stable-diffusion-v1-5/resolve/main/unet/config.json",
		"ip-adapter-sd15": "https://mirror.example/hf/h94/IP-Adapter/resolve/main/models/ip-adapter_sd15.safetensors",
		"image-encoder":   "https://mirror.example/hf/h94/IP-Adapter/resolve/main/models/image_encoder/config.json",
	} {
		for _, e := range c.Models {
			if e.ID != id {
				continue
			}
			l, err := c.Link(e)
			name := "config.json"
			if e.Kind == KindModel {
				name = Config(UNet)
			}
			if l.File != "" {
				name = ""
			}
			if got := l.URL(name); err != nil || got != want {
				t.Errorf("%s is at %s, %v; want %s", id, got, err, want)
			}
			want = ""
		}
		if want != "" {
			t.Errorf("%s is not in the catalogue", id)
		}
	}
	for _, bad := range []string{"{", `{"modles":[]}`, strings.Replace(string(text), `"sd15-inpainting"`, `"sd15"`, 1), strings.Replace(string(text), `"kind": "model"`, `"kind": "hypernetwork"`, 1)} {
		if _, err := ParseCatalogue([]byte(bad)); err == nil {
			t.Errorf("%.60q is accepted", bad)
		}
	}
}
