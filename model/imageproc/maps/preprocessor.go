package maps

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/imprompt/imprompt/model/imageproc"
)

// Method is a way to make a map from a picture.
type Method struct {
	Name    string
	Label   string // on the page
	Options []Option
	// Network is the kind of the network that makes the map (package preprocessors), and Weights the catalogue's id of its
	// weights. Both are "" where none is needed. MoveNet has no Weights, because it comes with the site.
	Network, Weights string

	make func(m *imageproc.Image, v []float64) *imageproc.Image // v has a value for each option
}

// Option is a number that a Method takes.
type Option struct {
	Name, Label             string
	Default, Min, Max, Step float64
	Whole                   bool // it has no fraction
}

// Accepts reports whether the option may have a value.
func (o Option) Accepts(v float64) bool {
	return v >= o.Min && v <= o.Max && !(o.Whole && v != math.Trunc(v))
}

// None is the name of the Method that takes a picture as a map.
const None = "none"

var (
	low   = Option{"low_threshold", "Low threshold", 100, 0, 1000, 1, false}
	high  = Option{"high_threshold", "High threshold", 200, 0, 1000, 1, false}
	gamma = Option{"gamma", "Gamma", 1, 0.1, 2, 0.01, false}
)

// Methods are all ways to make a map, in the order in which they are shown.
var Methods = []Method{
	{Name: None, Label: "None: it is a map already", make: func(m *imageproc.Image, _ []float64) *imageproc.Image { return m }},
	{Name: "canny", Label: "Canny edges", Options: []Option{low, high, {"l2_gradient", "L2 gradient", 0, 0, 1, 1, true}},
		make: func(m *imageproc.Image, v []float64) *imageproc.Image { return Canny(m, v[0], v[1], v[2] != 0) }},
	{Name: "scribble", Label: "Scribble", Options: []Option{low, high},
		make: func(m *imageproc.Image, v []float64) *imageproc.Image { return Scribble(Canny(m, v[0], v[1], false)) }},
	{Name: "softedge", Label: "Soft edges", Options: []Option{low, high},
		make: func(m *imageproc.Image, v []float64) *imageproc.Image { return SoftEdge(Canny(m, v[0], v[1], false)) }},
	{Name: "hed", Label: "Soft edges, by a network (HED)", Options: []Option{{"safe", "Clear edges only", 0, 0, 1, 1, true}, {"scribble", "As a scribble", 0, 0, 1, 1, true}}, Network: "hed", Weights: "hed"},
	{Name: "depth", Label: "Depth, by a network (Depth Anything)", Network: "depth_anything", Weights: "depth-anything-v2-small"},
	{Name: "lineart", Label: "Line art, by a network", Network: "lineart", Weights: "lineart"},
	{Name: "lineart_coarse", Label: "Line art, coarse, by a network", Network: "lineart", Weights: "lineart-coarse"},
	{Name: "openpose", Label: "Pose of one person", Options: []Option{{"least_score", "Least certainty of a joint", 0.2, 0, 1, 0.01, false}}, Network: "movenet"},
	{Name: "invert", Label: "Line art: black on white, inverted", make: func(m *imageproc.Image, _ []float64) *imageproc.Image { return Invert(m) }},
	{Name: "tile", Label: "Tile: fewer details", Options: []Option{{"down_sampling_rate", "Down-sampling rate", 1, 1, 8, 0.01, false}},
		make: func(m *imageproc.Image, v []float64) *imageproc.Image { return Tile(m, v[0]) }},
	{Name: "shuffle", Label: "Shuffle: its colours", Options: []Option{{"seed", "Seed", 0, 0, math.MaxUint32, 1, true}, {"size", "Size of the parts", 256, 16, 512, 1, true}},
		make: func(m *imageproc.Image, v []float64) *imageproc.Image { return Shuffle(m, uint32(v[0]), int(v[1])) }},
	{Name: "color", Label: "Colour palette", make: func(m *imageproc.Image, _ []float64) *imageproc.Image { return Palette(m) }},
	{Name: "recolor_luminance", Label: "Recolour by luminance", Options: []Option{gamma},
		make: func(m *imageproc.Image, v []float64) *imageproc.Image { return Luminance(m, v[0]) }},
	{Name: "recolor_intensity", Label: "Recolour by intensity", Options: []Option{gamma},
		make: func(m *imageproc.Image, v []float64) *imageproc.Image { return Intensity(m, v[0]) }},
}

