// Package exif finds and reads the metadata of picture files: EXIF's directories
// of tags, and the packet of XMP.
package exif
