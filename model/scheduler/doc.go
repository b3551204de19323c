// Package scheduler turns diffusers' schedulers into tables of linear steps. Every scheduler
// moves the sample by a sum of known quantities, each times a number that is known before the
// first step. So one GPU kernel (wgsl/sampler_step.wgsl) executes them all.
//
// New makes a Schedule from a model's scheduler_config.json (Config). To add a scheduler,
// write a file that registers it, as ddim.go does, and its cases in
// tests/reference/scheduler.py, which writes the trajectories that the tests follow. The
// command line, the page and AUTOMATIC1111's parameters read its names from the registration.
package scheduler
