package gpu

import (
	"cmp"
	"slices"
)

// plan gives every transient tensor a buffer, which it shares with tensors that live at
// other times, and allocates the buffers.
//
// A tensor has a whole buffer rather than a range of one. WebGPU reports an error if one
// dispatch both reads and writes a buffer, even if the ranges do not overlap.
func (p *Program) plan() {
	for _, s := range p.layout() {
		b := p.Device.NewBuffer(p.Name+"/"+s.tenants[0].Name, s.size)
		p.slots = append(p.slots, b)
		for _, t := range s.tenants {
			t.buffer = b
		}
	}
}

// TransientBytes is how much memory Build will allocate for the program's transient tensors.
func (p *Program) TransientBytes() int64 {
	var sum int64
	for _, s := range p.layout() {
		sum += s.size
	}
	return sum
}

// LowerBound is the largest number of bytes that are alive at once. No plan takes less.
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

// layout assigns the tensors to buffers, one tensor after another, each to the buffer that
// has to grow least. It tries several orders of the tensors and keeps the one that needs the
// fewest bytes, because the best order depends on the network (Pisarchyk and Lee 2020, arXiv
// 2001.03288, section 4).
func (p *Program) layout() []*slot {
	live := make([]*Tensor, 0, len(p.transient))
	for _, t := range p.transient {
		if t.first >= 0 {
			live = append(live, t)
		}
	}
	bySize := func(a, b *Tensor) int { return cmp.Compare(b.Bytes(), a.Bytes()) }
	byBegin := func(a, b *Tensor) int { return cmp.Compare(a.first, b.first) }
	breadth := p.breadth(live)
	byBreadth := func(a, b *Tensor) int { return cmp.Or(cmp.Compare(breadth[b], breadth[a]), bySize(a, b)) }
	byLength := func(a, b *Tensor) int { return cmp.Or(cmp.Compare(b.last-b.first, a.last-a.first), bySize(a, b)) }

	var best []*slot
	var least int64
	for _, order := range []func(a, b *Tensor) int{bySize, byBegin, byBreadth, byLength} {
		slices.SortStableFunc(live, order)
		slots := assign(live, p.Device.Guard)
		var sum int64
		for _, s := range slots {
			sum += s.size
		}
		if best == nil || sum < least {
			best, least = slots, sum
		}
	}
	return best
}

// assign assigns the tensors to buffers in the order given. With alone, each gets its own.
func assign(tensors []*Tensor, alone bool) []*slot {
	var slots []*slot
	for _, t := range tensors {
		var best *slot
		for _, s := range slots {
			if !alone && (best == nil || s.worse(t) < best.worse(t)) && s.free(t) {
				best = s
			}
		}
		if best == nil {
			best = &slot{}
			slots = append(slots, best)
		}
		best.size = max(best.size, t.Bytes())
		best.tenants = append(best.tenants, t)
	}
	return slots
}

// breadth is, for every tensor, the largest number of bytes that are alive together with it.
func (p *Program) breadth(live []*Tensor) map[*Tensor]int64 {
	at := make([]int64, len(p.dispatches))
	for _, t := range live {
		for i := t.first; i <= t.last; i++ {
			at[i] += t.Bytes()
		}
	}
	most := map[*Tensor]int64{}
	for _, t := range live {
		most[t] = slices.Max(at[t.first : t.last+1])
	}
	return most
}

// slot is a buffer to be allocated: its size and the tensors that will share it.
type slot struct {
	size    int64
	tenants []*Tensor
}

// worse is the cost of putting t into the slot: first of all the bytes by which the slot has
// to grow, then the bytes that t leaves unused.
func (s *slot) worse(t *Tensor) int64 {
	if grows := t.Bytes() - s.size; grows > 0 {
		return grows << 8
	}
	return s.size - t.Bytes()
}

// free says whether no tenant is alive while t is.
func (s *slot) free(t *Tensor) bool {
	for _, other := range s.tenants {
		if t.first <= other.last && other.first <= t.last {
			return false
		}
	}
	return true
}
