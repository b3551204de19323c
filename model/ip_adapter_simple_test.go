package model

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// shapes is a checkpoint of which only the header is read.
type shapes map[string][]int

func (s shapes) Names() []string {
	var names []string
	for n := range s {
		names = append(names, n)
	}
	return names
}

func (s shapes) Info(name string) (string, []int, bool) {
	shape, ok := s[name]
	return "F16", shape, ok
}

func (s shapes) Read(context.Context, string, int64, int64) (webapi.Bytes, error) {
	return webapi.BytesOf(nil), errors.New("only the header is there")
}

// A file that has a projection alone is a simple adapter; with K' and V' it is not.
func TestSimpleIsDetected(t *testing.T) {
	u := &UNet{Config: UNetConfig{CrossAttentionDim: 8}, cross: []*crossAttention{{channels: 4}}}
	file := shapes{"image_proj.proj.weight": {16, 4}, "image_proj.proj.bias": {16}, "image_proj.norm.weight": {8}, "image_proj.norm.bias": {8}}
	a, err := NewIPAdapter(file, u)
	if err != nil || !a.Simple() || a.NumTokens() != 2 {
		t.Fatalf("a simple adapter: %v, %v", a, err)
	}
	file["ip_adapter.1.to_k_ip.weight"] = []int{4, 8}
	if a, err = NewIPAdapter(file, u); err != nil || a.Simple() {
		t.Errorf("a global adapter: %v, %v", a, err)
	}
}

// What means nothing for a simple adapter is refused by name; λ 0 and 1, by layer, are not.
func TestCheckSimple(t *testing.T) {
	for _, c := range []struct {
		want string
		im   ImagePrompt
	}{
		{"", ImagePrompt{Scales: []float64{1, 0, 1}, End: 1}},
		{"", ImagePrompt{Scales: []float64{0, 0, 0}, End: 1}},
		{"0.6 was asked", ImagePrompt{Scales: []float64{1, 0.6}, End: 1}},
		{"mask", ImagePrompt{Scales: []float64{1}, End: 1, Mask: func(int) []float32 { return nil }}},
		{"0.2 to 1 of them", ImagePrompt{Scales: []float64{1}, Start: 0.2, End: 1}},
	} {
		err := checkSimple(c.im)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.im, err)
		}
	}
}

// The state that stands for a text: the first end token, or by the rule of
// configurations that say 2 the first of the highest id.
func TestEndOfText(t *testing.T) {
	for _, c := range []struct {
		ids  []int32
		eos  int
		want int
	}{
		{[]int32{98, 5, 99, 99}, 99, 2},
		{[]int32{98, 5, 99, 0}, 2, 2},
		{[]int32{98, 120, 99, 7}, 99, 2}, // a token added later has a higher id
		{[]int32{98, 120, 99, 7}, 2, 1},
		{[]int32{98, 5, 7}, 99, 0}, // torch's argmax of all zeros
	} {
		if at := endOfText(c.ids, c.eos); at != c.want {
			t.Errorf("%v, eos %d: %d, not %d", c.ids, c.eos, at, c.want)
		}
	}
}
