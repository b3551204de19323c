// Package web is the folder of the files that are served unchanged. It tells Go programs what
// the model that ships consists of, from web/model/ships.json.
package web

import (
	_ "embed"
	"encoding/json"
)

// Shipped describes the model that ships, which is in web/model in diffusers' layout.
type Shipped struct {
	Name              string    `json:"name"`
	Size              int       `json:"size"` // the width and height that it was trained for, in pixels
	NumInferenceSteps int       `json:"num_inference_steps"`
	GuidanceScale     float64   `json:"guidance_scale"`
	Adapters          []Adapter `json:"ip_adapters"` // the first is the better one, by model/train/README.md
	LoRAs             []LoRA    `json:"loras"`
	ControlNet        string    `json:"controlnet,omitempty"` // the name, in the page, of the ControlNet in the folder controlnet; "" for none
}

// LoRA is a LoRA in the folder of the model that ships.
type LoRA struct {
	File     string   `json:"file"`
	Name     string   `json:"name"`     // in the page
	Triggers []string `json:"triggers"` // words that call it
}

// Adapter is an IP-Adapter in the folder of the model that ships.
type Adapter struct {
	File string `json:"file"`
	Name string `json:"name"` // in the page
}

//go:embed model/ships.json
var ships []byte

// Ships is the model that ships.
var Ships = func() (s Shipped) {
	if err := json.Unmarshal(ships, &s); err != nil {
		panic("web/model/ships.json: " + err.Error())
	}
	return s
}()

// Has reports whether an adapter or a LoRA with this file name ships.
func (s Shipped) Has(file string) bool {
	for _, a := range s.Adapters {
		if a.File == file {
			return true
		}
	}
	for _, l := range s.LoRAs {
		if l.File == file {
			return true
		}
	}
	return false
}
