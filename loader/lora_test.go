package loader

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// loraFile is a LoRA's header in a file whose data is zero.
func loraFile(t *testing.T, metadata map[string]string, shapes map[string][]int, padding int) Source {
	t.Helper()
	header := map[string]any{"__metadata__": metadata}
	var data []byte
	for name, shape := range shapes {
		begin := len(data)
		n := 2
		for _, s := range shape {
			n *= s
		}
		data = append(data, make([]byte, n)...)
		header[name] = map[string]any{"dtype": "F16", "shape": shape, "data_offsets": []int{begin, len(data)}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	for len(text) < padding {
		text = append(text, ' ')
	}
	return Memory("x.safetensors", append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), data...))
}

// A LoRA of another model is named as such, and so is one that is chosen as something else.
func TestRecogniseLoRA(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		key   string
		shape []int
		want  string
	}{
		"kohya":        {"lora_unet_x_attn2_to_k.lora_down.weight", []int{4, 768}, ""},
		"PEFT":         {"unet.x.attn2.to_k.lora_A.weight", []int{4, 768}, ""},
		"a small one":  {"unet.x.attn2.to_k.lora_A.weight", []int{4, 48}, ""},
		"XL":           {"lora_unet_x_attn2_to_k.lora_down.weight", []int{4, 2048}, "Stable Diffusion XL"},
		"2":            {"lora_unet_x_attn2_to_k.lora_down.weight", []int{4, 1024}, "Stable Diffusion 2"},
		"a second one": {"lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", []int{4, 8}, "larger model"},
		"Flux":         {"transformer.double_blocks.0.x.lora_A.weight", []int{4, 8}, "larger model"},
	} {
		s := loraFile(t, nil, map[string][]int{c.key: c.shape}, 0)
		_, err := OpenLoRA(ctx, s)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	s := loraFile(t, nil, map[string][]int{"unet.x.lora_A.weight": {4, 8}, "unet.x.lora_B.weight": {8, 4}}, 0)
	if _, err := OpenIPAdapter(ctx, s); err == nil || !strings.Contains(err.Error(), "choose it as a LoRA") {
		t.Error(err)
	}
	if _, err := OpenSingleFile(ctx, s, nil); err == nil || !strings.Contains(err.Error(), "choose it as a LoRA") {
		t.Error(err)
	}
	adapter := loraFile(t, nil, map[string][]int{"image_proj.norm.weight": {8}, "image_proj.proj.weight": {8, 8}, "ip_adapter.1.to_k_ip.weight": {8, 8}}, 0)
	if _, err := OpenLoRA(ctx, adapter); err == nil || !strings.Contains(err.Error(), "Adapter") {
		t.Error(err)
	}
}

// A header of 1152 bytes begins as a pickle does.
func TestHeaderLikeAPickle(t *testing.T) {
	s := loraFile(t, nil, map[string][]int{"unet.x.lora_A.weight": {4, 8}, "unet.x.lora_B.weight": {8, 4}}, 0x480)
	if _, err := OpenLoRA(context.Background(), s); err != nil {
		t.Error(err)
	}
}

