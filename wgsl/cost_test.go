package wgsl

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// costRow is a module of cost.json, which tests/bench/cost.mjs writes.
type costRow struct {
	Kernel   string
	Variant  string
	What     string
	Numbers  string
	Tile     []int
	Families map[string]cost
}

type cost struct {
	Registers, Spilled, Fills, Waves int
	Share                            float64
	Bytes                            float64 `json:"bytes_a_mac"`
}

// On every family there is a variant of each operation that reaches what a good kernel does,
// and the kernels that AMD uses spill no register.
func TestCost(t *testing.T) {
	raw, err := os.ReadFile("cost.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []costRow
	if err := json.Unmarshal(raw, &rows); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		for _, family := range []string{"rdna3", "rdna2"} {
			if c, ok := r.Families[family]; !ok || c.Spilled > 0 {
				t.Errorf("%s %s %s (%s): %d registers are spilled on %s (measured: %t)", r.Kernel, r.Variant, r.What, r.Numbers, c.Spilled, family, ok)
			}
		}
	}
	for _, g := range []struct {
		family, kernel, variant, what string // a variant of "" is any
		tile                          string
		good                          func(c cost) bool
		goal                          string
	}{
		{"rdna3", "conv2d", "early", "", "8x8", func(c cost) bool { return c.Share >= 0.87 }, "share of 0.87"},
		{"rdna3", "conv2d", "", "", "4x4", func(c cost) bool { return c.Share >= 0.7 }, "share of 0.70"},
		{"rdna3", "attention", "", "head size 40", "", func(c cost) bool { return c.Share >= 0.74 }, "share of 0.74"},
		{"rdna3", "attention", "", "head size 160", "", func(c cost) bool { return c.Share >= 0.58 }, "share of 0.58"},
		{"rdna3", "attention", "pair", "head size 40", "", func(c cost) bool { return c.Bytes <= 2.1 }, "2.1 bytes a multiply-add"},
		{"rdna3", "attention", "pair", "head size 80", "", func(c cost) bool { return c.Bytes <= 2.1 }, "2.1 bytes a multiply-add"},
	} {
		t.Run(fmt.Sprintf("%s/%s%s%s %s", g.family, g.kernel, g.tile, g.what, g.goal), func(t *testing.T) {
			var seen []string
			for _, r := range rows {
				tile := strings.Trim(strings.ReplaceAll(fmt.Sprint(r.Tile), " ", "x"), "[]")
				c, ok := r.Families[g.family]
				if !ok || !strings.HasPrefix(r.Kernel, g.kernel) || g.variant != "" && r.Variant != g.variant || r.What != g.what || tile != g.tile {
					continue
				}
				if g.good(c) {
					return
				}
				seen = append(seen, fmt.Sprintf("%s %s %+v", r.Variant, r.Numbers, c))
			}
			t.Errorf("no variant reaches a %s: %s", g.goal, strings.Join(seen, "; "))
		})
	}
}
