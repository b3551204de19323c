//go:build js && wasm

package t2iadapter_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides/t2iadapter"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/unet"
)

// Every feature is what diffusers' T2IAdapter gives, full and light, at an odd size.
func TestFeatures(t *testing.T) {
	var f modeltest.Steering
	modeltest.Fixture(t, "t2i_adapter/t2i_adapter.json", &f)
	size := modeltest.ReadNetworks(t).Latents
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		for name := range f.Networks {
			t.Run(name, func(t *testing.T) {
				model, _, _ := strings.Cut(name, "/")
				m := modeltest.Models(t)[model]
				config, err := t2iadapter.ParseConfig(f.Nets[name].Config)
				if err != nil {
					t.Fatal(err)
				}
				features := slices.Clone(config.Channels)
				if config.Light {
					features = append(features, features[len(features)-1])
				}
				a, err := t2iadapter.New(config, &unet.UNet{Encoder: unet.Encoder{Config: unet.Config{BlockOutChannels: features}}})
				if err != nil {
					t.Fatal(err)
				}
				inferred, err := t2iadapter.ConfigOf(f.Load(t, d, a, m, "t2i", name))
				if err != nil || !slices.Equal(inferred.Channels, config.Channels) || inferred.Light != config.Light || inferred.ResBlocks != config.ResBlocks ||
					inferred.InChannels != config.InChannels || inferred.DownscaleFactor != config.DownscaleFactor {
					t.Errorf("inferred from the file: %+v (%v), and in the config: %+v", inferred, err, config)
				}

				h, w := 8*size[0], 8*size[1]
				x := d.NewTensor("map", gpu.Act, 1, size[0], size[1], 64*config.InChannels)
				defer x.Release()
				x.SetFloat32(t2iadapter.Unshuffle(modeltest.GivenValues(m, "map", h*w*config.InChannels), h, w, config.InChannels, 8))
				f.Check(t, d, name, modeltest.RunAll(t, d, func(p *gpu.Program) []*gpu.Tensor { return a.Record(p, x) }))
			})
		}
	})
}
