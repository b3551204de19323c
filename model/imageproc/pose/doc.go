// Package pose finds a person's pose in a picture with MoveNet, and draws it as OpenPose does.
//
// MoveNet (SinglePose Lightning, version 4, by Google, Apache-2.0) reads 192 × 192 pixels and takes 0.3 billion operations, so it is
// computed on the processor: a GPU would first have to compile a kernel for each of its convolutions, which takes longer than all of
// them together. Its graph comes in the form of TensorFlow.js, from the npm package @vladmandic/human.
package pose
