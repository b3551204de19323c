// Package pipeline draws pictures: it encodes the words, lets the guides prepare, draws the
// noise, runs the UNet and the scheduler step by step, and decodes the latents.
package pipeline
