// Package loader brings checkpoints from where they are (a server, the page's own origin,
// the browser's store, a file on disk) to the GPU, slice by slice: no checkpoint passes
// through Go's heap.
//
// A Source is a file that can be read in ranges, and a Folder opens Sources by their paths
// in diffusers' layout. A Model is a folder, or a single file shown as one, and its
// Network opens a Checkpoint: the tensors of one network by diffusers' names. Recognise
// tells what Kind of thing a file is, and refuses what Imprompt cannot use with an error
// that says what it is and what to do. Package store keeps downloads in the browser.
package loader
