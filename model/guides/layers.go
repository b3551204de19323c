package guides

import (
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/model/unet"
)

// LayerChoice is what is taken over from an image prompt: λ for each of the UNet's
// cross-attentions.
type LayerChoice struct {
	Name  string // in settings and on the command line
	Label string // on the page; "" for a choice that is no longer offered
	About string // what it does, in a sentence

	weigh   func(l layer) float64 // λ of a layer, as a fraction
	opposed func(l layer) bool    // Lambda.Opposed; nil for never
}

// layer is a cross-attention's place in the UNet. Stable Diffusion 1.5 has sixteen: six on the way
// down, one in the middle, and nine on the way up. A UNet of another depth is measured against its
// own: its deepest down block that has cross-attentions, and the up block across from it.
type layer struct {
	index, count  int // among all, in the order in which they run
	down, mid, up bool
	deepest       bool // in down_blocks.2 of Stable Diffusion 1.5
	first         bool // the first of the deepest
	across        bool // in up_blocks.1 of Stable Diffusion 1.5
	last          bool // the last of those across
}

// Those from "ease-in" on are IPAdapter_plus's weight types for Stable Diffusion 1.5 (its
// IPAdapterPlus.py, ipadapter_execute, and CrossAttentionPatch.py, ipadapter_attention; "all" is its
// "linear"). InstantStyle's are the target blocks of its infer_style_sd15.py (arXiv 2404.02733).
var layerChoices = []LayerChoice{
	{Name: "all", Label: "Everything",
		About: "The whole picture counts, in all layers.", weigh: func(layer) float64 { return 1 }},
	{Name: "style-transfer", Label: "Style",
		About: "Its colours and manner, without its things and places.", weigh: styleTransfer},
	{Name: "strong-style-transfer", Label: "Style, strong",
		About: "Its style, more strongly; some of its content may come along.", weigh: func(l layer) float64 { return when(!l.deepest, 1) }},
	{Name: "style-transfer-precise", Label: "Style, precise",
		About: "Its style, while its content is kept away.", weigh: both(styleTransfer, composition), opposed: func(l layer) bool { return l.deepest }},
	{Name: "composition", Label: "Composition",
		About: "Where things are, without how they look.", weigh: composition},
	{Name: "composition-precise", Label: "Composition, precise",
		About:   "Where things are, while its style is kept away.",
		weigh:   func(l layer) float64 { return max(styleTransfer(l), composition(l), when(!l.deepest, 0.1)) },
		opposed: func(l layer) bool { return !l.deepest }},
	{Name: "style-and-composition", Label: "Style and composition",
		About: "Its style and where things are, without its details.", weigh: both(styleTransfer, composition)},
	{Name: "ease-in", Label: "Ease in",
		About: "It counts most in the first layers, and less and less behind them.", weigh: func(l layer) float64 { return eased(1 - l.depth()) }},
	{Name: "ease-out", Label: "Ease out",
		About: "It counts more and more, and most in the last layers.", weigh: func(l layer) float64 { return eased(l.depth()) }},
	{Name: "ease-in-out", Label: "Ease in and out",
		About: "It counts most in the middle layers.", weigh: func(l layer) float64 { return eased(1 - l.fromMiddle()) }},
	{Name: "reverse-in-out", Label: "Ease in and out, reversed",
		About: "It counts least in the middle layers.", weigh: func(l layer) float64 { return eased(l.fromMiddle()) }},
	{Name: "weak-input", Label: "Weak input",
		About: "It counts little in the layers on the way down.", weigh: func(l layer) float64 { return weakWhen(l.down) }},
	{Name: "weak-middle", Label: "Weak middle",
		About: "It counts little in the middle layer.", weigh: func(l layer) float64 { return weakWhen(l.mid) }},
	{Name: "weak-output", Label: "Weak output",
		About: "It counts little in the layers on the way up.", weigh: func(l layer) float64 { return weakWhen(l.up) }},
	{Name: "strong-middle", Label: "Strong middle",
		About: "It counts little in all layers but the middle one.", weigh: func(l layer) float64 { return weakWhen(!l.mid) }},
	{Name: "instantstyle", Label: "InstantStyle: style",
		About: "Its style, by the block of layers that InstantStyle uses.", weigh: func(l layer) float64 { return when(l.across, 1) }},
	{Name: "instantstyle-layout", Label: "InstantStyle: style and layout",
		About: "Its style and layout, by the blocks of layers that InstantStyle uses.", weigh: func(l layer) float64 { return when(l.across || l.mid || l.deepest, 1) }},
	// What "style" meant before: older pictures carry it.
	{Name: "style", weigh: func(l layer) float64 { return when(!l.deepest && !l.across, 1) }},
}

