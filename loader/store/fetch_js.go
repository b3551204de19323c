//go:build js && wasm

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

// Fetch downloads the files of a record that are missing, examines them, and marks the record
// as complete. It stores the record first, so that the download can continue after a reload,
// and then calls began. Cancelling ctx pauses the download.
func (s *Store) Fetch(ctx context.Context, r Record, began func(), progress func(Progress)) error {
	g := begin(r, progress)
	unlock, err := lock(ctx, "imprompt record "+r.ID, g.wait)
	if err != nil {
		return err
	}
	defer unlock()
	// Another tab may have been faster.
	if old, err := s.Record(ctx, r.ID); err == nil && old.Complete {
		return nil
	}
	if err := s.PutRecord(ctx, r); err != nil {
		return err
	}
	began()
	r.Released = true
	for i, f := range r.Files {
		o := Options{SHA256: f.SHA256, Query: r.Query, Progress: g.file(i), Note: g.note, Anew: g.anew}
		m, err := s.Download(ctx, f.URL, o)
		if err != nil {
			return err
		}
		r.Files[i].SHA256 = cmp.Or(f.SHA256, m.SHA256)
		r.Released = r.Released && (m.SHA256 != "" || isPlain(loader.NameOf(f.URL)))
		g.end(i)
	}
	return s.finish(ctx, r)
}

// Import stores a copy of a file on the visitor's disk. It returns the record's id, which is
// the file's name.
func (s *Store) Import(ctx context.Context, file js.Value, progress func(id string, p Progress)) (string, error) {
	r, err := s.recordOf(ctx, file)
	if err != nil {
		return r.ID, err
	}
	if old, err := s.Record(ctx, r.ID); err == nil && old.Complete {
		return r.ID, fmt.Errorf("a file named %s is stored already: %w", r.Name, ErrTaken)
	}
	g := begin(r, func(p Progress) { progress(r.ID, p) })
	unlock, err := tryLock(ctx, r.ID)
	if err != nil {
		return r.ID, err
	}
	defer unlock()
	if err := s.PutRecord(ctx, r); err != nil {
		return r.ID, err
	}
	f := r.Files[0]
	tag := loader.Tag{Text: fmt.Sprintf("%d bytes, %.0f", f.Size, file.Get("lastModified").Float()), Strong: true}
	o := Options{SliceSize: sliceSize, Parallel: 2, Progress: g.file(0), Note: g.note, Anew: g.anew}
	if _, err := s.Manifest(ctx, f.URL); errors.Is(err, os.ErrNotExist) {
		if _, err := s.bring(ctx, f.URL, tag, disk{File(file).(blobFile)}, o); err != nil {
			return r.ID, err
		}
	}
	return r.ID, s.finish(ctx, r)
}

// KeepFile remembers a file that is read from its place on the disk. It returns the record's
// id.
func (s *Store) KeepFile(ctx context.Context, handle js.Value) (string, error) {
	file, err := webapi.Await(ctx, handle.Call("getFile"))
	if err != nil {
		return "", fmt.Errorf("%s cannot be opened (%w): was it moved or deleted? Choose it again", handle.Get("name").String(), err)
	}
	r, err := s.recordOf(ctx, file)
	if err != nil {
		return r.ID, err
	}
	if old, err := s.Record(ctx, r.ID); err == nil && !old.Handle {
		return r.ID, fmt.Errorf("a file named %s is stored already: %w", r.Name, ErrTaken)
	}
	r.Handle = true
	if err := s.KeepHandle(ctx, r.ID, handle); err != nil {
		return r.ID, err
	}
	return r.ID, s.finish(ctx, r)
}

// recordOf makes the record of a file on the visitor's disk.
func (s *Store) recordOf(ctx context.Context, file js.Value) (Record, error) {
	source := File(file)
	r := Record{ID: fileID(source.Name(), s.Reserved), Name: source.Name(), Files: []Remote{{URL: onDisk + source.Name(), Size: source.Size()}}}
	var err error
	if r.Kind, err = recognise(ctx, source); err != nil {
		return r, err
	}
	p, _, err := makePlan(ctx, disk{source.(blobFile)}, Options{SliceSize: sliceSize})
	if p.converted {
		r.Files[0].Stored = p.size
	}
	return r, err
}

