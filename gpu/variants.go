package gpu

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Class is a kind of operation that can be computed in several ways.
type Class string

const (
	ConvClass      Class = "conv"      // convolutions of 3 × 3 and larger
	LinearClass    Class = "linear"    // linear layers and convolutions of 1 × 1
	AttentionClass Class = "attention" // attention
	UpsampleClass  Class = "upsample"  // a 3 × 3 convolution after an upsampling by two
	GroupsClass    Class = "groups"    // how many workgroups of a product keep the GPU busy
)

// Classes lists all of them.
var Classes = []Class{ConvClass, LinearClass, AttentionClass, UpsampleClass, GroupsClass}

// Variant is one way to compute the operations of a class on a GPU. All variants of a class
// compute the same, up to rounding; which is fastest differs from GPU to GPU, and is measured
// on the visitor's (wgsl/COST.md shows what compilers make of them).
type Variant struct {
	Class Class
	Name  string
	Does  string // for people: what is different about it
	// Shape is the only shape of the class that the variant is for, or "" for all of them.
	Shape string
	lacks func(d *Device) string // what the variant needs and the device does not have, or ""; nil for a variant of every device
}

// variants lists every variant. The first of a class is what is used where nothing is chosen.
var variants = []Variant{
	{Class: ConvClass, Name: "direct", Does: "an implicit matrix product; a pass's loads come before its products"},
	{Class: ConvClass, Name: "early", Does: "the next pass's loads are under way during a pass's products"},
	{Class: ConvClass, Name: "rolled", Does: "tiles of at most 4 × 8, and a pass's products are a loop, for GPUs with few registers"},
	{Class: ConvClass, Name: "short", Does: "as early, with sums of eight products in f16", lacks: needsF16},
	{Class: ConvClass, Name: "winograd", Shape: "large", Does: "Winograd's F(2 × 2, 3 × 3), with 4/9 of the products and 16/9 of the memory for the weights, and products as linear layers have them"},
	{Class: ConvClass, Name: "winograd4", Shape: "large", Does: "F(4 × 4, 3 × 3), with 1/4 of the products and 4 times the memory", lacks: needsF32},
	{Class: LinearClass, Name: "direct", Does: "a tiled matrix product; a pass's loads come before its products"},
	{Class: LinearClass, Name: "early", Does: "the next pass's loads are under way during a pass's products"},
	{Class: LinearClass, Name: "rolled", Does: "tiles of at most 4 × 8, and a pass's products are a loop, for GPUs with few registers"},
	{Class: LinearClass, Name: "short", Does: "as early, with sums of eight products in f16", lacks: needsF16},
	{Class: AttentionClass, Name: "single", Does: "one query a thread"},
	{Class: AttentionClass, Name: "pair", Does: "two queries a thread, and subgroups exchange scores", lacks: needsSubgroups},
	{Class: AttentionClass, Name: "tile", Does: "scores and results as tiled matrix products, for GPUs with few registers"},
	{Class: UpsampleClass, Name: "direct", Does: "the convolution reads the enlarged picture"},
	{Class: UpsampleClass, Name: "phases", Does: "four 2 × 2 convolutions of the small picture, with 4/9 of the products and 16/9 more memory for the weights"},
	{Class: GroupsClass, Name: "256", Does: "a product is cut until it has 256 workgroups"},
	{Class: GroupsClass, Name: "512", Does: "until it has 512, for a large GPU"},
	{Class: GroupsClass, Name: "1024", Does: "until it has 1024, for the largest"},
}

// shapes are the shapes of a class for which the choice is worth a measurement of its own. A
// choice for "attention/80" goes before one for "attention".
var shapes = map[Class][]string{
	ConvClass:      {"large", "small"}, // products that keep a large GPU busy, and those that do not
	LinearClass:    {"large", "small"},
	AttentionClass: {"40", "80", "160", "512"}, // the head sizes of Stable Diffusion 1.5's UNet, and of its VAE
}

// keys are what the variants of the class are chosen for.
func (c Class) keys() []string {
	if shapes[c] == nil {
		return []string{string(c)}
	}
	var list []string
	for _, shape := range shapes[c] {
		list = append(list, string(c)+"/"+shape)
	}
	return list
}

func needsF16(d *Device) string {
	if d.F16 {
		return ""
	}
	return "shader-f16"
}

// needsF32 is for what loses too much where activations are f16.
func needsF32(d *Device) string {
	if d.F16 {
		return "activations in f32"
	}
	return ""
}

func needsSubgroups(d *Device) string {
	if d.Subgroups {
		return ""
	}
	return "subgroups"
}

// Variants lists the variants of a class that the device can run. The first is what is used
// where nothing is chosen.
func (d *Device) Variants(c Class) []Variant {
	var list []Variant
	for _, v := range variants {
		if v.Class == c && d.lacks(v) == "" {
			list = append(list, v)
		}
	}
	return list
}

