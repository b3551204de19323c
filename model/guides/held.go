package guides

// Held is what a guide holds on the GPU until its run has ended. Its zero value holds nothing.
type Held []func()

// Add holds what release frees.
func (h *Held) Add(release func()) { *h = append(*h, release) }

// Release frees all that is held.
func (h *Held) Release() {
	for _, release := range *h {
		release()
	}
	*h = nil
}
