//go:build js && wasm

package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

// Files finds what there is to download of a link. components are the networks of a
// folder: "unet", "vae", "text_encoder" for a model, and "" for a folder that is one
// network itself (an image encoder). A file that must be there and is not is an error
// that names it.
func Files(ctx context.Context, link loader.Link, components ...string) ([]Remote, error) {
	if link.File != "" {
		f, err := probe(ctx, link.URL(""))
		if err != nil {
			return nil, err
		}
		return []Remote{{URL: f.url, Size: f.size}}, nil
	}
	var list []Remote
	find := func(name string) (bool, error) {
		f, err := probe(ctx, link.URL(name))
		if errors.Is(err, os.ErrNotExist) {
			return false, nil
		}
		if err == nil {
			list = append(list, Remote{URL: f.url, Size: f.size})
		}
		return err == nil, err
	}
	must, may := loader.FolderFiles()
	if len(components) == 1 && components[0] == "" {
		must, may = []string{"config.json"}, []string{"preprocessor_config.json"}
	}
	for _, name := range must {
		if ok, err := find(name); err != nil {
			return nil, err
		} else if !ok {
			return nil, fmt.Errorf("%s has no %s: it is no model in diffusers' layout; link the .safetensors file itself", link.Base, name)
		}
	}
	for _, name := range may {
		if _, err := find(name); err != nil {
			return nil, err
		}
	}
	for _, c := range components {
		if err := findWeights(ctx, link, c, find); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func findWeights(ctx context.Context, link loader.Link, component string, find func(string) (bool, error)) error {
	at := ""
	if component != "" {
		at = component + "/"
	}
	files, lists := loader.WeightNames(component)
	for _, name := range files {
		if ok, err := find(at + name); ok || err != nil {
			return err
		}
	}
	for _, name := range lists {
		ok, err := find(at + name)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		var index []byte
		err = with(ctx, link.URL(at+name), func(in *intake) (err error) {
			index, err = in.take(ctx, 0, in.size)
			return err
		})
		if err != nil {
			return err
		}
		shards, err := loader.Shards(index)
		if err != nil {
			return err
		}
		for _, s := range shards {
			if ok, err := find(at + s); err != nil {
				return err
			} else if !ok {
				return fmt.Errorf("%s lists %s, and it is not there", link.URL(at+name), s)
			}
		}
		return nil
	}
	return fmt.Errorf("%s has no weights that can be read: looked for %s; .bin files are not read, so choose a model that is published as .safetensors", link.Base, strings.Join(append(files, lists...), ", "))
}

// blobFile is a File that was dropped or chosen: it is read where it lies.
type blobFile struct{ file js.Value }

// File reads a JavaScript File without copying it.
func File(file js.Value) loader.Source { return blobFile{file} }

func (f blobFile) Name() string { return f.file.Get("name").String() }
func (f blobFile) Size() int64  { return int64(f.file.Get("size").Float()) }

func (f blobFile) ReadRange(ctx context.Context, off, n int64) (webapi.Bytes, error) {
	if off < 0 || n < 0 || off > f.Size() || n > f.Size()-off {
		return js.Null(), fmt.Errorf("%s has no bytes %d to %d", f.Name(), off, off+n)
	}
	b, err := webapi.Await(ctx, f.file.Call("slice", off, off+n).Call("arrayBuffer"))
	if err != nil {
		return js.Null(), fmt.Errorf("%s cannot be read (%w): was it moved or changed since it was chosen? Choose it again", f.Name(), err)
	}
	return js.Global().Get("Uint8Array").New(b), nil
}
