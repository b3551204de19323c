// Package tiffbmp adds TIFF and BMP to the pictures that package imageproc decodes, by
// registering their decoders with package image. It is a separate package because it adds
// 130 kB to a program. The command line uses it. The page does not, since the browser
// decodes BMP.
package tiffbmp
