package settings

import "strings"

// Reference is a picture that the result follows without any weights.
type Reference struct {
	Picture  string  `json:"reference_image"`
	Fidelity float64 `json:"style_fidelity"` // 0 to 1
	// What is taken over from the picture: what self-attentions read (reference-only), and the means and
	// deviations of the deeper blocks' results (AdaIN).
	Attention bool `json:"reference_attn"`
	AdaIN     bool `json:"reference_adain,omitempty"`
}

// KindReference is the kind of a *Reference.
const KindReference = "reference"

func init() { kinds[KindReference] = func() Guide { r := DefaultReference(); return &r } }

// DefaultReference returns reference-only with the style fidelity of diffusers' community pipeline, without a
// picture.
func DefaultReference() Reference { return Reference{Fidelity: 0.5, Attention: true} }

// Kind implements Guide.
func (r *Reference) Kind() string { return KindReference }

// Files implements Guide: it needs none.
func (r *Reference) Files() []string { return nil }

// Pictures implements Guide.
func (r *Reference) Pictures() []string { return []string{r.Picture} }

func (r *Reference) names() []*string { return []*string{&r.Picture} }

func (r *Reference) clone() Guide { copied := *r; return &copied }

func (r *Reference) bound(*notes) {}

func (r *Reference) validate(v *problems, where string) {
	v.require(r.Picture != "", "%sreference_image is missing. Give the picture that the result follows", where)
	v.number(where+"style_fidelity", r.Fidelity, 0, 1)
	v.require(r.Attention || r.AdaIN, "%sreference_attn and reference_adain are both off, so that the picture has no effect. Turn one of them on", where)
}

// The names of sd-webui-controlnet's preprocessors for reference pictures.
const (
	referenceOnly  = "reference_only"
	referenceAdaIN = "reference_adain"
	referenceBoth  = "reference_adain+attn"
)

// module is the beginning of a unit of sd-webui-controlnet, whose Threshold A is the style fidelity.
func (r *Reference) module() string {
	name := referenceOnly
	switch {
	case r.AdaIN && r.Attention:
		name = referenceBoth
	case r.AdaIN:
		name = referenceAdaIN
	}
	return "Module: " + name + ", Threshold A: " + decimal(r.Fidelity)
}

// readReference reads a unit's module and its thresholds. ok is false for another module.
func readReference(module string, field map[string]float64) (r Reference, ok bool) {
	r = DefaultReference()
	switch strings.ToLower(module) {
	case referenceOnly:
	case referenceAdaIN:
		r.Attention, r.AdaIN = false, true
	case referenceBoth:
		r.AdaIN = true
	default:
		return r, false
	}
	if v, given := field["threshold a"]; given && v >= 0 && v <= 1 {
		r.Fidelity = v
	}
	return r, true
}
