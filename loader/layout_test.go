package loader

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu/webapi"
)

const layouts = "../tests/fixtures/layout"

type layoutLine struct{ old, oldShape, component, name, shape string }

func readLayout(t *testing.T, name string) []layoutLine {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(layouts, name+".tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var list []layoutLine
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 5 {
			t.Fatalf("%s: %q", name, line)
		}
		list = append(list, layoutLine{f[0], f[1], f[2], f[3], f[4]})
	}
	return list
}

// headerOnly is a safetensors file whose data is never read: of full-size layouts only
// the header is made.
type headerOnly struct {
	head []byte
	size int64
}

func (h headerOnly) Name() string { return "model.safetensors" }
func (h headerOnly) Size() int64  { return h.size }
func (h headerOnly) ReadRange(_ context.Context, off, n int64) (webapi.Bytes, error) {
	if off+n > int64(len(h.head)) {
		return webapi.BytesOf(nil), fmt.Errorf("data is read at byte %d", off)
	}
	return webapi.BytesOf(h.head[off : off+n]), nil
}

func makeHeader(t *testing.T, shapes map[string][]int) headerOnly {
	t.Helper()
	entries := map[string]any{}
	var at int64
	for name, shape := range shapes {
		n := int64(2)
		for _, s := range shape {
			n *= int64(s)
		}
		entries[name] = map[string]any{"dtype": "F16", "shape": shape, "data_offsets": []int64{at, at + n}}
		at += n
	}
	b, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	head := append(binary.LittleEndian.AppendUint64(nil, uint64(len(b))), b...)
	return headerOnly{head, int64(len(head)) + at}
}

func dims(t *testing.T, s string) (shape []int) {
	t.Helper()
	for _, d := range strings.Split(s, "x") {
		n, err := strconv.Atoi(d)
		if err != nil {
			t.Fatal(err)
		}
		shape = append(shape, n)
	}
	return shape
}

// Every tensor of a single file must come out under the name and with the shape that
// diffusers' conversion gives it, and nothing else; and the configurations that are
// inferred must be those that diffusers' models were made with.
func TestSingleFileAsDiffusers(t *testing.T) {
	for _, name := range []string{"sd15", "inpainting", "small"} {
		t.Run(name, func(t *testing.T) { checkLayout(t, name, func(s string) string { return s }) })
	}
	// As other tools wrote them.
	t.Run("vae prefix", func(t *testing.T) {
		checkLayout(t, "small", func(s string) string { return strings.Replace(s, "first_stage_model.", "vae.", 1) })
	})
	t.Run("old attention names", func(t *testing.T) {
		r := strings.NewReplacer("attn_1.norm.", "attn_1.group_norm.", "attn_1.q.", "attn_1.query.", "attn_1.k.", "attn_1.key.", "attn_1.v.", "attn_1.value.", "attn_1.proj_out.", "attn_1.proj_attn.")
		checkLayout(t, "small", r.Replace)
	})
	t.Run("new attention names", func(t *testing.T) {
		r := strings.NewReplacer("attn_1.norm.", "attn_1.group_norm.", "attn_1.q.", "attn_1.to_q.", "attn_1.k.", "attn_1.to_k.", "attn_1.v.", "attn_1.to_v.", "attn_1.proj_out.", "attn_1.to_out.0.")
		checkLayout(t, "small", r.Replace)
	})
	t.Run("no text_model", func(t *testing.T) {
		checkLayout(t, "small", func(s string) string { return strings.Replace(s, "transformer.text_model.", "transformer.", 1) })
	})
}

