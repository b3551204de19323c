package state

import (
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
)

// mends are what the buttons beside a problem do.
func mends(p Problem) (list []Mend) {
	for _, r := range p.Remedies {
		list = append(list, r.Mend)
	}
	return list
}

// Whatever a worker says, the page knows what the visitor can do, and every button says what it does.
func TestRemedies(t *testing.T) {
	for _, c := range []struct {
		reason, record string
		want           Mend
	}{
		{protocol.Permission, "", AllowFile}, {protocol.Memory, "", DrawSmaller}, {protocol.Full, "", MakeRoom}, {protocol.Damaged, "sd15", GetAgain},
		{protocol.Damaged, "", TryAgain}, {protocol.Taken, "a.safetensors", DeleteStored}, {protocol.Refused, "", ChooseFile},
		{protocol.Unreachable, "", TryAgain}, {protocol.Outdated, "", Reload}, {"", "", TryAgain},
	} {
		p := failure(protocol.Failed{Message: "no", Reason: c.reason, Record: c.record}, Remedy{Mend: TryAgain})
		if p.Text != "no" || !slices.Contains(mends(p), c.want) {
			t.Errorf("%s: %+v, want %s", c.reason, p, c.want)
		}
		for _, r := range p.Remedies {
			if r.Label() == "" || r.Label() == "Open " {
				t.Errorf("%s: the button of %+v says nothing", c.reason, r)
			}
		}
	}
	if p := Unreadable(AtStart, "it is cut off"); p.Text != "it is cut off" || !slices.Equal(p.Remedies, []Remedy{{ChooseAnother, AddStart}}) {
		t.Errorf("%+v", p)
	}
	if p := noMap(protocol.MapMade{Problem: "nobody", Reason: protocol.WrongPicture}); !slices.Equal(mends(p), []Mend{ChooseAnother}) {
		t.Errorf("%+v", p)
	}
	if p := lostTwice("reset"); p.Remedies[0].Label() != "Start the engine again" {
		t.Errorf("%+v", p)
	}
}

// What stands in the way of a picture is put right in a panel that can be opened, and what is missing can be fetched.
func TestRequestRemedies(t *testing.T) {
	for panel, change := range map[string]func(*fakeLibrary, *settings.Settings){
		"": func(*fakeLibrary, *settings.Settings) {},
		InStyles: func(_ *fakeLibrary, s *settings.Settings) {
			s.LoRAs = []settings.LoRA{{Weights: "gone.safetensors", Scale: 1}}
		},
		InSettings: func(_ *fakeLibrary, s *settings.Settings) { s.Width = 63 },
		InStart:    func(f *fakeLibrary, _ *settings.Settings) { f.Chosen = Choice{ID: "paint", InChannels: 9} },
		InStructure: func(_ *fakeLibrary, s *settings.Settings) {
			s.Guides = append(s.Guides, &settings.ControlNet{Weights: "gone", Map: "a.png", End: 1, Balance: settings.BalanceEven})
		},
		InModels: func(f *fakeLibrary, s *settings.Settings) {
			f.Chosen = Choice{ID: "sd15", Name: "SD 1.5"}
			s.Guides = append(s.Guides, &settings.IPAdapter{Images: []settings.ImagePrompt{{Picture: "a.png"}}, Layers: settings.LayersAll, End: 1})
		},
	} {
		f, s := newFakeLibrary(t), settings.Default()
		change(f, &s)
		var want []Remedy
		if panel != "" {
			want = []Remedy{{OpenPanel, panel}}
		}
		if p := (Request{Jobs: []settings.Settings{s}}).Problem(f.Library); !slices.Equal(p.Remedies, want) {
			t.Errorf("%q: %+v", panel, p)
		}
	}
	f := newFakeLibrary(t, stored("sd15", loader.KindModel))
	if _, lacks := f.LacksFor([]*ImagePrompt{NewImagePrompt(pictureNamed("a.png"))}); lacks {
		t.Error("the model that ships has its adapter")
	}
	f.Do(Use, "sd15")
	if _, lacks := f.LacksFor(nil); lacks {
		t.Error("an adapter is wanted for no image prompt")
	}
	if g, lacks := f.LacksFor([]*ImagePrompt{NewImagePrompt(pictureNamed("a.png"))}); !lacks || len(g.Records) != 1 {
		t.Errorf("no adapter is offered: %+v", g)
	}
}

