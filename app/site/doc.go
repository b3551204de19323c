// Package site builds the static site, which any web server can serve as it is, and serves it
// on this machine.
package site
