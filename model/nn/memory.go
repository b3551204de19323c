package nn

import (
	"context"
	"slices"

	"github.com/imprompt/imprompt/gpu"
)

// Budgets for Memory, in bytes. WebGPU does not say how much memory a GPU has. The first
// is what a card of 4 GB can spare beside a desktop, the second is for a card of 3 GB or a
// phone.
const (
	DefaultBudget = 2458 << 20 // 2.4 GiB
	LowBudget     = 2048 << 20 // 2.0 GiB
)

// Memory keeps the weights of networks on the GPU within a budget. A network is loaded
// from its checkpoint when it is needed. Where the budget is short, the networks that were
// used longest ago are unloaded first, and are loaded again when they are needed.
//
// A nil *Memory is for callers that have loaded every network themselves.
type Memory struct {
	Device *gpu.Device
	Budget int64 // in bytes; what a run cannot do without is allocated beyond it
	// Progress is told which network is being loaded, and how many bytes have arrived of
	// all that are needed together with it. It may be nil.
	Progress func(network string, done, total int64)
	// Unused is told by Add which keys of a network's checkpoint no layer asks for. It may
	// be nil.
	Unused func(network string, keys []string)

	networks []*resident // ordered by their last use, the latest at the end
}

// resident is a network that Memory loads and unloads.
type resident struct {
	network    Network
	checkpoint Checkpoint
	weights    gpu.WeightDType
	bytes      int64 // on the GPU, an estimate until it has been loaded
	loaded     bool
}

// Add makes a network known, with the checkpoint that it is loaded from, so that it can be
// asked for with Need. as is the type that its matrices get on the GPU. Add reads no weights,
// but returns a FitError if they do not fit.
func (m *Memory) Add(n Network, c Checkpoint, as gpu.WeightDType) error {
	tasks, _, unused, err := match(n, c, as)
	if err != nil {
		return err
	}
	if len(unused) > 0 && m.Unused != nil {
		m.Unused(n.Name(), unused)
	}
	r := &resident{network: n, checkpoint: c, weights: as}
	for _, t := range tasks {
		for _, p := range t.params {
			r.bytes += int64(p.Count() * as.Size())
		}
	}
	m.networks = append(m.networks, r)
	return nil
}

// Bytes estimates how much of the GPU's memory a network takes.
func (m *Memory) Bytes(n Network) int64 {
	if r := m.find(n); r != nil {
		return r.bytes
	}
	return 0
}

// Need loads the networks, all of which are then on the GPU together. Those that were
// never added are assumed to be loaded already.
func (m *Memory) Need(ctx context.Context, networks ...Network) error {
	if m == nil {
		return nil
	}
	var here, all int64 // bytes of the networks that have to be loaded
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
					m.Progress(n.Name(), here+int64(float64(size)*float64(done)/float64(total)), all)
				}
			}
			before := m.Device.MemoryBytes()
			if err := Load(ctx, m.Device, n, r.checkpoint, r.weights, progress); err != nil {
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

// Room unloads networks until so many bytes more fit the budget, and reports whether they
// fit now. It begins with those that were used longest ago, and never unloads those of keep.
func (m *Memory) Room(bytes int64, keep ...Network) bool {
	if m == nil {
		return true
	}
	for i := 0; i < len(m.networks) && m.Device.MemoryBytes()+bytes > m.Budget; i++ {
		r := m.networks[i]
		if r.loaded && !slices.Contains(keep, r.network) {
			r.unload()
		}
	}
	return m.Device.MemoryBytes()+bytes <= m.Budget
}

// Crowded reports whether loading a network would mean unloading another one.
func (m *Memory) Crowded(n Network) bool {
	r := m.find(n)
	return r != nil && !r.loaded && m.Device.MemoryBytes()+r.bytes+gpu.StageBytes > m.Budget
}

// Fits reports whether so many bytes fit the budget beside the given networks, once all
// others are unloaded.
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

// Loaded returns the networks whose weights are on the GPU.
func (m *Memory) Loaded() []Network {
	var list []Network
	for _, r := range m.networks {
		if r.loaded {
			list = append(list, r.network)
		}
	}
	return list
}

// Checkpoint is where a network is loaded from and the type that its matrices get on the
// GPU. The checkpoint is nil for a network that was never added.
func (m *Memory) Checkpoint(n Network) (Checkpoint, gpu.WeightDType) {
	if r := m.find(n); r != nil {
		return r.checkpoint, r.weights
	}
	return nil, gpu.WeightF16
}

// Release unloads all networks.
func (m *Memory) Release() {
	for _, r := range m.networks {
		if r.loaded {
			r.unload()
		}
	}
}

func (r *resident) unload() {
	Unload(r.network)
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

// touch makes r the network that was used last.
func (m *Memory) touch(r *resident) {
	others := slices.DeleteFunc(m.networks, func(o *resident) bool { return o == r })
	m.networks = append(others, r)
}