// disk is a dropped or chosen File as a reader.
type disk struct{ blobFile }

func (d disk) name() string  { return d.Name() }
func (d disk) length() int64 { return d.Size() }

func (d disk) take(ctx context.Context, from, n int64) ([]byte, error) {
	b, err := d.ReadRange(ctx, from, n)
	if err != nil {
		return nil, err
	}
	return webapi.GoBytes(b), nil
}

func (d disk) read(ctx context.Context, from, to int64, count func(int64)) (js.Value, error) {
	b, err := d.ReadRange(ctx, from, to-from)
	if err == nil {
		count(to - from)
	}
	return b, err
}

// finish examines a record whose files are all stored, and marks it as complete.
func (s *Store) finish(ctx context.Context, r Record) error {
	if err := s.inspect(ctx, &r); err != nil {
		return err
	}
	r.Complete, r.Query = true, ""
	return s.PutRecord(ctx, r)
}

func (s *Store) inspect(ctx context.Context, r *Record) error {
	if r.Kind != loader.KindModel {
		if r.Base != "" {
			folder := s.Folder(r.Base)
			if r.Kind == loader.KindVAE {
				_, config, err := loader.OpenVAEFolder(ctx, folder)
				r.Tiny = loader.IsTiny(config)
				return err
			}
			c, err := loader.OpenNetwork(ctx, folder, loader.Here)
			if err == nil {
				r.Width = loader.EncoderWidth(c)
			}
			return err
		}
		source, err := s.RecordSource(ctx, *r)
		if err != nil {
			return err
		}
		kind, err := recognise(ctx, source)
		if err == nil && kind == loader.KindIPAdapter {
			r.CrossDim, err = adapterCrossDim(ctx, source)
		}
		if err == nil && (kind == loader.KindT2IAdapter || kind == loader.KindImageEncoder) {
			var c *loader.Checkpoint
			if c, err = loader.OpenFileOfWeights(ctx, source); err == nil {
				r.Style, r.Width = loader.IsStyleAdapter(c), loader.EncoderWidth(c)
			}
		}
		if err == nil && kind == loader.KindLoRA {
			r.LoRA, err = loader.ReadLoRAInfo(ctx, source)
		}
		if err == nil && kind == loader.KindTextualInversion {
			err = r.readTextualInversion(ctx, source)
		}
		if err == nil && kind == loader.KindVAE {
			var config []byte
			_, config, err = loader.OpenVAEFile(ctx, source)
			r.Tiny = loader.IsTiny(config)
		}
		if err == nil && r.Kind != "" && kind != r.Kind {
			err = fmt.Errorf("%s: %w. Delete it", r.Name, wrongKind(kind, r.Kind))
		}
		if err != nil || kind != loader.KindModel {
			r.Kind = kind
			return err
		}
		r.Kind = kind
	}
	// The tokenizer is not read here, so the vocabulary is not needed.
	m, err := s.OpenRecord(ctx, *r, nil)
	var without *loader.WithoutVAEError
	if errors.As(err, &without) {
		m, err, r.WithoutVAE = without.Model, nil, true
	}
	if err != nil {
		return err
	}
	var unet struct {
		InChannels int `json:"in_channels"`
		SampleSize int `json:"sample_size"`
		CrossDim   int `json:"cross_attention_dim"`
	}
	var vae struct {
		Channels []int `json:"block_out_channels"`
	}
	configs := map[string]any{loader.Config(loader.UNet): &unet, loader.Config(loader.VAE): &vae}
	if r.WithoutVAE {
		vae.Channels = make([]int, vaeLevels)
		delete(configs, loader.Config(loader.VAE))
	}
	for name, to := range configs {
		b, err := loader.ReadFile(ctx, m, name)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, to); err != nil {
			return fmt.Errorf("%s: %s is damaged: %w", r.Name, name, err)
		}
	}
	r.InChannels, r.CrossDim = unet.InChannels, unet.CrossDim
	// As diffusers: sample_size times the VAE's factor.
	r.Pixels = unet.SampleSize << max(0, len(vae.Channels)-1)
	return nil
}

