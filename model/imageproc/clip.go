package imageproc

import (
	"encoding/json"
	"errors"
	"fmt"
)

// CLIPImageProcessor prepares a picture for CLIPVisionModelWithProjection, as
// transformers' class of that name does on PIL (CLIPImageProcessorPil, and all
// versions before 5). Where torchvision is installed, transformers 5 rounds
// otherwise: fewer than one value in a hundred differs, by one step of 255. The
// fields are those of preprocessor_config.json.
type CLIPImageProcessor struct {
	DoResize      bool    `json:"do_resize"`
	Size          Size    `json:"size"`
	Resample      Filter  `json:"resample"`
	DoCenterCrop  bool    `json:"do_center_crop"`
	CropSize      Size    `json:"crop_size"`
	DoRescale     bool    `json:"do_rescale"`
	RescaleFactor float64 `json:"rescale_factor"`
	DoNormalize   bool    `json:"do_normalize"`
	ImageMean     Triple  `json:"image_mean"`
	ImageStd      Triple  `json:"image_std"`
}

// Size is a target size: the shorter edge with the proportions kept, or both
// edges. A plain number means the shortest edge for size, and both for
// crop_size.
type Size struct {
	ShortestEdge int `json:"shortest_edge"`
	Height       int `json:"height"`
	Width        int `json:"width"`
}

// Triple is a value for each of red, green and blue; one number stands for all.
type Triple [3]float64

// NewCLIPImageProcessor reads a preprocessor_config.json. What it lacks takes
// transformers' default, and so does everything where config is nil: 224 × 224,
// OpenAI's mean and deviation.
func NewCLIPImageProcessor(config []byte) (*CLIPImageProcessor, error) {
	p := &CLIPImageProcessor{
		DoResize: true, Size: Size{ShortestEdge: 224}, Resample: Bicubic,
		DoCenterCrop: true, CropSize: Size{Height: 224, Width: 224},
		DoRescale: true, RescaleFactor: 1. / 255,
		DoNormalize: true,
		ImageMean:   Triple{0.48145466, 0.4578275, 0.40821073},
		ImageStd:    Triple{0.26862954, 0.26130258, 0.27577711},
	}
	if config == nil {
		return p, nil
	}
	// A size in the file replaces the default, it does not add to it.
	var given struct {
		Size     json.RawMessage `json:"size"`
		CropSize json.RawMessage `json:"crop_size"`
		DoPad    bool            `json:"do_pad"`
	}
	if err := json.Unmarshal(config, &given); err != nil {
		return nil, fmt.Errorf("preprocessor_config.json: %w", err)
	}
	if given.Size != nil {
		p.Size = Size{}
	}
	if given.CropSize != nil {
		p.CropSize = Size{}
	}
	if err := json.Unmarshal(config, p); err != nil {
		return nil, fmt.Errorf("preprocessor_config.json: %w", err)
	}
	if edge := p.CropSize.ShortestEdge; edge > 0 && p.CropSize.Height == 0 {
		p.CropSize = Size{Height: edge, Width: edge}
	}
	return p, p.check(given.DoPad)
}

func (p *CLIPImageProcessor) check(doPad bool) error {
	var problems []error
	problem := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("preprocessor_config.json: "+format, args...))
	}
	if doPad {
		problem("do_pad is not supported; CLIP's image encoders take one fixed size")
	}
	if p.Resample < Nearest || p.Resample > Hamming {
		problem("resample %d is not one of PIL's filters (0 nearest, 1 lanczos, 2 bilinear, 3 bicubic, 4 box, 5 hamming)", int(p.Resample))
	}
	const limit = 1 << 14
	for _, s := range []struct {
		field   string
		on      bool
		numbers []int
	}{
		{"size", p.DoResize && p.Size.ShortestEdge == 0, []int{p.Size.Height, p.Size.Width}},
		{"size", p.DoResize && p.Size.ShortestEdge != 0, []int{p.Size.ShortestEdge}},
		{"crop_size", p.DoCenterCrop, []int{p.CropSize.Height, p.CropSize.Width}},
	} {
		for _, n := range s.numbers {
			if s.on && (n <= 0 || n > limit) {
				problem("%s has a length of %d pixels; it needs shortest_edge, or height and width, between 1 and %d", s.field, n, limit)
			}
		}
	}
	for _, std := range p.ImageStd {
		if p.DoNormalize && std == 0 {
			problem("image_std has a zero, and the picture is divided by it")
		}
	}
	return errors.Join(problems...)
}

