package state

import (
	"encoding/binary"
	"reflect"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader/store"
)

func TestIsKept(t *testing.T) {
	head := func(text string) []byte {
		return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	}
	for _, c := range []struct {
		name string
		head []byte
		want bool
	}{
		{"a.safetensors", head(`{"__metadata__":{"format":"pt"},"ip_adapter_image_embeds":{"dtype":"F16","shape":[2,1,1024],"data_offsets":[0,4096]}}`), true},
		{"a.safetensors", head(`{"x":{"dtype":"F32","shape":[2,1,257,1280],"data_offsets":[0,1]}}`), true},
		{"a.ipadpt", []byte("PK\x03\x04"), true},
		{"embedding.safetensors", head(`{"emb_params":{"dtype":"F32","shape":[8,768],"data_offsets":[0,1]}}`), false},
		{"lora.safetensors", head(`{"a":{"shape":[1,2,3]},"b":{"shape":[1,2,3]}}`), false},
		{"model.safetensors", binary.LittleEndian.AppendUint64(nil, 1<<40), false},
		{"empty.safetensors", nil, false},
	} {
		if got := IsKept(c.name, c.head); got != c.want {
			t.Errorf("%s, %q: %t", c.name, c.head, got)
		}
	}
}

// A picture's embeddings are asked for, come as a file, and are asked for once at a time.
func TestKeep(t *testing.T) {
	e := newFakeEngine(t)
	c := NewComposer()
	im := NewImagePrompt(pictureNamed("fox.photo.jpg"))
	c.AddPrompt(NewImagePrompt(pictureNamed("another.png")))
	c.AddPrompt(im)
	r := c.ForKeeping(im, "sd15", []Adapter{{ID: "plus", Encoder: "clip"}})
	if a := r.Jobs[0].IPAdapters(); len(a) != 1 || a[0].Weights != "plus" || a[0].ImageEncoder != "clip" || a[0].Images[0].Picture != "1-fox.photo.jpg" || r.Jobs[0].Validate() != nil {
		t.Errorf("asked for is %+v", a)
	}
	e.jobs.Keep(im.KeptName(), r.Jobs[0], map[string]any{"1-fox.photo.jpg": "bytes"})
	asked := e.sent[len(e.sent)-1]
	if !reflect.DeepEqual(asked.Body, protocol.Embed{Settings: r.Jobs[0]}) || !e.jobs.Keeping() {
		t.Fatalf("sent is %+v", asked)
	}
	e.jobs.Keep("again", settings.Settings{}, nil)
	if e.sent[len(e.sent)-1].ID != asked.ID {
		t.Error("it was asked for twice")
	}
	news := e.jobs.Receive(protocol.Message{ID: asked.ID, Body: protocol.Embeds{}, Beside: map[string]any{"embeds": "file"}})
	if news.Embeds != "file" || news.EmbedsName != "fox.photo.embeds.safetensors" {
		t.Errorf("came %+v", news)
	}
	if e.jobs.Receive(protocol.Message{ID: asked.ID, Body: protocol.Embedded{}}); e.jobs.Keeping() {
		t.Error("it is not over")
	}
	e.jobs.Keep("next", settings.Settings{}, nil)
	if news := e.jobs.Receive(protocol.Message{ID: e.sent[len(e.sent)-1].ID, Body: protocol.Failed{Message: "no"}}); news.Problem.Text != "no" || e.jobs.Keeping() {
		t.Errorf("came %+v", news)
	}
}

// An inpainting model needs a start picture to draw, but not to make embeddings, and nor do these need the styles of the words.
func TestKeepWithoutStartPicture(t *testing.T) {
	f := newFakeLibrary(t)
	inpainting := func(i *store.Item) { i.InChannels = 9 }
	f.withVAEs(stored("inpainting", "model", inpainting), stored("plus", "ip_adapter"), stored("clip", "image_encoder"))
	f.Choose("inpainting")
	c := NewComposer()
	c.Settings.Prompt = "a fox <lora:gone:1>"
	im := NewImagePrompt(pictureNamed("fox.png"))
	c.AddPrompt(im)
	r := c.ForKeeping(im, "inpainting", f.Adapters())
	f.Resolve(&r)
	if problem := r.KeepingProblem(f.Library).Text; problem != "" || r.Problem(f.Library).Text == "" {
		t.Errorf("the embeddings cannot be made: %q", problem)
	}
	f.withVAEs(stored("inpainting", "model", inpainting), stored("clip", "image_encoder"))
	if problem := r.KeepingProblem(f.Library).Text; !strings.Contains(problem, "needs an IP-Adapter") {
		t.Errorf("without an adapter: %q", problem)
	}
}
