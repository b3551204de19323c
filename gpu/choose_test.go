package gpu

import (
	"context"
	"errors"
	"math"
	"testing"
)

// The chooser takes the fastest variant whose numbers agree, shape by shape, with made-up
// times; and never one that fails, gives other numbers, or is hardly faster.
func TestTryVariants(t *testing.T) {
	before, shapesBefore := variants, shapes
	defer func() { variants, shapes = before, shapesBefore }()
	shapes = map[Class][]string{ConvClass: {"large", "small"}, AttentionClass: {"40", "80"}}
	variants = []Variant{
		{Class: ConvClass, Name: "direct"},
		{Class: ConvClass, Name: "early"},
		{Class: ConvClass, Name: "tiled", Shape: "large"}, // not measured for the other shape
		{Class: ConvClass, Name: "wrong"},
		{Class: ConvClass, Name: "broken"},
		{Class: ConvClass, Name: "foreign", lacks: func(*Device) string { return "wings" }},
		{Class: LinearClass, Name: "direct"},
		{Class: LinearClass, Name: "early"},
		{Class: AttentionClass, Name: "single"},
		{Class: AttentionClass, Name: "pair"},
	}
	times := map[string]float64{
		"conv/large direct": 10, "conv/large early": 8, "conv/large tiled": 7, "conv/large wrong": 1, "conv/large broken": 1,
		"conv/small direct": 10, "conv/small early": 9.8, "conv/small wrong": 1, "conv/small broken": 1,
		"linear direct": 5, "linear early": 4,
		"attention/40 single": 3, "attention/40 pair": 2, "attention/80 single": 3, "attention/80 pair": 9,
	}
	measure := func(key string, v Variant) (float64, []float32, error) {
		ms, ok := times[key+" "+v.Name]
		if !ok {
			t.Errorf("%s %s is measured", key, v.Name)
		}
		switch v.Name {
		case "broken":
			return 0, nil, errors.New("it does not compile")
		case "wrong":
			return ms, []float32{1, float32(math.NaN()), 3}, nil
		case "early":
			return ms, []float32{1, 2.00001, 3}, nil
		}
		return ms, []float32{1, 2, 3}, nil
	}
	d := NewPlanner(false, DefaultLimits)
	trials, err := d.TryVariants(context.Background(), measure)
	if err != nil {
		t.Fatal(err)
	}
	if want := "auto,attention/40=pair,conv/large=tiled,linear=early"; trials.Kernels != want {
		t.Errorf("it chooses %s, not %s", trials.Kernels, want)
	}
	if n := len(trials.Refused()); n != 4 {
		t.Errorf("%d variants are refused, not 4: %+v", n, trials.Refused())
	}

	// Where even the first variant fails, nothing is chosen.
	trials, err = d.TryVariants(context.Background(), func(string, Variant) (float64, []float32, error) { return 0, nil, errors.New("the GPU is gone") })
	if err != nil || trials.Kernels != "auto" || len(trials.List) != 5 {
		t.Errorf("%+v, %v", trials, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.TryVariants(ctx, measure); !errors.Is(err, context.Canceled) {
		t.Errorf("after a cancellation: %v", err)
	}

	// Before anything is measured the vendor decides, among what the device can run.
	d.Info.Vendor = "amd"
	if k := d.StartKernels().String(); k != "auto,attention=pair,conv=early,linear=early" {
		t.Errorf("for AMD it starts with %s", k)
	}
	d.Info.Vendor = "intel"
	if k := d.StartKernels().String(); k != "auto" {
		t.Errorf("for Intel it starts with %s, and there is no rolled variant", k)
	}
}
