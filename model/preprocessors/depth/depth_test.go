package depth

import (
	"reflect"
	"testing"

	"github.com/imprompt/imprompt/model/modeltest"
)

// Depth Anything V2 Small fits just as it is published.
func TestPublished(t *testing.T) {
	n := modeltest.OpenPublished(t, modeltest.ReadMapNetwork(t, "depth"), Open)
	want := Config{HiddenSize: 384, Layers: 12, Heads: 6, MLP: 1536, PatchSize: 14, Side: 37, OutIndices: []int{3, 6, 9, 12}, Neck: [4]int{48, 96, 192, 384}, Fusion: 64, Head: 32}
	if got := n.(*DepthAnything).config; !reflect.DeepEqual(got, want) {
		t.Errorf("the configuration is %+v", got)
	}
}

// The network sees a picture in the size that DPTImageProcessor gives it.
func TestSize(t *testing.T) {
	n := New(Config{Side: 37, PatchSize: 14, Neck: [4]int{4, 4, 4, 4}, Layers: 4, HiddenSize: 64})
	for in, want := range map[[2]int][2]int{{512, 512}: {518, 518}, {512, 768}: {518, 784}, {768, 512}: {784, 518}, {640, 480}: {686, 518}, {1024, 1000}: {532, 518}, {5000, 10}: {518, 14}} {
		if w, h := n.size(in[0], in[1]); [2]int{w, h} != want {
			t.Errorf("%v becomes %d × %d, not %v", in, w, h, want)
		}
	}
}
