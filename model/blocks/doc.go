// Package blocks holds the blocks that the UNet and the VAE share, named as diffusers names
// them.
package blocks
