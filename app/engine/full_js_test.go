//go:build js && wasm

package engine

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"syscall/js"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/web"
)

// shipped is the model that ships.
type shipped struct{}

const shippedModel = "../../web/model"

func (shipped) Folder(context.Context, string) (loader.Folder, error) {
	return loader.Directory(shippedModel), nil
}

func (shipped) File(context.Context, string) (loader.Source, error) {
	return loader.OpenFile(filepath.Join(shippedModel, web.Ships.Adapters[0].File))
}

// capacity makes a GPU refuse buffers beyond a number of bytes as a real one does: with an
// error to the open error scope, or else to the device's listeners. The object's capacity
// may be changed, and its refused counts the refusals.
func capacity(d *gpu.Device) js.Value {
	return js.Global().Get("Function").New("device", `
const create = device.createBuffer.bind(device), push = device.pushErrorScope.bind(device), pop = device.popErrorScope.bind(device);
const scopes = [], gpu = { capacity: Infinity, held: 0, refused: 0 };
device.pushErrorScope = (filter) => { scopes.push({ filter, full: false }); push(filter); };
device.popErrorScope = () => {
  const { full } = scopes.pop();
  return pop().then((error) => full ? new GPUOutOfMemoryError("there is no memory") : error);
};
device.createBuffer = (descriptor) => {
  const buffer = create(descriptor), destroy = buffer.destroy.bind(buffer);
  gpu.held += descriptor.size;
  let live = true;
  buffer.destroy = () => { if (live) { live = false; gpu.held -= descriptor.size; destroy(); } };
  if (gpu.held > gpu.capacity) {
    gpu.refused++;
    const scope = scopes.findLast((s) => s.filter === "out-of-memory");
    if (scope) scope.full = true;
    else device.dispatchEvent(Object.assign(new Event("uncapturederror"), { error: new GPUOutOfMemoryError("there is no memory") }));
  }
  return buffer;
};
return gpu;`).Invoke(d.JS())
}

// When the GPU's memory runs out, the picture is drawn in the low-memory mode, with a
// warning. If that does not fit either, the error says what can be done, the GPU's memory
// is free again, and a smaller picture can be drawn next.
func TestOutOfMemory(t *testing.T) {
	ctx := context.Background()
	d, err := gpu.Open(ctx, gpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	g := capacity(d)
	s := settings.Default()
	s.Prompt, s.NumInferenceSteps, s.Height, s.Width = "a fox", 1, 128, 128
	draw := func(e *Engine, s settings.Settings) (picture []uint8, err error) {
		err = e.Generate(ctx, s, nil, func(Event) {}, func(r Result) error { picture = r.RGBA; return nil })
		return picture, err
	}
	e := New(d, shipped{})
	want, err := draw(e, s)
	if err != nil {
		t.Fatal(err)
	}
	peak := d.PeakMemoryBytes()
	e.Unload()
	d.ResetPeakMemory()

	said := ""
	e = New(d, shipped{})
	e.Warn = func(text string) { said += text }
	g.Set("capacity", peak*9/10)
	got, err := draw(e, s)
	if err != nil {
		t.Fatal(err)
	}
	if g.Get("refused").Int() == 0 || !strings.Contains(said, "low-memory mode") {
		t.Errorf("%d buffers were refused, and it said %q", g.Get("refused").Int(), said)
	}
	if peak := d.PeakMemoryBytes(); g.Get("held").Int() > g.Get("capacity").Int() {
		t.Errorf("it holds more than there is; the peak was %d", peak)
	}
	off := 0
	for i := range want {
		off = max(off, int(want[i])-int(got[i]), int(got[i])-int(want[i]))
	}
	if len(got) != len(want) || off > 2 {
		t.Errorf("the picture differs by %d of 255", off)
	}

	e.Unload()
	if d.MemoryBytes() != 0 {
		t.Errorf("%d bytes are held by an engine that was unloaded", d.MemoryBytes())
	}
	g.Set("capacity", 1<<20)
	e = New(d, shipped{})
	_, err = draw(e, s)
	var full *gpu.OutOfMemoryError
	if !errors.As(err, &full) || !strings.Contains(err.Error(), "choose a smaller picture") {
		t.Errorf("the error is %v", err)
	}
	if d.MemoryBytes() != 0 {
		t.Errorf("%d bytes are still held", d.MemoryBytes())
	}
	g.Set("capacity", 1<<40)
	if _, err := draw(e, s); err != nil {
		t.Errorf("after the memory was there again: %v", err)
	}
}
