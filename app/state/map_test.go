package state

import (
	"reflect"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
)

// The preprocessor follows the network until the visitor chooses one.
func TestPreprocessorSuitsTheNetwork(t *testing.T) {
	list := []*Network{{ID: "lllyasviel/control_v11p_sd15_canny", Kind: loader.KindControlNet}, {ID: "hub/b", Name: "ControlNet 1.1 Tile", Kind: loader.KindControlNet},
		{ID: "TencentARC/t2iadapter_color_sd14v1", Kind: loader.KindT2IAdapter}, {ID: "control_v11p_sd15_openpose", Kind: loader.KindControlNet}}
	s := NewStructure(named("a.png"))
	for i, want := range []string{"canny", "tile", "color", "openpose"} {
		s.Network = list[i].ID
		if got := s.PreprocessorOf(list); got != want {
			t.Errorf("%s has the preprocessor %q", list[i].ID, got)
		}
	}
	if got := s.PreprocessorOf(nil); got != "" {
		t.Errorf("without a network it is %q", got)
	}
	s.SetPreprocessor("canny")
	s.SetOption(list, 0, 50)
	s.SetOption(list, 1, 5000)
	if got := s.PreprocessorOf(list); got != "canny:low_threshold=50,high_threshold=1000" {
		t.Errorf("chosen: %q", got)
	}
	s.SetPreprocessor("shuffle")
	s.SetOption(list, 0, 7.6)
	if got := s.PreprocessorOf(list); got != "shuffle:seed=8" {
		t.Errorf("a seed with a fraction: %q", got)
	}
	if s.SetPreprocessor("none"); s.PreprocessorOf(list[:1]) != "" {
		t.Error("a network changes what the visitor chose")
	}
}

// A map is asked for when it is shown first, and again when what it is made of changes, but one at a time.
func TestMapsAreMade(t *testing.T) {
	c := NewComposer()
	c.Networks = twoNetworks
	edges, sketch := NewStructure(named("edges.png")), NewStructure(named("sketch.png"))
	sketch.SetPreprocessor("none")
	c.AddStructure(edges)
	c.AddStructure(sketch)
	c.Settings.Width, c.Settings.Height = 64, 96
	next := func(s *Structure, preprocessor string) {
		t.Helper()
		r, ok := c.NextMap()
		if !ok || r.Structure != s || r.Preprocessor != preprocessor || r.Width != c.Settings.Width || r.Height != 96 || !c.Making(s) {
			t.Fatalf("the next map is %+v, %v", r, ok)
		}
		if _, ok := c.NextMap(); ok {
			t.Fatal("two maps are made at once")
		}
	}
	none := func() {
		t.Helper()
		if r, ok := c.NextMap(); ok {
			t.Fatalf("%+v is made once more", r)
		}
	}
	next(edges, "canny")
	c.TakeMap(&Base{Bitmap: "edges"}, Problem{})
	next(sketch, "")
	c.TakeMap(&Base{Bitmap: "sketch"}, Problem{})
	none()
	if edges.Map.Base.Bitmap != "edges" || sketch.Map.Base.Bitmap != "sketch" {
		t.Errorf("the maps are %v and %v", edges.Map.Base, sketch.Map.Base)
	}
	c.Settings.Width = 128
	next(edges, "canny") // a map that is taken as it is does not depend on the size
	c.TakeMap(nil, Problem{Text: "it cannot be read"})
	none()
	if edges.Problem.Text == "" || edges.Map.Base == nil {
		t.Error("what went wrong is not said, or the map before is gone")
	}
	edges.SetOption(c.networks(), 0, 30)
	next(edges, "canny:low_threshold=30")
	c.LoseMap() // with the engine
	next(edges, "canny:low_threshold=30")
	c.TakeMap(&Base{}, Problem{})
	if none(); edges.Problem.Text != "" {
		t.Errorf("the problem %q stays", edges.Problem.Text)
	}
}

// A map that a network makes waits until the network is here, and its weights go with what is asked for.
func TestMapsOfNetworks(t *testing.T) {
	hed := loader.Entry{ID: "hed", Kind: loader.KindHED, Name: "HED", Bytes: 3e7, Licence: "rail"}
	f := newFakeLibrary(t, stored("sd15", loader.KindModel), stored("canny", loader.KindControlNet))
	f.catalogue.Models = append(f.catalogue.Models, hed)
	f.Choose("sd15")
	c := NewComposer()
	c.Networks, c.MapNetworks = f.Networks, f.MapNetwork
	s := NewStructure(named("a.png"))
	s.SetPreprocessor("hed")
	c.AddStructure(s)
	n, needed := c.MapNetwork(s)
	if r, ok := c.NextMap(); ok || !needed || *n != (Network{ID: "hed", Name: "HED", Kind: loader.KindHED, Bytes: 3e7}) {
		t.Errorf("%+v is asked for, and %+v is needed", r, n)
	}
	if row := f.Need(n); len(row.Buttons) != 1 || row.Buttons[0].Do != PlanDownload {
		t.Errorf("HED is offered as %+v", row)
	}
	if text := c.ForPicture("sd15", nil).Problem(f.Library).Text; !strings.Contains(text, "HED, which makes the map, is not here") {
		t.Errorf("the problem is %q", text)
	}
	for id, want := range map[string]string{"hed": "hed", "my-hed.pth": "my-hed.pth"} { // that of the catalogue, or a file of the visitor's
		f.stored.Items = append(f.stored.Items[:2:2], stored(id, loader.KindHED))
		s.made = ""
		r, ok := c.NextMap()
		if !ok || r.Weights != want || r.Preprocessor != "hed" {
			t.Errorf("%s: %+v is asked for", id, r)
		}
		c.TakeMap(&Base{}, Problem{})
		request := c.ForPicture("sd15", nil)
		if g := request.Jobs[0].Guides[0].(*settings.ControlNet); g.PreprocessorWeights != want || request.Problem(f.Library).Text != "" {
			t.Errorf("%s: the request is %+v, %q", id, g, request.Problem(f.Library).Text)
		}
	}
}

