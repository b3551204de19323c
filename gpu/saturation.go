package gpu

import (
	"context"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// Saturation notes whether an activation came to the end of float16's range, ±65,504. Kernels
// clamp what they write, so a number there is a larger one that was cut off, and what is
// computed from it is wrong.
type Saturation struct{ flag *Tensor }

// NewSaturation returns a note that nothing was seen yet, for Program.Saturation.
func (d *Device) NewSaturation() *Saturation {
	s := &Saturation{d.NewTensor("saturation", U32, 1)}
	s.Clear()
	return s
}

// Clear forgets what was seen before.
func (s *Saturation) Clear() { s.flag.SetUint32([]uint32{0}) }

// Seen waits for the GPU and reports whether a watched activation was cut off since the last
// Clear.
func (s *Saturation) Seen(ctx context.Context) (bool, error) {
	b, err := s.flag.Read(ctx)
	if err != nil {
		return false, err
	}
	return webapi.GoBytes(b)[0] != 0, nil
}

// Release frees the note. s may be nil.
func (s *Saturation) Release() {
	if s != nil {
		s.flag.Release()
	}
}

// Watch looks for cut-off numbers in x, Act, each time the program runs. It does nothing if
// the program has no Saturation, or if activations are not float16.
func (p *Program) Watch(x *Tensor) {
	if p.Saturation == nil || !p.Device.F16 {
		return
	}
	x = x.root()
	if x.bands == nil {
		watch(p, x)
	}
	for _, band := range x.bands {
		watch(p, band)
	}
}

func watch(p *Program, x *Tensor) {
	count := x.Rows() * x.Pitch() / 4
	// A thread reads several vec4s, up to a number of workgroups that keeps a large GPU busy.
	const size, each, most = 64, 8, 1024
	groups := min((count+size*each-1)/(size*each), most)
	p.Dispatch(Dispatch{
		Kernel: "saturation", Label: x.Name,
		Params: []Param{{"count", count}, {"threads", groups * size}},
		Bind:   []Binding{In("x", x), Out("flag", p.Saturation.flag)},
		Groups: [3]int{groups},
		Cost:   float64(8 * count),
	})
}
