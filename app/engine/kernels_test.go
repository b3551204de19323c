package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu"
)

type memo map[string]string

func (m memo) Recall(_ context.Context, key string) (string, error) { return m[key], nil }
func (m memo) Remember(_ context.Context, key, text string) error   { m[key] = text; return nil }

// Variants are measured once for a GPU, remembered, used on the next visit, reported where their numbers are wrong,
// and measured anew after they were forgotten.
func TestKernelsAreRemembered(t *testing.T) {
	ctx := context.Background()
	m := memo{}
	tried := 0
	try := func(context.Context) (gpu.Trials, error) {
		tried++
		return gpu.Trials{Kernels: "auto,conv=direct", List: []gpu.Trial{{Key: "conv", Variant: "odd", Refused: "its numbers differ"}}}, nil
	}
	visit := func(vendor string, try func(context.Context) (gpu.Trials, error)) (e *Engine, said string) {
		d := gpu.NewPlanner(true, gpu.DefaultLimits)
		d.Info.Vendor = vendor
		e = New(d, nil)
		e.Memo = m
		e.Warn = func(text string) { said += text }
		e.startKernels(ctx)
		e.tryKernels(ctx, try)
		e.tryKernels(ctx, try)
		return e, said
	}
	e, said := visit("apple", try)
	if tried != 1 || e.Device.Kernels().String() != "auto,conv=direct" || !strings.Contains(said, "conv=odd is not used") {
		t.Errorf("the first visit tries %d times, has %s and says %q", tried, e.Device.Kernels(), said)
	}
	e, said = visit("apple", try)
	if tried != 1 || e.Device.Kernels().String() != "auto,conv=direct" || len(e.Trials().List) != 1 || said != "" {
		t.Errorf("the second visit tries %d times, has %s and says %q", tried, e.Device.Kernels(), said)
	}
	if err := e.ForgetKernels(ctx); err != nil || e.Device.Kernels().String() != "auto" {
		t.Errorf("forgotten: %s, %v", e.Device.Kernels(), err)
	}
	if visit("apple", try); tried != 2 {
		t.Errorf("after that it is tried %d times", tried)
	}
	if visit("amd", try); tried != 3 {
		t.Errorf("another GPU is tried %d times", tried)
	}
	failing := func(context.Context) (gpu.Trials, error) { return gpu.Trials{}, errors.New("lost") }
	if e, _ := visit("intel", failing); e.Device.Kernels().String() != e.Device.StartKernels().String() {
		t.Errorf("after trials that failed it has %s", e.Device.Kernels())
	}

	// A processor that plays a GPU tries a GPU's kernels only where it was asked to.
	processor := func(gpuKernels bool) string {
		d := gpu.NewPlanner(false, gpu.DefaultLimits)
		d.Info.Software, d.Subgroups = true, true
		e := New(d, nil)
		e.Memo, e.GPUKernels = memo{}, gpuKernels
		e.startKernels(ctx)
		e.tryKernels(ctx, func(context.Context) (gpu.Trials, error) {
			return gpu.Trials{Kernels: d.Kernels().String() + ",conv=early"}, nil
		})
		return d.Kernels().String()
	}
	if own, asked := processor(false), processor(true); own != "auto" || asked != "gpu,conv=early" {
		t.Errorf("a processor chooses %s, and %s where it was asked to try", own, asked)
	}

	// A choice on the command line is neither measured nor changed.
	d := gpu.NewPlanner(true, gpu.DefaultLimits)
	if err := d.SetKernels(gpu.Kernels{For: "gpu"}); err != nil {
		t.Fatal(err)
	}
	e = New(d, nil)
	e.Memo = m
	e.startKernels(ctx)
	if e.tryKernels(ctx, try); tried != 3 || d.Kernels().String() != "gpu" {
		t.Errorf("a choice becomes %s", d.Kernels())
	}
}
