package settings

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// LoRA is a file that changes the model's weights, and how strongly.
type LoRA struct {
	Weights string  `json:"lora"`       // the file; A1111's texts have its name without the ending
	Scale   float64 `json:"lora_scale"` // 0 leaves the model as it is
	// TextEncoder is the scale for the text encoder. nil means Scale.
	TextEncoder *float64 `json:"lora_text_encoder_scale,omitempty"`
	Hash        string   `json:"lora_hash,omitempty"` // what A1111 knows the file by: 12 hexadecimal digits
}

// UnmarshalJSON gives an absent scale its default, 1.
func (l *LoRA) UnmarshalJSON(text []byte) error {
	type plain LoRA
	p := plain{Scale: 1}
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	*l = LoRA(p)
	return nil
}

// Name is what a LoRA is called in words: its file's name without folder and ending.
func (l LoRA) Name() string { return WeightsName(l.Weights) }

// Tag is how A1111 writes the LoRA into a prompt.
func (l LoRA) Tag() string {
	if l.TextEncoder != nil && *l.TextEncoder != l.Scale {
		return fmt.Sprintf("<lora:%s:%s:%s>", l.Name(), decimal(*l.TextEncoder), decimal(l.Scale))
	}
	return fmt.Sprintf("<lora:%s:%s>", l.Name(), decimal(l.Scale))
}

// FoundTag is a tag in words, such as <lora:name:0.8>, and where it stands, in bytes.
type FoundTag struct {
	LoRA
	From, To int
}

// FindTags finds the tags that CutLoRAs would take out of words as LoRAs.
func FindTags(text string) (list []FoundTag) {
	for _, at := range loraTag.FindAllStringSubmatchIndex(text, -1) {
		if text[at[2]:at[3]] == "hypernet" {
			continue
		}
		from := at[0] + strings.IndexByte(text[at[0]:], '<')
		list = append(list, FoundTag{loraOfTag(strings.TrimSpace(text[at[4]:at[5]]), strings.Split(text[at[6]:at[7]], ":")[1:]), from, at[1]})
	}
	return list
}

var loraTag = regexp.MustCompile(`\s*<(lora|lyco|hypernet):([^:<>]+)((?::[^:<>]*)*)>`)

// CutLoRAs takes the tags <lora:name:0.8> out of words, as A1111 does. The numbers of a tag are the
// scale, or that of the text encoder and that of the UNet, which may be named: te=0.5:unet=1.
// others are tags of what Imprompt does not have, such as hypernetworks.
func CutLoRAs(text string) (words string, loras []LoRA, others []string) {
	// What is left when a tag was cut out may be a tag.
	for round := 0; ; round++ {
		found := loraTag.FindAllStringSubmatch(text, -1)
		if found == nil {
			return text, loras, others
		}
		if round == 8 { // no person wrote this
			text = strings.ReplaceAll(text, "<", "(")
		}
		for _, m := range found {
			if m[1] == "hypernet" {
				others = append(others, m[2])
				continue
			}
			loras = append(loras, loraOfTag(strings.TrimSpace(m[2]), strings.Split(m[3], ":")[1:]))
		}
		text = strings.TrimSpace(loraTag.ReplaceAllString(text, ""))
	}
}

// loraOfTag reads a tag's numbers as A1111 does (extensions-builtin/Lora/extra_networks_lora.py).
// One that cannot be read counts as 1.
func loraOfTag(name string, numbers []string) LoRA {
	l := LoRA{Weights: name, Scale: 1}
	var plain []float64
	var text, unet *float64
	for _, n := range numbers {
		key, value, named := strings.Cut(n, "=")
		if !named {
			key, value = "", n
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || v != v {
			v = 1
		}
		switch strings.TrimSpace(key) {
		case "":
			plain = append(plain, v)
		case "te":
			text = &v
		case "unet":
			unet = &v
		}
	}
	if len(plain) > 0 {
		l.Scale = plain[0]
	}
	first := l.Scale
	if text != nil {
		first = *text
	}
	l.Scale = first
	if len(plain) > 1 {
		l.Scale = plain[1]
	}
	if unet != nil {
		l.Scale = *unet
	}
	if first != l.Scale {
		l.TextEncoder = &first
	}
	return l
}

const maxLoRAs = 100

func (l LoRA) validate(v *problems, where string) {
	v.require(l.Weights != "", "%sno file is named", where)
	v.number(where+"lora_scale", l.Scale, -10, 10)
	if l.TextEncoder != nil {
		v.number(where+"lora_text_encoder_scale", *l.TextEncoder, -10, 10)
	}
}
