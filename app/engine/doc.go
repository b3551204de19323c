// Package engine loads models and draws pictures. Its Generate is the one function that
// the page's worker and the command line both call.
package engine
