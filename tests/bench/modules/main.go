// Modules writes the shader modules that tests/bench/cost.mjs measures into a folder: those
// that the operations of package gpu dispatch on a GPU for Stable Diffusion's sizes, with
// and without shader-f16. It prints a line of JSON for each.
//
//	go run ./tests/bench/modules FOLDER
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/imprompt/imprompt/gpu"
)

// module is what is printed of a module.
type module struct {
	Kernel  string `json:"kernel"`
	Variant string `json:"variant,omitempty"`
	What    string `json:"what"`
	Numbers string `json:"numbers"`
	File    string `json:"file"`
	Tile    []int  `json:"tile,omitempty"` // of a convolution: a thread's pixels and channels
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: modules FOLDER")
	}
	for _, path := range []struct {
		numbers string
		f16     bool
	}{{"f16", true}, {"f32", false}} {
		d := gpu.NewPlanner(path.f16, gpu.DefaultLimits)
		d.Subgroups, d.SubgroupMin = true, 32
		if err := write(os.Args[1], path.numbers, d); err != nil {
			log.Fatal(err)
		}
	}
}

// write records the operations and writes every module once.
func write(folder, numbers string, d *gpu.Device) error {
	p := d.NewProgram("modules")
	var variants []string // of each dispatch
	for _, class := range []gpu.Class{gpu.ConvClass, gpu.AttentionClass} {
		for _, v := range d.Variants(class) {
			if v.Shape != "" {
				continue // Winograd's products are those of the other variants, and rest has what is around them
			}
			k := gpu.Kernels{}.With(string(class), v.Name)
			if class == gpu.ConvClass {
				k = k.With(string(gpu.LinearClass), v.Name)
			}
			if err := d.SetKernels(k); err != nil {
				return err
			}
			if err := record(p, class); err != nil {
				return err
			}
			for len(variants) < p.Len() {
				variants = append(variants, v.Name)
			}
		}
	}
	if err := rest(p); err != nil {
		return err
	}
	if err := p.Build(context.Background()); err != nil {
		return err
	}
	written := map[string]bool{}
	for i, ds := range p.Dispatches() {
		source, err := d.Module(ds)
		if err != nil {
			return err
		}
		if written[source] {
			continue
		}
		written[source] = true
		m := module{Kernel: ds.Kernel, Numbers: numbers, File: filepath.Join(folder, fmt.Sprintf("%s-%02d.wgsl", numbers, len(written)))}
		switch {
		case i < len(variants):
			m.What, m.Variant = ds.Label, variants[i]
		case ds.Kernel == "conv2d":
			continue // those that are measured are recorded for it
		case strings.HasPrefix(ds.Kernel, "winograd"):
			m.What = ds.Label
		}
		for _, c := range ds.Consts {
			if c.Name == "MV" || c.Name == "NV" {
				m.Tile = append(m.Tile, 4*c.Value.(int))
			}
		}
		if err := os.WriteFile(m.File, []byte(source), 0o644); err != nil {
			return err
		}
		line, err := json.Marshal(m)
		if err != nil {
			return err
		}
		fmt.Println(string(line))
	}
	return nil
}

