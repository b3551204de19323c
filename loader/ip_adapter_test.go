package loader

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"strings"
	"testing"
)

// Each layout in which an adapter is saved gives the published names.
func TestAdapterNames(t *testing.T) {
	// The cross-attentions of SD 1.5, in the order of unet.attn_processors.
	var places []string
	for _, b := range []int{0, 1, 2} {
		for _, a := range []int{0, 1} {
			places = append(places, fmt.Sprintf("down_blocks.%d.attentions.%d", b, a))
		}
	}
	for _, b := range []int{1, 2, 3} {
		for _, a := range []int{0, 1, 2} {
			places = append(places, fmt.Sprintf("up_blocks.%d.attentions.%d", b, a))
		}
	}
	places = append(places, "mid_block.attentions.0")

	want := map[string]bool{"image_proj.proj.weight": true, "image_proj.norm.bias": true}
	var published, trained, whole, processors []string
	for name := range want {
		published = append(published, name)
		trained = append(trained, "image_proj_model."+name[len("image_proj."):])
	}
	processors = append(processors, trained...)
	base := "unet.conv_in.weight"
	for i, place := range places {
		for _, part := range []string{"to_k_ip.weight", "to_v_ip.weight"} {
			n := fmt.Sprintf("%d.%s", 2*i+1, part)
			want["ip_adapter."+n] = true
			published = append(published, "ip_adapter."+n)
			trained = append(trained, "adapter_modules."+n)
			processors = append(processors, "unet."+place+".transformer_blocks.0.attn2.processor."+part)
		}
	}
	whole = append(append(whole, trained...), processors[2:]...)
	for name, names := range map[string][]string{
		"published": published, "trained": trained, "trained, with both names": append(whole, base), "the UNet's names": append(processors, base),
	} {
		t.Run(name, func(t *testing.T) {
			got, ok, err := adapterNames(names)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			have := map[string]bool{}
			for n := range got {
				have[n] = true
			}
			if !maps.Equal(have, want) {
				t.Errorf("got %v", got)
			}
		})
	}
	got, _, _ := adapterNames(processors)
	if n := got["ip_adapter.31.to_k_ip.weight"]; n != "unet.mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_k_ip.weight" {
		t.Errorf("the middle block's is %q: it is the last", n)
	}
	if _, ok, _ := adapterNames([]string{base}); ok {
		t.Error("a UNet alone is no adapter")
	}
	if _, _, err := adapterNames([]string{"image_proj.proj.weight", "image_proj_model.proj.weight"}); err == nil {
		t.Error("two tensors of one name are no error")
	}
}

// A file that is given as an adapter and is none, or one that is not read, says what it is.
func TestOpenIPAdapterRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		shapes map[string][]int
		want   string
	}{
		{"FaceID", map[string][]int{"image_proj.proj.0.weight": {4, 4}, "ip_adapter.1.to_k_ip.weight": {4, 768}, "ip_adapter.1.to_q_lora.down.weight": {4, 4}}, "FaceID"},
		{"FaceID Plus", map[string][]int{"image_proj.perceiver_resampler.proj_in.weight": {4, 4}, "image_proj.proj.0.weight": {4, 4}, "ip_adapter.0.to_k_lora.down.weight": {4, 4}}, "FaceID"},
		{"SDXL", map[string][]int{"image_proj.proj.weight": {4, 4}, "image_proj.norm.weight": {2048}, "ip_adapter.1.to_k_ip.weight": {640, 2048}}, "Stable Diffusion XL"},
		{"SDXL Plus", map[string][]int{"image_proj.latents": {1, 16, 1280}, "ip_adapter.1.to_k_ip.weight": {640, 2048}}, "Stable Diffusion XL"},
		{"SDXL, as training leaves it", map[string][]int{"image_proj_model.norm.weight": {2048}, "adapter_modules.1.to_k_ip.weight": {640, 2048}}, "Stable Diffusion XL"},
		{"a LoRA", map[string][]int{"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": {4, 4}}, "LoRA"},
		{"a ControlNet", map[string][]int{"controlnet_cond_embedding.conv_in.weight": {4, 4, 3, 3}}, "ControlNet"},
		{"an image encoder", map[string][]int{patchEmbedding: {4, 3, 2, 2}}, "choose it as the image encoder"},
		{"a whole model", map[string][]int{"model.diffusion_model.input_blocks.0.0.weight": {4, 4, 3, 3}}, "choose it as the model"},
		{"a UNet", map[string][]int{"conv_in.weight": {4, 4, 3, 3}}, "one network"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := OpenIPAdapter(context.Background(), makeHeader(t, c.shapes))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "model.safetensors: ") {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
}

// Numbers of a type that is not read are one sentence, however many tensors have it.
func TestUnreadTypesAreOneSentence(t *testing.T) {
	header := `{"image_proj.proj.weight":{"dtype":"F8_E4M3FNUZ","shape":[2,2],"data_offsets":[0,4]},` +
		`"image_proj.norm.weight":{"dtype":"F16","shape":[2],"data_offsets":[4,8]},` +
		`"ip_adapter.1.to_k_ip.weight":{"dtype":"F8_E4M3FNUZ","shape":[2,2],"data_offsets":[8,12]}}`
	head := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	_, err := OpenIPAdapter(context.Background(), headerOnly{head, int64(len(head)) + 12})
	if err == nil || !strings.Contains(err.Error(), "F8_E4M3FNUZ (2 tensors)") || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
}