// What is damaged is deleted, and downloaded again once it is gone.
func TestGetAgain(t *testing.T) {
	f := newFakeLibrary(t, stored("sd15", loader.KindModel))
	if f.GetAgain("a file from the disk") {
		t.Error("what is not known here is downloaded")
	}
	f.Do(Use, "sd15")
	if !f.GetAgain("sd15") || f.last().Body != (protocol.Delete{Record: "sd15"}) {
		t.Fatalf("%+v", f.last())
	}
	f.answer(f.last().ID, protocol.Finished{Record: "sd15"})
	if m, ok := f.last().Body.(protocol.Plan); !ok || !slices.Equal(m.Records, []string{"sd15"}) {
		t.Errorf("%+v", f.last())
	}
}

// A failure in the panel of models has its remedy beside it, unless a button of its row does the same.
func TestPanelRemedies(t *testing.T) {
	f := newFakeLibrary(t, stored("sd15", loader.KindModel))
	f.Do(Verify, "sd15")
	f.answer(f.last().ID, protocol.Failed{Message: "a byte differs", Reason: protocol.Damaged})
	if p := f.row("sd15").Problem; !slices.Equal(p.Remedies, []Remedy{{GetAgain, "sd15"}}) {
		t.Errorf("%+v", p)
	}
	f.ImportFile("a file")
	f.answer(f.last().ID, protocol.Failed{Message: "it is a text"})
	if p := f.Panel().Problem; !slices.Equal(mends(p), []Mend{ChooseFile}) {
		t.Errorf("%+v", p)
	}
	f.Link = "https://example.com/a.safetensors"
	f.LookAtLink()
	f.answer(f.last().ID, protocol.Failed{Message: "sign in", Reason: protocol.Refused})
	if p := f.Panel().Link.Problem; !slices.Equal(mends(p), []Mend{ChooseFile}) || !strings.Contains(p.Text, "huggingface.co and civitai.com work") {
		t.Errorf("%+v", p)
	}
	f.Died("out of memory")
	if p := f.Panel().Problem; !slices.Equal(mends(p), []Mend{Reload}) {
		t.Errorf("%+v", p)
	}
}

// A grid that cannot be drawn takes values that can.
func TestUseExamples(t *testing.T) {
	c := NewComposer()
	for _, axes := range [][2]Axis{{{"steps", "many"}, {}}, {{"steps", ""}, {"guidance", "5"}}, {{"seed", "1-900"}, {"steps", "1-90"}}} {
		c.Axes = axes
		_, err := c.ForGrid("", nil, nil)
		if err == nil {
			t.Fatalf("%v can be drawn", axes)
		}
		if p := c.GridProblem(err); !slices.Equal(mends(p), []Mend{UseExample}) {
			t.Errorf("%v: %+v", axes, p)
		}
		if c.UseExamples(nil); axes[1].Values == "5" && c.Axes[1].Values != "5" {
			t.Errorf("%v: good values are replaced", axes)
		}
		if _, err := c.ForGrid("", nil, nil); err != nil {
			t.Errorf("%v: with examples, %v", axes, err)
		}
	}
}

func TestShrink(t *testing.T) {
	c := NewComposer()
	c.Settings.Width, c.Settings.Height = 512, 768
	if !c.Shrink() || c.Settings.Width != 384 || c.Settings.Height != 576 {
		t.Errorf("%d × %d", c.Settings.Width, c.Settings.Height)
	}
	for c.Shrink() {
	}
	if c.Settings.Width != MinEdge || c.Settings.Height != MinEdge {
		t.Errorf("at least %d × %d", c.Settings.Width, c.Settings.Height)
	}
}
