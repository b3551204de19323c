package loader

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// OpenIPAdapter opens an IP-Adapter, in any of the layouts in which adapters are saved, with
// the published names. For any other file the error says what it is and what to do.
func OpenIPAdapter(ctx context.Context, s Source) (*Checkpoint, error) {
	c, err := OpenFileOfWeights(ctx, s)
	if err != nil {
		return nil, err
	}
	kind, err := Recognise(c)
	switch {
	case err != nil:
	case kind == KindModel:
		err = errors.New("this is a whole model, not an IP-Adapter: choose it as the model")
	case kind == KindImageEncoder:
		err = errors.New("this is an image encoder, not an IP-Adapter: choose it as the image encoder, and an adapter such as ip-adapter_sd15 beside it")
	case kind == KindLoRA:
		err = errors.New("this is a LoRA, not an IP-Adapter: choose it as a LoRA")
	case kind == KindControlNet || kind == KindT2IAdapter || kind == KindUniControlNet:
		err = fmt.Errorf("this is a %s, not an IP-Adapter: choose it under Structure (with --controlnet, --t2i-adapter or --uni-controlnet on the command line)", kind.Name())
	case kind != KindIPAdapter:
		err = errors.New("this is one network of a model, not an IP-Adapter: choose a file such as ip-adapter_sd15.safetensors")
	default:
		if c, _, err = underAdapterNames(c); err == nil {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", s.Name(), err)
}

// underAdapterNames returns the adapter of a checkpoint under the published names. ok is
// false where there is none.
func underAdapterNames(c *Checkpoint) (adapter *Checkpoint, ok bool, err error) {
	names, ok, err := adapterNames(c.Names())
	if err != nil || !ok {
		return nil, ok, err
	}
	adapter = renamed()
	for to, from := range names {
		if err := adapter.add(to, c, from, false); err != nil {
			return nil, true, err
		}
	}
	slices.Sort(adapter.names)
	return adapter, true, nil
}

// adapterNames maps the tensors of an IP-Adapter, in whatever layout it was saved, to the
// published names (image_proj.…, ip_adapter.N.to_k_ip.weight): from new name to old. ok is
// false for what is no adapter. The layouts are
//
//   - the published one;
//   - a training checkpoint of the paper's repository (tutorial_train.py): image_proj_model.…,
//     adapter_modules.N.…, and the frozen UNet under unet.…;
//   - the same, where the file keeps one name of each tensor only and that is the UNet's:
//     unet.….attn2.processor.to_k_ip.weight.
//
// The UNet's own tensors are left out: they are those of the base model.
func adapterNames(names []string) (renamed map[string]string, ok bool, err error) {
	renamed = map[string]string{}
	add := func(to, from string) {
		if other, taken := renamed[to]; taken && err == nil {
			err = fmt.Errorf("the tensors %q and %q are the same one of the adapter: the file is damaged", other, from)
		}
		renamed[to] = from
	}
	processors := map[processorPlace][]string{}
	numbered := false
	for _, name := range names {
		if rest, is := cutAnyPrefix(name, "image_proj.", "image_proj_model."); is {
			add("image_proj."+rest, name)
		} else if rest, is := cutAnyPrefix(name, "ip_adapter.", "adapter_modules."); is {
			add("ip_adapter."+rest, name)
			numbered = true
		} else if place, is := placeOf(name); is {
			processors[place] = append(processors[place], name)
		}
	}
	if !numbered {
		for place, list := range processors {
			for _, name := range list {
				add(fmt.Sprintf("ip_adapter.%d.%s", place.number(processors), name[strings.LastIndex(name, "to_"):]), name)
			}
		}
	}
	for name := range renamed {
		if strings.HasPrefix(name, "image_proj.") {
			return renamed, true, err
		}
	}
	return nil, false, nil
}

func cutAnyPrefix(name string, prefixes ...string) (rest string, ok bool) {
	for _, p := range prefixes {
		if rest, ok = strings.CutPrefix(name, p); ok {
			return rest, true
		}
	}
	return "", false
}

// processorPlace is where a cross-attention stands in the UNet, in the order in which
// diffusers registers attention processors: down, up, mid.
type processorPlace [4]int

var processorName = regexp.MustCompile(`^(?:unet\.)?(down_blocks|up_blocks|mid_block)(?:\.(\d+))?\.attentions\.(\d+)\.transformer_blocks\.(\d+)\.attn2\.processor\.to_[kv]_ip\.weight$`)

func placeOf(name string) (p processorPlace, ok bool) {
	m := processorName.FindStringSubmatch(name)
	if m == nil {
		return p, false
	}
	p[0] = slices.Index([]string{"down_blocks", "up_blocks", "mid_block"}, m[1])
	for i, digits := range m[2:] {
		p[i+1], _ = strconv.Atoi(digits) // digits only, or empty for the mid block
	}
	return p, true
}

// number is the published number of a cross-attention among others: every second
// processor is a self-attention's, so they are 1, 3, 5 and so on.
func (p processorPlace) number(among map[processorPlace][]string) int {
	before := 0
	for other := range among {
		if slices.Compare(other[:], p[:]) < 0 {
			before++
		}
	}
	return 2*before + 1
}
