package imageproc

import "math"

// AttentionMask fits a mask [height, width] from MaskPreprocess to an attention
// layer whose queries are h rows of w columns, by cubic interpolation (which
// over- and undershoots a little at edges). It returns [h·w].
//
// It is IPAdapterMaskProcessor.downsample with the layer's size given. diffusers
// guesses that size from the number of queries. The guess is often wrong for
// pictures that are not square: at 360 × 1024 half of the tokens read the wrong
// place of the mask. Where the guess is right, the results are equal.
func AttentionMask(mask []float32, height, width, h, w int) []float32 {
	return InterpolateBicubic(mask, 1, height, width, h, w)
}

// InterpolateBicubic is torch.nn.functional.interpolate(mode="bicubic") of
// [height, width, channels] without corners aligned and without antialias
// (ATen/native/UpSample.h, A = -0.75).
func InterpolateBicubic(values []float32, channels, height, width, toHeight, toWidth int) []float32 {
	rows, columns := cubicTaps(height, toHeight), cubicTaps(width, toWidth)
	out := make([]float32, 0, toHeight*toWidth*channels)
	for _, r := range rows {
		for _, c := range columns {
			for k := range channels {
				var sum float32
				for i, y := range r.index {
					var line float32
					for j, x := range c.index {
						line += c.weight[j] * values[(y*width+x)*channels+k]
					}
					sum += r.weight[i] * line
				}
				out = append(out, sum)
			}
		}
	}
	return out
}

// taps are the four samples that make one, and their weights.
type taps struct {
	index  [4]int
	weight [4]float32
}

func cubicTaps(from, to int) []taps {
	scale := float32(from) / float32(to)
	all := make([]taps, to)
	for i := range all {
		at := float32(scale*(float32(i)+0.5)) - 0.5
		first := float32(math.Floor(float64(at)))
		t := at - first
		for j := range 4 {
			all[i].index[j] = min(max(int(first)-1+j, 0), from-1)
		}
		all[i].weight = [4]float32{cubicFar(t + 1), cubicNear(t), cubicNear(1 - t), cubicFar(2 - t)}
	}
	return all
}

// torch's cubic has a = -0.75, PIL's -0.5.
const torchCubic = -0.75

func cubicNear(x float32) float32 { return ((torchCubic+2)*x-(torchCubic+3))*x*x + 1 }
func cubicFar(x float32) float32 {
	return ((torchCubic*x-5*torchCubic)*x+8*torchCubic)*x - 4*torchCubic
}
