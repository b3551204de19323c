// Model predicts how long a step of Stable Diffusion 1.5 at 512 × 512 with guidance, a decode
// and a picture of 20 steps take on six cards: from the dispatches that the planner records and
// from what the cards' compilers make of the kernels (wgsl/cost.json). It prints what each
// change of kernels gives.
//
//	./build.sh bench model
//
// A prediction is an upper bound of the speed. A dispatch counts the time of its products, at the
// share of the peak that the main loop reaches, or that of its bytes, at four fifths of the memory's
// bandwidth, whichever is longer. 3 µs are added for the gap to the next dispatch. A dispatch that
// gives each scheduler few warps is slower by what was measured on an H100.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
	"github.com/imprompt/imprompt/model/vae"
)

func main() {
	log.SetFlags(0)
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	tables, err := readShares(filepath.Join(root, "wgsl/cost.json"))
	if err != nil {
		log.Fatal(err)
	}
	layout, err := readLayout(filepath.Join(root, "tests/fixtures/full/layout.json"))
	if err != nil {
		log.Fatal(err)
	}
	if err := report(&planner{layout: layout, done: map[string]recording{}}, tables); err != nil {
		log.Fatal(err)
	}
}

// report prints a table for each card: a line for each change, with the step, the decode and the
// picture. The last line has the variants that are fastest for each shape, which is what a
// visitor's browser ends up with after its trials. What follows it is where the time of that step goes.
func report(l *planner, tables map[string]shares) error {
	fmt.Println("Stable Diffusion 1.5 at 512 × 512 with guidance, f16, predicted in ms (upper bounds of the speed)")
	for _, c := range cards {
		fmt.Printf("\n%s: %.1f TFLOP/s, %.0f GB/s\n", c.name, c.tflops, c.gbs)
		table := tables[c.family]
		best, err := c.best(l, table)
		if err != nil {
			return err
		}
		list := append(changes(c), change{"the fastest for each shape", best.String()})
		before := 0.0
		for _, change := range list {
			r, err := l.record(change.kernels)
			if err != nil {
				return err
			}
			s, d := c.predict(r.step, table), c.predict(r.decode, table)
			if before == 0 {
				before = s
			}
			fmt.Printf("  %-46s step %8.1f (%+5.1f %%)   decode %8.1f   picture %6.1f s\n", change.what, s, 100*(s/before-1), d, c.picture(r, table)/1e3)
		}
		r, err := l.record(best.String())
		if err != nil {
			return err
		}
		fmt.Printf("  %s\n", best)
		c.explain(r.step, table)
	}
	return nil
}

// best is the choice with which each kind of a picture's work takes the least time. Upsampling is
// chosen first, because every further combination takes seconds to record.
func (c card) best(l *planner, table shares) (gpu.Kernels, error) {
	choice, least := gpu.Kernels{}, math.Inf(1)
	for _, upsample := range variantsOf(gpu.UpsampleClass) {
		k := gpu.Kernels{For: "gpu"}.With(string(gpu.UpsampleClass), upsample)
		r, err := l.record(k.String())
		if err != nil {
			return choice, err
		}
		if t := c.picture(r, table); t < least {
			choice, least = k, t
		}
	}
	start := choice
	for _, groups := range variantsOf(gpu.GroupsClass) {
		base := start.With(string(gpu.GroupsClass), groups)
		times, names := map[string]float64{}, map[string]string{}
		// One recording measures a variant of each class.
		for i := range max(len(variantsOf(gpu.ConvClass)), len(variantsOf(gpu.AttentionClass))) {
			k, name := base, map[string]string{}
			for _, class := range []gpu.Class{gpu.ConvClass, gpu.LinearClass, gpu.AttentionClass} {
				list := variantsOf(class)
				name[string(class)] = list[min(i, len(list)-1)]
				k = k.With(string(class), name[string(class)])
			}
			r, err := l.record(k.String())
			if err != nil {
				return choice, err
			}
			for key, t := range c.byKey(r, table) {
				class, _, _ := strings.Cut(key, "/")
				if old, ok := times[key]; !ok || t < old {
					times[key], names[key] = t, name[class]
				}
			}
		}
		k := base
		for key, name := range names {
			if name != "" {
				k = k.With(key, name)
			}
		}
		r, err := l.record(k.String())
		if err != nil {
			return choice, err
		}
		if t := c.picture(r, table); t < least {
			choice, least = k, t
		}
	}
	return choice, nil
}

// picture is how many milliseconds a picture of 20 steps takes.
func (c card) picture(r recording, table shares) float64 {
	return 20*c.predict(r.step, table) + c.predict(r.decode, table)
}

// variantsOf lists the names of a class's variants.
func variantsOf(class gpu.Class) (names []string) {
	d := gpu.NewPlanner(true, gpu.DefaultLimits)
	d.Subgroups = true
	for _, v := range d.Variants(class) {
		names = append(names, v.Name)
	}
	return names
}

