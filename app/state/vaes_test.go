package state

import (
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

// withVAEs are a catalogue that offers a VAE, and what is stored.
func (f *fakeLibrary) withVAEs(items ...store.Item) {
	c := testCatalogue
	c.Models = append(slices.Clone(c.Models), loader.Entry{ID: "taesd", Kind: loader.KindVAE, Name: "TAESD", Tiny: true, Source: "owner/taesd", Bytes: 1e7, Licence: "apache"}, loader.Entry{ID: "mse", Kind: loader.KindVAE, Name: "MSE", Source: "owner/mse", Bytes: 3e8, Licence: "apache"})
	f.answer(0, protocol.Stored{Library: store.Library{Items: items, Used: 1e9, Granted: 9e9}, Catalogue: c})
}

func (f *fakeLibrary) request(s settings.Settings) Request {
	r := Request{Jobs: []settings.Settings{s}}
	f.Resolve(&r)
	return r
}

// A VAE takes the place of the model's own where it is chosen, and the one that ships has none to choose.
func TestVAE(t *testing.T) {
	f := newFakeLibrary(t)
	items := []store.Item{stored("sd15", "model"), stored("ema.safetensors", "vae", sha("ABCDEF0123456789"))}
	f.withVAEs(items...)
	s := settings.Default()
	s.VAE = "ema.safetensors"
	if r := f.request(s); f.VAEs() != nil || r.Jobs[0].VAE != "" || r.Problem(f.Library).Text != "" {
		t.Errorf("the model that ships is drawn with %q", r.Jobs[0].VAE)
	}
	f.Choose("sd15")
	if list := f.VAEs(); len(list) != 3 || !list[0].Here || list[2].Here || list[2].Bytes != 3e8 {
		t.Errorf("offered are %+v", list)
	}
	r := f.request(s)
	if got := r.Jobs[0]; got.VAE != "ema.safetensors" || got.VAEHash != "abcdef0123" || r.Problem(f.Library).Text != "" {
		t.Errorf("it is drawn with %q %q: %s", got.VAE, got.VAEHash, r.Problem(f.Library).Text)
	}
	if load, ok := f.ToLoad(s); !ok || load != (protocol.Load{Model: "sd15", VAE: "ema.safetensors"}) {
		t.Errorf("loaded is %+v", load)
	}
	s.VAE = "mse"
	if r := f.request(s); !strings.Contains(r.Problem(f.Library).Text, "The VAE MSE is not here: download it") {
		t.Errorf("it says %q", r.Problem(f.Library).Text)
	}
	if g, ok := f.Lacks(s); !ok || !slices.Equal(g.Records, []string{"mse"}) {
		t.Errorf("offered is %+v", g)
	}
	s.VAE = "gone.safetensors"
	if r := f.request(s); !strings.Contains(r.Problem(f.Library).Text, "gone.safetensors is not here: add its file") {
		t.Errorf("it says %q", r.Problem(f.Library).Text)
	}
	f.Do(Use, "ema.safetensors")
	if !slices.Equal(f.used, []string{"ema.safetensors"}) || f.Chosen.ID != "sd15" {
		t.Errorf("used %q with %q", f.used, f.Chosen.ID)
	}
}

// A model that was saved without a VAE is drawn with the first that is here, and asks for one where there is none.
func TestModelWithoutVAE(t *testing.T) {
	f := newFakeLibrary(t)
	bare := stored("bare", "model", func(i *store.Item) { i.WithoutVAE = true })
	f.withVAEs(bare)
	f.Choose("bare")
	s := settings.Default()
	if _, ok := f.ToLoad(s); ok {
		t.Error("it is loaded without a VAE")
	}
	r := f.request(s)
	if !strings.Contains(r.Problem(f.Library).Text, "bare was saved without a VAE") || !strings.Contains(f.row("bare").About, "without a VAE") {
		t.Errorf("it says %q", r.Problem(f.Library).Text)
	}
	g, ok := f.Lacks(r.Jobs[0])
	if !ok || g.Name != "MSE" {
		t.Errorf("offered is %+v", g)
	}
	f.Fetch(g)
	f.answer(f.last().ID, protocol.Planned{Records: []store.Record{record("mse", "vae", 3e8)}})
	f.withVAEs(bare, stored("mse", "vae"))
	if r := f.request(s); r.Jobs[0].VAE != "mse" || r.Problem(f.Library).Text != "" || !slices.Equal(f.arrived, []string{"MSE"}) {
		t.Errorf("with the VAE here: %q, %q, arrived %q", r.Jobs[0].VAE, r.Problem(f.Library).Text, f.arrived)
	}
	if load, ok := f.ToLoad(s); !ok || load.VAE != "mse" {
		t.Errorf("loaded is %+v", load)
	}
}

// A tiny VAE draws the previews once it is here. Until then they are rough, and pictures are drawn all the same.
func TestPreviewVAE(t *testing.T) {
	f := newFakeLibrary(t)
	f.withVAEs(stored("sd15", "model"), stored("ema.safetensors", "vae"))
	f.Choose("sd15")
	s := settings.Default()
	s.PreviewVAE = "taesd"
	if list := f.Previews(); len(list) != 1 || list[0].ID != "taesd" || list[0].Here {
		t.Errorf("offered are %+v", list)
	}
	if r := f.request(s); r.Jobs[0].PreviewVAE != "" || r.Problem(f.Library).Text != "" {
		t.Errorf("before it is here: %q, %q", r.Jobs[0].PreviewVAE, r.Problem(f.Library).Text)
	}
	f.withVAEs(stored("sd15", "model"), stored("taesd", "vae", func(i *store.Item) { i.Tiny = true }))
	if r := f.request(s); r.Jobs[0].PreviewVAE != "taesd" {
		t.Error("it is not used")
	}
	c := NewComposer()
	c.Settings.PreviewVAE = "taesd"
	if c.Restore(settings.Default()); c.Settings.PreviewVAE != "taesd" {
		t.Error("restoring a picture's settings forgets it")
	}
}
