package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/imprompt/imprompt/gpu"
)

// Memo remembers small texts from one visit to the next.
type Memo interface {
	Recall(ctx context.Context, key string) (text string, err error) // "" for what is not remembered
	Remember(ctx context.Context, key, text string) error
}

// kernelsKey names what a choice of kernels holds for: the adapter, the numeric path and the
// variants that there are. A browser's Memo adds the version of the browser.
func (e *Engine) kernelsKey() string {
	d := e.Device
	key := "kernels of " + e.adapter() + ":"
	for _, class := range gpu.Classes {
		for _, v := range d.Variants(class) {
			key += " " + string(class) + "=" + v.Name
		}
	}
	return key
}

// adapter names the GPU and its numeric path.
func (e *Engine) adapter() string {
	d := e.Device
	return fmt.Sprintf("%s %s %s %s, f16 %t, subgroups %t", d.Info.Vendor, d.Info.Architecture, d.Info.Device, d.Info.Description, d.F16, d.Subgroups)
}

// Trials are what was measured on this GPU, now or on an earlier visit. There are none before a large
// model is loaded, nor on a processor that emulates a GPU (but see GPUKernels).
func (e *Engine) Trials() gpu.Trials { return e.trials }

// startKernels chooses the kernels for a GPU on which nothing was measured in this visit.
func (e *Engine) startKernels(ctx context.Context) {
	d := e.Device
	if e.Memo == nil || e.chosen || d.Info.Software && !e.GPUKernels || d.Kernels().String() != "auto" {
		return // a choice on the command line takes precedence
	}
	e.chosen = true
	if text, err := e.Memo.Recall(ctx, e.kernelsKey()); err == nil && text != "" {
		var t gpu.Trials
		if json.Unmarshal([]byte(text), &t) == nil && e.useKernels(t.Kernels) == nil {
			e.trials = t
			return
		}
	}
	start := d.StartKernels()
	if e.GPUKernels {
		start.For = "gpu"
	}
	if err := d.SetKernels(start); err != nil {
		e.warn(err.Error())
	}
}

// tryKernels measures the variants of the kernels and remembers the fastest, once for every GPU and
// version of the browser. It takes a few seconds, most of it for compiling, and is worth it for large
// models only. If it fails, the kernels stay as they are.
func (e *Engine) tryKernels(ctx context.Context, try func(ctx context.Context) (gpu.Trials, error)) {
	if !e.chosen || e.trials.List != nil {
		return
	}
	t, err := try(ctx)
	if err != nil || e.useKernels(t.Kernels) != nil {
		return
	}
	e.trials = t
	for _, x := range t.Refused() {
		e.warn(fmt.Sprintf("The kernel %s=%s is not used on this GPU: %s.", x.Key, x.Variant, x.Refused))
	}
	if b, err := json.Marshal(t); err == nil {
		_ = e.Memo.Remember(ctx, e.kernelsKey(), string(b)) // what is not remembered is measured again
	}
}

func (e *Engine) useKernels(text string) error {
	k, err := gpu.ParseKernels(text)
	if err != nil {
		return err
	}
	return e.Device.SetKernels(k)
}

// ForgetKernels has the variants measured anew when the next large model is loaded, and the GPU's speed by the next
// Gauge.
func (e *Engine) ForgetKernels(ctx context.Context) error {
	e.forgetCard(ctx)
	if e.Memo == nil || !e.chosen {
		return nil
	}
	e.chosen, e.trials = false, gpu.Trials{}
	if err := e.Device.SetKernels(gpu.Kernels{}); err != nil {
		return err
	}
	return e.Memo.Remember(ctx, e.kernelsKey(), "")
}
