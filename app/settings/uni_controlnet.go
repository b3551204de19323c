package settings

import "slices"

// UniControlNet is Uni-ControlNet with its maps and its content image, which are named as its repository's
// demo names them.
type UniControlNet struct {
	Weights  string `json:"uni_controlnet"`
	Canny    string `json:"canny_image,omitempty"`
	MLSD     string `json:"mlsd_image,omitempty"`
	HED      string `json:"hed_image,omitempty"`
	Sketch   string `json:"sketch_image,omitempty"`
	OpenPose string `json:"openpose_image,omitempty"`
	MiDaS    string `json:"midas_image,omitempty"`
	Seg      string `json:"seg_image,omitempty"`
	// Content is the picture that the global adapter reads, through the image encoder. Without it, the
	// adapter reads an embedding of zeros.
	Content      string  `json:"content_image,omitempty"`
	ImageEncoder string  `json:"image_encoder,omitempty"` // "" is the model's own
	Local        float64 `json:"local_control_scale"`     // of the maps
	Global       float64 `json:"global_strength"`         // of the content image
	Start        float64 `json:"control_guidance_start"`  // fraction of the steps between which the maps count, 0 to 1
	End          float64 `json:"control_guidance_end"`
	// Preprocessors make maps from their pictures, and have weights, as of a ControlNet, in the order of UniMaps.
	Preprocessors       [7]string `json:"preprocessors,omitzero"`
	PreprocessorWeights [7]string `json:"preprocessor_weights,omitzero"`
}

// KindUniControlNet is the kind of a *UniControlNet.
const KindUniControlNet = "uni-controlnet"

func init() { kinds[KindUniControlNet] = func() Guide { u := DefaultUniControlNet(); return &u } }

// DefaultUniControlNet returns the repository's defaults, without pictures.
func DefaultUniControlNet() UniControlNet { return UniControlNet{Local: 1, Global: 1, End: 1} }

// UniMaps are the names of the local adapter's maps, in the order of its channels.
var UniMaps = []string{"canny", "mlsd", "hed", "sketch", "openpose", "midas", "seg"}

// UniContent is the name of the content image, beside those of UniMaps.
const UniContent = "content"

// Maps are the names of the map pictures, in the order of UniMaps; "" stands for none.
func (u *UniControlNet) Maps() []*string {
	return []*string{&u.Canny, &u.MLSD, &u.HED, &u.Sketch, &u.OpenPose, &u.MiDaS, &u.Seg}
}

// Preprocessor is what makes the map that is called a name of UniMaps, and the weights of that.
func (u *UniControlNet) Preprocessor(name string) (preprocessor, weights *string) {
	i := slices.Index(UniMaps, name)
	return &u.Preprocessors[i], &u.PreprocessorWeights[i]
}

// Picture is the name of the picture that is called a name of UniMaps, or UniContent.
func (u *UniControlNet) Picture(name string) *string {
	if i := slices.Index(UniMaps, name); i >= 0 {
		return u.Maps()[i]
	}
	return &u.Content
}

// Kind implements Guide.
func (u *UniControlNet) Kind() string { return KindUniControlNet }

// Files implements Guide.
func (u *UniControlNet) Files() []string {
	if u.ImageEncoder == "" {
		return []string{u.Weights}
	}
	return []string{u.Weights, u.ImageEncoder}
}

// Pictures implements Guide.
func (u *UniControlNet) Pictures() []string {
	names := []string{u.Content}
	for _, m := range u.Maps() {
		names = append(names, *m)
	}
	return names
}

func (u *UniControlNet) names() []*string {
	list := append(u.Maps(), &u.Weights, &u.Content, &u.ImageEncoder)
	for i := range UniMaps {
		list = append(list, &u.Preprocessors[i], &u.PreprocessorWeights[i])
	}
	return list
}

func (u *UniControlNet) clone() Guide { copied := *u; return &copied }

func (u *UniControlNet) bound(*notes) {}

func (u *UniControlNet) validate(v *problems, where string) {
	given := false
	for _, name := range u.Pictures() {
		given = given || name != ""
	}
	v.require(u.Weights != "", "%suni_controlnet is missing. Name the file of Uni-ControlNet", where)
	v.require(given, "%suni_controlnet has no picture. Give a map, such as canny_image, or a content_image, or leave Uni-ControlNet out", where)
	v.number(where+"local_control_scale", u.Local, -10, 10)
	v.number(where+"global_strength", u.Global, -10, 10)
	v.fractions(where, "control_guidance_start", "control_guidance_end", u.Start, u.End)
	for i, name := range UniMaps {
		v.preprocessor(where+name+"_image: ", u.Preprocessors[i], u.PreprocessorWeights[i])
	}
}
