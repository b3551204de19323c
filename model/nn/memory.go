package nn

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

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
	// Programs is about how many bytes the programs of a picture will take. Weights that take more
	// memory so that they are faster, have to fit the budget beside them.
	Programs int64
	// Progress is told which network is being loaded, and how many bytes have arrived of
	// all that are needed together with it. It may be nil.
	Progress func(network string, done, total int64)
	// Unused is told by Add which keys of a network's checkpoint no layer asks for. It may
	// be nil.
	Unused func(network string, keys []string)

	// Spare is called before networks are unloaded. It frees what can be made again faster than
	// a network is loaded. It may be nil.
	Spare func()

	networks []*resident // ordered by their last use, the latest at the end
}

// resident is a network that Memory loads and unloads.
type resident struct {
	network    Network
	checkpoint Checkpoint
	weights    gpu.WeightDType
	bytes      int64 // on the GPU, an estimate until it has been loaded
	loaded     bool
	loads      int     // how often it was loaded
	changes    Changes // that are asked for
	applied    Changes // that the weights on the GPU have
	tile       int     // for which the weights on the GPU are transformed (winograd.go), or 0
	extra      int64   // how many of bytes that takes
	plain      bool    // there is no room for transformed weights
	programs   int64   // Memory's Programs, when that was decided
}

// Add makes a network known, with the checkpoint that it is loaded from, so that it can be
// asked for with Need. as is the type that its matrices get on the GPU. Add reads no weights,
// but returns a FitError if they do not fit.
func (m *Memory) Add(n Network, c Checkpoint, as gpu.WeightDType) error {
	tasks, _, unused, err := match(n, c, as, nil)
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

// Remove undoes Add: it unloads a network and forgets it.
func (m *Memory) Remove(n Network) {
	r := m.find(n)
	if r == nil {
		return
	}
	if r.loaded {
		r.unload()
	}
	m.networks = slices.DeleteFunc(m.networks, func(o *resident) bool { return o == r })
}

// Bytes estimates how much of the GPU's memory a network takes.
func (m *Memory) Bytes(n Network) int64 {
	if r := m.find(n); r != nil {
		return r.bytes
	}
	return 0
}

// Change sets what is added to a network's tensors, in place of what was added before. The
// next Need loads only the tensors whose changes differ. The changes have to fit the network.
func (m *Memory) Change(n Network, changes Changes) {
	if r := m.find(n); r != nil {
		r.changes = changes
	}
}

// Version identifies what a network has on the GPU. It changes each time that the network is
// loaded, and it is "" while the network is not loaded. A program that was recorded with a
// network can run as long as the network's version is the same.
func (m *Memory) Version(n Network) string {
	r := m.find(n)
	switch {
	case r == nil:
		return "loaded by the caller"
	case !r.loaded:
		return ""
	}
	return fmt.Sprint(r.loads, m.Changed(n))
}

// Changed identifies a network's changes. It is "" where there are none.
func (m *Memory) Changed(n Network) string {
	r := m.find(n)
	if r == nil {
		return ""
	}
	var s strings.Builder
	for _, key := range slices.Sorted(maps.Keys(r.changes)) {
		s.WriteString(r.changes.id(key))
	}
	return s.String()
}

// Need loads the networks, all of which are then on the GPU together. Those that were
// never added are assumed to be loaded already.
func (m *Memory) Need(ctx context.Context, networks ...Network) error {
	if m == nil {
		return nil
	}
	var here, all int64 // bytes of what has to be loaded
	needs := map[*resident]int64{}
	for _, n := range networks {
		if r := m.find(n); r != nil {
			m.decide(r, networks)
			needs[r] = r.missing(m.Device)
			all += needs[r]
		}
	}
	for _, n := range networks {
		r := m.find(n)
		if r == nil {
			continue
		}
		if size := needs[r]; size > 0 {
			room := size + gpu.StageBytes
			if len(r.changes) > 0 {
				room += mergeBytes
			}
			m.Room(room, networks...)
			err := r.load(ctx, m.Device, func(done, total int64) {
				if m.Progress != nil {
					m.Progress(n.Name(), here+int64(float64(size)*float64(done)/float64(total)), all)
				}
			})
			if err != nil {
				return err
			}
			here += size
		}
		m.touch(r)
	}
	return nil
}

// missing is about how many bytes have to be loaded until the GPU has the weights that are
// asked for.
func (r *resident) missing(d *gpu.Device) int64 {
	if !r.loaded {
		return r.bytes
	}
	var sum int64
	for _, t := range r.different(d) {
		sum += t.bytes()
	}
	return sum
}

// different returns the layers on the GPU whose changes, or whose form, differ from those that are
// asked for.
func (r *resident) different(d *gpu.Device) []task {
	if len(r.changes) == 0 && len(r.applied) == 0 && r.tile == r.wants(d) {
		return nil
	}
	tasks, _, _ := r.tasks(d) // Add has seen that it fits
	return slices.DeleteFunc(tasks, func(t task) bool { return !t.differs(r.changes, r.applied) && !t.transformed() })
}

// load uploads the network, or those of its layers that are different.
func (r *resident) load(ctx context.Context, d *gpu.Device, progress func(done, total int64)) error {
	r.loads++
	before := d.MemoryBytes()
	if r.loaded {
		tasks := r.different(d)
		var total int64
		for _, t := range tasks {
			total += t.bytes()
			t.layer.release()
		}
		if err := upload(ctx, d, r.network.Name(), tasks, total, progress); err != nil {
			r.unload() // some layers are missing
			return fmt.Errorf("changing the %s: %w", r.network.Name(), err)
		}
		r.bytes += d.MemoryBytes() - before
		r.applied = r.changes
		if tile := r.wants(d); tile != r.tile {
			r.tile = tile
			_, r.extra, _ = r.tasks(d)
		}
		return nil
	}
	tasks, _, err := r.tasks(d)
	if err != nil {
		return err
	}
	if err := load(ctx, d, r.network, tasks, progress); err != nil {
		return err
	}
	r.loaded, r.applied, r.tile = true, r.changes, r.wants(d)
	r.bytes = d.MemoryBytes() - before
	return nil
}

// Room unloads networks until so many bytes more fit the budget, and reports whether they
// fit now. It begins with those that were used longest ago, and never unloads those of keep.
func (m *Memory) Room(bytes int64, keep ...Network) bool {
	if m == nil {
		return true
	}
	if m.Spare != nil && m.Device.MemoryBytes()+bytes > m.Budget {
		m.Spare()
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
	r.loaded, r.applied = false, nil
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