// vaeLevels is how many levels the VAE of Stable Diffusion 1.5 has.
const vaeLevels = 4

// readTextualInversion reads what an embedding's file says about itself, and computes the hash by
// which other programs know the file.
func (r *Record) readTextualInversion(ctx context.Context, s loader.Source) error {
	t, err := loader.OpenTextualInversion(ctx, s)
	if err != nil {
		return err
	}
	r.TextualInversion, r.CrossDim = &loader.TextualInversionInfo{Token: t.Token, Vectors: len(t.Vectors)}, len(t.Vectors[0])
	if f := r.Files[0]; f.SHA256 == "" && f.Stored == 0 { // it is stored as it was published
		r.Files[0].SHA256, err = loader.SHA256(ctx, s, 0)
	}
	return err
}

// adapterCrossDim is the width of the text encoder's output (cross_attention_dim) that an
// adapter was trained for.
func adapterCrossDim(ctx context.Context, s loader.Source) (int, error) {
	c, err := loader.OpenIPAdapter(ctx, s)
	if err != nil {
		return 0, err
	}
	for _, name := range c.Names() {
		if _, shape, _ := c.Info(name); strings.HasSuffix(name, ".to_k_ip.weight") && len(shape) == 2 {
			return shape[1], nil
		}
	}
	return 0, fmt.Errorf("%s has no keys for image prompts: it is not an IP-Adapter", s.Name())
}

// OpenRecord opens a model or an image encoder: a folder, or a single file as a folder. clip
// has CLIP's vocabulary, which single files lack.
func (s *Store) OpenRecord(ctx context.Context, r Record, clip loader.Folder) (loader.Folder, error) {
	if r.Base != "" {
		return s.Folder(r.Base), nil
	}
	source, err := s.RecordSource(ctx, r)
	if err != nil {
		return nil, err
	}
	return loader.OpenSingleFile(ctx, source, clip)
}

// RecordSource opens the file of a record with a single file.
func (s *Store) RecordSource(ctx context.Context, r Record) (loader.Source, error) {
	if r.Handle {
		return s.OpenHandle(ctx, r.ID)
	}
	if len(r.Files) != 1 {
		return nil, fmt.Errorf("%s is a folder of %d files, and a single file is needed", r.Name, len(r.Files))
	}
	return s.Source(ctx, r.Files[0].URL)
}

// gauge adds up the progress of a record's files.
type gauge struct {
	p    Progress
	tell func(Progress)
}

func begin(r Record, tell func(Progress)) *gauge {
	g := &gauge{p: Progress{Total: r.Bytes()}, tell: tell}
	for _, f := range r.Files {
		name, onDisk := strings.CutPrefix(f.URL, onDisk)
		if !onDisk {
			name = loader.NameOf(f.URL)
		}
		if rest, ok := strings.CutPrefix(f.URL, r.Base+"/"); ok && r.Base != "" {
			name = rest
		}
		g.p.Files = append(g.p.Files, FileProgress{Name: name, Total: f.Size})
	}
	return g
}

func (g *gauge) wait() {
	g.p.Waiting = true
	g.tell(g.p)
}

func (g *gauge) file(i int) func(done, total int64, waiting bool) {
	return func(done, total int64, waiting bool) {
		g.p.Waiting = waiting
		f := &g.p.Files[i]
		g.p.Done += done - f.Done
		f.Done = done
		g.tell(g.p)
	}
}

func (g *gauge) note(text string) {
	g.p.Note = text
	g.tell(g.p)
}

func (g *gauge) anew() {
	g.p.Anew = true
	g.tell(g.p)
}

func (g *gauge) end(i int) { g.file(i)(g.p.Files[i].Total, g.p.Files[i].Total, false) }
