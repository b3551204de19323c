//go:build js && wasm

package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall/js"

	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
	"github.com/imprompt/imprompt/model/imageproc/pose"
	"github.com/imprompt/imprompt/web"
)

// host is the engine's Host in the page. The model that ships is on the page's own server; all others are in the
// browser's store, under the ids of their records.
type host struct{ opened *store.Store }

func (h *host) store(ctx context.Context) (*store.Store, error) {
	var err error
	if h.opened == nil {
		h.opened, err = store.Open(ctx, nil)
	}
	return h.opened, err
}

// record finds a record that is stored, and says what to do if it is not, or only in part.
func (h *host) record(ctx context.Context, what, name string) (*store.Store, store.Record, error) {
	s, err := h.store(ctx)
	if err != nil {
		return nil, store.Record{}, err
	}
	r, err := s.Record(ctx, name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		err = fmt.Errorf("the %s %s is not here: download it in Models, or choose another one there", what, name)
	case err == nil && !r.Complete:
		err = fmt.Errorf("the %s %s is only partly here: resume its download in Models", what, r.Name)
	}
	return s, r, err
}

// Folder finds a model, or an image encoder.
func (h *host) Folder(ctx context.Context, name string) (loader.Folder, error) {
	if name == "" {
		return shipped("model"), nil
	}
	s, r, err := h.record(ctx, "model", name)
	if err != nil {
		return nil, err
	}
	return s.OpenRecord(ctx, r, shipped("clip"))
}

// ImageEncoders implements engine.Encoders.
func (h *host) ImageEncoders(ctx context.Context) (names []string, err error) {
	s, err := h.store(ctx)
	if err != nil {
		return nil, err
	}
	records, err := s.Records(ctx)
	for _, r := range records {
		if r.Kind == loader.KindImageEncoder && r.Complete {
			names = append(names, r.ID)
		}
	}
	return names, err
}

// File finds a file of weights. It has the record's name, which stands for an embedding in the words.
func (h *host) File(ctx context.Context, name string) (loader.Source, error) {
	if name == "" {
		name = web.Ships.Adapters[0].File
	}
	// What ships comes first: no file of the visitor's takes its name.
	if web.Ships.Has(name) {
		return shipped("model").Open(ctx, name)
	}
	if name == pose.Graph || name == pose.Weights {
		return shipped("pose").Open(ctx, name)
	}
	s, r, err := h.record(ctx, "file", name)
	if err != nil {
		return nil, err
	}
	source, err := s.RecordSource(ctx, r)
	if err != nil {
		return nil, err
	}
	return named{source, r.Name}, nil
}

// called returns what the words and a picture's text call a file: the number in a link of Civitai
// is no name, so it is that of the record.
func (h *host) called(ctx context.Context) func(file string) string {
	return func(file string) string {
		if _, civitai := loader.CivitaiVersionURL(file); civitai {
			if _, r, err := h.record(ctx, "file", file); err == nil {
				return r.Name
			}
		}
		return file
	}
}

// named is a source under another name.
type named struct {
	loader.Source
	name string
}

func (n named) Name() string { return n.name }

// shipped is a folder of the site's web folder, or "" for that folder itself, in the
// version that this worker is of.
func shipped(folder string) loader.Origin {
	site := js.Global().Get("impromptSite") // set by web/js/worker.js
	return loader.Origin(site.Get("base").String() + folder + site.Get("version").String())
}
