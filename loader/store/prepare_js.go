//go:build js && wasm

package store

import (
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

// Prepare finds what there is to download of a link, how much space it will take, and,
// of single files, whether Imprompt can draw with it: before a byte of weights is
// fetched. r says what is wanted, with a Kind or, for any link, without.
func Prepare(ctx context.Context, link loader.Link, r Record) (Record, error) {
	var err error
	if link.File != "" {
		r.Files, err = Files(ctx, link)
		if err != nil {
			return r, err
		}
		kind, err := lookInto(ctx, r.Files[0].URL)
		if err != nil {
			return r, err
		}
		if r.Kind == "" {
			r.Kind = kind
		}
		if kind != "" && kind != r.Kind {
			return r, fmt.Errorf("%s is another thing (%s) than it should be (%s): check the link", link.File, kind, r.Kind)
		}
		return r, measure(ctx, &r)
	}
	r.Base = link.Base
	if r.Kind == "" {
		r.Kind = "model"
		if _, err := probe(ctx, link.URL("unet/config.json")); errors.Is(err, os.ErrNotExist) {
			if _, err := probe(ctx, link.URL("config.json")); err == nil {
				r.Kind = "image_encoder"
			}
		}
	}
	r.Files, err = Files(ctx, link, loader.Entry{Kind: r.Kind}.Components()...)
	if err != nil {
		return r, err
	}
	if r.Kind == "model" {
		config, err := fetchSmall(ctx, link.URL("unet/config.json"))
		if err != nil {
			return r, err
		}
		if err := loader.CheckUNetConfig(config); err != nil {
			return r, fmt.Errorf("%s: %w", link.Base, err)
		}
	}
	return r, measure(ctx, &r)
}

// measure learns from the headers how much space the weights take when they are stored.
func measure(ctx context.Context, r *Record) error {
	var wait sync.WaitGroup
	errs := make([]error, len(r.Files))
	for i := range r.Files {
		f := &r.Files[i]
		if !strings.HasSuffix(f.URL, ".safetensors") {
			continue
		}
		wait.Go(func() {
			errs[i] = with(ctx, f.URL, func(in *intake) error {
				p, _, err := makePlan(ctx, in, Options{SliceSize: sliceSize})
				if err != nil {
					return fmt.Errorf("%s: %w", in.name(), err)
				}
				if p.converted {
					f.Stored, f.SHA256 = p.size, "" // it is the source's, and that is not kept
				}
				return nil
			})
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// with opens a remote file for a look.
func with(ctx context.Context, address string, do func(in *intake) error) error {
	f, err := probe(ctx, address)
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
			return fmt.Errorf("%s has %s, too much for a file of settings", address, megabytes(in.size))
		}
		b, err = in.take(ctx, 0, in.size)
		return err
	})
	return b, err
}

// distant is a remote file as a Source, for its header.
type distant struct{ in *intake }

func (d distant) Name() string { return d.in.name() }
func (d distant) Size() int64  { return d.in.size }
func (d distant) ReadRange(ctx context.Context, off, n int64) (webapi.Bytes, error) {
	if n == 0 {
		return js.Global().Get("Uint8Array").New(0), nil
	}
	return d.in.read(ctx, off, off+n, func(int64) {})
}

// lookInto says what kind of record a remote file is, and of what Imprompt cannot use
// an error in words; "" where the server gives out no parts, and only the whole tells.
func lookInto(ctx context.Context, address string) (kind string, err error) {
	err = with(ctx, address, func(in *intake) error {
		if !in.ranged {
			return nil
		}
		kind, err = Kind(ctx, distant{in})
		return err
	})
	return kind, err
}

// Kind says what kind of record a file is, model or ip_adapter, or why it is neither.
func Kind(ctx context.Context, s loader.Source) (string, error) {
	c, err := loader.OpenFileOfWeights(ctx, s)
	if err != nil {
		return "", err
	}
	kind, err := loader.Recognise(c)
	if err != nil {
		return "", fmt.Errorf("%s: %w", s.Name(), err)
	}
	if kind == loader.KindIPAdapter {
		return "ip_adapter", nil
	}
	// The rest of what may be wrong with a model shows when its parts are sorted.
	_, err = loader.OpenSingleFile(ctx, s, nil)
	return "model", err
}

// nameOf is a short name for a link that the catalogue does not have.
func nameOf(link loader.Link) string {
	if link.File != "" {
		return strings.SplitN(link.File, "?", 2)[0]
	}
	base := link.Base
	if i := strings.Index(base, "/resolve/"); i > 0 {
		base = base[:i]
	}
	return path.Base(base)
}

// ForLink is the record of a link that the catalogue does not have.
func ForLink(link loader.Link) Record {
	return Record{ID: link.URL(""), Name: nameOf(link), Source: link.URL("")}
}
