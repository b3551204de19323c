package settings

import (
	"strings"

	"github.com/imprompt/imprompt/model/imageproc/maps"
)

// preprocessor checks the preprocessor of a guide, and whether it has the weights that it needs.
func (v *problems) preprocessor(where, text, weights string) {
	p, err := maps.Parse(text)
	v.require(err == nil, "%spreprocessor: %v", where, err)
	if err == nil && p.Method.Weights != "" {
		v.require(weights != "", "%spreprocessor_weights is missing. %s is a network: give the file of its weights", where, p.Method.Name)
	}
}

// modules are sd-webui-controlnet's names for the preprocessors that it has as well, some of which are ours with options.
var modules = map[string]string{"canny": "canny", "hed": "softedge_hed", "hed:safe=1": "softedge_hedsafe", "hed:scribble=1": "scribble_hed", "depth": "depth_anything_v2", "lineart": "lineart_realistic", "lineart_coarse": "lineart_coarse",
	"openpose": "openpose", "invert": "invert (from white bg & black line)", "tile": "tile_resample", "shuffle": "shuffle",
	"color": "t2ia_color_grid", "recolor_luminance": "recolor_luminance", "recolor_intensity": "recolor_intensity"}

// module writes a preprocessor as fields of sd-webui-controlnet's unit. One that it does not have is written as none, because
// it could not make the map again.
func module(text string) string {
	p, err := maps.Parse(text)
	if err != nil {
		return "Module: none"
	}
	name := modules[p.String()]
	if thresholds(p) != nil {
		name = modules[p.Method.Name]
	}
	if name == "" {
		return "Module: none"
	}
	fields := "Module: " + name
	for i, name := range thresholds(p) {
		fields += ", " + name + ": " + decimal(p.Values[i])
	}
	return fields
}

// thresholds names the fields of the unit that have a preprocessor's options.
func thresholds(p maps.Preprocessor) []string {
	switch p.Method.Name {
	case "canny":
		return []string{"Threshold A", "Threshold B"}
	case "tile", "recolor_luminance", "recolor_intensity":
		return []string{"Threshold A"}
	}
	return nil
}

// readModule reads the preprocessor of a unit: its name, and its fields by their names in small letters. It returns "" for one
// that is not here.
func readModule(name string, field map[string]float64) string {
	for ours, theirs := range modules {
		if !strings.EqualFold(name, theirs) {
			continue
		}
		p, err := maps.Parse(ours)
		if err != nil {
			return ""
		}
		for i, name := range thresholds(p) {
			o := p.Method.Options[i]
			if v, given := field[strings.ToLower(name)]; given && v >= o.Min && v <= o.Max {
				p.Values[i] = v
			}
		}
		return p.String()
	}
	return ""
}