// byKey is how many milliseconds of a picture each kind of work takes (gpu.Program.Work). The sums of
// slices count with the products that they are part of. A variant whose share is not known takes forever.
func (c card) byKey(r recording, table shares) map[string]float64 {
	times := map[string]float64{}
	for _, part := range []struct {
		list  []gpu.Dispatch
		times float64
	}{{r.step, 20}, {r.decode, 1}} {
		product := ""
		for i, d := range part.list {
			key, _ := d.Work()
			switch {
			case d.Kernel == "conv2d_sum":
				key = product
			case key != gpu.MemoryWork:
				product = key
				if _, ok := table[keyOf(d)]; !ok {
					times[key] = math.Inf(1)
				}
			}
			times[key] += part.times * c.predict(part.list[i:i+1], table)
		}
	}
	return times
}

// explain prints where the time goes. The share is that of the card's peak.
func (c card) explain(list []gpu.Dispatch, table shares) {
	type part struct{ ms, flops, busy, n float64 }
	parts := map[string]part{}
	for i, d := range list {
		key, _ := d.Work()
		p := part{ms: c.predict(list[i:i+1], table), n: 1}
		switch {
		case d.Kernel == "conv2d_sum":
			key = "sums of slices"
		case key == gpu.MemoryWork:
			key = "norms and copies"
		default:
			p.flops = d.Cost
			p.busy = d.Cost / (c.tflops * 1e9 * share(d, table))
		}
		o := parts[key]
		parts[key] = part{o.ms + p.ms, o.flops + p.flops, o.busy + p.busy, o.n + 1}
	}
	var all part
	for _, key := range slices.Sorted(maps.Keys(parts)) {
		p := parts[key]
		fmt.Printf("    %-16s %4.0f dispatches %8.1f ms", key, p.n, p.ms)
		if p.flops > 0 {
			fmt.Printf(" %6.0f GFLOP, share %.2f; %8.1f ms if all schedulers were busy", p.flops/1e9, p.flops/(c.tflops*1e9*p.ms), p.busy)
		}
		fmt.Println()
		all.flops, all.busy = all.flops+p.flops, all.busy+p.busy
	}
	fmt.Printf("    products and attention alone: %.0f GFLOP, %.1f ms at the peak, %.1f ms at the shares of their kernels\n", all.flops/1e9, all.flops/(c.tflops*1e9), all.busy)
}

// change is a line of a card's table.
type change struct{ what, kernels string }

// changes lists the kernels of the card's start one after another, and then all of them.
func changes(c card) []change {
	const first = "gpu,conv=direct,linear=direct,attention=single,upsample=direct,groups=256"
	list := []change{{"the first variants", first}}
	var conv, rest []string
	for _, part := range strings.Split(c.start, ",")[1:] {
		if strings.HasPrefix(part, "conv=") || strings.HasPrefix(part, "linear=") {
			conv = append(conv, part)
		} else {
			rest = append(rest, part)
		}
	}
	list = append(list, change{"convolutions and products: " + strings.Join(conv, ", "), "gpu," + strings.Join(conv, ",")})
	for _, part := range rest {
		list = append(list, change{part, "gpu," + part})
	}
	list = append(list, change{"upsample=phases", "gpu,upsample=phases"})
	// Winograd's products are those of linear layers, so that the line beside it is the one of convolutions and products.
	linear := conv[len(conv)-1]
	list = append(list, change{"conv=winograd, " + linear, "gpu,conv=winograd," + linear})
	all := c.start + ",upsample=phases"
	k, err := gpu.ParseKernels(all)
	if err != nil {
		log.Fatal(err)
	}
	return append(list, change{"all of these, without Winograd", all}, change{"all of these, with conv=winograd", k.With("conv", "winograd").String()})
}

// predict is how many milliseconds a program takes.
func (c card) predict(list []gpu.Dispatch, table shares) float64 {
	const bandwidth, gap = 0.8, 3e-6
	var seconds float64
	for _, d := range list {
		compute := d.Cost / (c.tflops * 1e12 * 0.25)
		if strings.HasPrefix(d.Kernel, "conv2d") && d.Kernel != "conv2d_sum" || strings.HasPrefix(d.Kernel, "attention") {
			compute = d.Cost / (c.tflops * 1e12 * share(d, table) * c.busy(d))
		}
		seconds += math.Max(compute, float64(d.Bytes())/(c.gbs*1e9*bandwidth)) + gap
	}
	return 1e3 * seconds
}

// busy is the share of the card's schedulers that a dispatch keeps busy. All of the workgroups
// that fit run at once, so that the fullest scheduler decides; with few warps each, a scheduler
// waits (H100: 1.2 warps give 0.6 of the speed of 5 warps, and 2.4 give 0.9).
func (c card) busy(d gpu.Dispatch) float64 {
	threads := 64 // of a workgroup
	for _, k := range d.Consts {
		if k.Name == "THREADS" {
			threads = k.Value.(int)
		}
	}
	warps := float64(threads / 32 * d.Groups[0] * d.Groups[1] * d.Groups[2])
	each := math.Ceil(warps / c.schedulers)
	return warps / c.schedulers / each * math.Min(1, 0.45+0.2*each)
}