// The engine makes the map, and says what went wrong.
func TestMapsFromTheEngine(t *testing.T) {
	e := newFakeEngine(t)
	r := MapRequest{Structure: NewStructure(named("a.png")), Preprocessor: "canny", Width: 64, Height: 96}
	if !e.jobs.MakeMap(r) {
		t.Fatal("there is no engine")
	}
	m := e.sent[len(e.sent)-1]
	if m.Body != (protocol.MakeMap{Preprocessor: "canny", Width: 64, Height: 96}) || m.Beside["picture"] != r.Structure.Bytes {
		t.Errorf("asked for %+v", m)
	}
	if news := e.answer(m.ID, protocol.MapMade{Problem: "no"}); !reflect.DeepEqual(news.Map, &Made{PNG: "a PNG", Problem: noMap(protocol.MapMade{Problem: "no"})}) {
		t.Errorf("the news is %+v", news.Map)
	}
	e.jobs.MakeMap(r)
	if news := e.answer(e.sent[len(e.sent)-1].ID, protocol.Lost{}); news.Map == nil || !strings.Contains(news.Map.Problem.Text, "was lost") {
		t.Errorf("with the GPU lost the news is %+v", news.Map)
	}
	if (&Jobs{}).MakeMap(r) {
		t.Error("a map is made without an engine")
	}
}

// What is painted on a map goes into the request as the map itself. It can be taken back, but not the map beneath it.
func TestPaintedMap(t *testing.T) {
	drafts := &fakeDrafts{}
	v, _ := newVisit(t, drafts)
	c := v.composer
	c.Networks = twoNetworks
	s := NewStructure(named("edges.png"))
	c.AddStructure(s)
	s.Map.Begin([2]float64{0.5, 0.5})
	if problem := c.PaintedEarly(); !strings.Contains(problem.Text, "Generate again") {
		t.Errorf("painted before there is a map: %q", problem.Text)
	}
	c.NextMap()
	c.TakeMap(&Base{Bitmap: "edges"}, Problem{})
	r := c.ForPicture("sd", nil)
	want := &settings.ControlNet{Weights: "canny", Map: "map1-painted.png", Lambda: 1, End: 1, Balance: settings.BalanceEven}
	if in := r.Inputs["map1-painted.png"]; c.PaintedEarly().Text != "" || !reflect.DeepEqual(r.Jobs[0].Guides[0], want) || len(r.Inputs) != 1 || in.Mask.Base.Bitmap != "edges" || len(in.Mask.Strokes) != 1 {
		t.Errorf("the request is %+v with %+v", r.Jobs[0].Guides[0], r.Inputs)
	}
	s.SetOption(c.networks(), 1, 250)
	v.save()
	again, _ := newVisit(t, drafts)
	if got := again.composer.Structures[0]; got.Preprocessor != "canny:high_threshold=250" || !got.Chosen || !got.Painted() || got.Map.Base != nil {
		t.Errorf("it came back as %+v", got)
	}
	s.Map.Undo()
	s.Map.Undo()
	if s.Painted() || s.Map.Base == nil || s.Map.CanUndo() {
		t.Error("Undo does not take back just what was painted")
	}
}

// One map at a time is shown over the stage, and none whose structure is gone.
func TestMapOverTheStage(t *testing.T) {
	c := NewComposer()
	a, b := NewStructure(named("a.b.jpg")), NewStructure(named("b"))
	c.AddStructure(a)
	c.AddStructure(b)
	for _, step := range []struct{ show, want *Structure }{{a, a}, {b, b}, {b, nil}, {a, a}} {
		if c.ToggleOverStage(step.show); c.OverStage() != step.want {
			t.Errorf("%v is shown, not %v", c.OverStage(), step.want)
		}
	}
	if c.RemoveStructure(a); c.OverStage() != nil {
		t.Error("a map that was removed is shown")
	}
	c.ToggleOverStage(b)
	if c.RestorePictures(Pictures{}); c.OverStage() != nil {
		t.Error("a map whose pictures were replaced is shown")
	}
	if a.MapName() != "a.b-map.png" || b.MapName() != "b-map.png" {
		t.Errorf("the files are called %s and %s", a.MapName(), b.MapName())
	}
}

// Whatever the browser answers about the camera, the visitor is told what to do.
func TestCameraProblems(t *testing.T) {
	for name, want := range map[string]string{"NotAllowedError": "Allow it", "NotFoundError": "Connect one", "NotReadableError": "Close it", "TypeError": "from a file"} {
		if got := CameraProblem(name); !strings.Contains(got.Text, want) {
			t.Errorf("%s: %s", name, got.Text)
		}
	}
}
