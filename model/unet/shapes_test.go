//go:build !js

package unet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// productShape is a row of wgsl/shapes_sd15_512.json: convolutions and linear layers of
// one shape in a step, and how gpu/conv2d_tile.go cuts them for a GPU.
type productShape struct {
	Label      string  `json:"label"` // of the first
	Count      int     `json:"count"`
	Pixels     int     `json:"pixels"` // rows of the product, of both guidance branches
	Inputs     int     `json:"inputs"` // times taps
	Outputs    int     `json:"outputs"`
	GFLOP      float64 `json:"gflop"` // of one
	ThreadTile string  `json:"thread_tile"`
	Slices     int     `json:"slices"`
	Workgroups int     `json:"workgroups"`
}

// plannedStep records a step of Stable Diffusion 1.5 at 512 × 512 with guidance, on a GPU
// that only plans. entries is how many entries its input has: the pipeline gives one. o has what differs
// from such a step.
func plannedStep(t *testing.T, taps *unet.StepTaps, entries int, o unet.ConditioningOptions) *gpu.Program {
	t.Helper()
	ctx := context.Background()
	files := modeltest.ReadFullSize(t)
	c, err := unet.ParseConfig(files["sd15/unet/config.json"])
	if err != nil {
		t.Fatal(err)
	}
	u := unet.New(c)
	d := gpu.NewPlanner(true, gpu.DefaultLimits)
	if err := nn.Load(ctx, d, u, files.Checkpoint(t, "sd15/unet/diffusion_pytorch_model.fp16.safetensors"), gpu.WeightF16, nil); err != nil {
		t.Fatal(err)
	}
	o.Timesteps, o.Height, o.Width = make([]float64, max(1, len(o.Full))), 64, 64
	o.Words = d.NewTensor("words", gpu.Act, 2, 77, c.CrossAttentionDim)
	cond, err := u.NewConditioning(ctx, d, o)
	if err != nil {
		t.Fatal(err)
	}
	p := d.NewProgram("UNet step")
	u.Record(p, d.NewTensor("sample", gpu.Act, entries, 64, 64, 4), cond, taps)
	return p
}

// Taps without anything in them record the same dispatches as none, and so does reading
// the self-attentions' hidden states.
func TestEmptyTaps(t *testing.T) {
	labels := func(taps *unet.StepTaps) (list []string) {
		for _, d := range plannedStep(t, taps, 2, unet.ConditioningOptions{}).Dispatches() {
			list = append(list, d.Kernel+" "+d.Label)
		}
		return list
	}
	without, read := labels(nil), 0
	reading := &unet.StepTaps{}
	reading.ReadSelf(func(int, *gpu.Tensor) { read++ })
	for name, taps := range map[string]*unet.StepTaps{"empty": {}, "reading": reading} {
		t.Run(name, func(t *testing.T) {
			if with := labels(taps); !slices.Equal(with, without) {
				t.Errorf("%d dispatches, and %d without taps", len(with), len(without))
			}
		})
	}
	if read != 16 {
		t.Errorf("%d self-attentions were read, not 16", read)
	}
}

// What guidance's two branches share, from conv_in to the first self-attention, is computed
// once: 2.6 % of a step's operations. What it costs is three copies.
func TestSharedBeginning(t *testing.T) {
	shared, twice := plannedStep(t, nil, 1, unet.ConditioningOptions{}), plannedStep(t, nil, 2, unet.ConditioningOptions{})
	saved := 1 - shared.Cost()/twice.Cost()
	t.Logf("%.2f %% of %.0f GFLOP are saved, by %d dispatches more", 100*saved, twice.Cost()/1e9, shared.Len()-twice.Len())
	if saved < 0.025 {
		t.Errorf("it saves only %.2f %%", 100*saved)
	}
	if more := shared.Len() - twice.Len(); more > 6 {
		t.Errorf("it takes %d dispatches more", more)
	}
}

