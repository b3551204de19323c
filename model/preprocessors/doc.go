// Package preprocessors is the seam for networks that make maps from pictures: edges, depth, a pose. Each is a package below
// this one. Preprocessors that need no network are in package maps.
//
// A network sees the picture in the size that maps.Fit gives it, and returns a map of the same size.
package preprocessors
