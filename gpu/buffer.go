package gpu

// Buffer is GPU memory that its device counts.
type Buffer struct {
	Label string
	Size  int64 // bytes, without the guard band

	device   *Device
	guard    int64 // bytes of NaN after Size; see Device.Guard
	released bool
	handle   bufferHandle
}

// guardBytes is the size of the band of NaN that Device.Guard puts after a buffer.
const guardBytes = 1024

// NewBuffer allocates size bytes, rounded up to a multiple of 16, that kernels can bind and
// that can be written and read. If the GPU refuses the memory, the next Device.Check or an
// Allocate around the call reports it.
func (d *Device) NewBuffer(label string, size int64) *Buffer {
	b := &Buffer{Label: label, Size: (size + 15) &^ 15, device: d}
	if d.Guard {
		b.guard = guardBytes
	}
	b.handle = d.createBuffer(label, b.Size+b.guard)
	d.memory.add(b.Size + b.guard)
	return b
}

// Release frees the memory. Work that was already submitted still runs.
func (b *Buffer) Release() {
	if b == nil || b.released {
		return
	}
	b.released = true
	b.destroy()
	b.device.memory.add(-(b.Size + b.guard))
}

// memory counts the bytes that a device has allocated.
type memory struct{ now, peak int64 }

func (m *memory) add(n int64) {
	m.now += n
	m.peak = max(m.peak, m.now)
}
