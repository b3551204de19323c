// Package gallerystore keeps the gallery in IndexedDB: it is the page's state.Store.
//
// The database has two object stores: the pictures, in the order in which they were made, each {png: Blob, settings:
// JSON, cost: JSON, label, inputs: {name: hash}, starred, hidden: when it was deleted, if it can still be brought back}; and the
// inputs that they were made from, Blobs by their SHA-256, so that each is stored once.
package gallerystore
