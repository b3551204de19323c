package gpu

import (
	"strings"
	"testing"
)

func TestParseKernels(t *testing.T) {
	for in, want := range map[string]string{
		"": "auto", "auto": "auto", "gpu": "gpu", "cpu": "cpu", "conv=direct": "auto,conv=direct",
		"gpu,attention/80=single,conv=direct": "gpu,attention/80=single,conv=direct",
	} {
		k, err := ParseKernels(in)
		if err != nil {
			t.Fatal(err)
		}
		if k.String() != want {
			t.Errorf("%q is read as %q, not as %q", in, k, want)
		}
	}
	for in, want := range map[string]string{
		"tpu": "auto, gpu or cpu", "gpu,cpu": "auto, gpu or cpu", "conv=fast": "no variant", "norm=direct": "no variants of",
		"attention/41=single": "has the shapes", "gpu,attention": "auto, gpu or cpu",
	} {
		if _, err := ParseKernels(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: the error is %v; it should say %q", in, err, want)
		}
	}
}

// A choice for a shape goes before one for its class, and a copy leaves its original alone.
func TestVariant(t *testing.T) {
	k := Kernels{}.With("attention", "a")
	other := k.With("attention/80", "b")
	for _, c := range []struct {
		k           Kernels
		shape, want string
	}{{Kernels{}, "80", "single"}, {k, "80", "a"}, {other, "80", "b"}, {other, "40", "a"}} {
		if got := c.k.variant(AttentionClass, c.shape); got != c.want {
			t.Errorf("%s: shape %s has the variant %s, not %s", c.k, c.shape, got, c.want)
		}
	}
}

// Every variant has a name of its own in its class, and the first of a class runs on every
// device.
func TestVariantTable(t *testing.T) {
	d := NewPlanner(false, DefaultLimits)
	seen := map[string]bool{}
	for _, c := range Classes {
		if list := d.Variants(c); len(list) == 0 || list[0].Name != (Kernels{}).variant(c, "") {
			t.Errorf("the first variant of %s does not run on every device", c)
		}
	}
	for _, v := range variants {
		key := string(v.Class) + "=" + v.Name
		if seen[key] || v.Does == "" {
			t.Errorf("%s: it is listed twice or not described", key)
		}
		seen[key] = true
	}
	if err := d.SetKernels(Kernels{For: "cpu"}); err == nil {
		t.Error("a device without subgroups took a processor's kernels")
	}
}
