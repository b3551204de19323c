//go:build !js

package model

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// keysOnly is a checkpoint whose numbers are zero.
type keysOnly map[string][]int

func (k keysOnly) Names() []string {
	var names []string
	for n := range k {
		names = append(names, n)
	}
	return names
}

func (k keysOnly) Info(name string) (string, []int, bool) {
	shape, ok := k[name]
	return "F16", shape, ok
}

func (k keysOnly) Read(_ context.Context, _ string, _, n int64) (webapi.Bytes, error) {
	return make([]byte, n), nil
}

// At 512 × 512 the plans of Stable Diffusion 1.5's step and VAE take no more than half
// again what is alive at once, and no picture of the VAE is larger than the 128 MiB that
// every GPU binds.
func TestFullSizePlan(t *testing.T) {
	b, err := os.ReadFile("../tests/fixtures/full/layout.json")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &files); err != nil {
		t.Fatal(err)
	}
	checkpoint := func(name string) Checkpoint {
		var l struct{ Shapes map[string][]int }
		if err := json.Unmarshal(files[name], &l); err != nil {
			t.Fatal(err)
		}
		return keysOnly(l.Shapes)
	}
	ctx := context.Background()
	for _, f16 := range []bool{true, false} {
		d := gpu.NewPlanner(f16, gpu.DefaultLimits)
		uc, err1 := ParseUNetConfig(files["sd15/unet/config.json"])
		vc, err2 := ParseVAEConfig(files["sd15/vae/config.json"])
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		u, v := NewUNet(uc), NewVAE(vc)
		vae := checkpoint("sd15/vae/diffusion_pytorch_model.fp16.safetensors")
		for _, err := range []error{u.Load(ctx, d, checkpoint("sd15/unet/diffusion_pytorch_model.fp16.safetensors"), nil),
			v.LoadDecoder(ctx, d, vae, nil), v.LoadEncoder(ctx, d, vae, nil)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		c, err := u.newConditioning(ctx, d, []float64{1}, 0, d.NewTensor("text", gpu.Act, 2, 77, 768), nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, record := range map[string]func(p *gpu.Program) *gpu.Tensor{
			"step":    func(p *gpu.Program) *gpu.Tensor { return u.record(p, d.NewTensor("x", gpu.Act, 2, 64, 64, 4), c) },
			"decoder": func(p *gpu.Program) *gpu.Tensor { return v.recordDecode(p, d.NewTensor("x", gpu.Act, 1, 64, 64, 4)) },
			"encoder": func(p *gpu.Program) *gpu.Tensor { return v.recordEncode(p, d.NewTensor("x", gpu.Act, 1, 512, 512, 3)) },
		} {
			p := d.NewProgram(name)
			record(p)
			planned, alive := p.TransientBytes(), p.LowerBound()
			t.Logf("f16 %t, %s: %d MiB, %d alive at once, %d dispatches", f16, name, planned>>20, alive>>20, p.Len())
			if float64(planned) > 1.51*float64(alive) {
				t.Errorf("f16 %t: the %s's plan takes %d MiB, and %d are alive at once", f16, name, planned>>20, alive>>20)
			}
			if err := p.Build(ctx); err != nil {
				t.Error(err)
			}
		}
	}
}