// LayerChoices are the choices, in the order in which they are shown.
func LayerChoices() []LayerChoice { return layerChoices }

// FindLayers finds a choice by its name; "" is "all".
func FindLayers(name string) (LayerChoice, error) {
	if name == "" {
		name = "all"
	}
	var names []string
	for _, c := range layerChoices {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return LayerChoice{}, fmt.Errorf("image prompt layers %q are unknown. Choose one of %s", name, strings.Join(names, ", "))
}

// Layers is λ by cross-attention for the choice of that name.
func Layers(u *unet.UNet, lambda float64, name string) ([]float64, error) {
	c, err := FindLayers(name)
	if err != nil {
		return nil, err
	}
	var out []float64
	for _, l := range layersOf(u) {
		out = append(out, lambda*c.weigh(l))
	}
	return out, nil
}

// Opposed is Lambda.Opposed for the choice of that name.
func Opposed(u *unet.UNet, name string) ([]bool, error) {
	c, err := FindLayers(name)
	if err != nil || c.opposed == nil {
		return nil, err
	}
	var out []bool
	for _, l := range layersOf(u) {
		out = append(out, c.opposed(l))
	}
	return out, nil
}

// layersOf are the places of u.CrossAttentions.
func layersOf(u *unet.UNet) []layer {
	deepest := -1
	for i, t := range u.Config.DownBlockTypes {
		if t == "CrossAttnDownBlock2D" {
			deepest = i
		}
	}
	down := fmt.Sprintf("down_blocks.%d.", deepest)
	across := fmt.Sprintf("up_blocks.%d.", len(u.Config.UpBlockTypes)-1-deepest)
	attentions := u.CrossAttentions()
	list := make([]layer, len(attentions))
	firstDeepest, lastAcross := -1, -1
	for i, a := range attentions {
		has := func(prefix string) bool { return strings.HasPrefix(a.Name, prefix) }
		list[i] = layer{count: len(attentions), down: has("down_blocks."), mid: has("mid_block."), up: has("up_blocks."), deepest: has(down), across: has(across)}
		if list[i].deepest && firstDeepest < 0 {
			firstDeepest = i
		}
		if list[i].across {
			lastAcross = i
		}
	}
	// The UNet lists the middle last. It runs between the way down and the way up.
	at := 0
	for _, part := range []string{"down_blocks.", "mid_block.", "up_blocks."} {
		for i, a := range attentions {
			if strings.HasPrefix(a.Name, part) {
				list[i].index = at
				at++
			}
		}
	}
	if firstDeepest >= 0 {
		list[firstDeepest].first = true
	}
	if lastAcross >= 0 {
		list[lastAcross].last = true
	}
	return list
}

// depth is how far into the UNet a layer is, from 0 to less than 1.
func (l layer) depth() float64 { return float64(l.index) / float64(l.count) }

// fromMiddle is how far a layer is from the middle, from 0 to 1.
func (l layer) fromMiddle() float64 { return max(2*l.depth()-1, 1-2*l.depth()) }

func eased(share float64) float64 { return 0.05 + 0.95*share }

func when(yes bool, v float64) float64 {
	if yes {
		return v
	}
	return 0
}

func weakWhen(yes bool) float64 {
	if yes {
		return 0.2
	}
	return 1
}

func styleTransfer(l layer) float64 {
	return when(!l.deepest && !l.mid && (!l.across || l.last), 1)
}

func composition(l layer) float64 {
	if l.first {
		return 0.25
	}
	return when(l.deepest, 1)
}

func both(a, b func(layer) float64) func(layer) float64 {
	return func(l layer) float64 { return max(a(l), b(l)) }
}
