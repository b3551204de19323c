package engine

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/pipeline"
)

// drawn is a PNG of width × height pixels.
func drawn(t *testing.T, width, height int, at func(x, y int) color.Color) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		m.Set(i%width, i/width, at(i%width, i/width))
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// begin prepares a request with a start picture of 64 × 32 pixels in red, whose right half the mask wants repainted. It
// returns a green picture after the overlay.
func begin(t *testing.T, s settings.Settings) (req *pipeline.Request, made *imageproc.Image, said string) {
	t.Helper()
	files := Pictures{
		"start.png": drawn(t, 64, 32, func(int, int) color.Color { return color.RGBA{255, 0, 0, 255} }),
		"mask.png":  drawn(t, 64, 32, func(x, _ int) color.Color { return color.Gray{uint8(x / 32 * 255)} }),
	}
	e := New(nil, nil)
	e.Warn = func(text string) { said += text }
	in, err := e.inputs(context.Background(), s, files)
	if err != nil {
		t.Fatal(err)
	}
	req = &pipeline.Request{}
	o, err := in.start(req, s, 8)
	if err != nil {
		t.Fatal(err)
	}
	made, err = imageproc.Decode(drawn(t, s.Width, s.Height, func(int, int) color.Color { return color.RGBA{0, 255, 0, 255} }))
	if err != nil {
		t.Fatal(err)
	}
	o.apply(made)
	return req, made, said
}

// greens are the picture's green values in its middle row.
func greens(m *imageproc.Image) (list []uint8) {
	for x := range m.Width {
		list = append(list, m.Pix[3*(m.Height/2*m.Width+x)+1])
	}
	return list
}

// What was not painted stays to the bit, and inside of the mask it fades out.
func TestInpaintingKeepsWhatWasNotPainted(t *testing.T) {
	s := settings.Default()
	s.InitImage, s.Mask, s.Width, s.Height = "start.png", "mask.png", 64, 32
	for _, feather := range []int{0, 8, 20} {
		s.MaskFeather = feather
		_, made, _ := begin(t, s)
		row := greens(made)
		if slices.Max(row[:32]) != 0 {
			t.Errorf("feather %d: a pixel that was not painted is changed: %v", feather, row[:32])
		}
		if !slices.IsSorted(row) || row[32] == 0 || row[32+feather] != 255 || feather > 0 && row[31+feather] == 255 {
			t.Errorf("feather %d: inside of the mask are %v", feather, row[32:])
		}
	}
	s.MaskOverlay = false
	if _, made, _ := begin(t, s); slices.Min(greens(made)) != 255 {
		t.Error("pixels are put back although that is switched off")
	}
	s.MaskOverlay, s.Mask = true, ""
	if req, made, _ := begin(t, s); slices.Min(greens(made)) != 255 || req.Mask != nil {
		t.Error("pixels are put back although all is drawn anew")
	}
}

// Borders are painted around the start picture, whose own pixels stay to the bit. What is painted on it is painted as well.
func TestOutpainting(t *testing.T) {
	s := settings.Default()
	s.InitImage, s.Width, s.Height, s.MaskFeather = "start.png", 64+24+16, 32+8, 4
	s.Outpaint = settings.Borders{Left: 24, Top: 8, Right: 16}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	inside := func(x, y int) bool { return x >= 24 && x < 88 && y >= 8 }
	for _, s.Mask = range []string{"", "mask.png"} {
		for _, s.ResizeMode = range []string{"", settings.ResizeCrop, settings.ResizeOutpaint} {
			req, made, said := begin(t, s)
			if said != "" {
				t.Errorf("mask %q, resize mode %q: said %q", s.Mask, s.ResizeMode, said)
			}
			for i, v := range req.Mask {
				x, y := i%s.Width, i/s.Width
				if painted := !inside(x, y) || s.Mask != "" && x >= 24+32; (v == 1) != painted {
					t.Fatalf("mask %q, resize mode %q: (%d, %d) has %g", s.Mask, s.ResizeMode, x, y, v)
				}
				if red, green := made.Pix[3*i], made.Pix[3*i+1]; v == 0 && (red != 255 || green != 0) || (x < 24-4 || x >= 88+4) && green != 255 {
					t.Fatalf("mask %q, resize mode %q: (%d, %d) has the colour %v", s.Mask, s.ResizeMode, x, y, made.Pix[3*i:3*i+3])
				}
				if req.Init[3*i] != 1 {
					t.Fatalf("(%d, %d) does not begin from the picture's outermost pixels", x, y)
				}
			}
			if len(req.LatentMask) != 5*13 || req.LatentMask[5] != 1 || req.LatentMask[2*13+4] != 0 {
				t.Errorf("the mask of the latents is %v", req.LatentMask)
			}
		}
	}
}

// A start picture of other proportions is stretched only if that is chosen, or with a warning.
func TestStartPictureKeepsItsShape(t *testing.T) {
	s := settings.Default()
	s.InitImage, s.Width, s.Height = "start.png", 64, 64
	for mode, want := range map[string]struct{ warned, mask bool }{
		"": {warned: true}, settings.ResizeDefault: {}, settings.ResizeCrop: {}, settings.ResizeFill: {}, settings.ResizeOutpaint: {mask: true},
	} {
		s.ResizeMode = mode
		req, _, said := begin(t, s)
		if got := strings.Contains(said, "64 × 32 pixels and is stretched to 64 × 64"); got != want.warned || (req.Mask != nil) != want.mask {
			t.Errorf("resize mode %q: said %q, mask %v", mode, said, req.Mask != nil)
		}
	}
	// The borders are repainted, what is painted too, and nothing else.
	s.Mask, s.ResizeMode = "mask.png", settings.ResizeOutpaint
	req, made, _ := begin(t, s)
	for i, v := range req.Mask {
		if x, y := i%64, i/64; (v == 1) != (y < 16 || y >= 48 || x >= 32) {
			t.Fatalf("(%d, %d) has %g", x, y, v)
		}
	}
	if row := greens(made); slices.Max(row[:32]) != 0 || row[63] != 255 {
		t.Errorf("the middle row is %v", row)
	}
	// Where the proportions are the result's, there is nothing to outpaint.
	s.Mask, s.Height = "", 32
	if req, _, said := begin(t, s); req.Mask != nil || said != "" {
		t.Error("a picture of the result's proportions gets a mask")
	}
}
