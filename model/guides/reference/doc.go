// Package reference lets the result follow another picture without any weights: reference-only,
// by Lvmin Zhang (sd-webui-controlnet's discussion 1236), as diffusers' community pipeline
// stable_diffusion_reference computes it, without its AdaIN.
//
// In every step the UNet also reads the picture, as noisy as the sample is. What its
// self-attentions read is given to those of the sample as more keys and values.
package reference
