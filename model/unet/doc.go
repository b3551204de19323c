// Package unet is diffusers' UNet2DConditionModel: the network that predicts the noise in
// latents, told the time, and steered by words through its cross-attentions and by guides
// through its taps (taps.go).
//
// A picture's steps share a Conditioning, which is computed once: the time embedding of
// every step, and the keys and values of the words. What is left to a step is recorded by
// UNet.Record.
//
// Source: diffusers/models/unets/unet_2d_condition.py.
package unet
