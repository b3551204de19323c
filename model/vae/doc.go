// Package vae is diffusers' AutoencoderKL: its encoder turns a picture into latents of an
// eighth of its size, and its decoder turns latents into a picture.
//
// Source: diffusers/models/autoencoders/autoencoder_kl.py and vae.py.
package vae
