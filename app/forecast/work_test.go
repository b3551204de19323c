//go:build !js

package forecast

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
	"github.com/imprompt/imprompt/model/vae"
)

// work.json is what the planner lists. With IMPROMPT_UPDATE=1 it is written anew.
func TestWork(t *testing.T) {
	full := modeltest.ReadFullSize(t)
	read := func(file string) []byte {
		b, err := os.ReadFile("../../web/model/" + file)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	got := map[string][]load{
		SD15: planned(t, full["sd15/unet/config.json"], full["sd15/vae/config.json"], 32, 64, 96),
		Demo: planned(t, read("unet/config.json"), read("vae/config.json"), 8, 16, 32),
	}
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	if os.Getenv("IMPROMPT_UPDATE") != "" {
		if err := os.WriteFile("work.json", text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(text, recorded) {
		t.Error("work.json is not what the planner lists: IMPROMPT_UPDATE=1 go test ./app/forecast -run TestWork writes it anew")
	}
}

// planned records a step and a decode of latents of each size on a planner.
func planned(t *testing.T, unetConfig, vaeConfig []byte, sides ...int) (list []load) {
	t.Helper()
	ctx, d := context.Background(), gpu.NewPlanner(true, gpu.DefaultLimits)
	uc, err1 := unet.ParseConfig(unetConfig)
	vc, err2 := vae.ParseConfig(vaeConfig)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	u, v := unet.New(uc), vae.New(vc)
	for _, n := range []nn.Network{u, v.Decoder} {
		if err := nn.Load(ctx, d, n, modeltest.Zeros(nn.Shapes(n)), gpu.WeightF16, nil); err != nil {
			t.Fatal(err)
		}
	}
	words := d.NewTensor("words", gpu.Act, 2, 77, uc.CrossAttentionDim)
	cond, err := u.NewConditioning(ctx, d, unet.ConditioningOptions{Timesteps: []float64{500}, Words: words})
	if err != nil {
		t.Fatal(err)
	}
	for _, side := range sides {
		step, decode := d.NewProgram("step"), d.NewProgram("decode")
		u.Record(step, d.NewTensor("sample", gpu.Act, 1, side, side, uc.InChannels), cond, nil)
		v.Decoder.Record(decode, d.NewTensor("latents", gpu.Act, 1, side, side, vc.LatentChannels))
		for _, p := range []*gpu.Program{step, decode} {
			if err := p.Build(ctx); err != nil {
				t.Fatal(err)
			}
		}
		list = append(list, load{Pixels: side * side, Step: work(step.Work()), Decode: work(decode.Work()), Dispatches: step.Len(), DecodeBytes: decode.TransientBytes()})
	}
	return list
}
