package gpu

import (
	"context"
	"math/rand/v2"
	"testing"
)

// limited calls do while larger pictures than that many bytes are stored in bands.
func limited(d *Device, bytes int64, do func()) {
	before := d.Limits
	d.Limits.MaxStorageBufferBindingSize = bytes
	do()
	d.Limits = before
}

// What the VAE does at full size, with limits that are small enough to need bands: an
// upsampling convolution, norms, convolutions with a residual and a shortcut, one of stride
// 2 with zeros at the end, one to f32, and one by Winograd's algorithm. With and without bands the numbers are the same,
// except that the norms sum in another order.
func TestBands(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		ctx := context.Background()
		rng := rand.New(rand.NewPCG(21, 22))
		const h, w, c = 29, 26, 96
		winograd := 0
		conv := func(out, in, size int) *ConvWeight {
			weight, _ := parameter(d, rng, "F16", 0.06, out, in, size, size)
			weight.Winograd = winograd
			bias, _ := parameter(d, rng, "F32", 1, out)
			cw, err := d.NewConvWeight(ctx, "conv", []Parameter{weight}, []Parameter{bias}, false)
			if err != nil {
				t.Fatal(err)
			}
			return cw
		}
		up, conv1, conv2, shortcut, down, last := conv(c, 8, 3), conv(c/2, c, 3), conv(c/2, c/2, 3), conv(c/2, c, 1), conv(c/2, c/2, 3), conv(3, c/2, 3)
		winograd = 2
		tiles := conv(4, c/2, 3)
		norm1, _, _ := testNorm(t, d, rng, c)
		norm2, _, _ := testNorm(t, d, rng, c/2)
		x, _ := input(d, Act, normals(rng, h*w*8), 1, h, w, 8)
		record := func(p *Program) (lowered, picture, tiled *Tensor) {
			y := Conv2d(p, x, up, Conv2dOptions{Label: "up", Padding: 1, UpsampleTo: [2]int{2 * h, 2 * w}})
			n := GroupNorm(p, y, norm1, GroupNormOptions{Label: "norm1", Groups: 8, Eps: 1e-6, Activation: SiLU})
			z := Conv2d(p, n, conv1, Conv2dOptions{Label: "conv1", Padding: 1})
			n = GroupNorm(p, z, norm2, GroupNormOptions{Label: "norm2", Groups: 8, Eps: 1e-6, Activation: SiLU})
			s := Conv2d(p, y, shortcut, Conv2dOptions{Label: "shortcut"})
			z = Conv2d(p, n, conv2, Conv2dOptions{Label: "conv2", Padding: 1, Residual: s, Scale: 0.5})
			lowered = Conv2d(p, z, down, Conv2dOptions{Label: "down", Stride: 2, PadEnd: 1})
			picture = Conv2d(p, z, last, Conv2dOptions{Label: "last", Padding: 1, Output: F32})
			tiled = Conv2d(p, z, tiles, Conv2dOptions{Label: "Winograd", Padding: 1, Activation: SiLU, tile: convTile{mv: 1, nv: 1, variant: "rolled"}})
			p.Keep(lowered)
			p.Keep(picture)
			p.Keep(tiled)
			return lowered, picture, tiled
		}
		whole := d.NewProgram("whole")
		lowered, picture, tiled := record(whole)
		run(t, whole, 0)
		// Bands of a few rows. The height is not a multiple, so the last band has fewer.
		limited(d, 2*(2*w)*4*256*4, func() {
			cut := d.NewProgram("cut")
			loweredCut, pictureCut, tiledCut := record(cut)
			if cut.Len() < 5*whole.Len() {
				t.Fatalf("%d dispatches, and %d without limits: nothing was cut", cut.Len(), whole.Len())
			}
			run(t, cut, 0)
			// With f16 a few roundings fall the other way.
			tolerance := 1e-6
			if d.F16 {
				tolerance = 4e-4
			}
			compare(t, "down", output(t, loweredCut), output(t, lowered), tolerance)
			compare(t, "picture", output(t, pictureCut), output(t, picture), tolerance)
			compare(t, "Winograd", output(t, tiledCut), output(t, tiled), winogradTolerance(d, 2))
		})
	})
}

// A picture that is too large and cannot be stored in bands is an error.
func TestTooLarge(t *testing.T) {
	d := testDevice(t, testPath{})
	limited(d, 1024, func() {
		x := newTensor(d, "picture", Act, []int{2, 16, 16, 4})
		x.persistent = true
		p := d.NewProgram("test")
		w, _, _ := testNorm(t, d, rand.New(rand.NewPCG(1, 2)), 4)
		GroupNorm(p, x, w, GroupNormOptions{Label: "norm", Groups: 1})
		if err := p.Build(context.Background()); err == nil {
			t.Fatal("a tensor larger than a binding was taken")
		}
	})
}