// lacks says what a variant needs and the device does not have, or "".
func (d *Device) lacks(v Variant) string {
	if v.lacks == nil {
		return ""
	}
	return v.lacks(d)
}

// Kernels says which kernels a device's programs use. The zero value is a processor's kernels
// on a processor that emulates a GPU, and the first variants on a GPU.
type Kernels struct {
	// For is "gpu" for a GPU's kernels on every device, "cpu" for a processor's, and "" for
	// those that suit the device. A processor's kernels need subgroups.
	For string
	// Choice names a variant for a class ("conv") or for a shape of it ("attention/80"). It
	// counts only where a GPU's kernels are used.
	Choice map[string]string
}

// ParseKernels reads what String writes: "auto", "gpu" or "cpu", and choices, divided by
// commas, as in "gpu,conv=early,attention/80=pair".
func ParseKernels(s string) (Kernels, error) {
	k := Kernels{}
	for i, part := range strings.Split(s, ",") {
		key, name, choice := strings.Cut(part, "=")
		switch {
		case choice:
			if _, err := findVariant(key, name); err != nil {
				return Kernels{}, err
			}
			if k.Choice == nil {
				k.Choice = map[string]string{}
			}
			k.Choice[key] = name
		case i == 0 && (part == "gpu" || part == "cpu"):
			k.For = part
		case i == 0 && (part == "auto" || part == ""):
		default:
			return Kernels{}, fmt.Errorf("%q is not auto, gpu or cpu, nor a choice such as conv=%s", part, variants[0].Name)
		}
	}
	return k, nil
}

func (k Kernels) String() string {
	parts := []string{k.For}
	if k.For == "" {
		parts[0] = "auto"
	}
	for _, key := range slices.Sorted(maps.Keys(k.Choice)) {
		parts = append(parts, key+"="+k.Choice[key])
	}
	return strings.Join(parts, ",")
}

// With returns a copy of k in which a class, or a shape of it, has another variant.
func (k Kernels) With(key, name string) Kernels {
	k.Choice = maps.Clone(k.Choice)
	if k.Choice == nil {
		k.Choice = map[string]string{}
	}
	k.Choice[key] = name
	return k
}

// findVariant returns the variant that a choice names. It fails if the class, the shape or the
// variant does not exist.
func findVariant(key, name string) (Variant, error) {
	class, shape, shaped := strings.Cut(key, "/")
	c := Class(class)
	if !slices.Contains(Classes, c) {
		return Variant{}, fmt.Errorf("there are no variants of %q; there are some of %v", class, Classes)
	}
	if shaped && !slices.Contains(shapes[c], shape) {
		return Variant{}, fmt.Errorf("%s has the shapes %v, not %q", class, shapes[c], shape)
	}
	var names []string
	for _, v := range variants {
		if v.Class == c && v.Name == name {
			if shaped && v.Shape != "" && v.Shape != shape {
				return Variant{}, fmt.Errorf("the variant %s is for %s/%s, not for %s", name, class, v.Shape, key)
			}
			return v, nil
		}
		if v.Class == c {
			names = append(names, v.Name)
		}
	}
	return Variant{}, fmt.Errorf("%s has no variant %q; it has %v", class, name, names)
}

// SetKernels chooses the kernels of the programs that are recorded from now on. It fails if
// the device cannot run one of them.
func (d *Device) SetKernels(k Kernels) error {
	if k.For == "cpu" && !d.Subgroups {
		return fmt.Errorf("gpu: a processor's kernels need subgroups, which %s does not have", d.Info)
	}
	for key, name := range k.Choice {
		v, err := findVariant(key, name)
		if err != nil {
			return fmt.Errorf("gpu: %w", err)
		}
		if lacks := d.lacks(v); lacks != "" {
			return fmt.Errorf("gpu: %s=%s needs %s, which %s does not have", key, name, lacks, d.Info)
		}
	}
	d.kernels = k
	return nil
}

// Kernels returns what SetKernels chose.
func (d *Device) Kernels() Kernels { return d.kernels }

// variant is the name of the variant that is chosen for a shape of a class.
func (k Kernels) variant(c Class, shape string) string {
	if name := k.Choice[string(c)+"/"+shape]; name != "" {
		return name
	}
	if name := k.Choice[string(c)]; name != "" {
		return name
	}
	for _, v := range variants {
		if v.Class == c {
			return v.Name
		}
	}
	return ""
}

// onProcessor says whether programs use a processor's kernels.
func (d *Device) onProcessor() bool {
	if d.kernels.For != "" {
		return d.kernels.For == "cpu"
	}
	return d.emulated()
}
