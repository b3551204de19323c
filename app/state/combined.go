package state

import (
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
)

// Part is a picture beside that of an image prompt.
type Part struct {
	*Picture
	Crop Crop
}

// NewPart returns a part with the centre crop.
func NewPart(p *Picture) *Part { return &Part{p, NewCrop(p.Width, p.Height)} }

// MaxMore is how many pictures an image prompt takes beside its own.
const MaxMore = 7

// UnlikePart is the number of Unlike among an image prompt's pictures.
const UnlikePart = MaxMore + 1

// PartAt returns one of an image prompt's pictures with its crop: 0 is its own picture, and those of
// More follow. It returns nil where there is none of that number.
func (im *ImagePrompt) PartAt(number int) (*Picture, *Crop) {
	var part *Part
	switch {
	case number == 0:
		return im.Picture, &im.Crop
	case number == UnlikePart && im.Unlike != nil:
		part = im.Unlike
	case number > 0 && number <= len(im.More):
		part = im.More[number-1]
	default:
		return nil, nil
	}
	return part.Picture, &part.Crop
}

// NewKept returns an image prompt of a file of kept embeddings.
func NewKept(name string, bytes any) *ImagePrompt {
	im := NewImagePrompt(&Picture{Name: name, Bytes: bytes})
	im.Kept = true
	return im
}

// AddMore adds a picture to those of an image prompt, if there is room.
func (c *Composer) AddMore(im *ImagePrompt, p *Picture) {
	if len(im.More) >= MaxMore {
		p.free()
		c.Problems[AtPrompts] = problem(texts.F("There is room for %d pictures in one image prompt: remove one first.", MaxMore+1))
		return
	}
	im.More = append(slices.Clip(im.More), NewPart(p))
	delete(c.Problems, AtPrompts)
}

// RemoveMore removes a further picture of an image prompt.
func (c *Composer) RemoveMore(im *ImagePrompt, part *Part) {
	if i := slices.Index(im.More, part); i >= 0 {
		im.More = slices.Delete(slices.Clone(im.More), i, i+1)
		c.drop(part.Picture)
	}
}

// SetUnlike takes a picture that the result should not be like; nil takes it away.
func (c *Composer) SetUnlike(im *ImagePrompt, p *Picture) {
	old := im.Unlike
	if im.Unlike = nil; p != nil {
		im.Unlike = NewPart(p)
	}
	if old != nil {
		c.drop(old.Picture)
	}
}

// parts lists the pictures of an image prompt beside its own.
func (im *ImagePrompt) parts() []*Part {
	list := slices.Clone(im.More)
	if im.Unlike != nil {
		list = append(list, im.Unlike)
	}
	return list
}

// pictures lists all pictures of an image prompt.
func (im *ImagePrompt) pictures() []*Picture {
	list := []*Picture{im.Picture}
	for _, part := range im.parts() {
		list = append(list, part.Picture)
	}
	return list
}

// guide returns the image prompt as settings describe it, and adds its pictures to the inputs. number tells its pictures
// from those of others, which may have the same names: what is pasted is always called image.png.
func (im *ImagePrompt) guide(number int, inputs map[string]Input) *settings.IPAdapter {
	input := func(place string, p *Picture) string { // place tells the pictures of one image prompt apart
		name := fmt.Sprintf("%d%s-%s", number, place, p.Name)
		inputs[name] = Input{Bytes: p.Bytes}
		return name
	}
	a := &settings.IPAdapter{Lambda: im.Scale, Layers: im.Layers, Start: im.Start, End: im.End}
	if im.Kept {
		a.Embeds = input("", im.Picture)
		return a
	}
	picture := func(place string, p *Picture, c Crop) settings.ImagePrompt {
		asked := settings.ImagePrompt{Picture: input(place, p)}
		if im.Tiled == "" { // else the tiles cover the whole picture
			asked.Crop = c.Setting()
		}
		return asked
	}
	a.Tiled, a.Images = im.Tiled, []settings.ImagePrompt{picture("", im.Picture, im.Crop)}
	for i, part := range im.More {
		a.Images = append(a.Images, picture(fmt.Sprintf(".%d", i+2), part.Picture, part.Crop))
	}
	if len(im.More) > 0 && im.Combine != settings.CombineConcat {
		a.Combine = im.Combine
	}
	if im.Unlike != nil {
		negative := picture(".not", im.Unlike.Picture, im.Unlike.Crop)
		a.Negative = &negative
	}
	return a
}

// guideWith is guide with the adapter that it is used with, of those that fit the model.
func (im *ImagePrompt) guideWith(number int, fit []Adapter, inputs map[string]Input) *settings.IPAdapter {
	a := im.guide(number, inputs)
	if o, ok := im.AdapterOf(fit); ok {
		a.Weights = o.ID
		if !im.Kept {
			a.ImageEncoder = o.Encoder
		}
	}
	return a
}

// restore takes over what settings say of an image prompt, except for its pictures.
func (im *ImagePrompt) restore(a *settings.IPAdapter) {
	im.Scale, im.Layers, im.Start, im.End, im.Adapter, im.Tiled = a.Lambda, a.Layers, a.Start, a.End, a.Weights, a.Tiled
	if im.Combine = a.Combine; im.Combine == "" {
		im.Combine = settings.CombineConcat
	}
}

// prompt reads the image prompt that settings describe.
func (r reader) prompt(a *settings.IPAdapter) (*ImagePrompt, error) {
	if a.Embeds != "" {
		data, ok := r.inputs[a.Embeds]
		if !ok {
			return nil, texts.Errorf("%s is not stored here", a.Embeds)
		}
		return NewKept(plainName(a.Embeds), data), nil
	}
	var im *ImagePrompt
	for _, image := range a.Images {
		part, err := r.part(image)
		if err != nil {
			return nil, err
		}
		if im == nil {
			im = NewImagePrompt(part.Picture)
			im.Crop = part.Crop
		} else {
			im.More = append(im.More, part)
		}
	}
	if im == nil || a.Negative == nil {
		return im, nil
	}
	var err error
	im.Unlike, err = r.part(*a.Negative)
	return im, err
}

func (r reader) part(image settings.ImagePrompt) (*Part, error) {
	picture, err := r.picture(image.Picture)
	if err != nil {
		return nil, err
	}
	return &Part{picture, CropOf(image.Crop, picture.Width, picture.Height)}, nil
}
