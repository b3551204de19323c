package settings

import (
	"path"
	"strings"
)

// WeightsName returns the name of a file of weights without its folder and endings. It is what the words call a LoRA or an
// embedding.
func WeightsName(file string) string {
	name := path.Base(strings.ReplaceAll(file, `\`, "/"))
	if base, _, ok := strings.Cut(name, "?"); ok {
		name = base
	}
	for {
		switch ext := path.Ext(name); strings.ToLower(ext) {
		case ".safetensors", ".pt", ".pth", ".bin", ".ckpt":
			name = strings.TrimSuffix(name, ext)
		default:
			return name
		}
	}
}
