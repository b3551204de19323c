package settings

// T2IAdapter is a T2I-Adapter with its map. A style adapter is one, too: its map is the picture whose style
// the result has, which an image encoder reads.
type T2IAdapter struct {
	Weights string  `json:"t2i_adapter"`
	Map     string  `json:"control_image"`
	Lambda  float64 `json:"adapter_conditioning_scale"`
	Start   float64 `json:"control_guidance_start"` // fraction of the steps, 0 to 1
	End     float64 `json:"control_guidance_end"`   // fraction of the steps, 0 to 1; diffusers' adapter_conditioning_factor
	// ImageEncoder is read for a style adapter; "" is the model's own.
	ImageEncoder string `json:"image_encoder,omitempty"`
	// Preprocessor and PreprocessorWeights are as of a ControlNet.
	Preprocessor        string `json:"preprocessor,omitempty"`
	PreprocessorWeights string `json:"preprocessor_weights,omitempty"`
}

// KindT2IAdapter is the kind of a *T2IAdapter.
const KindT2IAdapter = "t2i-adapter"

func init() { kinds[KindT2IAdapter] = func() Guide { a := DefaultT2IAdapter(); return &a } }

// DefaultT2IAdapter returns an adapter with diffusers' defaults and no map.
func DefaultT2IAdapter() T2IAdapter { return T2IAdapter{Lambda: 1, End: 1} }

// Kind implements Guide.
func (a *T2IAdapter) Kind() string { return KindT2IAdapter }

// Files implements Guide.
func (a *T2IAdapter) Files() []string {
	if a.ImageEncoder == "" {
		return []string{a.Weights}
	}
	return []string{a.Weights, a.ImageEncoder}
}

// Pictures implements Guide.
func (a *T2IAdapter) Pictures() []string { return []string{a.Map} }

func (a *T2IAdapter) names() []*string {
	return []*string{&a.Weights, &a.Map, &a.ImageEncoder, &a.Preprocessor, &a.PreprocessorWeights}
}

func (a *T2IAdapter) clone() Guide { copied := *a; return &copied }

func (a *T2IAdapter) bound(*notes) {}

func (a *T2IAdapter) validate(v *problems, where string) {
	v.require(a.Weights != "", "%st2i_adapter is missing. Name the adapter's folder or file", where)
	v.require(a.Map != "", "%scontrol_image is missing. Give the map that the adapter reads, or leave the adapter out", where)
	v.number(where+"adapter_conditioning_scale", a.Lambda, -10, 10)
	v.fractions(where, "control_guidance_start", "control_guidance_end", a.Start, a.End)
	v.preprocessor(where, a.Preprocessor, a.PreprocessorWeights)
}
