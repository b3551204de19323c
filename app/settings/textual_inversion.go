package settings

import (
	"path"
	"strings"
)

// TextualInversionName is what the words call an embedding: its file's name without folder and
// ending.
func TextualInversionName(file string) string {
	name := path.Base(strings.ReplaceAll(file, `\`, "/"))
	if base, _, ok := strings.Cut(name, "?"); ok {
		name = base
	}
	switch ext := path.Ext(name); strings.ToLower(ext) {
	case ".safetensors", ".pt", ".bin":
		name = strings.TrimSuffix(name, ext)
	}
	return name
}
