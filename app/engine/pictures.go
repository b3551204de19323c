package engine

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/imageproc"
)

// Pictures holds the files that Settings name, as the person gave them.
type Pictures map[string][]byte

// inputs reads a run's pictures.
type inputs struct {
	ctx        context.Context
	engine     *Engine
	files      Pictures
	background [3]uint8 // behind transparent pictures
	said       map[string]bool
}

func (e *Engine) inputs(ctx context.Context, s settings.Settings, files Pictures) (*inputs, error) {
	background, err := s.BackgroundColour()
	return &inputs{ctx, e, files, background, map[string]bool{}}, err
}

// picture reads a picture as a model sees it. Transparent places show the background,
// because nobody has ever seen the colours that a file hides there.
func (in *inputs) picture(name string) (*imageproc.Image, error) {
	m, alpha, err := in.decode(name)
	if err != nil {
		return nil, err
	}
	if alpha != nil {
		in.warnOnce(fmt.Sprintf("%s is partly transparent. The transparent parts are read as %s.", name, colourName(in.background)))
	}
	return m.Flatten(alpha, in.background), nil
}

// mask reads a mask. If it has transparency, that is the mask, as in A1111: opaque places
// are white, whatever their colours.
func (in *inputs) mask(name string) (*imageproc.Image, error) {
	m, alpha, err := in.decode(name)
	if err != nil || alpha == nil {
		return m, err
	}
	in.warnOnce(fmt.Sprintf("The mask %s is partly transparent. Its opaque parts are read as white, whatever their colour.", name))
	return alpha, nil
}

func (in *inputs) decode(name string) (m, alpha *imageproc.Image, err error) {
	file, ok := in.files[name]
	if !ok {
		return nil, nil, fmt.Errorf("the picture %s is missing", name)
	}
	if m, alpha, err = Decode(in.ctx, file, in.engine.ToPNG); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, alpha, nil
}

// Decode reads a picture's file, with its transparency, or nil. toPNG is as Engine.ToPNG.
func Decode(ctx context.Context, file []byte, toPNG func(ctx context.Context, file []byte) ([]byte, error)) (m, alpha *imageproc.Image, err error) {
	m, alpha, err = imageproc.DecodeAlpha(file)
	if err != nil && toPNG != nil {
		if png, e := toPNG(ctx, file); e == nil {
			m, alpha, err = imageproc.DecodeAlpha(png)
		}
	}
	return m, alpha, err
}

// warnOnce gives a warning once per run, since a picture may be used several times.
func (in *inputs) warnOnce(text string) {
	if !in.said[text] {
		in.said[text] = true
		in.engine.warn(text)
	}
}

func colourName(c [3]uint8) string {
	switch c {
	case [3]uint8{255, 255, 255}:
		return "white"
	case [3]uint8{}:
		return "black"
	}
	return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2])
}
