// Package settings holds what a picture is made from: the fields that the command line's
// flags, the page's controls and the saved pictures share. They are named as diffusers
// names its arguments.
package settings
