// Package random draws the numbers that torch draws on the CPU, so that a seed gives the
// same picture as in diffusers. Philox draws the numbers that torch draws on an NVIDIA GPU,
// for seeds of AUTOMATIC1111's web UI.
//
// torch.randn has two ways to fill a tensor. The tensor's size decides which one it takes
// (ATen/native/cpu/DistributionTemplates.h, normal_kernel). For 16 elements or more it draws
// uniform float32 numbers and transforms them by Box and Muller's method in blocks of 16.
// For fewer it draws pairs of float64 numbers one at a time and keeps the second of each pair
// for the next small draw.
//
// Draws of 16 elements or more equal torch's to the bit, as torch computes them on x86 with
// AVX2 or AVX-512 (its portable build differs in the last bits). Smaller draws are computed
// in float64. They equal torch's except for the last bit of the C library's sin, cos and
// log1p, which disappears when the result is rounded to float32.
package random
