// Package lineart draws a picture's lines, with the network of Chan, Durand and Isola (2022, arXiv 2203.12691), which
// controlnet_aux has as LineartDetector.
//
// The fixture is made by tests/reference/preprocessors.py.
package lineart
