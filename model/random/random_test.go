package random

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
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
	Lists []struct {
		Seeds []uint64
		Batch int
		Items []int
		Bits  []string
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
		seed, err := strconv.ParseUint(tc.Seed, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		g := New(seed)
		for i, d := range tc.Draws {
			var got []float32
			if d.Dtype == "float16" {
				got = g.NormalFloat16(d.Size)
			} else {
				got = g.Normal(d.Size)
			}
			name := tc.Seed + " draw " + strconv.Itoa(i) + " of " + strconv.Itoa(d.Size) + " " + d.Dtype
			if d.Bits != "" {
				compare(t, name, got, decode(t, d.Bits, d.Dtype))
				continue
			}
			compare(t, name+" head", got[:40], decode(t, d.Head, d.Dtype))
			compare(t, name+" tail", got[d.Size-40:], decode(t, d.Tail, d.Dtype))
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

func TestRandnListsOfGenerators(t *testing.T) {
	for _, tc := range readFixture(t).Lists {
		var gs []*Generator
		for _, s := range tc.Seeds {
			gs = append(gs, New(s))
		}
		for i, item := range tc.Items {
			compare(t, strconv.Itoa(len(gs))+" generators", Randn(gs, tc.Batch, item), decode(t, tc.Bits[i], "float32"))
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

func decode(t *testing.T, text, dtype string) []float32 {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	var out []float32
	for len(raw) > 0 {
		if dtype == "float16" {
			out = append(out, float16(binary.LittleEndian.Uint16(raw)))
			raw = raw[2:]
			continue
		}
		out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		raw = raw[4:]
	}
	return out
}

func float16(b uint16) float32 {
	sign, exponent, mantissa := float64(1), int(b>>10&31), float64(b&1023)
	if b&0x8000 != 0 {
		sign = -1
	}
	if exponent == 0 {
		return float32(sign * math.Ldexp(mantissa, -24))
	}
	return float32(sign * math.Ldexp(1024+mantissa, exponent-25))
}
