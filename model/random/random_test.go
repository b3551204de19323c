package random

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
)

type draw struct {
	Size             int
	Dtype            string
	Bits, Head, Tail string
	Sum              float64
}

type fixture struct {
	Cases []struct {
		Seed  string
		Draws []draw
	}
}

func readFixture(t *testing.T) fixture {
	t.Helper()
	text, err := os.ReadFile("../../tests/fixtures/random/torch.json")
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDrawsAsTorch(t *testing.T) {
	for _, tc := range readFixture(t).Cases {
		if slices.ContainsFunc(tc.Draws, func(d draw) bool { return d.Dtype != "float32" }) {
			continue // the fixture also has float16 draws, which Imprompt does not make
		}
		seed, err := strconv.ParseUint(tc.Seed, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		g := New(seed)
		for i, d := range tc.Draws {
			got := g.Normal(d.Size)
			name := tc.Seed + " draw " + strconv.Itoa(i) + " of " + strconv.Itoa(d.Size)
			if d.Bits != "" {
				compare(t, name, got, decode(t, d.Bits))
				continue
			}
			compare(t, name+" head", got[:40], decode(t, d.Head))
			compare(t, name+" tail", got[d.Size-40:], decode(t, d.Tail))
			sum := 0.0
			for _, x := range got {
				sum += float64(x)
			}
			// torch adds in another order.
			if math.Abs(sum-d.Sum) > 1e-9 {
				t.Errorf("%s: sum %v, torch's %v", name, sum, d.Sum)
			}
		}
	}
}

func compare(t *testing.T, name string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, want %d", name, len(got), len(want))
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: number %d is %v, torch's %v", name, i, got[i], want[i])
			return
		}
	}
}

func decode(t *testing.T, text string) []float32 {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	var out []float32
	for len(raw) > 0 {
		out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		raw = raw[4:]
	}
	return out
}
