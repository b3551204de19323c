package gpu

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// One number at either end of float16's range is seen, wherever it is, and none below it.
func TestSaturation(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		const rows, channels = 4099, 18
		for at, value := range map[int]float32{-1: 0, 0: 65504, rows*channels - 1: -65504, 51234: 65472, 41234: -65504} {
			t.Run(fmt.Sprintf("%g at %d", value, at), func(t *testing.T) {
				values := normals(rand.New(rand.NewPCG(7, 8)), rows*channels)
				if at >= 0 {
					values[at] = value
				}
				x, _ := input(d, Act, values, 1, rows, channels)
				p := d.NewProgram("test")
				p.Saturation = d.NewSaturation()
				if p.Watch(x); (p.Len() > 0) != d.F16 {
					t.Errorf("%d dispatches on a path whose activations are %s", p.Len(), x.DType)
				}
				watch(p, x)
				run(t, p, 0)
				for _, want := range []bool{value*value == 65504*65504, false} {
					if seen, err := p.Saturation.Seen(t.Context()); err != nil || computes && seen != want {
						t.Errorf("seen: %v, want %v: %v", seen, want, err)
					}
					p.Saturation.Clear()
				}
			})
		}
	})
}

// Of a picture in bands, each band is watched.
func TestSaturationInBands(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		const h, w, c = 8, 16, 256
		limited(d, w*2*4*256*4, func() {
			p := d.NewProgram("test")
			p.Saturation = d.NewSaturation()
			x := p.newPicture("x", Act, 1, h, w, c)
			for _, b := range x.bands {
				y, _ := input(d, Act, make([]float32, b.Rows()*c), b.Shape...)
				CopyRows(p, y, b, 0, 0, b.Rows())
			}
			before := p.Len()
			if p.Watch(x); d.F16 && (before < 2 || p.Len() != 2*before) {
				t.Errorf("%d bands and %d dispatches", before, p.Len()-before)
			}
		})
	})
}
