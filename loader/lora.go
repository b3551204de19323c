package loader

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/gpu"
)

// LoRA is a file that changes a model's weights, in any of the layouts in which such files are
// published: kohya's, diffusers' and PEFT's, and those of LyCORIS (LoCon, LoHa, LoKr, DoRA,
// whole differences).
type LoRA struct {
	Name    string
	About   LoRAInfo
	modules []*loraModule // sorted by name
	strange []string      // tensors that belong to no layout that is known
}

// loraModule is what a LoRA adds to one layer of a network.
type loraModule struct {
	name  string                   // as in the file, without the part
	parts map[string]gpu.Parameter // by the names in loraParts
	alpha float64                  // 0 where the file has none: then the scale is 1
	root  bool                     // the scale is alpha / √rank (rsLoRA), not alpha / rank
}

// OpenLoRA opens a LoRA. Of its tensors it reads only the alphas. For any other file the error
// says what it is and what to do.
func OpenLoRA(ctx context.Context, s Source) (*LoRA, error) {
	c, err := OpenFileOfWeights(ctx, s)
	if err != nil {
		return nil, err
	}
	kind, err := Recognise(c)
	if err == nil && kind != KindLoRA {
		err = fmt.Errorf("this is of the kind %q, not a LoRA: choose a LoRA for Stable Diffusion 1.5", kind.Name())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	l := &LoRA{Name: s.Name(), About: loraInfo(c.metadata)}
	modules := map[string]*loraModule{}
	for _, name := range c.Names() {
		module, part, ok := splitLoRA(name)
		if !ok {
			l.strange = append(l.strange, name)
			continue
		}
		m := modules[module]
		if m == nil {
			m = &loraModule{name: module, parts: map[string]gpu.Parameter{}}
			modules[module] = m
			l.modules = append(l.modules, m)
		}
		if other, taken := m.parts[part]; taken {
			return nil, fmt.Errorf("%s: the tensors %q and %q are the same one of the LoRA: the file is damaged", s.Name(), other.Name, name)
		}
		m.parts[part] = c.parameter(name)
	}
	slices.SortFunc(l.modules, func(a, b *loraModule) int { return strings.Compare(a.name, b.name) })
	if err := l.readAlphas(ctx, c.metadata); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	return l, nil
}

// readAlphas reads the alphas, which are tensors of one number, or, in diffusers' files, stand
// in the metadata.
func (l *LoRA) readAlphas(ctx context.Context, metadata map[string]string) error {
	config, err := parseAdapterMetadata(metadata)
	if err != nil {
		return err
	}
	// A server takes as long for one number as for a whole tensor, so several are read at a time.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make(chan error)
	places := make(chan struct{}, alphasAtOnce)
	reads := 0
	for _, m := range l.modules {
		alpha, ok := m.parts["alpha"]
		if !ok {
			m.alpha, m.root = config.alpha(m.name)
			continue
		}
		reads++
		go func() {
			places <- struct{}{}
			defer func() { <-places }()
			var err error
			m.alpha, err = oneNumber(ctx, alpha)
			errs <- err
		}()
	}
	for range reads {
		if e := <-errs; e != nil && err == nil {
			err = e
			stop()
		}
	}
	return err
}

// alphasAtOnce is how many alphas are read at a time.
const alphasAtOnce = 16

// oneNumber reads a tensor that has one number.
func oneNumber(ctx context.Context, p gpu.Parameter) (float64, error) {
	if p.Count() != 1 {
		return 0, fmt.Errorf("%s has the shape %v and should be one number", p.Name, p.Shape)
	}
	v, err := p.Float32(ctx)
	if err != nil {
		return 0, err
	}
	return float64(v[0]), nil
}

// For finds the layers of a model that the LoRA changes, and returns what it adds to them at the
// scale 1, by network and by tensor. shapes are those of the model's tensors. left are the LoRA's
// tensors that the model has no layer for, or that are of no known layout. The error names every
// tensor that does not fit.
func (l *LoRA) For(shapes map[string]map[string][]int) (changes map[string]map[string]gpu.Change, left []string, err error) {
	layers := map[string]layerNames{}
	changes = map[string]map[string]gpu.Change{}
	for network, tensors := range shapes {
		layers[network] = newLayerNames(tensors)
		changes[network] = map[string]gpu.Change{}
	}
	var wrong []string
	left = slices.Clone(l.strange)
	found := 0
	for _, m := range l.modules {
		network, layer := findLayer(m.name, layers)
		if layer == "" {
			left = append(left, m.names()...)
			continue
		}
		made, unused, err := m.changes()
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		left = append(left, unused...)
		for part, c := range made {
			key := layer + "." + part
			shape, ok := shapes[network][key]
			if !ok {
				for _, p := range c.Parts() {
					left = append(left, p.Name)
				}
				continue
			}
			if err := c.Fits(shape); err != nil {
				wrong = append(wrong, err.Error())
				continue
			}
			if _, twice := changes[network][key]; twice {
				wrong = append(wrong, fmt.Sprintf("%s is the second change of %s", m.name, key))
			}
			found++
			c.Name = l.Name + ": " + c.Name
			changes[network][key] = c
		}
	}
	slices.Sort(left)
	switch {
	case len(wrong) > 0:
		return nil, nil, fmt.Errorf("%s does not fit this model: it was made for another one, or is damaged. %d things are wrong:\n  %s", l.Name, len(wrong), strings.Join(wrong, "\n  "))
	case found == 0:
		return nil, nil, fmt.Errorf("%s changes no layer of this model: it was made for another one, or its layout is not known. Its tensors have names like %q", l.Name, left[0])
	}
	return changes, left, nil
}

// names are those of the module's tensors in the file.
func (m *loraModule) names() (list []string) {
	for _, p := range m.parts {
		list = append(list, p.Name)
	}
	return list
}