// The title and the words that call a LoRA come from its metadata.
func TestLoRAInfo(t *testing.T) {
	for name, c := range map[string]struct {
		metadata map[string]string
		want     LoRAInfo
	}{
		"none": {nil, LoRAInfo{}},
		"kohya": {map[string]string{"ss_output_name": "ink", "ss_tag_frequency": `{"10_inkstyle": {"inkstyle": 30, "fox": 7}, "5_more": {" dog": 9}}`, "sshs_model_hash": "0xABCDEF0123456789", "ss_big": "x"},
			LoRAInfo{Title: "ink", Triggers: []string{"inkstyle", "dog", "fox"}, Hash: "abcdef0123456789"}},
		"ModelSpec": {map[string]string{"ss_output_name": "ink", "modelspec.title": "Ink\nstyle", "modelspec.trigger_phrase": "inkstyle, in ink", "ss_tag_frequency": `{"a": {"b": 1}}`},
			LoRAInfo{Title: "Ink style", Triggers: []string{"inkstyle", "in ink"}}},
		"damaged": {map[string]string{"ss_tag_frequency": `[1`}, LoRAInfo{}},
	} {
		l, err := OpenLoRA(context.Background(), loraFile(t, c.metadata, map[string][]int{"unet.x.lora_A.weight": {4, 8}, "unet.x.lora_B.weight": {8, 4}}, 0))
		if err != nil || !reflect.DeepEqual(l.About, c.want) {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
}

// The names of layers in the original layout are found, as people's LoRAs have them.
func TestLoRANames(t *testing.T) {
	names := newLayerNames(map[string][]int{"down_blocks.0.resnets.0.conv1.weight": nil, "down_blocks.0.resnets.1.conv1.weight": nil, "down_blocks.0.attentions.1.proj_in.weight": nil,
		"up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_out.0.weight": nil, "up_blocks.1.upsamplers.0.conv.weight": nil, "mid_block.resnets.1.time_emb_proj.weight": nil,
		"conv_in.weight": nil, "time_embedding.linear_2.weight": nil})
	text := newLayerNames(map[string][]int{"text_model.encoder.layers.3.self_attn.q_proj.weight": nil, "text_model.encoder.layers.3.self_attn.out_proj.weight": nil})
	layers := map[string]layerNames{UNet: names, TextEncoder: text}
	for module, want := range map[string]string{
		"lora_unet_input_blocks_2_1_proj_in":                              "down_blocks.0.attentions.1.proj_in",
		"lora_unet_input_blocks_2_0_in_layers_2":                          "down_blocks.0.resnets.1.conv1",
		"lora_unet_output_blocks_5_1_transformer_blocks_0_attn1_to_out_0": "up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_out.0",
		"lora_unet_output_blocks_5_2_conv":                                "up_blocks.1.upsamplers.0.conv",
		"lora_unet_middle_block_2_emb_layers_1":                           "mid_block.resnets.1.time_emb_proj",
		"lora_unet_input_blocks_0_0":                                      "conv_in",
		"lora_unet_time_embed_2":                                          "time_embedding.linear_2",
		"diffusion_model.input_blocks.2.1.proj_in":                        "down_blocks.0.attentions.1.proj_in",
		"lycoris_down_blocks_0_attentions_1_proj_in":                      "down_blocks.0.attentions.1.proj_in",
		"unet.up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_out": "up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_out.0",
		"lora_te1_text_model_encoder_layers_3_self_attn_q_proj":           "text_model.encoder.layers.3.self_attn.q_proj",
		"text_encoder.encoder.layers.3.self_attn.out_proj":                "text_model.encoder.layers.3.self_attn.out_proj",
		"text_encoder.text_model.encoder.layers.3.self_attn.to_q":         "text_model.encoder.layers.3.self_attn.q_proj",
		"text_encoder.text_model.encoder.layers.3.self_attn.to_out":       "text_model.encoder.layers.3.self_attn.out_proj",
		"lora_te_down_blocks_0_attentions_1_proj_in":                      "",
		"lora_te2_text_model_encoder_layers_3_self_attn_q_proj":           "",
		"lora_unet_down_blocks_9_attentions_1_proj_in":                    "",
	} {
		if _, got := findLayer(module, layers); got != want {
			t.Errorf("%s is %q, want %q", module, got, want)
		}
	}
}

// together is a file whose small reads wait until several are under way.
type together struct {
	Source
	waiting atomic.Int32
	enough  chan struct{}
}

func (s *together) ReadRange(ctx context.Context, off, n int64) (webapi.Bytes, error) {
	if n == 2 {
		if s.waiting.Add(1) == 4 {
			close(s.enough)
		}
		select {
		case <-s.enough:
		case <-time.After(time.Minute):
			return webapi.BytesOf(nil), errors.New("the alphas are read one by one")
		}
	}
	return s.Source.ReadRange(ctx, off, n)
}

// The alphas are read several at a time, since on a server each takes as long as a tensor.
func TestAlphasTogether(t *testing.T) {
	shapes := map[string][]int{}
	for i := range 40 {
		layer := fmt.Sprintf("lora_unet_down_blocks_0_attentions_%d_proj_in", i)
		shapes[layer+".lora_down.weight"], shapes[layer+".lora_up.weight"], shapes[layer+".alpha"] = []int{4, 8, 1, 1}, []int{8, 4, 1, 1}, []int{}
	}
	l, err := OpenLoRA(context.Background(), &together{Source: loraFile(t, nil, shapes, 0), enough: make(chan struct{})})
	if err != nil || len(l.modules) != 40 {
		t.Errorf("%d modules, %v", len(l.modules), err)
	}
}
