//go:build js && wasm

package pipeline

import (
	"slices"
	"syscall/js"
	"testing"

	"github.com/imprompt/imprompt/gpu"
)

// counting counts what is made on a GPU from now on, and the bytes that are uploaded.
func counting(d *gpu.Device) js.Value {
	return js.Global().Get("Function").New("device", `
const made = { pipelines: 0, bindGroups: 0, modules: 0, buffers: 0, bytes: 0 };
const count = (of, name, what) => {
  const make = of[name].bind(of);
  of[name] = (...args) => { what(args); return make(...args); };
};
count(device, "createComputePipelineAsync", () => made.pipelines++);
count(device, "createShaderModule", () => made.modules++);
count(device, "createBindGroup", () => made.bindGroups++);
// Those that are read back through are not counted.
count(device, "createBuffer", ([b]) => { if (!(b.usage & GPUBufferUsage.MAP_READ)) made.buffers++; });
count(device.queue, "writeBuffer", ([buffer, offset, data, from, size]) => { made.bytes += size ?? data.byteLength; });
return made;`).Invoke(d.JS())
}

// A second picture that differs only in its seed is drawn with the programs of the first:
// nothing is compiled, bound or allocated, and nothing is uploaded but its noise and the
// numbers of its steps. It is the picture that a new pipeline draws. Another prompt is
// prepared anew.
func TestSecondPicture(t *testing.T) {
	f := readFixture(t, "pipelines/pipelines.json")
	onOwnModels(t, func(t *testing.T, d *gpu.Device, models models) {
		c := f.Cases["c_inpaint"]
		c.Kind, c.Scheduler = "", "euler_a"
		m := models("a")
		first := m.run(t, c)
		made := counting(d)
		again := m.run(t, c)
		for _, what := range []string{"pipelines", "modules", "bindGroups", "buffers"} {
			if n := made.Get(what).Int(); n > 0 {
				t.Errorf("the second picture made %d %s", n, what)
			}
		}
		pixels := c.Height / 8 * c.Width / 8
		// The sampler's state, the noise of every step, the latents to decode, and 16 bytes a run of a program and for each saturation note.
		most := 4*4*pixels*(gpu.SamplerState+c.Steps+1) + 16*(c.Steps+4)
		if n := made.Get("bytes").Int(); n > most {
			t.Errorf("the second picture uploaded %d bytes, not %d", n, most)
		}
		t.Logf("%d bytes were uploaded", made.Get("bytes").Int())
		if !slices.Equal(first, again) {
			t.Error("the same seed gives another picture")
		}
		c.Seed++
		other := m.run(t, c)
		m.pipeline.Forget()
		if fresh := m.run(t, c); !slices.Equal(fresh, other) || slices.Equal(other, first) {
			t.Error("another seed's picture depends on what was kept")
		}
		before := made.Get("bindGroups").Int()
		c.IDs = slices.Clone(c.IDs)
		c.IDs[1]++
		if other := m.run(t, c); slices.Equal(other, first) || made.Get("bindGroups").Int() == before {
			t.Error("other words were not noticed")
		}
	})
}
