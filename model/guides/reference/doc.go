// Package reference lets the result follow another picture without any weights: reference-only,
// by Lvmin Zhang (sd-webui-controlnet's discussions 1236 and 1280), as diffusers' community pipeline
// stable_diffusion_reference computes it.
//
// In every step the UNet also reads the picture, as noisy as the sample is, in one batch with the sample.
// What its self-attentions read is given to those of the sample as more keys and values. With AdaIN the
// deeper blocks' results get the picture's means and deviations.
package reference