// Names lists the names of Methods.
func Names() (names []string) {
	for _, m := range Methods {
		names = append(names, m.Name)
	}
	return names
}

// Preprocessor is a Method with values for its options.
type Preprocessor struct {
	Method *Method
	Values []float64 // one for each of Method.Options
}

// Parse reads a method's name and the options that differ from their defaults, for example
// "canny:low_threshold=50,l2_gradient=1". "" is None. Its error says which methods, options or values there are.
func Parse(text string) (Preprocessor, error) {
	name, options, _ := strings.Cut(text, ":")
	if name == "" {
		name = None
	}
	i := slices.IndexFunc(Methods, func(m Method) bool { return m.Name == name })
	if i < 0 {
		return Preprocessor{}, fmt.Errorf("there is no preprocessor %q. Choose one of %s", name, strings.Join(Names(), ", "))
	}
	p := Preprocessor{Method: &Methods[i]}
	for _, o := range p.Method.Options {
		p.Values = append(p.Values, o.Default)
	}
	for _, pair := range strings.FieldsFunc(options, func(r rune) bool { return r == ',' }) {
		option, value, _ := strings.Cut(pair, "=")
		if err := p.set(option, value); err != nil {
			return p, fmt.Errorf("the preprocessor %s: %w", name, err)
		}
	}
	return p, nil
}

// set gives an option a value.
func (p Preprocessor) set(name, value string) error {
	var names []string
	for i, o := range p.Method.Options {
		if o.Name == name {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil || !o.Accepts(v) {
				kind := "number"
				if o.Whole {
					kind = "whole number"
				}
				return fmt.Errorf("%s is %q. It must be a %s from %s to %s", name, value, kind, number(o.Min), number(o.Max))
			}
			p.Values[i] = v
			return nil
		}
		names = append(names, o.Name)
	}
	if names == nil {
		return fmt.Errorf("it has no options, and therefore no %q", name)
	}
	return fmt.Errorf("it has no option %q. It has %s", name, strings.Join(names, ", "))
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// String returns what Parse reads: "" for None.
func (p Preprocessor) String() string {
	if p.Method.Name == None {
		return ""
	}
	var options []string
	for i, o := range p.Method.Options {
		if p.Values[i] != o.Default {
			options = append(options, o.Name+"="+number(p.Values[i]))
		}
	}
	if options == nil {
		return p.Method.Name
	}
	return p.Method.Name + ":" + strings.Join(options, ",")
}

// Fit brings a picture to the size at which it covers a result of width × height pixels, with its proportions kept:
// sd-webui-controlnet calls that pixel perfect. Only a strip that would become very long is compressed.
func Fit(m *imageproc.Image, width, height int) *imageproc.Image {
	scale := max(float64(width)/float64(m.Width), float64(height)/float64(m.Height))
	side := func(n int) int { return min(max(1, int(math.RoundToEven(float64(n)*scale))), 4*max(width, height)) }
	return m.Resize(side(m.Width), side(m.Height), imageproc.Lanczos)
}

// Map makes a map for a result of width × height pixels, from the picture that Fit made. With None the result is the picture
// itself. It is for methods without a Network.
func (p Preprocessor) Map(m *imageproc.Image, width, height int) *imageproc.Image {
	if p.Method.Name == None {
		return m
	}
	return p.Method.make(Fit(m, width, height), p.Values)
}
