//go:build !js

package site

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
)

// shaderCopies is the folder of the shaders that the page is compiled with; git ignores it.
const shaderCopies = ".build/wgsl"

// withoutComments copies the shaders without the lines that are comments, which are nearly half of what they take to
// download. It returns the file that has the compiler take the copies (go build -overlay).
func withoutComments() (overlay string, err error) {
	names, err := filepath.Glob("wgsl/*.wgsl")
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		to := filepath.Join(shaderCopies, filepath.Base(name))
		if err := writeChanged(to, code(text)); err != nil {
			return "", err
		}
		from, err := filepath.Abs(name)
		if err != nil {
			return "", err
		}
		if replace[from], err = filepath.Abs(to); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = shaderCopies + ".json"
	return overlay, writeChanged(overlay, list)
}

// code is a shader without the lines that are comments. Those that name what the shader needs stay.
func code(shader []byte) (kept []byte) {
	for line := range bytes.Lines(shader) {
		if trimmed := bytes.TrimSpace(line); !bytes.HasPrefix(trimmed, []byte("//")) || bytes.HasPrefix(trimmed, []byte("//needs ")) {
			kept = append(kept, line...)
		}
	}
	return kept
}
