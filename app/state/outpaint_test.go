package state

import (
	"fmt"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
)

// extended returns a composer whose start picture has 256 × 128 pixels in the result.
func extended() *Composer {
	c := NewComposer()
	c.Extend(photo(256, 128))
	return c
}

// laid says what size the result has, and what of it is to be painted.
func (c *Composer) laid() string {
	b := c.Settings.Outpaint
	return fmt.Sprintf("%s with %d, %d, %d, %d", c.size(), b.Left, b.Top, b.Right, b.Bottom)
}

func wantLaid(t *testing.T, c *Composer, want string) {
	t.Helper()
	if got := c.laid(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestEdgesAreDragged(t *testing.T) {
	for _, tc := range []struct {
		edge   Edge
		dx, dy float64
		want   string
	}{
		{Right, 64, 30, "320 × 128 with 0, 0, 64, 0"},
		{Left, -64, 30, "320 × 128 with 64, 0, 0, 0"},
		{Bottom, 9, 30, "256 × 160 with 0, 0, 0, 32"}, // to the nearest multiple of 8
		{Top, 9, -3.4, "256 × 128 with 0, 0, 0, 0"},
		{Left | Top, -20, -70, "280 × 200 with 24, 72, 0, 0"},
		{Right | Bottom, 1e6, 1e6, "1024 × 1024 with 0, 0, 768, 896"}, // to what the page offers
		{Right, -50, 0, "256 × 128 with 0, 0, 0, 0"},                  // the picture itself is not cut
	} {
		c := extended()
		c.Pull(tc.edge, c.Settings.Outpaint, tc.dx, tc.dy)
		wantLaid(t, c, tc.want)
		if s := c.ForPicture("", nil).Jobs[0]; s.Validate() != nil || s.Outpaint != c.Settings.Outpaint || s.ResizeMode != settings.ResizeCrop {
			t.Errorf("%v: %+v is asked for: %v", tc.edge.Names(), s, s.Validate())
		}
	}
}

// A drag is from where it began: what it has passed on its way leaves nothing.
func TestADragGoesThereAndBack(t *testing.T) {
	c := extended()
	c.SetBorder(Right, 700)
	was := c.Settings.Outpaint
	for _, dx := range []float64{-40, -400, -64} {
		c.Pull(Left, was, dx, 0)
	}
	wantLaid(t, c, "1024 × 128 with 64, 0, 704, 0") // what the other edge has stays
	if c.Pull(Left, was, -66, 0) {
		t.Error("less than half of a step changes something")
	}
	if !c.Pull(Left, was, 0, 0) || c.Settings.Outpaint != was {
		t.Errorf("back at its start it is %s", c.laid())
	}
}

func TestBordersByNumberAndByKey(t *testing.T) {
	c := extended()
	c.SetBorder(Top, 30)
	wantLaid(t, c, "256 × 160 with 0, 32, 0, 0")
	c.SetBorder(Bottom, 10000)
	wantLaid(t, c, "256 × 1024 with 0, 32, 0, 864")
	if width, most := c.BorderAt(Top); width != 32 || most != 32 {
		t.Errorf("at the top %d, at most %d", width, most)
	}
	c.SetBorder(Bottom, 0)
	for _, key := range []struct {
		edge Edge
		name string
		far  bool
		want string
	}{
		{Top, "ArrowUp", false, "256 × 168 with 0, 40, 0, 0"},
		{Top, "ArrowDown", false, "256 × 160 with 0, 32, 0, 0"},
		{Left, "ArrowLeft", true, "320 × 160 with 64, 32, 0, 0"},
		{Right, "End", false, "1024 × 160 with 64, 32, 704, 0"},
		{Right, "ArrowLeft", false, "1016 × 160 with 64, 32, 696, 0"},
		{Right, "Home", false, "320 × 160 with 64, 32, 0, 0"},
	} {
		if !c.PullKey(key.edge, key.name, key.far) {
			t.Errorf("%s does nothing", key.name)
		}
		wantLaid(t, c, key.want)
	}
	if c.PullKey(Top, "ArrowLeft", false) || c.PullKey(Left, "x", false) {
		t.Error("a key along the edge moves it")
	}
}

func TestBordersAreTakenBack(t *testing.T) {
	c := extended()
	if c.CanUndoBorders() {
		t.Error("there is something to take back at first")
	}
	c.BeginBorders() // a drag
	was := c.Settings.Outpaint
	c.Pull(Right, was, 20, 0)
	c.Pull(Right, was, 64, 0)
	c.BeginBorders() // one that ends where it began
	c.PullKey(Top, "ArrowUp", false)
	c.ClearBorders()
	for _, want := range []string{"320 × 136 with 0, 8, 64, 0", "320 × 128 with 0, 0, 64, 0", "256 × 128 with 0, 0, 0, 0"} {
		if !c.CanUndoBorders() {
			t.Error("nothing is left to take back")
		}
		c.UndoBorders()
		wantLaid(t, c, want)
	}
	if c.UndoBorders(); c.CanUndoBorders() {
		t.Error("more than was done can be taken back")
	}
}

// The borders stay as wide as they are when the size is changed, and go with the start picture.
func TestBordersAndTheSize(t *testing.T) {
	c := NewComposer()
	c.SuitModel(512)
	c.SetStart(photo(1500, 1000))
	c.SetBorder(Left, 96)
	wantLaid(t, c, "720 × 416 with 96, 0, 0, 0")
	c.SetWidth(96 + 384)
	wantLaid(t, c, "480 × 256 with 96, 0, 0, 0")
	c.SetHeight(512)
	wantLaid(t, c, "864 × 512 with 96, 0, 0, 0")
	c.SetWidth(1024)
	wantLaid(t, c, "1024 × 616 with 96, 0, 0, 0")
	c.SetHeight(680)
	wantLaid(t, c, "1024 × 680 with 0, 0, 0, 0") // there is no room left
	c.SetShape(settings.ResizeOutpaint)
	c.SetWidth(512)
	c.SetBorder(Right, 64)
	c.SetBorder(Bottom, 64)
	c.SetWidth(64)
	wantLaid(t, c, "128 × 744 with 0, 0, 64, 64")
	c.SetStart(nil)
	if c.Extended() || c.size() != "64 × 680" {
		t.Errorf("without the start picture: %s", c.laid())
	}

	c = extended()
	c.SetBorder(Top, 64)
	if c.SetStart(nil); c.size() != "128 × 128" {
		t.Errorf("a size that was not chosen stays: %s", c.laid())
	}
	c = extended()
	c.SetBorder(Top, 64)
	if c.SetStart(photo(100, 100)); c.Extended() || c.size() != "128 × 128" {
		t.Errorf("another start picture has the borders of the one before: %s", c.laid())
	}
	c.SetBorder(Top, 64)
	if c.SuitModel(512); c.Extended() || c.size() != "512 × 512" {
		t.Errorf("another model has the borders of the one before: %s", c.laid())
	}
}

func TestBordersShrinkWithTheSize(t *testing.T) {
	c := extended()
	c.SetBorder(Left, 64)
	if !c.Shrink() {
		t.Error("it does not shrink")
	}
	wantLaid(t, c, "240 × 96 with 48, 0, 0, 0")
}

// A result is extended at its own size; a picture that the page does not offer keeps its shape.
func TestExtend(t *testing.T) {
	for _, tc := range []struct {
		width, height int
		want          string
	}{{256, 128, "256 × 128"}, {72, 1024, "72 × 1024"}, {100, 100, "128 × 128"}, {2048, 2048, "128 × 128"}, {40, 40, "128 × 128"}} {
		c := NewComposer()
		c.SetShape(settings.ResizeDefault)
		c.Extend(photo(tc.width, tc.height))
		if c.size() != tc.want || !c.Follows() {
			t.Errorf("%d × %d gives %s", tc.width, tc.height, c.size())
		}
		if c.SetStart(nil); c.size() != "128 × 128" {
			t.Errorf("without it the size is %s", c.size())
		}
	}
}

// A mask is drawn at the size of the start picture, over which it is painted, and others at that of the result.
func TestMasksBesideBorders(t *testing.T) {
	c := extended()
	c.AddPrompt(NewImagePrompt(photo(50, 50)))
	c.Prompts[0].Mask.All()
	c.StartMask.All()
	c.SetBorder(Right, 64)
	r := c.ForPicture("", nil)
	for name, want := range map[string][2]int{r.Jobs[0].Mask: {256, 128}, r.Jobs[0].IPAdapters()[0].Mask: {320, 128}} {
		if in := r.Inputs[name]; in.Mask == nil || [2]int{in.Width, in.Height} != want {
			t.Errorf("%s is drawn at %d × %d, not %v", name, in.Width, in.Height, want)
		}
	}
}

// What is restored is asked for again as it was.
func TestBordersAreRestored(t *testing.T) {
	c := extended()
	c.SetSeed(7)
	c.SetBorder(Left, 64)
	was := c.ForPicture("", nil).Jobs[0]
	again := NewComposer()
	again.Restore(was)
	again.RestorePictures(Pictures{Start: photo(256, 128)})
	if s := again.ForPicture("", nil).Jobs[0]; s.Outpaint != was.Outpaint || s.Width != was.Width || s.Height != was.Height {
		t.Errorf("%+v, not %+v", s, was)
	}
	undo := &Undo{}
	step := again.Replacing(undo, nil)
	again.SetStart(nil)
	step.Back()
	wantLaid(t, again, "320 × 128 with 64, 0, 0, 0")
	// A file has the names of its pictures only.
	again = NewComposer()
	again.RestoreFile("a.png", was, nil)
	if s := again.ForPicture("", nil).Jobs[0]; s.Outpaint != (settings.Borders{}) || s.Validate() != nil {
		t.Errorf("without its start picture: %+v, %v", s, s.Validate())
	}
}

func TestEdgeNames(t *testing.T) {
	if got := (Right | Bottom).Names(); !slices.Equal(got, []string{"right", "bottom"}) {
		t.Errorf("%q", got)
	}
}
