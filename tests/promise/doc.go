// Package promise gives Go functions to JavaScript, for the programs that tests drive.
package promise
