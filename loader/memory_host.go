//go:build !js

package loader

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/gpu/webapi"
)

type memory struct {
	name  string
	bytes []byte
}

// Memory is a small file that is held in memory.
func Memory(name string, b []byte) Source { return &memory{name, b} }

func (m *memory) Name() string { return m.name }
func (m *memory) Size() int64  { return int64(len(m.bytes)) }

func (m *memory) ReadRange(_ context.Context, off, n int64) (webapi.Bytes, error) {
	if off < 0 || n < 0 || off > m.Size() || n > m.Size()-off {
		return nil, fmt.Errorf("%s has no bytes %d to %d", m.name, off, off+n)
	}
	return m.bytes[off : off+n], nil
}
