// Package vae is diffusers' AutoencoderKL and AutoencoderTiny: an encoder turns a picture into
// latents of an eighth of its size, and a decoder turns latents into a picture.
//
// Source: diffusers/models/autoencoders/autoencoder_kl.py, autoencoder_tiny.py and vae.py.
package vae
