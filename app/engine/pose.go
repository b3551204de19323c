package engine

import (
	"context"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/imageproc/maps"
	"github.com/imprompt/imprompt/model/imageproc/pose"
)

// PlainMap makes the map of a picture for a result of width × height pixels, with a preprocessor that needs neither the GPU nor
// weights from the catalogue.
func PlainMap(ctx context.Context, host Host, p maps.Preprocessor, m *imageproc.Image, width, height int) (*imageproc.Image, error) {
	if p.Method.Network == "" {
		return p.Map(m, width, height), nil
	}
	var files [2][]byte
	for i, name := range []string{pose.Graph, pose.Weights} {
		s, err := host.File(ctx, name)
		if err != nil {
			return nil, err
		}
		b, err := s.ReadRange(ctx, 0, s.Size())
		if err != nil {
			return nil, err
		}
		files[i] = webapi.GoBytes(b)
	}
	n, err := pose.Read(files[0], files[1])
	if err != nil {
		return nil, err
	}
	m = maps.Fit(m.RGB(), width, height)
	joints, err := n.Find(m)
	if err != nil {
		return nil, err
	}
	least := p.Values[0]
	for _, j := range joints {
		if float64(j.Score) >= least {
			return pose.Draw(joints, least, m.Width, m.Height), nil
		}
	}
	return nil, pose.ErrNobody
}
