// Package depth estimates how far everything in a picture is, with Depth Anything (Yang et al. 2024, arXiv 2406.09414): a
// Vision Transformer, DINOv2, and the neck and the head of DPT. It follows transformers' DepthAnythingForDepthEstimation,
// its image processor and its pipeline.
//
// The fixture is made by tests/reference/preprocessors.py.
package depth
