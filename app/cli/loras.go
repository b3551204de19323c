package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
)

// cutLoRAs takes the tags of LoRAs out of the prompt, where a folder of them is named.
func (o *options) cutLoRAs() error {
	if o.loraDir == "" {
		return nil
	}
	words, loras, others := settings.CutLoRAs(o.Prompt)
	o.Prompt = words
	var errs []error
	for _, name := range others {
		errs = append(errs, fmt.Errorf("the prompt asks for the hypernetwork %q, which Imprompt does not read: remove it", name))
	}
	files := map[string][]string{} // by what they are called in words
	err := filepath.WalkDir(o.loraDir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && loader.IsWeights(path) {
			name := settings.WeightsName(path)
			files[name] = append(files[name], path)
		}
		return err
	})
	errs = append(errs, err)
	for _, l := range loras {
		switch found := files[l.Name()]; len(found) {
		case 0:
			errs = append(errs, fmt.Errorf("the prompt asks for the LoRA %q, and there is no %s.safetensors (.pt, .ckpt) in %s", l.Name(), l.Name(), o.loraDir))
		case 1:
			l.Weights = found[0]
			o.LoRAs = append(o.LoRAs, l)
		default:
			slices.Sort(found)
			errs = append(errs, fmt.Errorf("the prompt asks for the LoRA %q, and there are several: %s", l.Name(), strings.Join(found, ", ")))
		}
	}
	return errors.Join(errs...)
}
