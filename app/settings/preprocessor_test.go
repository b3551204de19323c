package settings

import "testing"

// What sd-webui-controlnet has under a name of its own comes back from its text; anything else is written as none.
func TestModules(t *testing.T) {
	for text, want := range map[string]string{"hed": "softedge_hed", "hed:safe=1": "softedge_hedsafe", "hed:scribble=1": "scribble_hed", "hed:safe=1,scribble=1": "none",
		"softedge": "none", "color": "t2ia_color_grid", "tile:down_sampling_rate=2": "tile_resample, Threshold A: 2"} {
		if got := module(text); got != "Module: "+want {
			t.Errorf("%s is written as %q", text, got)
		}
		if back := readModule(want, nil); want != "none" && text != "tile:down_sampling_rate=2" && back != text {
			t.Errorf("%s is read as %q", want, back)
		}
	}
}
