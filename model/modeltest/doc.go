// Package modeltest holds what the tests of the networks share: the small models of
// tests/reference/pipelines.py with their hashed weights, a device for each of the two
// numeric paths, and the comparison with what diffusers computes.
package modeltest