// record records the operations of a class in the shapes that are measured. Their labels say
// which.
func record(p *gpu.Program, class gpu.Class) error {
	d := p.Device
	if class == gpu.AttentionClass {
		for _, image := range []bool{false, true} {
			for _, head := range []int{40, 64, 80, 160, 512} {
				c := 2 * head
				o := gpu.AttentionOptions{Label: fmt.Sprintf("head size %d", head), Heads: 2, HeadSize: head, VAt: c}
				if image {
					if head == 64 || head == 512 || !d.F16 {
						continue // CLIP and the VAE have no image prompts; the f32 path differs little
					}
					o.Label += ", image prompts"
					o.Image = &gpu.ImageAttention{KV: input(d, gpu.Act, 2, 4, 2*c), Spans: input(d, gpu.U32, 1, 4), Prompts: 1, Lambda: input(d, gpu.F32, 1, 1)}
				}
				gpu.Attention(p, input(d, gpu.Act, 2, 64, c), input(d, gpu.Act, 2, 77, 2*c), o)
			}
		}
		return nil
	}
	// The size of the result decides how large a thread's tile is.
	for _, size := range []struct{ pixels, outputs int }{{128, 8192}, {96, 8192}, {32, 32}} {
		for _, second := range []bool{false, true} {
			if second && (size.pixels != 128 || !d.F16) {
				continue // smaller tiles and the f32 path differ little
			}
			o := gpu.Conv2dOptions{}
			inputs := 4
			if second {
				o.Label, o.X2 = "two inputs", input(d, gpu.Act, 1, 1, size.pixels, 4)
				inputs = 8
			}
			w, err := weight(d, size.outputs, inputs, 1)
			if err != nil {
				return err
			}
			gpu.Conv2d(p, input(d, gpu.Act, 1, 1, size.pixels, 4), w, o)
		}
	}
	return nil
}

// rest records the other operations.
func rest(p *gpu.Program) error {
	d := p.Device
	// A convolution that is cut into slices.
	w, err := weight(d, 320, 320, 3)
	if err != nil {
		return err
	}
	x := gpu.Conv2d(p, input(d, gpu.Act, 2, 32, 32, 320), w, gpu.Conv2dOptions{Padding: 1})
	if err := winograd(p); err != nil {
		return err
	}

	norm := gpu.NewNormWeight(320, d.NewVector("scale", make([]float32, 320)), d.NewVector("shift", make([]float32, 320)))
	gpu.LayerNorm(p, x, norm, 1e-5, "")
	gpu.GroupNorm(p, x, norm, gpu.GroupNormOptions{Groups: 32, Eps: 1e-5})
	gpu.SamplerStep(p, input(d, gpu.F32, 2, 64, 64, 4), &gpu.Sampler{State: input(d, gpu.F32, gpu.SamplerState, 64*64, 4),
		Table: d.NewSamplerTable(make([]gpu.SamplerRow, 2)), Input: input(d, gpu.Act, 2, 64, 64, 4)})
	return nil
}

// winograd records convolutions by Winograd's algorithm, of one and of two inputs.
func winograd(p *gpu.Program) error {
	d := p.Device
	for _, v := range d.Variants(gpu.ConvClass) {
		if v.Shape == "" {
			continue
		}
		if err := d.SetKernels(gpu.Kernels{}.With(string(gpu.ConvClass), v.Name)); err != nil {
			return err
		}
		for _, second := range []int{0, 320} {
			zeros := gpu.MemoryParameter("weight", make([]float32, 320*(320+second)*9), 320, 320+second, 3, 3)
			zeros.Winograd = d.WinogradTile(320+second, 320, gpu.WeightF16)
			w, err := d.NewConvWeight(context.Background(), "weight", []gpu.Parameter{zeros}, nil, false)
			if err != nil {
				return err
			}
			o := gpu.Conv2dOptions{Padding: 1, Label: fmt.Sprintf("F(%d × %d)", zeros.Winograd, zeros.Winograd)}
			if second > 0 {
				o.Label, o.X2 = o.Label+", two inputs", input(d, gpu.Act, 2, 32, 32, second)
			}
			gpu.Conv2d(p, input(d, gpu.Act, 2, 32, 32, 320), w, o)
		}
	}
	return nil
}

func input(d *gpu.Device, dt gpu.DType, shape ...int) *gpu.Tensor {
	return d.NewTensor("input", dt, shape...)
}

func weight(d *gpu.Device, outputs, inputs, size int) (*gpu.ConvWeight, error) {
	zeros := gpu.MemoryParameter("weight", make([]float32, outputs*inputs*size*size), outputs, inputs, size, size)
	return d.NewConvWeight(context.Background(), "weight", []gpu.Parameter{zeros}, nil, false)
}
