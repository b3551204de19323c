package loader

import (
	"fmt"
	"math"
	"slices"

	"github.com/imprompt/imprompt/gpu"
)

// changes are what the module adds to its layer, by part of the layer ("weight", "bias"), and
// the names of those of its tensors that its layout does not use.
func (m *loraModule) changes() (made map[string]gpu.Change, unused []string, err error) {
	made = map[string]gpu.Change{}
	left := map[string]bool{}
	for part := range m.parts {
		left[part] = part != "alpha"
	}
	// take returns the tensor of a part, or nil.
	take := func(part string) *gpu.Parameter {
		p, ok := m.parts[part]
		if !ok {
			return nil
		}
		left[part] = false
		return &p
	}
	has := func(part string) bool { _, ok := m.parts[part]; return ok }
	lacks := func(parts ...string) error {
		for _, part := range parts {
			if !has(part) {
				return fmt.Errorf("%s has %s and lacks its %q: the file is damaged", m.name, m.names(), part)
			}
		}
		return nil
	}
	weight := gpu.Change{Name: m.name, Strength: 1}
	switch {
	case has("up") || has("down"):
		if err := lacks("up", "down"); err != nil {
			return nil, nil, err
		}
		up, down := take("up"), take("down")
		weight.Scale = m.scale(down.Shape[0])
		weight.Factors = []gpu.Factor{{Up: up, Core: take("mid"), Down: down}}
		if bias := take("up_bias"); bias != nil {
			made["bias"] = gpu.Change{Name: m.name + ".bias", Scale: weight.Scale, Strength: 1, Factors: []gpu.Factor{{Whole: bias}}}
		}
	case has("w1_a") || has("w1_b") || has("w2_a") || has("w2_b"):
		if err := lacks("w1_a", "w1_b", "w2_a", "w2_b"); err != nil {
			return nil, nil, err
		}
		for _, side := range []string{"1", "2"} {
			core := take("t" + side)
			weight.Factors = append(weight.Factors, gpu.Factor{Up: take("w" + side + "_a"), Core: core, Down: take("w" + side + "_b"), Transposed: core != nil})
		}
		weight.Scale = m.scale(weight.Factors[0].Down.Shape[0])
	case has("k1") || has("k1_a") || has("k2") || has("k2_a"):
		weight.Kronecker, weight.Scale = true, 1 // the alpha of two whole matrices has no meaning
		for _, side := range []string{"k1", "k2"} {
			if whole := take(side); whole != nil {
				weight.Factors = append(weight.Factors, gpu.Factor{Whole: whole})
				continue
			}
			if err := lacks(side+"_a", side+"_b"); err != nil {
				return nil, nil, err
			}
			core := take(side + "_t")
			f := gpu.Factor{Up: take(side + "_a"), Core: core, Down: take(side + "_b"), Transposed: core != nil}
			weight.Scale = m.scale(f.Down.Shape[0])
			weight.Factors = append(weight.Factors, f)
		}
	case has("diff"):
		weight.Scale, weight.Factors = 1, []gpu.Factor{{Whole: take("diff")}}
	}
	if weight.Factors != nil {
		weight.Magnitude = take("magnitude")
		if v := take("peft_magnitude"); v != nil {
			v.Shape = []int{v.Count()} // of the output channels, whichever shape it is stored in
			weight.Magnitude = v
		}
		made["weight"] = weight
	}
	if bias := take("diff_b"); bias != nil {
		made["bias"] = gpu.Change{Name: m.name + ".bias", Scale: 1, Strength: 1, Factors: []gpu.Factor{{Whole: bias}}}
	}
	for part, is := range left {
		if is {
			unused = append(unused, m.parts[part].Name)
		}
	}
	slices.Sort(unused)
	return made, unused, nil
}

// scale is what the product of matrices of a rank is multiplied by. An alpha of 0 is none, as for
// kohya and LyCORIS.
func (m *loraModule) scale(rank int) float64 {
	switch {
	case m.alpha == 0:
		return 1
	case m.root:
		return m.alpha / math.Sqrt(float64(rank))
	}
	return m.alpha / float64(rank)
}

// AtScale returns the change at another scale. The strength of a weight-decomposed change means what it
// means in LyCORIS: it is that of the magnitude, and the direction is changed as a whole.
func AtScale(c gpu.Change, scale float64) gpu.Change {
	if c.Magnitude != nil {
		c.Strength = scale
	} else {
		c.Scale *= scale
	}
	return c
}
