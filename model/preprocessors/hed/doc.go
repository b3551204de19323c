// Package hed finds edges as people see them, with the network HED (Xie and Tu 2015, arXiv 1504.06375) in the version of
// ControlNet's authors, which controlnet_aux has as HEDdetector.
//
// The fixture is made by tests/reference/hed.py.
package hed
