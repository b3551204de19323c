package pipeline

import "math"

// The ways to enlarge latents, by the names of A1111's web UI (modules/shared_items.py, latent_upscale_modes). Those that
// it calls antialiased do nothing else when they enlarge, apart from the bicubic one.
const (
	Bilinear     = "Latent"
	Bicubic      = "Latent (bicubic)"
	NearestExact = "Latent (nearest-exact)"
)

// Enlarge returns latents, [C, h, w], as [C, toH, toW], enlarged in one of these ways.
//
// Source: torch.nn.functional.interpolate with the sizes and without antialias.
func Enlarge(latents []float32, h, w, toH, toW int, how string) []float32 {
	rows, columns := axis(h, toH, how), axis(w, toW, how)
	channels := len(latents) / (h * w)
	out := make([]float32, 0, channels*toH*toW)
	for c := range channels {
		plane := latents[c*h*w : (c+1)*h*w]
		for _, row := range rows {
			for _, column := range columns {
				var sum float32
				for _, y := range row {
					var line float32
					for _, x := range column {
						line += plane[y.at*w+x.at] * x.weight
					}
					sum += line * y.weight
				}
				out = append(out, sum)
			}
		}
	}
	return out
}

// share is how much a place counts.
type share struct {
	at     int
	weight float32
}

// axis says for each of to places what it is made of, of from places. What lies beyond the border is as at the border.
func axis(from, to int, how string) [][]share {
	ratio := float64(from) / float64(to)
	inside := func(i int) int { return min(max(i, 0), from-1) }
	list := make([][]share, to)
	for i := range list {
		middle := (float64(i) + 0.5) * ratio
		whole := math.Floor(middle - 0.5)
		t, at := middle-0.5-whole, int(whole)
		switch how {
		case NearestExact:
			list[i] = []share{{inside(int(middle)), 1}}
		case Bicubic:
			for k, weight := range []float64{cubicFar(1 + t), cubicNear(t), cubicNear(1 - t), cubicFar(2 - t)} {
				list[i] = append(list[i], share{inside(at - 1 + k), float32(weight)})
			}
		default:
			list[i] = []share{{inside(at), float32(1 - t)}, {inside(at + 1), float32(t)}}
		}
	}
	return list
}

// cubicNear and cubicFar are the cubic convolution's weights at a distance of up to 1, and of 1 to 2.
func cubicNear(x float64) float64 { return ((cubic+2)*x-(cubic+3))*x*x + 1 }
func cubicFar(x float64) float64  { return ((cubic*x-5*cubic)*x+8*cubic)*x - 4*cubic }

// cubic is torch's coefficient.
const cubic = -0.75
