package model

import (
	"context"
	"slices"

	"github.com/imprompt/imprompt/gpu"
)

// What the GPU may hold in all, in bytes. WebGPU does not say how much memory a GPU
// has: the first is what a card of 4 GB has to spare beside a desktop, the second what
// one of 3 GB, or a phone, has.
const (
	DefaultBudget = 2458 << 20 // 2.4 GiB
	LowBudget     = 2048 << 20 // 2.0 GiB
)

// Memory keeps the weights of networks on the GPU within a budget. A network comes from
// its checkpoint when it is needed; where the budget is short, those that were used
// longest ago leave first, and come back when they are needed again.
type Memory struct {
	Device *gpu.Device
	Budget int64 // bytes; what a run cannot do without is allocated beyond it
	// Progress is told of a network under way, and of the bytes of all that are needed
	// with it; may be nil.
	Progress func(network string, done, total int64)

	networks []*resident // the one used last is last
}

// resident is a network that comes and goes.
type resident struct {
	network    Network
	checkpoint Checkpoint
	bytes      int64 // about, on the GPU
	loaded     bool
}

// Add tells of a network that can be loaded from c: one that Need may be asked for. What
// does not fit is a FitError, at once; nothing is read yet.
func (m *Memory) Add(n Network, c Checkpoint) error {
	tasks, _, err := match(n.part(), c)
	if err != nil {
		return err
	}
	r := &resident{network: n, checkpoint: c}
	for _, t := range tasks {
		for _, p := range t.params {
			if p.Shape != nil {
				r.bytes += int64(p.Count() * m.Device.Weights.Size())
			}
		}
	}
	m.networks = append(m.networks, r)
	return nil
}

// Bytes is about what a network takes on the GPU.
func (m *Memory) Bytes(n Network) int64 {
	if r := m.find(n); r != nil {
		return r.bytes
	}
	return 0
}

// Need has all of the networks loaded at once. Those that were not added are taken to
// be loaded, and to stay.
func (m *Memory) Need(ctx context.Context, networks ...Network) error {
	if m == nil {
		return nil
	}
	var here, all int64 // of those that have to be loaded
	for _, n := range networks {
		if r := m.find(n); r != nil && !r.loaded {
			all += r.bytes
		}
	}
	for _, n := range networks {
		r := m.find(n)
		if r == nil {
			continue
		}
		if !r.loaded {
			m.Room(r.bytes+gpu.StageBytes, networks...)
			size := r.bytes
			progress := func(done, total int64) {
				if m.Progress != nil {
					m.Progress(n.part().name, here+int64(float64(size)*float64(done)/float64(total)), all)
				}
			}
			before := m.Device.MemoryBytes()
			if err := load(ctx, m.Device, n, r.checkpoint, progress); err != nil {
				return err
			}
			r.loaded = true
			here += size
			r.bytes = m.Device.MemoryBytes() - before
		}
		m.touch(r)
	}
	return nil
}

// Room has networks leave until bytes more fit the budget, those used longest ago
// first and those of keep never, and says whether they fit now.
func (m *Memory) Room(bytes int64, keep ...Network) bool {
	if m == nil {
		return true
	}
	for i := 0; i < len(m.networks) && m.Device.MemoryBytes()+bytes > m.Budget; i++ {
		r := m.networks[i]
		if r.loaded && !slices.Contains(keep, r.network) {
			r.leave()
		}
	}
	return m.Device.MemoryBytes()+bytes <= m.Budget
}

// crowded says whether a network cannot come without another one's leaving.
func (m *Memory) crowded(n Network) bool {
	r := m.find(n)
	return r != nil && !r.loaded && m.Device.MemoryBytes()+r.bytes+gpu.StageBytes > m.Budget
}

// Fits says whether bytes more fit the budget beside the networks given, when all others leave.
func (m *Memory) Fits(bytes int64, beside ...Network) bool {
	if m == nil {
		return true
	}
	held := m.Device.MemoryBytes()
	for _, r := range m.networks {
		switch keep := slices.Contains(beside, r.network); {
		case r.loaded && !keep:
			held -= r.bytes
		case !r.loaded && keep:
			held += r.bytes
		}
	}
	return held+bytes <= m.Budget
}

// Loaded says whether a network's weights are on the GPU.
func (m *Memory) Loaded(n Network) bool {
	r := m.find(n)
	return r != nil && r.loaded
}

// Leave frees networks' memory; they come back when they are needed.
func (m *Memory) Leave(networks ...Network) {
	for _, n := range networks {
		if r := m.find(n); r != nil && r.loaded {
			r.leave()
		}
	}
}

// Release frees the memory of all networks.
func (m *Memory) Release() {
	for _, r := range m.networks {
		if r.loaded {
			r.leave()
		}
	}
}

func (r *resident) leave() {
	unload(r.network)
	r.loaded = false
}

func (m *Memory) find(n Network) *resident {
	if m == nil {
		return nil
	}
	for _, r := range m.networks {
		if r.network == n {
			return r
		}
	}
	return nil
}

// touch makes r the one used last.
func (m *Memory) touch(r *resident) {
	kept := m.networks[:0]
	for _, o := range m.networks {
		if o != r {
			kept = append(kept, o)
		}
	}
	m.networks = append(kept, r)
}