// A step of Stable Diffusion 1.5 at 512 × 512 with guidance, on a GPU: how every product
// is cut is on record, none of those that take time leaves a large GPU without work, and
// pipelines are few. With IMPROMPT_UPDATE=1 the record is written anew.
func TestShapes(t *testing.T) {
	p := plannedStep(t, nil, 1, unet.ConditioningOptions{})
	if err := p.Build(context.Background()); err != nil {
		t.Fatal(err)
	}

	var shapes []*productShape
	index := map[productShape]*productShape{}
	pipelines := map[string]bool{}
	var total float64
	for _, ds := range p.Dispatches() {
		pipelines[fmt.Sprint(ds.Kernel, ds.Consts)] = true
		total += ds.Cost
		if ds.Kernel != "conv2d" {
			continue
		}
		consts := map[string]any{}
		for _, c := range ds.Consts {
			consts[c.Name] = c.Value
		}
		params := map[string]int{}
		for _, p := range ds.Params {
			params[p.Name], _ = p.Value.(int)
		}
		s := productShape{Pixels: params["m"], Outputs: params["n_quads"] * 4, GFLOP: float64(int(ds.Cost/1e7)) / 100,
			ThreadTile: fmt.Sprintf("%d × %d", 4*consts["MV"].(int), 4*consts["NV"].(int)),
			Slices:     ds.Groups[2], Workgroups: ds.Groups[0] * ds.Groups[1] * ds.Groups[2]}
		quads, size := params["c1_quads"]+params["c2_quads"], params["ksize"]
		s.Inputs = 4 * quads * size * size
		if index[s] == nil {
			row := s
			row.Label = ds.Label
			index[s] = &row
			shapes = append(shapes, &row)
		}
		index[s].Count++
		if ds.Cost > 1e9 && s.Workgroups < 200 {
			t.Errorf("%s: %.1f GFLOP in %d workgroups", ds.Label, ds.Cost/1e9, s.Workgroups)
		}
	}
	t.Logf("%d dispatches, %d pipelines, %.0f GFLOP a step", p.Len(), len(pipelines), total/1e9)
	if len(pipelines) > 16 {
		t.Errorf("%d pipelines for a UNet: each takes a GPU's driver a part of a second", len(pipelines))
	}

	var out bytes.Buffer
	out.WriteString("[\n")
	for i, s := range shapes {
		line, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("  " + string(line))
		if i < len(shapes)-1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
	}
	out.WriteString("]\n")
	const file = "../../wgsl/shapes_sd15_512.json"
	if os.Getenv("IMPROMPT_UPDATE") != "" {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	recorded, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(recorded, out.Bytes()) {
		t.Errorf("%s is not what the UNet records: IMPROMPT_UPDATE=1 go test ./model/unet -run TestShapes writes it anew", file)
	}
}

// With DeepCache, a step that reuses the rest of the UNet does 9 % of the work.
func TestDeepCacheWork(t *testing.T) {
	p := plannedStep(t, nil, 1, unet.ConditioningOptions{Full: unet.FullSteps(2, 2, nil)})
	var work [2]float64
	for _, d := range p.Dispatches() {
		for step := range work {
			if p.Active(d, step) {
				work[step] += d.Cost
			}
		}
	}
	if share := work[1] / work[0]; share < 0.08 || share > 0.10 {
		t.Errorf("it does %.3f of a whole step's work", share)
	}
	if whole := plannedStep(t, nil, 1, unet.ConditioningOptions{}).Cost(); work[0] > 1.01*whole {
		t.Errorf("a whole step has %.3g operations, and %.3g without DeepCache", work[0], whole)
	}
}

// With half of the tokens merged, a step does 9 % less work. The search for the tokens, which is 1 %, is counted.
func TestTokenMergingWork(t *testing.T) {
	whole, merged := plannedStep(t, nil, 1, unet.ConditioningOptions{}), plannedStep(t, nil, 1, unet.ConditioningOptions{TomeRatio: 0.5})
	var search float64
	for _, d := range merged.Dispatches() {
		if d.Kernel == "token_norms" || d.Kernel == "token_match" || d.Kernel == "token_order" {
			search += d.Cost
		}
	}
	saved := 1 - merged.Cost()/whole.Cost()
	t.Logf("%.3f of %.0f GFLOP saved, and %.3f for the search; %d dispatches more", saved, whole.Cost()/1e9, search/whole.Cost(), merged.Len()-whole.Len())
	if saved < 0.085 || saved > 0.095 {
		t.Errorf("it saves %.3f", saved)
	}
}
