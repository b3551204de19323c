//go:build !js

package preprocessors_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/imageproc/maps"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/preprocessors"
	"github.com/imprompt/imprompt/model/preprocessors/depth"
	"github.com/imprompt/imprompt/model/preprocessors/hed"
	"github.com/imprompt/imprompt/model/preprocessors/lineart"
)

// The published networks make maps of the picture's size, whatever that is, on a GPU with the least limits, and hold as much
// of its memory as the engine makes room for.
func TestFullSize(t *testing.T) {
	for name, open := range map[string]func(nn.Checkpoint) (preprocessors.Network, error){"hed": hed.Open, "depth": depth.Open, "lineart": lineart.Open} {
		t.Run(name, func(t *testing.T) {
			var f struct{ Published map[string][]int }
			modeltest.Fixture(t, "preprocessors/"+name+".json", &f)
			method, err := maps.Parse(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, size := range [][2]int{{512, 512}, {1024, 768}, {70, 1000}, {5, 3}} {
				t.Run(fmt.Sprint(size), func(t *testing.T) {
					for _, f16 := range []bool{true, false} {
						n, err := open(modeltest.Zeros(f.Published))
						if err != nil {
							t.Fatal(err)
						}
						d := gpu.NewPlanner(f16, gpu.DefaultLimits)
						if err := nn.Load(context.Background(), d, n, modeltest.Zeros(f.Published), gpu.WeightF16, nil); err != nil {
							t.Fatal(err)
						}
						weights := d.MemoryBytes()
						m := &imageproc.Image{Width: size[0], Height: size[1], Channels: 3, Pix: make([]uint8, 3*size[0]*size[1])}
						got, err := n.Map(context.Background(), d, m, method.Values)
						if err != nil {
							t.Fatal(err)
						}
						if got.Width != m.Width || got.Height != m.Height {
							t.Errorf("the map has %d × %d pixels", got.Width, got.Height)
						}
						held := d.PeakMemoryBytes() - weights
						t.Logf("f16 %t: weights %d MiB, %d MiB to run, %d bytes for each pixel", f16, weights>>20, held>>20, held/int64(m.Width*m.Height))
						if room := preprocessors.Memory(m); held > room {
							t.Errorf("it holds %d MiB and there is room for %d", held>>20, room>>20)
						}
					}
				})
			}
		})
	}
}
