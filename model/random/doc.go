// Package random draws the numbers that torch draws on the CPU, so that a seed
// gives the picture that diffusers gives for it. Philox draws those that torch
// draws on an NVIDIA GPU, for seeds of AUTOMATIC1111's web UI.
//
// torch.randn has two ways to fill a tensor, and which one it takes depends on
// the tensor's size (ATen/native/cpu/DistributionTemplates.h, normal_kernel):
// from 16 elements up it draws uniform float32 and transforms them by Box and
// Muller's method in blocks of 16; below that it draws float64 pairs one at a
// time and keeps the second of each pair for the next small draw.
//
// Draws of 16 and more equal torch's to the bit (as torch computes them on x86
// with AVX2 or AVX-512; its portable build differs in the last bits). Smaller
// ones are computed in float64, and equal torch's but for the last bit of the C
// library's sin, cos and log1p, which rounding to float32 hides.
package random
