package gpu

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Trial is what one variant did on the device, for one key of Kernels.Choice.
type Trial struct {
	Key, Variant string
	Milliseconds float64 // of one run
	// Difference is the relative difference of the result to the first variant's.
	Difference float64
	Refused    string `json:",omitempty"` // why the variant is not used, or ""
}

// Trials are a device's choice and how it was made.
type Trials struct {
	Kernels string // as ParseKernels reads it
	List    []Trial
}

// worthwhile is how much faster a variant has to be than the one before it: measurements
// repeat within a few percent.
const worthwhile = 0.95

// StartKernels is the choice for a device before anything is measured on it, by its vendor:
// what wgsl/COST.md finds for the vendor's families.
func (d *Device) StartKernels() Kernels {
	start := map[string]map[Class]string{
		"intel":  {ConvClass: "rolled", LinearClass: "rolled", AttentionClass: "tile"},
		"amd":    {ConvClass: "early", LinearClass: "early", AttentionClass: "pair"},
		"nvidia": {ConvClass: "early", LinearClass: "early", AttentionClass: "pair"},
	}[strings.ToLower(d.Info.Vendor)]
	var k Kernels
	for class, name := range start {
		for _, v := range d.Variants(class) {
			if v.Name == name {
				k = k.With(string(class), name)
			}
		}
	}
	return k
}

// TrialTolerance is the largest Difference of a variant that may be used: sums of 8 terms in
// f16 differ by 4e-4 from sums in f32, and the results are rounded to f16. Without shader-f16 the
// weights of an upsampling's phases are still f16. They are sums of the others, rounded once more,
// which makes a difference of 2e-4.
func (d *Device) TrialTolerance(c Class) float64 {
	switch {
	case d.F16:
		return 2e-3
	case c == UpsampleClass:
		return 5e-4
	}
	return 1e-4
}

// Measure returns a variant's time and its result for a key of Kernels.Choice.
type Measure func(key string, v Variant) (milliseconds float64, result []float32, err error)

// TryVariants measures every variant that the device can run, for every shape that is worth
// it, and chooses the fastest of those whose numbers agree with the first one's. A variant that
// fails is refused, and where the first one fails nothing is chosen. ctx may end it.
func (d *Device) TryVariants(ctx context.Context, measure Measure) (Trials, error) {
	k := Kernels{For: d.kernels.For}
	var trials Trials
	for _, class := range Classes {
		variants := d.Variants(class)
		if len(variants) < 2 {
			continue
		}
		for _, key := range class.keys() {
			suitable := slices.DeleteFunc(slices.Clone(variants), func(v Variant) bool { return v.Shape != "" && key != string(class)+"/"+v.Shape })
			list, best, err := d.tryKey(ctx, key, suitable, measure)
			if err != nil {
				return Trials{}, err
			}
			trials.List = append(trials.List, list...)
			if best != variants[0].Name {
				k = k.With(key, best)
			}
		}
	}
	trials.Kernels = k.String()
	return trials, nil
}

// tryKey measures the variants for one key and returns the name of the best. That is the first
// one where it fails, because there is nothing to compare the others with.
func (d *Device) tryKey(ctx context.Context, key string, variants []Variant, measure Measure) (list []Trial, best string, err error) {
	best = variants[0].Name
	fastest := math.Inf(1)
	var want []float32
	for _, v := range variants {
		if err := ctx.Err(); err != nil {
			return nil, "", err
		}
		ms, result, err := measure(key, v)
		t := Trial{Key: key, Variant: v.Name, Milliseconds: ms}
		switch {
		case err != nil:
			t.Refused = err.Error()
		case want == nil:
			want = result
		default:
			t.Difference = difference(result, want)
			if !(t.Difference <= d.TrialTolerance(v.Class)) {
				t.Refused = fmt.Sprintf("its numbers differ by %.2g from the first variant's", t.Difference)
				t.Difference = min(t.Difference, math.MaxFloat32) // a NaN or an infinity is not JSON
			}
		}
		list = append(list, t)
		if want == nil {
			break
		}
		if t.Refused == "" && t.Milliseconds < worthwhile*fastest {
			best, fastest = v.Name, t.Milliseconds
		}
	}
	return list, best, nil
}

// Refused lists the trials whose variants gave other numbers or failed.
func (t Trials) Refused() []Trial {
	var list []Trial
	for _, x := range t.List {
		if x.Refused != "" {
			list = append(list, x)
		}
	}
	return list
}

// difference is |got - want| / |want|, and infinite where numbers are missing or not finite.
func difference(got, want []float32) float64 {
	var diff, norm float64
	for i := range want {
		if i < len(got) {
			e := float64(got[i]) - float64(want[i])
			diff += e * e
		}
		norm += float64(want[i]) * float64(want[i])
	}
	d := math.Sqrt(diff / cmp.Or(norm, 1))
	if len(got) != len(want) || math.IsNaN(d) || math.IsInf(norm, 0) {
		return math.Inf(1)
	}
	return d
}
