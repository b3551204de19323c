// Package guides is the seam between the pipeline and whatever steers its UNet: an image
// prompt, a ControlNet, a reference picture. The pipeline knows guides only through the
// interface Guide, and the UNet only through its taps. Every guide is a package of its own
// below this one.
package guides
