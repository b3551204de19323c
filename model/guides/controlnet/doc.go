// Package controlnet steers a picture's structure by a map, such as edges or a pose: the
// ControlNet of Zhang et al. 2023 (arXiv 2302.05543) as a guide.
//
// A ControlNet is a copy of the UNet's encoder. It reads the map beside the noisy latents, and
// its results, each through a 1 × 1 convolution, are added to the UNet's skips and to its mid
// block. Image prompts do not enter it.
package controlnet
