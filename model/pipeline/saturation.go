package pipeline

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// saturation notes which networks of a run had activations that do not fit into float16.
type saturation struct {
	networks []nn.Network // in the order in which they run
	notes    map[nn.Network]*gpu.Saturation
}

// newSaturation returns the notes, which are released with the run.
func (r *run) newSaturation() *saturation {
	s := &saturation{networks: []nn.Network{r.UNet, r.VAE.Decoder}, notes: map[nn.Network]*gpu.Saturation{}}
	if r.VAE.Encoder != nil {
		s.networks = append([]nn.Network{r.VAE.Encoder}, s.networks...)
	}
	if r.Device.F16 {
		for _, n := range s.networks {
			note := r.Device.NewSaturation()
			s.notes[n] = note
			r.later(note.Release)
		}
	}
	return s
}

// watch has a program note what its network does.
func (s *saturation) watch(p *gpu.Program, n nn.Network) { p.Saturation = s.notes[n] }

// clear forgets what a network did for an earlier picture.
func (s *saturation) clear(n nn.Network) {
	if note := s.notes[n]; note != nil {
		note.Clear()
	}
}

// first is the name of the first network whose numbers were cut off, or "".
func (s *saturation) first(ctx context.Context) (string, error) {
	for _, n := range s.networks {
		note := s.notes[n]
		if note == nil {
			continue
		}
		if seen, err := note.Seen(ctx); seen || err != nil {
			return n.Name(), err
		}
	}
	return "", nil
}
