// Package t2iadapter steers a picture's structure by a map, such as a sketch or colours: the
// T2I-Adapter of Mou et al. 2023 (arXiv 2302.08453) as a guide.
//
// A small network computes features of the map at four sizes, once a picture. They are added
// inside the UNet's down blocks, in every step and in both branches of guidance.
//
// The style adapter (style_network.go, style_guide.go) is another network of the same paper: it makes tokens
// of a picture's CLIP features, which stand behind the words.
package t2iadapter
