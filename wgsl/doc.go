// Package wgsl holds the compute shaders, one kernel to a file. Each file begins with its
// contract: what it computes, its bindings with their shapes, and its constants.
//
// A shader module is assembled from declarations of constants, which package gpu
// generates, a prelude for the numeric path (prelude_f16, prelude_f32 or prelude_f32w),
// prelude_common, and the kernel's file. A kernel that needs more says so in lines of its
// own: "//needs prelude_conv2d" adds that file, "//needs subgroups" enables the extension.
//
// Load also parses what a kernel declares, its struct Params and its bindings, so that
// package gpu can fill both by name.
package wgsl
