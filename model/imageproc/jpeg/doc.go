// Package jpeg decodes the JPEG files that the standard library refuses: every
// chroma sampling that the format allows, and CMYK files of other programs than
// Adobe's. It reads baseline and progressive files of 8 bits a sample with
// Huffman coding, which is all that is in use.
//
// It returns planes, each at its own size, and leaves the interpolation of
// colours and their conversion to RGB to the caller.
//
// The format is ITU-T T.81; section numbers in comments are of that document.
package jpeg
