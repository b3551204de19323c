// Package blobs makes and reads Blobs, the browser's files.
package blobs
