package vae

import (
	"encoding/json"
	"fmt"
)

// LatentRGB approximates what the decoder makes of a latent by one colour for its place, a
// product of the four channels with a matrix. It costs nothing beside a decoding, so that a
// picture can be shown after every step.
type LatentRGB struct {
	Factors [4][3]float64 `json:"latent_rgb_factors"`
	Bias    [3]float64    `json:"latent_rgb_factors_bias"`
}

// LatentRGBFile is where a model's folder may have factors of its own, as
// model/train/latent_rgb.py fits them.
const LatentRGBFile = "vae/latent_rgb.json"

// SD15LatentRGB are the factors of Stable Diffusion 1.x (SD15 in ComfyUI's
// comfy/latent_formats.py).
var SD15LatentRGB = LatentRGB{Factors: [4][3]float64{
	{0.3512, 0.2297, 0.3227},
	{0.3250, 0.4974, 0.2350},
	{-0.2829, 0.1762, 0.2721},
	{-0.2120, -0.2616, -0.7177},
}}

// ParseLatentRGB reads a LatentRGBFile.
func ParseLatentRGB(data []byte) (LatentRGB, error) {
	var m LatentRGB
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%s: %w", LatentRGBFile, err)
	}
	if m.Factors == [4][3]float64{} {
		return m, fmt.Errorf("%s: latent_rgb_factors, four rows of three numbers, is missing", LatentRGBFile)
	}
	return m, nil
}

// Pixels takes latents as the UNet sees them, [h·w, 4], and returns colours of about -1..1,
// [h·w, 3].
func (m LatentRGB) Pixels(latents []float32) []float32 {
	pixels := make([]float32, 0, len(latents)/4*3)
	for i := 0; i+4 <= len(latents); i += 4 {
		for c := range 3 {
			v := m.Bias[c]
			for k := range 4 {
				v += float64(latents[i+k]) * m.Factors[k][c]
			}
			pixels = append(pixels, float32(v))
		}
	}
	return pixels
}
