package state

import (
	"reflect"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

// manyNetworks has one of each kind, and another file of Uni-ControlNet.
func manyNetworks() []*Network {
	l := &Library{}
	l.Chosen.ID = "sd15"
	for id, kind := range map[string]loader.Kind{"canny": loader.KindControlNet, "hub/uni.ckpt": loader.KindUniControlNet, "vit-l": loader.KindImageEncoder} {
		l.stored.Items = append(l.stored.Items, stored(id, kind))
	}
	style := stored("style.pth", loader.KindT2IAdapter)
	style.Style, style.Needs = true, "vit-l"
	l.stored.Items = append(l.stored.Items, style)
	for i := range l.stored.Items {
		if l.stored.Items[i].ID == "vit-l" {
			l.stored.Items[i].Width = clipLWidth
		}
	}
	return l.Networks()
}

// The maps and the picture of a Uni-ControlNet become one guide, a style adapter gets its image encoder, and a reference needs
// neither a map nor weights. A result brings all of them back.
func TestPicturesBesideMaps(t *testing.T) {
	c := NewComposer()
	c.Networks = manyNetworks
	names := []string{"edges.png", "far.png", "whole.png", "look.png"}
	for _, name := range names {
		c.AddStructure(NewStructure(named(name)))
	}
	edges, far, whole, look := c.Structures[0], c.Structures[1], c.Structures[2], c.Structures[3]
	c.Choose(edges, "canny hub/uni.ckpt")
	edges.Scale = 0.5
	c.Choose(far, "midas hub/uni.ckpt")
	far.SetPreprocessor("none")
	if c.Lead(far) != edges || c.Lead(look) != look {
		t.Error("the weight of all maps is not that of the first")
	}
	edges.SetEnd(0.75)
	c.Choose(whole, "content hub/uni.ckpt")
	whole.Scale = 0.25
	c.Choose(look, ReferenceOnly)
	look.Reference.Fidelity, look.Reference.AdaIN = 0.25, true
	look.Map.Begin([2]float64{0.5, 0.5}) // nothing can be painted on a picture, but a map may have been painted on before
	look.Map.Base = &Base{Bitmap: "look"}
	r := c.ForPicture("sd15", nil)
	want := settings.Guides{
		&settings.UniControlNet{Weights: "hub/uni.ckpt", Canny: "map1-edges.png", MiDaS: "map2-far.png", Content: "map3-whole.png", ImageEncoder: "vit-l",
			Local: 0.5, Global: 0.25, End: 0.75, Preprocessors: [7]string{"canny"}},
		&settings.Reference{Picture: "map4-look.png", Fidelity: 0.25, Attention: true, AdaIN: true},
	}
	if got := r.Jobs[0].Guides; !reflect.DeepEqual(got, want) || r.Jobs[0].Validate() != nil {
		t.Errorf("the guides are %+v and %+v, %v", got[0], got[1], r.Jobs[0].Validate())
	}
	kept := map[string]any{}
	for name, in := range r.Inputs {
		kept[name] = in.Bytes
	}
	p, err := (&Result{Settings: r.Jobs[0], Inputs: kept}).Pictures(nil, fakeBrowser{})
	if err != nil {
		t.Fatal(err)
	}
	again := NewComposer()
	again.Networks = manyNetworks
	again.Restore(r.Jobs[0])
	again.RestorePictures(p)
	if got := again.ForPicture("sd15", nil).Jobs[0].Guides; !reflect.DeepEqual(got, want) {
		t.Errorf("the guides came back as %+v and %+v", got[0], got[1])
	}
	// A PNG has the settings without what is private, and not the pictures: they go to the pictures that are here.
	file := NewComposer()
	file.Networks = manyNetworks
	for _, name := range names {
		file.AddStructure(NewStructure(named(name)))
	}
	if note := file.RestoreFile("fox.png", r.Jobs[0].Public(), nil); strings.Contains(note, "Add its maps") {
		t.Error(note)
	}
	if got := file.ForPicture("sd15", nil).Jobs[0].Guides; !reflect.DeepEqual(got, want) {
		t.Errorf("from a PNG the guides are %+v and %+v", got[0], got[1])
	}

	c.Choose(look, "style.pth")
	style := &settings.T2IAdapter{Weights: "style.pth", Map: "map4-look.png", Lambda: 1, End: 1, ImageEncoder: "vit-l"}
	if got := c.ForPicture("sd15", nil).Jobs[0].Guides[1]; !reflect.DeepEqual(got, style) {
		t.Errorf("the style adapter is %+v", got)
	}
	c.Choose(look, "canny hub/uni.ckpt")
	look.Map = Mask{}
	twice := &settings.UniControlNet{Weights: "hub/uni.ckpt", Canny: "map4-look.png", Local: 0.5, Global: 1, End: 0.75, Preprocessors: [7]string{"canny"}}
	if got := c.ForPicture("sd15", nil).Jobs[0].Guides; len(got) != 2 || !reflect.DeepEqual(got[1], twice) {
		t.Errorf("the same map twice gives %+v", got)
	}
}

// A draft keeps which of a Uni-ControlNet's pictures one is, and how a reference is followed.
func TestPicturesAreKept(t *testing.T) {
	drafts := &fakeDrafts{}
	v, _ := newVisit(t, drafts)
	s := NewStructure(named("look.png"))
	s.Network, s.Part, s.Reference.Fidelity, s.Reference.AdaIN = "uni.ckpt", "seg", 1, true
	v.composer.AddStructure(s)
	v.save()
	again, _ := newVisit(t, drafts)
	if !reflect.DeepEqual(again.composer.Structures, v.composer.Structures) {
		t.Errorf("it came back as %+v", again.composer.Structures[0])
	}
}

// What reads a picture through an image encoder needs CLIP ViT-L, and offers it where the picture is.
func TestEncoderOfAPicture(t *testing.T) {
	style := stored("style.pth", loader.KindT2IAdapter)
	style.Style = true
	f := newFakeLibrary(t, stored("sd15", loader.KindModel), stored("vit-h", loader.KindImageEncoder), style, stored("uni", loader.KindUniControlNet))
	f.catalogue.Models = append(f.catalogue.Models, loader.Entry{ID: clipL, Kind: loader.KindImageEncoder, Name: "CLIP ViT-L/14 image encoder", Bytes: 17e8},
		loader.Entry{ID: "other-style", Kind: loader.KindT2IAdapter, Name: "Style", Needs: clipL},
		loader.Entry{ID: "other-uni", Kind: loader.KindUniControlNet, Name: "Uni", Needs: clipL})
	f.Choose("sd15")
	by := map[string]*Network{}
	for _, n := range f.Networks() {
		by[n.Value()] = n
	}
	for value, reads := range map[string]bool{"style.pth": false, "canny uni": true, "content uni": false, "other-style": false, ReferenceOnly: false} {
		n, ok := by[value]
		if lacks := !reads && value != ReferenceOnly; !ok || n.ReadsMap() != reads || (n.Lacks == clipL) != lacks || n.Encoder != "" {
			t.Errorf("%s: %+v", value, n)
		}
	}
	if len(by) != 2+8*2+1 {
		t.Errorf("there are %d networks", len(by))
	}
	if row := f.Need(by["style.pth"]); row.Name != "CLIP ViT-L/14 image encoder" || len(row.Buttons) != 1 || row.Buttons[0].Record != clipL {
		t.Errorf("its need is %+v", row)
	}
	if row := f.Need(by["content other-uni"]); row.ID != "other-uni" || !strings.Contains(row.About, "its size is shown before the download") || !strings.Contains(row.About, "with it comes the CLIP ViT-L/14") {
		t.Errorf("a network that is not here is offered as %+v", row)
	}
	problem := func(g settings.Guide) string {
		text, _ := f.structureProblem(settings.Settings{Guides: settings.Guides{g}})
		return text
	}
	if p := problem(&settings.T2IAdapter{Weights: "style.pth"}); !strings.Contains(p, "needs the image encoder CLIP ViT-L/14") {
		t.Error(p)
	}
	if p := problem(&settings.UniControlNet{Weights: "uni", Content: "a.png"}); !strings.Contains(p, "needs the image encoder") {
		t.Error(p)
	}
	for _, g := range []settings.Guide{&settings.UniControlNet{Weights: "uni", HED: "a.png"}, &settings.Reference{}} {
		if p := problem(g); p != "" {
			t.Errorf("%+v: %s", g, p)
		}
	}
	l := stored("clip_l.safetensors", loader.KindImageEncoder)
	l.Width = clipLWidth
	f.stored.Items = append(f.stored.Items, l)
	for _, n := range f.Networks() {
		if want := map[bool]string{false: l.ID}[n.ReadsMap() || n.Kind == Reference]; n.Encoder != want || n.Lacks != "" {
			t.Errorf("%s reads with %q and lacks %q", n.Value(), n.Encoder, n.Lacks)
		}
	}
	if got := encoderFor(stored("ip", loader.KindIPAdapter), append([]store.Item{l}, f.stored.Items...)); got == l.ID {
		t.Error("an IP-Adapter gets CLIP ViT-L where there is another encoder")
	}
}
