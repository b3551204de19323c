package loader

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// LoRAInfo is what a LoRA's file says about itself. Every field may be empty.
type LoRAInfo struct {
	Title    string   `json:"title,omitempty"`    // the name that it was trained under
	Triggers []string `json:"triggers,omitempty"` // words that call it: the author's, or else the captions' most frequent ones
	Hash     string   `json:"hash,omitempty"`     // what A1111 knows the file by: the SHA-256 of its tensors, in hexadecimal
}

// The fields of a safetensors file's metadata that are read.
const (
	metaName     = "ss_output_name"           // kohya's
	metaTags     = "ss_tag_frequency"         // kohya's: how often each word stands in the captions, by folder
	metaHash     = "sshs_model_hash"          // kohya's
	metaTitle    = "modelspec.title"          // of github.com/Stability-AI/ModelSpec
	metaTriggers = "modelspec.trigger_phrase" // the same
	metaAdapter  = "lora_adapter_metadata"    // diffusers': PEFT's configuration, by network
)

var keptMetadata = []string{metaName, metaTags, metaHash, metaTitle, metaTriggers, metaAdapter, metaEncoder, metaTiled}

const (
	maxTriggers = 12  // words that are shown
	maxLoRAText = 100 // characters that are kept of a title or a trigger
)

func loraInfo(metadata map[string]string) LoRAInfo {
	about := LoRAInfo{Title: brief(cmp.Or(metadata[metaTitle], metadata[metaName]), maxLoRAText), Hash: strings.ToLower(strings.TrimPrefix(metadata[metaHash], "0x"))}
	for phrase := range strings.SplitSeq(metadata[metaTriggers], ",") {
		if phrase = brief(phrase, maxLoRAText); phrase != "" {
			about.Triggers = append(about.Triggers, phrase)
		}
	}
	if about.Triggers == nil {
		about.Triggers = frequentTags(metadata[metaTags])
	}
	about.Triggers = about.Triggers[:min(len(about.Triggers), maxTriggers)]
	return about
}

// ReadLoRAInfo reads what a LoRA's file says about itself. If the file does not carry its hash, all
// of it is read.
func ReadLoRAInfo(ctx context.Context, s Source) (*LoRAInfo, error) {
	l, err := OpenLoRA(ctx, s)
	if err != nil {
		return nil, err
	}
	if l.About.Hash == "" {
		l.About.Hash, err = loraHash(ctx, s)
	}
	return &l.About, err
}

// loraHash computes LoRAInfo.Hash as A1111 does: the SHA-256 of what is behind the header
// (addnet_hash_safetensors in modules/hashes.py), or, for a pickle, of the whole file.
func loraHash(ctx context.Context, s Source) (string, error) {
	if pickled, err := isPickled(ctx, s); pickled || err != nil {
		return SHA256(ctx, s, 0)
	}
	n, err := readSize(ctx, s)
	if err != nil {
		return "", err
	}
	return SHA256(ctx, s, 8+n)
}

// SHA256 returns the SHA-256 of a file's bytes from the byte from on, in hexadecimal. It reads all
// of them.
func SHA256(ctx context.Context, s Source, from int64) (string, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, NewReader(ctx, s, from, s.Size()-from)); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// frequentTags are the words that the captions of a training had most often.
func frequentTags(text string) []string {
	var folders map[string]map[string]float64
	if json.Unmarshal([]byte(text), &folders) != nil {
		return nil
	}
	counts := map[string]float64{}
	for _, tags := range folders {
		for tag, n := range tags {
			if tag = brief(tag, maxLoRAText); tag != "" {
				counts[tag] += n
			}
		}
	}
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
}

// adapterMetadata is the part of PEFT's configuration that says how a layer's product is scaled,
// by the network's prefix.
type adapterMetadata map[string]any

func parseAdapterMetadata(metadata map[string]string) (adapterMetadata, error) {
	text := metadata[metaAdapter]
	if text == "" {
		return nil, nil
	}
	var c adapterMetadata
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return nil, fmt.Errorf("its %s is damaged: %w", metaAdapter, err)
	}
	return c, nil
}

// alpha is that of a layer, and whether it is divided by the root of the rank. It is 0 where the
// configuration says nothing.
func (c adapterMetadata) alpha(module string) (alpha float64, root bool) {
	for _, network := range []string{UNet, TextEncoder} {
		layer, ok := strings.CutPrefix(module, network+".")
		if !ok {
			continue
		}
		alpha, _ = c[network+".lora_alpha"].(float64)
		root, _ = c[network+".use_rslora"].(bool)
		pattern, _ := c[network+".alpha_pattern"].(map[string]any)
		for name, v := range pattern {
			if n, is := v.(float64); is && (layer == name || strings.HasSuffix(layer, "."+name)) {
				alpha = n
			}
		}
	}
	return alpha, root
}
