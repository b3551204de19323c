package state

import (
	"cmp"
	"slices"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/imageproc/maps"
	"github.com/imprompt/imprompt/web"
)

// Network is what a picture of the Structure card is followed with: a ControlNet, a T2I-Adapter or a picture of a
// Uni-ControlNet, which is here or which the catalogue offers, or reference-only, which needs no weights.
type Network struct {
	ID, Name string // "" is the one that ships
	Kind     loader.Kind
	Part     string // which of a Uni-ControlNet's pictures it is: one of settings.UniMaps, or settings.UniContent
	Style    bool   // a T2I style adapter
	Here     bool
	Bytes    int64  // of the download; 0 where that is not known
	Encoder  string // the ID of the image encoder that reads the picture; "" for none
	Lacks    string // the ID of what the catalogue has and it still needs; "" for nothing
}

// Reference is the kind of what needs no weights.
const Reference loader.Kind = "reference"

// ReferenceOnly is the ID of the network that is of this kind.
const ReferenceOnly = "reference-only"

// referenceOnly follows the picture itself.
var referenceOnly = &Network{ID: ReferenceOnly, Kind: Reference, Here: true}

// reference returns referenceOnly, with its name in the language of the page.
func reference() *Network {
	referenceOnly.Name = texts.T("The picture itself (reference-only, no download)")
	return referenceOnly
}

// uniParts are the pictures of a Uni-ControlNet, with what they show.
var uniParts = []struct {
	name  string
	label texts.Text
}{{"canny", "Canny edges"}, {"mlsd", "straight lines (M-LSD)"}, {"hed", "soft edges (HED)"}, {"sketch", "a sketch"}, {"openpose", "a pose (OpenPose)"},
	{"midas", "depth (MiDaS)"}, {"seg", "areas in colours (segmentation)"}, {settings.UniContent, "the picture as a whole"}}

// SizeOf says how much there is to download; "" where the catalogue does not know it.
func SizeOf(bytes int64) string {
	if bytes == 0 {
		return ""
	}
	return loader.FormatBytes(bytes)
}

// Value names a network and its part in a list to choose from.
func (n *Network) Value() string {
	if n.Part == "" {
		return n.ID
	}
	return n.Part + " " + n.ID
}

// ReadsMap reports whether a network reads a map. The others read the picture as it is.
func (n *Network) ReadsMap() bool {
	return n.Kind != Reference && !n.Style && n.Part != settings.UniContent
}

// NetworkOf returns what a picture is followed with: what was chosen, or the first. ok is false if there is nothing.
func (s *Structure) NetworkOf(list []*Network) (n *Network, ok bool) {
	n, ok = first(list,
		func(n *Network) bool { return n.ID == s.Network && n.Part == s.Part },
		// A picture's file has the network's name without what may be secret in it.
		func(n *Network) bool { return settings.PublicName(n.ID) == s.Network && n.Part == s.Part },
		func(*Network) bool { return true },
	)
	if !ok {
		n = &Network{}
	}
	return n, ok
}

func (c *Composer) networks() []*Network {
	if c.Networks == nil {
		return nil
	}
	return c.Networks()
}

// structural are the kinds of weights of the Structure card, in the order in which they are offered.
var structural = []loader.Kind{loader.KindControlNet, loader.KindT2IAdapter, loader.KindUniControlNet}

// Networks lists what pictures are followed with for the chosen model: first what is here, then what the catalogue offers,
// and last what needs no weights.
func (l *Library) Networks() (list []*Network) {
	if l.Chosen.ID == "" {
		if web.Ships.ControlNet != "" {
			list = append(list, &Network{Name: web.Ships.ControlNet, Kind: loader.KindControlNet, Here: true})
		}
		return append(list, reference())
	}
	for _, kind := range structural {
		for _, item := range whole(l.stored, kind) {
			list = append(list, l.parts(&Network{ID: item.ID, Name: item.Name, Kind: kind, Style: item.Style, Here: true}, item.Needs)...)
		}
	}
	for _, e := range l.catalogue.Models {
		if !slices.Contains(structural, e.Kind) {
			continue
		}
		if item := find(l.stored, e.ID); item == nil || !item.Complete {
			// What a T2I-Adapter needs is an image encoder, which only style adapters have.
			style := e.Kind == loader.KindT2IAdapter && e.Needs != ""
			list = append(list, l.parts(&Network{ID: e.ID, Name: e.Name, Kind: e.Kind, Style: style, Bytes: e.Bytes}, e.Needs)...)
		}
	}
	return append(list, reference())
}

