// Package store keeps weights in the browser. Files come from a server in slices, several at
// once, are converted to 16-bit floats on the way, and are stored in IndexedDB as Blobs, from
// which they are read in ranges.
//
// A Record is a model, an adapter or an image encoder that the visitor chose, with the files
// that it consists of. Prepare finds out what a link consists of, Fetch downloads it, Import
// copies a file of the visitor's disk, and KeepFile remembers one that is read from its place.
// Below them, Download brings one file into the store, and a Manifest, written last, says that
// the file is whole: nothing half-written is ever read.
//
// A program that runs where there is no IndexedDB, such as the command line, must not import
// this package: go-indexeddb looks for it when the program starts, and stops it.
package store
