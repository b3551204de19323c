package evaluate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"sort"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/nn"
)

// fingerprint tells weights apart without reading gigabytes. It hashes the names, shapes
// and types of all tensors, and the first bytes of each, which training changes.
func fingerprint(ctx context.Context, weights ...nn.Checkpoint) (string, error) {
	h := sha256.New()
	for _, c := range weights {
		names := append([]string(nil), c.Names()...)
		sort.Strings(names)
		for _, name := range names {
			if err := addTensor(ctx, h, c, name); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

func addTensor(ctx context.Context, h hash.Hash, c nn.Checkpoint, name string) error {
	dtype, shape, _ := c.Info(name)
	n := int64(2)
	if dtype == "F32" {
		n = 4
	}
	for _, s := range shape {
		n *= int64(s)
	}
	b, err := c.Read(ctx, name, 0, min(n, 256))
	if err != nil {
		return err
	}
	fmt.Fprintf(h, "%s %s %v %x\n", name, dtype, shape, webapi.GoBytes(b))
	return nil
}

// weightsOf returns a fingerprint of all weights that a row's pictures depend on.
func weightsOf(ctx context.Context, host engine.Host, r Row) (string, error) {
	folder, err := host.Folder(ctx, r.Model)
	if err != nil {
		return "", err
	}
	networks := loader.OpenFolder(folder)
	var list []nn.Checkpoint
	for _, name := range []string{loader.TextEncoder, loader.UNet, loader.VAE} {
		w, err := networks.Network(ctx, name)
		if err != nil {
			return "", err
		}
		list = append(list, w)
	}
	if r.Adapter != nil {
		s, err := host.File(ctx, r.Adapter.Weights)
		if err != nil {
			return "", err
		}
		w, err := loader.OpenFileOfWeights(ctx, s)
		if err != nil {
			return "", err
		}
		folder, at, err := engine.ImageEncoder(ctx, host, folder, r.Adapter.ImageEncoder)
		if err != nil {
			return "", err
		}
		encoder, err := loader.OpenNetwork(ctx, folder, at)
		if err != nil {
			return "", err
		}
		list = append(list, w, encoder)
	}
	return fingerprint(ctx, list...)
}
