// Package imageproc prepares pictures for the networks as PIL, transformers and
// diffusers do: it decodes files, resizes with PIL's filters, and computes the
// arrays that CLIPImageProcessor, VaeImageProcessor and IPAdapterMaskProcessor
// give. It also turns the VAE's output back into pixels.
//
// All arrays are channels-last: [height, width, channels], float32.
package imageproc
