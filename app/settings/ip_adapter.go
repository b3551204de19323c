package settings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/model/guides"
)

// IPAdapter is one IP-Adapter with its image prompts.
type IPAdapter struct {
	Weights      string        `json:"ip_adapter"`    // "" is the one that ships
	ImageEncoder string        `json:"image_encoder"` // "" is the one that ships
	Images       []ImagePrompt `json:"images"`
	// Embeds is a file of kept embeddings, which stands for Images, Negative and ImageEncoder. It
	// travels as the pictures do.
	Embeds  string  `json:"ip_adapter_image_embeds,omitempty"`
	Lambda  float64 `json:"ip_adapter_scale"`             // λ
	Layers  string  `json:"ip_adapter_layers"`            // the name of a guides.LayerChoice
	Combine string  `json:"ip_adapter_combine,omitempty"` // one of Combines; "" is concat
	Tiled   string  `json:"ip_adapter_tiled,omitempty"`   // one of Tilings; "" shows the encoder the centre of each picture
	// Negative is a picture that the result should not be like: the negative prompt's branch sees
	// it. nil is no picture.
	Negative *ImagePrompt `json:"negative_image,omitempty"`
	Start    float64      `json:"ip_adapter_start"`          // fraction of the steps, 0 to 1
	End      float64      `json:"ip_adapter_end"`            // fraction of the steps, 0 to 1
	Mask     string       `json:"ip_adapter_mask,omitempty"` // white is where it works
}

// ImagePrompt is one picture for an adapter.
type ImagePrompt struct {
	Picture string `json:"picture"`
	Crop    *Crop  `json:"crop,omitempty"` // nil means that the image processor crops the centre
}

// Crop is a square in a picture's own pixels.
type Crop struct {
	X    int `json:"x"`
	Y    int `json:"y"`
	Size int `json:"size"`
}

// Some values of IPAdapter.Layers, which are the names of guides.LayerChoices.
const (
	LayersAll         = "all"
	LayersStyle       = "style" // as it was before there were more choices
	LayersComposition = "composition"
)

// The values of IPAdapter.Combine: what becomes of several pictures' embeddings.
const (
	CombineConcat      = "concat" // each keeps its own tokens
	CombineAdd         = "add"
	CombineSubtract    = "subtract" // the first, less the average of the others
	CombineAverage     = "average"
	CombineNormAverage = "norm-average"
)

// Combines are the values of IPAdapter.Combine, in the order in which they are shown.
var Combines = []string{CombineConcat, CombineAverage, CombineNormAverage, CombineAdd, CombineSubtract}

// The values of IPAdapter.Tiled besides "": the image encoder sees each picture as a row, a column or
// a square of tiles.
const (
	TiledMasked = "masked" // each tile steers its own place in the result
	TiledConcat = "concat" // the tokens of all tiles steer the whole result
)

// Tilings are the values of IPAdapter.Tiled besides "".
var Tilings = []string{TiledMasked, TiledConcat}

// KindIPAdapter is the kind of an *IPAdapter.
const KindIPAdapter = "ip-adapter"

func init() { kinds[KindIPAdapter] = func() Guide { a := DefaultIPAdapter(); return &a } }

// DefaultIPAdapter returns an adapter with diffusers' defaults and no pictures.
func DefaultIPAdapter() IPAdapter {
	return IPAdapter{Lambda: 1, Layers: LayersAll, End: 1}
}

// Kind implements Guide.
func (a *IPAdapter) Kind() string { return KindIPAdapter }

// Files implements Guide.
func (a *IPAdapter) Files() []string {
	if a.Embeds != "" {
		return []string{a.Weights} // nothing is encoded
	}
	return []string{a.Weights, a.ImageEncoder}
}

// Pictures implements Guide.
func (a *IPAdapter) Pictures() []string {
	names := []string{a.Mask, a.Embeds}
	for _, im := range a.Images {
		names = append(names, im.Picture)
	}
	if a.Negative != nil {
		names = append(names, a.Negative.Picture)
	}
	return names
}

func (a *IPAdapter) names() []*string {
	list := []*string{&a.Weights, &a.ImageEncoder, &a.Layers, &a.Combine, &a.Tiled, &a.Embeds, &a.Mask}
	for i := range a.Images {
		list = append(list, &a.Images[i].Picture)
	}
	if a.Negative != nil {
		list = append(list, &a.Negative.Picture)
	}
	return list
}

func (a *IPAdapter) clone() Guide {
	c := *a
	c.Images = append([]ImagePrompt(nil), a.Images...)
	for i, m := range c.Images {
		c.Images[i] = m.clone()
	}
	if a.Negative != nil {
		negative := a.Negative.clone()
		c.Negative = &negative
	}
	return &c
}

func (m ImagePrompt) clone() ImagePrompt {
	if m.Crop != nil {
		crop := *m.Crop
		m.Crop = &crop
	}
	return m
}

func (a *IPAdapter) bound(n *notes) {
	if len(a.Images) > maxPrompts {
		n.add("an image prompt has %d pictures, of which %d are used", len(a.Images), maxPrompts)
		a.Images = a.Images[:maxPrompts]
	}
}

func (a *IPAdapter) validate(v *problems, where string) {
	v.require(len(a.Images) > 0 || a.Embeds != "", "%simages is empty. Give at least one picture or a file of kept embeddings, or leave the adapter out", where)
	v.require(a.Embeds == "" || len(a.Images) == 0 && a.Negative == nil, "%sip_adapter_image_embeds is given beside pictures. Give one of the two: the file has the negative picture's embeddings as well", where)
	v.lambda(where, "ip_adapter", a.Lambda, a.Start, a.End)
	if _, err := guides.FindLayers(a.Layers); err != nil || a.Layers == "" {
		var names []string
		for _, c := range guides.LayerChoices() {
			names = append(names, c.Name)
		}
		v.require(false, "%sip_adapter_layers is %q. Choose one of %s", where, a.Layers, strings.Join(names, ", "))
	}
	v.require(a.Combine == "" || slices.Contains(Combines, a.Combine), "%sip_adapter_combine is %q. Choose one of %s", where, a.Combine, strings.Join(Combines, ", "))
	v.require(a.Tiled == "" || slices.Contains(Tilings, a.Tiled), "%sip_adapter_tiled is %q. Choose one of %s", where, a.Tiled, strings.Join(Tilings, ", "))
	for j, m := range a.Images {
		m.validate(v, fmt.Sprintf("%simages[%d]", where, j))
	}
	if a.Negative != nil {
		a.Negative.validate(v, where+"negative_image")
	}
}

func (m ImagePrompt) validate(v *problems, where string) {
	v.require(m.Picture != "", "%s names no picture", where)
	if c := m.Crop; c != nil {
		v.require(c.X >= 0 && c.Y >= 0 && c.Size > 0, "%s: a crop of %d pixels at (%d, %d) is not inside any picture", where, c.Size, c.X, c.Y)
	}
}