// share looks a dispatch up in a table. A tile that sticks out of the result does products for
// nothing; Cost does not count them, so that the share is smaller.
func share(d gpu.Dispatch, table shares) float64 {
	if s, ok := table[keyOf(d)]; ok {
		return s
	}
	return unmeasured
}

// keyOf is a dispatch's key in a table: kernel, variant, tile or head size.
func keyOf(d gpu.Dispatch) string {
	v := map[string]any{}
	for _, c := range d.Consts {
		v[c.Name] = c.Value
	}
	if strings.HasPrefix(d.Kernel, "attention") {
		return fmt.Sprintf("%s %d", d.Kernel, 4*v["QUADS"].(int)*v["SPLIT"].(int))
	}
	variant := "direct"
	switch {
	case d.Kernel == "conv2d_short":
		variant = "short"
	case v["EARLY"] == true:
		variant = "early"
	case v["ROLLED"] == true:
		variant = "rolled"
	}
	return fmt.Sprintf("%s %dx%d", variant, 4*v["MV"].(int), 4*v["NV"].(int))
}

// readShares reads the shares of every family, with f16, and adds those measured on an H100.
func readShares(file string) (map[string]shares, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Kernel, Variant, What, Numbers string
		Tile                           []int
		Families                       map[string]struct{ Share float64 }
	}
	if err := json.Unmarshal(raw, &rows); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	tables := map[string]shares{"nvidia": measuredOnH100}
	for _, r := range rows {
		for family, c := range r.Families {
			if tables[family] == nil {
				tables[family] = shares{}
			}
			var size int
			switch _, err := fmt.Sscanf(r.What, "head size %d", &size); {
			case r.Numbers != "f16" || strings.Contains(r.What, ",") || r.What == "two inputs" || c.Share == 0:
			case err == nil:
				tables[family][fmt.Sprintf("%s %d", r.Kernel, size)] = c.Share
			case len(r.Tile) == 2:
				tables[family][fmt.Sprintf("%s %dx%d", r.Variant, r.Tile[0], r.Tile[1])] = c.Share
			}
		}
	}
	return tables, nil
}

// layout is tests/fixtures/full/layout.json: configurations, and keys with their shapes.
type layout map[string]json.RawMessage

func readLayout(file string) (layout, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	l := layout{}
	return l, json.Unmarshal(raw, &l)
}

// planner records programs, each only once.
type planner struct {
	layout
	done map[string]recording
}

// recording is a step and a decode.
type recording struct{ step, decode []gpu.Dispatch }

// record records a step and a decode with some kernels.
func (l *planner) record(kernels string) (r recording, err error) {
	if r, ok := l.done[kernels]; ok {
		return r, nil
	}
	ctx := context.Background()
	d := gpu.NewPlanner(true, gpu.DefaultLimits)
	d.Subgroups, d.SubgroupMin = true, 32
	k, err := gpu.ParseKernels(kernels)
	if err != nil {
		return r, err
	}
	if err := d.SetKernels(k); err != nil {
		return r, err
	}
	uc, err := unet.ParseConfig(l.layout["sd15/unet/config.json"])
	if err != nil {
		return r, err
	}
	vc, err := vae.ParseConfig(l.layout["sd15/vae/config.json"])
	if err != nil {
		return r, err
	}
	u, v := unet.New(uc), vae.New(vc)
	if err := l.load(ctx, d, u, "sd15/unet/diffusion_pytorch_model.fp16.safetensors"); err != nil {
		return r, err
	}
	if err := l.load(ctx, d, v.Decoder, "sd15/vae/diffusion_pytorch_model.fp16.safetensors"); err != nil {
		return r, err
	}
	cond, err := u.NewConditioning(ctx, d, unet.ConditioningOptions{Timesteps: []float64{500}, Words: d.NewTensor("words", gpu.Act, 2, 77, uc.CrossAttentionDim)})
	if err != nil {
		return r, err
	}
	p, q := d.NewProgram("step"), d.NewProgram("decode")
	u.Record(p, d.NewTensor("sample", gpu.Act, 2, 64, 64, 4), cond, nil)
	v.Decoder.Record(q, d.NewTensor("latents", gpu.Act, 1, 64, 64, 4))
	r = recording{p.Dispatches(), q.Dispatches()}
	l.done[kernels] = r
	return r, nil
}

func (l layout) load(ctx context.Context, d *gpu.Device, n nn.Network, file string) error {
	var f struct{ Shapes map[string][]int }
	if err := json.Unmarshal(l[file], &f); err != nil {
		return err
	}
	return nn.Load(ctx, d, n, modeltest.Zeros(f.Shapes), gpu.WeightF16, nil)
}
