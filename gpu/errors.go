package gpu

import "fmt"

// LostError says that the GPU is gone: the driver was reset, a laptop switched to another
// GPU, or the device was destroyed. A new device has to be opened.
type LostError struct{ Reason string }

func (e *LostError) Error() string { return "gpu: the GPU was lost: " + e.Reason }

// OpenError says why no GPU could be opened.
type OpenError struct {
	Kind string // "webgpu": the browser has none; "adapter": it found no GPU; "device": the GPU refused
	Text string
}

func (e *OpenError) Error() string { return "gpu: " + e.Text }

// OutOfMemoryError says that the GPU refused memory.
type OutOfMemoryError struct {
	What string // what the memory was for
	Held int64  // bytes that the engine has allocated
}

func (e *OutOfMemoryError) Error() string {
	return fmt.Sprintf("gpu: out of memory for the %s, with %d MiB in use", e.What, e.Held>>20)
}