// parts lists a network as what its pictures may be, each with its image encoder. needs is the encoder's ID in the catalogue.
func (l *Library) parts(n *Network, needs string) (list []*Network) {
	if n.Kind != loader.KindUniControlNet {
		l.findEncoder(n, needs)
		return []*Network{n}
	}
	for _, part := range uniParts {
		p := *n
		p.Part, p.Name = part.name, n.Name+": "+part.label.String()
		l.findEncoder(&p, needs)
		list = append(list, &p)
	}
	return list
}

// clipL is CLIP ViT-L/14 in the catalogue, which style adapters and Uni-ControlNet read pictures with, and clipLWidth the
// width of its hidden states, which tells it from other image encoders.
const (
	clipL      = "clip-vit-large-patch14"
	clipLWidth = 1024
)

// findEncoder finds the image encoder of a network that reads a picture.
func (l *Library) findEncoder(n *Network, needs string) {
	if n.ReadsMap() {
		return
	}
	n.Encoder = encoderThat(whole(l.stored, loader.KindImageEncoder), needs, func(width int) bool { return width == clipLWidth })
	if n.Encoder == "" {
		n.Lacks = cmp.Or(needs, clipL)
	}
}

// MapNetwork returns the network of a way to make maps: what the catalogue has for it, or another file of its kind that is here.
func (l *Library) MapNetwork(m *maps.Method) *Network {
	kind := loader.Kind(m.Network)
	n := &Network{ID: m.Weights, Name: m.Label, Kind: kind}
	e, known := l.catalogue.Entry(m.Weights)
	if known {
		n.Name, n.Bytes = e.Name, e.Bytes
	}
	for _, item := range whole(l.stored, kind) {
		if _, offered := l.catalogue.Entry(item.ID); item.ID == m.Weights || !offered {
			n.ID, n.Name, n.Here = item.ID, item.Name, true
		}
		if item.ID == m.Weights {
			break
		}
	}
	return n
}

// Need is how what a network still needs can be got: the network, or its image encoder. It is what the catalogue says of it,
// and how far its download is.
func (l *Library) Need(n *Network) Row {
	id, name := n.ID, n.Name
	if n.Here {
		id, name = n.Lacks, n.Lacks
	}
	if e, ok := l.catalogue.Entry(id); ok {
		return drawing{l}.offerRow(e)
	}
	return Row{ID: id, Name: name}
}

// lacksMaker returns what makes a guide's map and is not here; nil for nothing.
func (l *Library) lacksMaker(preprocessor, weights string) *Network {
	p, _ := maps.Parse(preprocessor) // what cannot be read has no network
	if p.Method == nil || p.Method.Weights == "" {
		return nil
	}
	if n := l.MapNetwork(p.Method); !n.Here || n.ID != weights {
		return n
	}
	return nil
}

// structureProblem says what is missing to follow a request's pictures; "" for nothing. lacks is what can be downloaded for
// it, by its ID in the catalogue.
func (l *Library) structureProblem(s settings.Settings) (text, lacks string) {
	networks := l.Networks()
	for _, g := range s.Guides {
		picture := "" // of a Uni-ControlNet: the one that needs most
		var maker *Network
		switch g := g.(type) {
		case *settings.ControlNet:
			maker = l.lacksMaker(g.Preprocessor, g.PreprocessorWeights)
		case *settings.T2IAdapter:
			maker = l.lacksMaker(g.Preprocessor, g.PreprocessorWeights)
		case *settings.UniControlNet:
			picture = settings.UniMaps[0]
			if g.Content != "" {
				picture = settings.UniContent
			}
			for i := range g.Preprocessors {
				maker = cmp.Or(maker, l.lacksMaker(g.Preprocessors[i], g.PreprocessorWeights[i]))
			}
		default:
			continue
		}
		if maker != nil {
			return texts.F("%s, which makes the map, is not here: download it under Structure, or choose another way to make the map.", maker.Name), maker.ID
		}
		i := slices.IndexFunc(networks, func(n *Network) bool { return n.ID == g.Files()[0] && n.Part == picture })
		switch {
		case i >= 0 && networks[i].Here && networks[i].Lacks != "":
			return texts.F("%s needs the image encoder CLIP ViT-L/14: download it under Structure, or remove the picture.", networks[i].Name), networks[i].Lacks
		case i >= 0 && networks[i].Here:
		case i >= 0:
			return texts.F("%s is not here: download it under Structure, or remove the map.", networks[i].Name), networks[i].ID
		case l.Chosen.ID == "":
			return texts.T("The network that reads this map is not part of the model that ships: choose another model, or remove the map."), ""
		default:
			return texts.T("A map needs a ControlNet or a T2I-Adapter that reads it: download one under Structure, or remove the map."), ""
		}
	}
	return "", ""
}