func checkLayout(t *testing.T, name string, rename func(string) string) {
	ctx := context.Background()
	lines := readLayout(t, name)
	shapes := map[string][]int{}
	want := map[string]map[string]string{"unet": {}, "vae": {}, "text_encoder": {}}
	for _, l := range lines {
		shapes[rename(l.old)] = dims(t, l.oldShape)
		if l.component != "-" {
			want[l.component][l.name] = l.shape
		}
	}
	m, err := OpenSingleFile(ctx, makeHeader(t, shapes), nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(layouts, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var configs map[string]map[string]any
	if err := json.Unmarshal(raw, &configs); err != nil {
		t.Fatal(err)
	}
	for component, tensors := range want {
		w, err := m.Network(ctx, component)
		if err != nil {
			t.Fatal(err)
		}
		if len(w.Names()) != len(tensors) || !slices.IsSorted(w.Names()) {
			t.Errorf("%s has %d tensors (sorted: %v), diffusers %d", component, len(w.Names()), slices.IsSorted(w.Names()), len(tensors))
		}
		for key, shape := range tensors {
			dtype, got, ok := w.Info(key)
			if !ok || dtype != "F16" || !slices.Equal(got, dims(t, shape)) {
				t.Errorf("%s: %s is %v %v (there: %v), diffusers has %s", component, key, dtype, got, ok, shape)
			}
		}
		b, err := ReadFile(ctx, m, component+"/config.json")
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		for field, value := range configs[component] {
			if !reflect.DeepEqual(got[field], value) {
				t.Errorf("%s/config.json: %s is %v, diffusers has %v", component, field, got[field], value)
			}
		}
	}
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape []int
		fail  string
	}{
		{"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight", []int{4, 4}, "LoRA"},
		{"conditioner.embedders.1.model.transformer.resblocks.9.mlp.c_proj.bias", []int{4}, "XL"},
		{"cond_stage_model.model.token_embedding.weight", []int{4, 4}, "Diffusion 2"},
		{"model.diffusion_model.joint_blocks.0.x.weight", []int{4}, "Diffusion 3"},
		{"model.diffusion_model.double_blocks.0.x.weight", []int{4}, "Flux"},
		{"emb_params", []int{4, 4}, "textual inversion"},
		{"something.else", []int{4}, "something.else"},
		{"image_proj.norm.weight", []int{4}, "is an IP-Adapter"}, // a simple one: a projection alone
		{"image_proj.latents", []int{1, 4, 4}, "is an IP-Adapter"},
		{"conv_in.weight", []int{4, 4, 3, 3}, "one network"},
		{"model.diffusion_model.input_blocks.1.0.in_layers.0.weight", []int{4}, "no VAE"},
	} {
		_, err := OpenSingleFile(context.Background(), makeHeader(t, map[string][]int{c.name: c.shape}), nil)
		if err == nil || !strings.Contains(err.Error(), c.fail) {
			t.Errorf("%s: %v, want %q", c.name, err, c.fail)
		}
	}
	for _, c := range []struct{ name, first, fail string }{
		{"a.ckpt", "PK\x03\x04 a zip archive", ""},
		{"a.safetensors", "\x80\x02}q\x00 a pickle...", ""},
		{"a.gguf", "GGUF\x03\x00\x00\x00 and more", "GGUF"},
		{"a.safetensors", "<!DOCTYPE html><html>", "web page"},
		{"a.safetensors", "version https://git-lfs.github.com/spec/v1", "LFS"},
		{"a.pth", "0123456789abcdef", "is a text"},
	} {
		_, err := OpenSingleFile(context.Background(), Memory(c.name, []byte(c.first)), nil)
		if err == nil || !strings.Contains(err.Error(), c.fail) {
			t.Errorf("%q: %v, want %q", c.first, err, c.fail)
		}
	}
}

func TestShards(t *testing.T) {
	names, err := Shards([]byte(`{"weight_map":{"a":"m-2.safetensors","b":"m-1.safetensors","c":"m-1.safetensors"}}`))
	if err != nil || !slices.Equal(names, []string{"m-1.safetensors", "m-2.safetensors"}) {
		t.Errorf("%v %v", names, err)
	}
	for _, bad := range []string{`{}`, `[`, `{"weight_map":{"a":"../x"}}`, `{"weight_map":{"a":"/x"}}`} {
		if names, err := Shards([]byte(bad)); err == nil {
			t.Errorf("%s gives %v", bad, names)
		}
	}
}

// FuzzSingleFile gives arbitrary headers to the whole reader of single files: it must
// answer with an error, or with networks whose tensors are all in the file.
func FuzzSingleFile(f *testing.F) {
	f.Add([]byte(`{"model.diffusion_model.input_blocks.0.0.weight":{"dtype":"F16","shape":[1,4,3,3],"data_offsets":[0,72]},"model.diffusion_model.input_blocks.1.0.in_layers.0.weight":{"dtype":"F16","shape":[4],"data_offsets":[72,80]}}`), int64(80))
	f.Add([]byte(`{"first_stage_model.decoder.conv_in.weight":{"dtype":"F16","shape":[0],"data_offsets":[0,0]},"first_stage_model.decoder.up.0.block.0.conv1.weight":{"dtype":"F16","shape":[0],"data_offsets":[0,0]},"model.diffusion_model.input_blocks.3.0.op.weight":{"dtype":"F16","shape":[0],"data_offsets":[0,0]},"cond_stage_model.transformer.text_model.x":{"dtype":"F16","shape":[],"data_offsets":[0,2]}}`), int64(2))
	f.Fuzz(func(t *testing.T, header []byte, data int64) {
		if data < 0 || data > 1<<40 {
			return
		}
		ctx := context.Background()
		head := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
		c, err := OpenCheckpoint(ctx, headerOnly{head, int64(len(head)) + data})
		if err != nil {
			return
		}
		unet, vae, text, err := ldmNetworks(c)
		if err != nil {
			return
		}
		for _, w := range []*Checkpoint{unet, vae, text} {
			if w == nil {
				continue
			}
			for _, name := range w.Names() {
				if _, _, ok := w.Info(name); !ok {
					t.Fatalf("%q is listed and not there", name)
				}
			}
		}
		_, _ = openLDM(c)
	})
}
