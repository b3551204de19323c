// Package t2iadapter steers a picture's structure by a map, such as a sketch or colours: the
// T2I-Adapter of Mou et al. 2023 (arXiv 2302.08453) as a guide.
//
// A small network computes features of the map at four sizes, once a picture. They are added
// inside the UNet's down blocks, in every step and in both branches of guidance.
package t2iadapter
