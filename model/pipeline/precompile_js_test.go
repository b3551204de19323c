//go:build js && wasm

package pipeline

import (
	"context"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
)

// Precompile compiles what a picture with an image prompt takes, without reading or uploading anything. What is left for
// the picture itself are its guide's encoder and adapter.
func TestPrecompile(t *testing.T) {
	f := readFixture(t, "pipelines/pipelines.json")
	onOwnModels(t, func(t *testing.T, d *gpu.Device, models models) {
		m := models("a")
		memory := m.scarce(t, d)
		memory.Budget, m.pipeline.LowMemory = 1<<30, false
		made := counting(d)
		before := d.MemoryBytes()
		m.pipeline.Precompile(context.Background())
		early := made.Get("pipelines").Int()
		if buffers, bytes := made.Get("buffers").Int(), made.Get("bytes").Int(); buffers+bytes > 0 || d.MemoryBytes() != before || early == 0 {
			t.Errorf("%d pipelines, %d buffers and %d bytes were made", early, buffers, bytes)
		}
		if len(memory.Loaded()) > 0 {
			t.Errorf("%v was loaded", memory.Loaded()[0].Name())
		}
		for _, one := range []struct {
			name string
			most int // pipelines that are left
		}{{"a_text", 0}, {"a_zero", 3}} {
			c := f.Cases[one.name]
			from := made.Get("pipelines").Int()
			modeltest.Compare(t, d, m.run(t, c), c.Latents, c.F16Error)
			if late := made.Get("pipelines").Int() - from; late > one.most {
				t.Errorf("%s: %d pipelines were compiled late, beside %d early ones", one.name, late, early)
			}
		}
	})
}
