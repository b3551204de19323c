//go:build js && wasm

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

// Prepare finds out, before any weights are fetched, which files a link has, how much space
// they will take and, for single files, whether Imprompt can draw with them. r describes
// what is wanted; its Kind is "" if that is not known.
func Prepare(ctx context.Context, link loader.Link, r Record) (Record, error) {
	var err error
	if link.File != "" {
		r.Files, err = Files(ctx, link, r.Kind)
		if err != nil {
			return r, err
		}
		r.Query = link.Query
		kind, err := lookInto(ctx, link.Address(""))
		if err != nil {
			return r, err
		}
		if r.Kind == "" {
			r.Kind = kind
		}
		if kind != "" && kind != r.Kind {
			return r, fmt.Errorf("%s: %w. Check the link", link.File, wrongKind(kind, r.Kind))
		}
		if r.Kind == loader.KindLoRA || r.Kind == loader.KindTextualInversion {
			r.Name = cmp.Or(civitaiName(ctx, r.Files[0]), r.Name)
		}
		return r, measure(ctx, &r)
	}
	r.Base = link.Base
	if r.Kind == "" {
		r.Kind = loader.KindModel
		if _, err := look(ctx, link.URL(loader.Config(loader.UNet))); errors.Is(err, os.ErrNotExist) {
			if config, err := fetchSmall(ctx, link.URL(loader.Config(loader.Here))); err == nil {
				r.Kind = loader.KindOfConfig(config)
			}
		}
	}
	r.Files, err = Files(ctx, link, r.Kind)
	if err != nil {
		return r, err
	}
	if r.Kind == loader.KindModel {
		config, err := fetchSmall(ctx, link.URL(loader.Config(loader.UNet)))
		if err != nil {
			return r, err
		}
		if err := loader.CheckSettings("unet/config.json", config); err != nil {
			return r, err
		}
		if err := loader.CheckUNetConfig(config); err != nil {
			return r, fmt.Errorf("%s: %w", link.Base, err)
		}
	}
	return r, measure(ctx, &r)
}

// civitaiName is what Civitai calls a file, if it has it. The words call LoRAs and embeddings by that
// name, and a link of Civitai has a number in its place.
func civitaiName(ctx context.Context, f Remote) string {
	address, ok := loader.CivitaiVersionURL(f.URL)
	if !ok {
		return ""
	}
	_, text, _ := fetchText(ctx, address, 1<<20)
	name, _ := loader.ParseCivitaiVersion(text, f.Size)
	return name
}

// measure reads from the headers how much space the weights will take when they are stored.
func measure(ctx context.Context, r *Record) error {
	var wait sync.WaitGroup
	errs := make([]error, len(r.Files))
	for i := range r.Files {
		f := &r.Files[i]
		if isPlain(loader.NameOf(f.URL)) {
			continue
		}
		address := f.URL
		if r.Query != "" {
			base, _, _ := strings.Cut(address, "?")
			address = base + "?" + r.Query
		}
		wait.Go(func() {
			errs[i] = with(ctx, address, func(in *intake) error {
				p, _, err := makePlan(ctx, in, Options{SliceSize: sliceSize})
				if err != nil {
					return fmt.Errorf("%s: %w", in.name(), err)
				}
				if p.converted {
					f.Stored = p.size
				}
				return nil
			})
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// look probes a file that nothing is stored of yet.
func look(ctx context.Context, address string) (*remote, error) {
	return probe(ctx, address, false, func(string) {})
}

// with opens a remote file, lets do read from it, and closes it.
func with(ctx context.Context, address string, do func(in *intake) error) error {
	f, err := look(ctx, address)
	if err != nil {
		return err
	}
	in := &intake{remote: f}
	if !f.ranged {
		if err := in.open(ctx); err != nil {
			return err
		}
		defer in.close()
	}
	return do(in)
}

func fetchSmall(ctx context.Context, address string) (b []byte, err error) {
	err = with(ctx, address, func(in *intake) error {
		if in.size > 1<<20 {
			return fmt.Errorf("%s has %s, too much for a configuration", address, loader.FormatBytes(in.size))
		}
		b, err = in.take(ctx, 0, in.size)
		return err
	})
	return b, err
}

// distant is a remote file as a Source, to read its header.
type distant struct{ in *intake }

func (d distant) Name() string { return d.in.name() }
func (d distant) Size() int64  { return d.in.size }
func (d distant) ReadRange(ctx context.Context, off, n int64) (webapi.Bytes, error) {
	if n == 0 {
		return js.Global().Get("Uint8Array").New(0), nil
	}
	return d.in.read(ctx, off, off+n, func(int64) {})
}

// lookInto tells the kind of a remote file before it is downloaded, and returns an error
// for a file that Imprompt cannot use. The kind is "" where the server sends only whole
// files.
func lookInto(ctx context.Context, address string) (kind loader.Kind, err error) {
	err = with(ctx, address, func(in *intake) error {
		if !in.ranged {
			return nil
		}
		kind, err = recognise(ctx, distant{in})
		return err
	})
	return kind, err
}

// recognise tells the kind of a file, or why it is of none.
func recognise(ctx context.Context, s loader.Source) (loader.Kind, error) {
	c, err := loader.OpenFileOfWeights(ctx, s)
	if err != nil {
		return "", err
	}
	kind, err := loader.Recognise(c)
	if err != nil {
		return "", fmt.Errorf("%s: %w", s.Name(), err)
	}
	if kind != loader.KindModel && kind != loader.KindNetwork && kind != loader.KindVAE {
		return kind, nil
	}
	// Whatever else may be wrong with a model or a VAE shows when it is opened.
	_, err = loader.OpenSingleFile(ctx, s, nil)
	var without *loader.WithoutVAEError
	if errors.As(err, &without) {
		err = nil // it is used with another VAE
	}
	return kind, err
}

func wrongKind(is, expected loader.Kind) error {
	return fmt.Errorf("this is of the kind %q and should be of the kind %q", is.Name(), expected.Name())
}

// nameOf is a short name for a link that is not in the catalogue.
func nameOf(link loader.Link) string {
	if link.Name != "" {
		return link.Name
	}
	if link.File != "" {
		if strings.HasSuffix(link.Base, "/api/download/models") {
			return "Civitai " + link.File
		}
		return link.File
	}
	base := link.Base
	if i := strings.Index(base, "/resolve/"); i > 0 {
		base = base[:i]
	}
	return path.Base(base)
}

// ForLink is the record of a link that is not in the catalogue.
func ForLink(link loader.Link) Record {
	// The id has no query, as the name of a model in a picture has none.
	id, _, _ := strings.Cut(link.URL(""), "?")
	return Record{ID: id, Name: nameOf(link), Source: link.URL("")}
}
