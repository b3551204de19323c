// Package cli is the command line. It can do what the page can, and its flags are named as
// diffusers names its arguments.
package cli
