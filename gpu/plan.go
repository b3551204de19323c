package gpu

import "sort"

// plan gives every transient tensor a buffer, shared with tensors that live at other
// times, and allocates the buffers. Large tensors choose first, so that a buffer is
// as large as its first tensor and never grows ("greedy by size": Pisarchyk and Lee
// 2020, arXiv 2001.03288, section 4.2).
//
// Tensors own whole buffers rather than ranges of one: WebGPU takes the same buffer
// as read-only and as writable in one dispatch for an error even where the ranges
// do not meet.
func (p *Program) plan() {
	for _, s := range p.layout() {
		b := p.Device.NewBuffer(p.Name+"/"+s.tenants[0].Name, s.size)
		p.slots = append(p.slots, b)
		for _, t := range s.tenants {
			t.buffer = b
		}
	}
}

// TransientBytes is what Build is going to allocate for the program's transient tensors.
func (p *Program) TransientBytes() int64 {
	var sum int64
	for _, s := range p.layout() {
		sum += s.size
	}
	return sum
}

// LowerBound is the most bytes that are alive at once: no plan takes less.
func (p *Program) LowerBound() int64 {
	var most int64
	for i := range p.dispatches {
		var sum int64
		for _, t := range p.transient {
			if t.first >= 0 && t.first <= i && i <= t.last {
				sum += t.Bytes()
			}
		}
		most = max(most, sum)
	}
	return most
}

func (p *Program) layout() []*slot {
	live := make([]*Tensor, 0, len(p.transient))
	for _, t := range p.transient {
		if t.first >= 0 {
			live = append(live, t)
		}
	}
	sort.SliceStable(live, func(i, j int) bool { return live[i].Bytes() > live[j].Bytes() })

	var slots []*slot
	for _, t := range live {
		var best *slot
		for _, s := range slots {
			if (best == nil || s.size < best.size) && s.free(t) && !p.Device.Guard {
				best = s
			}
		}
		if best == nil {
			best = &slot{size: t.Bytes()}
			slots = append(slots, best)
		}
		best.tenants = append(best.tenants, t)
	}
	return slots
}

// slot is a buffer in the making: its size and the tensors that will share it.
type slot struct {
	size    int64
	tenants []*Tensor
}

// free says whether no tenant lives while t does.
func (s *slot) free(t *Tensor) bool {
	for _, other := range s.tenants {
		if t.first <= other.last && other.first <= t.last {
			return false
		}
	}
	return true
}