// UnmarshalJSON accepts an object or a number.
func (s *Size) UnmarshalJSON(text []byte) error {
	var edge int
	if json.Unmarshal(text, &edge) == nil {
		*s = Size{ShortestEdge: edge}
		return nil
	}
	type plain Size
	d := struct {
		*plain
		LongestEdge *int `json:"longest_edge"`
	}{plain: (*plain)(s)}
	if err := json.Unmarshal(text, &d); err != nil {
		return fmt.Errorf("a size is a number or an object with shortest_edge, or height and width: %w", err)
	}
	if d.LongestEdge != nil {
		return errors.New("a size with longest_edge is not supported. Give shortest_edge, or height and width")
	}
	return nil
}

// UnmarshalJSON accepts three numbers or one.
func (t *Triple) UnmarshalJSON(text []byte) error {
	var one float64
	if json.Unmarshal(text, &one) == nil {
		*t = Triple{one, one, one}
		return nil
	}
	var list []float64
	if err := json.Unmarshal(text, &list); err != nil || len(list) != 3 {
		return fmt.Errorf("image_mean and image_std are one number or three, not %s", text)
	}
	*t = Triple(list)
	return nil
}

// OutputSize is the size that Preprocess gives to a picture of width × height.
func (p *CLIPImageProcessor) OutputSize(width, height int) (outHeight, outWidth int) {
	if p.DoCenterCrop {
		return p.CropSize.Height, p.CropSize.Width
	}
	if p.DoResize {
		width, height = p.resized(width, height)
	}
	return height, width
}

// Preprocess returns pixel_values of a picture: [height, width, 3]. A Crop comes
// before it: p.Preprocess(m.Crop(…)).
//
// Without a centre crop the result for a long strip is huge. Ask OutputSize first
// where only one size can be used.
func (p *CLIPImageProcessor) Preprocess(m *Image) (values []float32, height, width int) {
	m = p.fit(m.RGB())
	// Each of 256 values has one result per channel.
	var table [3][256]float32
	for c := range table {
		for v := range table[c] {
			table[c][v] = p.value(uint8(v), c)
		}
	}
	values = make([]float32, len(m.Pix))
	for i, v := range m.Pix {
		values[i] = table[i%3][v]
	}
	return values, m.Height, m.Width
}

// value rescales and normalizes one sample of channel c.
func (p *CLIPImageProcessor) value(v uint8, c int) float32 {
	mean, std := float32(p.ImageMean[c]), float32(p.ImageStd[c])
	x := float32(v)
	if p.DoRescale {
		x = float32(float64(v) * p.RescaleFactor)
	}
	if p.DoNormalize {
		x = (x - mean) / std
	}
	return x
}

// resized is get_resize_output_image_size of transformers' image_transforms.
func (p *CLIPImageProcessor) resized(width, height int) (int, int) {
	edge := p.Size.ShortestEdge
	if edge == 0 {
		return p.Size.Width, p.Size.Height
	}
	// The longer edge is rounded down.
	if width <= height {
		return edge, int(float64(edge*height) / float64(width))
	}
	return int(float64(edge*width) / float64(height)), edge
}

// fit resizes a picture and cuts out its centre, as the configuration says
// (center_crop of transformers' image_transforms). A picture that is too small
// for the crop gets a black border. Only what the crop keeps is computed.
func (p *CLIPImageProcessor) fit(m *Image) *Image {
	width, height := m.Width, m.Height
	if p.DoResize {
		width, height = p.resized(width, height)
	}
	crop := box{0, 0, width, height}
	if p.DoCenterCrop {
		// The shift rounds down: an odd pixel too many is cut off behind, and an odd
		// pixel of border goes before the picture.
		crop = box{(width - p.CropSize.Width) >> 1, (height - p.CropSize.Height) >> 1, p.CropSize.Width, p.CropSize.Height}
	}
	inside := crop.within(width, height)
	if p.DoResize {
		m = m.resizePart(width, height, p.Resample, inside)
	} else {
		m = m.cut(inside.x, inside.y, inside.width, inside.height)
	}
	if inside == crop {
		return m
	}
	return m.cut(crop.x-inside.x, crop.y-inside.y, crop.width, crop.height)
}

// within is the part of the box that lies inside a picture.
func (b box) within(width, height int) box {
	x, y := max(b.x, 0), max(b.y, 0)
	return box{x, y, min(b.x+b.width, width) - x, min(b.y+b.height, height) - y}
}
