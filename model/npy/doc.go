// Package npy reads and writes NumPy's .npy files of float32 arrays: format
// 1.0, little-endian, C order.
package npy
