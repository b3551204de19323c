//go:build js && wasm

package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

// Files finds the files that are to be downloaded for a link: the one file, or those of a
// folder of a kind. If a required file is missing, the error names it.
func Files(ctx context.Context, link loader.Link, kind loader.Kind) ([]Remote, error) {
	if link.File != "" {
		f, err := look(ctx, link.Address(""))
		if err != nil {
			return nil, err
		}
		return []Remote{{URL: link.URL(""), Size: f.size}}, nil
	}
	var list []Remote
	find := func(name string) (bool, error) {
		f, err := look(ctx, link.URL(name))
		if errors.Is(err, os.ErrNotExist) {
			return false, nil
		}
		if err == nil {
			list = append(list, Remote{URL: f.url, Size: f.size})
		}
		return err == nil, err
	}
	must, may := kind.FolderFiles()
	for _, groups := range must {
		if err := findOne(link, groups, find); err != nil {
			return nil, err
		}
	}
	for _, name := range may {
		if _, err := find(name); err != nil {
			return nil, err
		}
	}
	for _, network := range kind.Networks() {
		if err := findWeights(ctx, link, network, find); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// findOne finds the first group of files that is there whole.
func findOne(link loader.Link, groups [][]string, find func(string) (bool, error)) error {
	for _, group := range groups {
		all := true
		for _, name := range group {
			ok, err := find(name)
			if err != nil {
				return err
			}
			if all = ok; !ok {
				break
			}
		}
		if all {
			return nil
		}
	}
	missing := groups[0][0]
	if len(groups) > 1 {
		missing += " and no " + groups[1][0]
	}
	return fmt.Errorf("%s has no %s: it is not a model in diffusers' layout: use the link of a file of weights", link.Base, missing)
}

func findWeights(ctx context.Context, link loader.Link, network string, find func(string) (bool, error)) error {
	files, lists := loader.WeightNames(network)
	for _, name := range files {
		if ok, err := find(name); ok || err != nil {
			return err
		}
	}
	for _, name := range lists {
		ok, err := find(name)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		var index []byte
		err = with(ctx, link.URL(name), func(in *intake) (err error) {
			if in.size > 16<<20 {
				return fmt.Errorf("%s has %s, too much for a list of shards", in.name(), loader.FormatBytes(in.size))
			}
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
			if ok, err := find(path.Join(network, s)); err != nil {
				return err
			} else if !ok {
				return fmt.Errorf("%s lists %s, and there is no such file", link.URL(name), s)
			}
		}
		return nil
	}
	return fmt.Errorf("%s has no weights that can be read. Looked for %s", link.Base, strings.Join(append(files, lists...), ", "))
}

// blobFile is a File that was dropped or chosen. It is read from its place on the disk.
type blobFile struct{ file js.Value }

// File is a JavaScript File as a Source. Nothing of it is copied.
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
