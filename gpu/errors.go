package gpu

import "fmt"

// LostError says that the GPU was taken away: a driver reset, a laptop that
// changed its GPU, device.destroy(). A new device has to be opened.
type LostError struct{ Reason string }

func (e *LostError) Error() string { return "gpu: the GPU was lost: " + e.Reason }

// OpenError says why there is no GPU to work with.
type OpenError struct {
	Kind string // "webgpu": the browser has none; "adapter": it found no GPU; "device": the GPU refused
	Text string
}

func (e *OpenError) Error() string { return "gpu: " + e.Text }

// OutOfMemoryError says that the GPU refused memory for What.
type OutOfMemoryError struct {
	What string
	Held int64 // bytes that the engine holds already
}

func (e *OutOfMemoryError) Error() string {
	return fmt.Sprintf("gpu: out of memory for the %s, with %d MiB in use", e.What, e.Held>>20)
}
