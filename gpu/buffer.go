package gpu

// Buffer is a run of GPU memory, accounted for by its device.
type Buffer struct {
	Label string
	Size  int64 // bytes, as asked for

	device   *Device
	guard    int64 // bytes of NaN behind Size; see Device.Guard
	released bool
	handle   bufferHandle
}

// guardBytes is the width of the band of NaN that Device.Guard puts behind a tensor.
const guardBytes = 1024

// NewBuffer allocates size bytes (rounded up to 16) for storage, copies in and copies out.
// An allocation that the GPU refuses is reported by the next Device.Check.
func (d *Device) NewBuffer(label string, size int64) *Buffer {
	b := &Buffer{Label: label, Size: (size + 15) &^ 15, device: d}
	if d.Guard {
		b.guard = guardBytes
	}
	b.handle = d.createBuffer(label, b.Size+b.guard)
	d.memory.add(b.Size + b.guard)
	return b
}

// Release gives the memory back. The GPU finishes what was submitted first.
func (b *Buffer) Release() {
	if b == nil || b.released {
		return
	}
	b.released = true
	b.destroy()
	b.device.memory.add(-(b.Size + b.guard))
}

// memory counts what a device holds.
type memory struct{ now, peak int64 }

func (m *memory) add(n int64) {
	m.now += n
	m.peak = max(m.peak, m.now)
}
