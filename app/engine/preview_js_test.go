//go:build js && wasm

package engine

import (
	"context"
	"math"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/imageproc"
)

// The preview of the last step looks like the picture, seen from afar.
func TestPreview(t *testing.T) {
	ctx := context.Background()
	d, err := gpu.Open(ctx, gpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	e := New(d, shipped{})
	defer e.Unload()
	s := settings.Default()
	s.Prompt, s.NumInferenceSteps, s.Height, s.Width, s.Scheduler = "a fox on a blue background", 6, 128, 128, "dpmpp_2m"
	var preview *imageproc.Image
	var picture []uint8
	err = e.Generate(ctx, s, nil, func(ev Event) {
		if ev.Preview != nil {
			if preview, err = ev.Preview(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}, func(r Result) error { picture = r.RGBA; return nil })
	if err != nil {
		t.Fatal(err)
	}
	side := preview.Width
	cell := 128 / side
	if side != preview.Height || side*cell != 128 || cell < 2 {
		t.Fatalf("the preview has %d × %d pixels", preview.Width, preview.Height)
	}
	small := preview.RGBA()
	var a, b []float64
	for y := range side {
		for x := range side {
			for c := range 3 {
				sum := 0.0
				for i := range cell * cell {
					sum += float64(picture[((y*cell+i/cell)*128+x*cell+i%cell)*4+c])
				}
				a, b = append(a, float64(small[(y*side+x)*4+c])), append(b, sum/float64(cell*cell))
			}
		}
	}
	if r := correlation(a, b); r < 0.7 {
		t.Errorf("the preview and the picture correlate by %.2f", r)
	} else {
		t.Logf("they correlate by %.2f", r)
	}
}

func correlation(a, b []float64) float64 {
	var ma, mb, ab, aa, bb float64
	for i := range a {
		ma, mb = ma+a[i]/float64(len(a)), mb+b[i]/float64(len(a))
	}
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	return ab / math.Sqrt(aa*bb)
}
