// Package site builds the static site, which any web server can serve as it is. It can also
// serve the site on this machine.
package site
