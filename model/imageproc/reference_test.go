package imageproc

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"math"
	"os"
	"testing"
)

const fixtures = "../../tests/fixtures/imageproc/"

// reference is what tests/reference/imageproc.py wrote: checksums (crc) of the
// bytes that PIL, transformers and diffusers gave for a pattern.
type reference struct {
	Resize []struct {
		Filter Filter
		From   [3]int
		Noise  bool
		To     [2]int
		CRC    uint32
	}
	Grey []struct {
		Size [2]int
		CRC  uint32
	}
	Clip []struct {
		Config      json.RawMessage
		Torchvision bool
		Size, Shape [2]int
		CRC         uint32
		Sum         float64
	}
	VAE []struct {
		Size, To, Shape [2]int
		CRC             uint32
	}
	Post struct {
		Shape  [2]int
		Values string
		CRC    uint32
	}
	Masks []struct {
		Size             [3]int
		Noise            bool
		To               [2]int
		CRC, Latent, Odd uint32
		Ones             int
	}
	IP []struct {
		Size, To       [2]int
		Queries, Every int
		Values         string
	}
	Files []struct {
		Name, Near string
		Size       [2]int
		CRC        uint32
	}
}

func readReference(t *testing.T) (r reference) {
	t.Helper()
	text, err := os.ReadFile(fixtures + "reference.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// pattern makes the picture that the script's pattern makes.
func pattern(width, height, channels int, noise bool) *Image {
	m := newImage(width, height, channels)
	i := 0
	for y := range uint32(height) {
		for x := range uint32(width) {
			for c := range uint32(channels) {
				v := x*3 + y*5 + c*70
				if noise {
					v += (x*374761393 + y*668265263 + c*2246822519) >> 13
				}
				m.Pix[i] = uint8(v)
				i++
			}
		}
	}
	return m
}

func TestResizeEqualsPIL(t *testing.T) {
	for _, tc := range readReference(t).Resize {
		m := pattern(tc.From[0], tc.From[1], tc.From[2], tc.Noise).Resize(tc.To[0], tc.To[1], tc.Filter)
		if m.Width != tc.To[0] || m.Height != tc.To[1] || crc32.ChecksumIEEE(m.Pix) != tc.CRC {
			t.Errorf("filter %d, %v (noise %v) to %v: pixels differ from PIL's", tc.Filter, tc.From, tc.Noise, tc.To)
		}
	}
}

func TestGreyEqualsPIL(t *testing.T) {
	for _, tc := range readReference(t).Grey {
		if m := pattern(tc.Size[0], tc.Size[1], 3, true).Grey(); crc32.ChecksumIEEE(m.Pix) != tc.CRC {
			t.Errorf("%v: pixels differ from PIL's", tc.Size)
		}
	}
}

func TestCLIPImageProcessorEqualsTransformers(t *testing.T) {
	for _, tc := range readReference(t).Clip {
		if tc.Torchvision {
			continue // the fixture also has torchvision's roundings
		}
		config := []byte(tc.Config)
		if string(config) == "null" {
			config = nil
		}
		p, err := NewCLIPImageProcessor(config)
		if err != nil {
			t.Errorf("%s: %v", config, err)
			continue
		}
		values, h, w := p.Preprocess(pattern(tc.Size[0], tc.Size[1], 3, true))
		if [2]int{h, w} != tc.Shape {
			t.Errorf("%s, %v: shape %d × %d, want %v", config, tc.Size, h, w, tc.Shape)
		} else if checksum(values) != tc.CRC {
			sum := 0.0
			for _, v := range values {
				sum += float64(v)
			}
			t.Errorf("%s, %v: values differ; sum %v, want %v", config, tc.Size, sum, tc.Sum)
		}
	}
}

func TestVAEEqualsDiffusers(t *testing.T) {
	r := readReference(t)
	for _, tc := range r.VAE {
		m := pattern(tc.Size[0], tc.Size[1], 3, true)
		w, h := tc.To[0], tc.To[1]
		if w == 0 {
			h, w = m.VAESize()
		}
		if [2]int{h, w} != tc.Shape || checksum(VAEPreprocess(m, h, w)) != tc.CRC {
			t.Errorf("%v to %d × %d differs from %v", tc.Size, h, w, tc.Shape)
		}
	}
	m := VAEPostprocess(decodeFloats(t, r.Post.Values), r.Post.Shape[0], r.Post.Shape[1])
	if crc32.ChecksumIEEE(m.Pix) != r.Post.CRC {
		t.Error("postprocess gives other pixels than diffusers")
	}
}

func TestMasksEqualDiffusers(t *testing.T) {
	for _, tc := range readReference(t).Masks {
		m := pattern(tc.Size[0], tc.Size[1], tc.Size[2], tc.Noise)
		w, h := tc.To[0], tc.To[1]
		mask := MaskPreprocess(m, h, w)
		ones := 0
		for _, v := range mask {
			ones += int(v)
		}
		if checksum(mask) != tc.CRC {
			t.Errorf("%v to %v: the mask differs, %d are set, want %d", tc.Size, tc.To, ones, tc.Ones)
		}
		if checksum(LatentMask(mask, h, w, h/8, w/8)) != tc.Latent {
			t.Errorf("%v to %v: the latents' mask differs", tc.Size, tc.To)
		}
		if checksum(LatentMask(mask, h, w, 7, 5)) != tc.Odd {
			t.Errorf("%v to %v: the mask of 7 × 5 differs", tc.Size, tc.To)
		}
	}
}

func TestDownsampledMasksMatchDiffusers(t *testing.T) {
	// Sixteen products of weights up to 1 are summed; torch sums them in
	// another order.
	const tolerance = 1e-6
	for _, tc := range readReference(t).IP {
		mask := MaskPreprocess(pattern(tc.Size[0], tc.Size[1], 1, false), tc.To[1], tc.To[0])
		got := downsampleMask(mask, tc.To[1], tc.To[0], tc.Queries)
		if len(got) != tc.Queries {
			t.Errorf("%v: %d values for %d queries", tc.To, len(got), tc.Queries)
			continue
		}
		for i, want := range decodeFloats(t, tc.Values) {
			if d := math.Abs(float64(got[i*tc.Every] - want)); d > tolerance {
				t.Errorf("%v to %v, %d queries: value %d is %v, want %v", tc.Size, tc.To, tc.Queries, i*tc.Every, got[i*tc.Every], want)
				break
			}
		}
	}
}

func TestDecodeAsPIL(t *testing.T) {
	for _, tc := range readReference(t).Files {
		m, err := Decode(readFile(t, tc.Name))
		if err != nil {
			t.Errorf("%s: %v", tc.Name, err)
			continue
		}
		if m.Width != tc.Size[0] || m.Height != tc.Size[1] || m.Channels != 3 {
			t.Errorf("%s is %d × %d × %d, want %v", tc.Name, m.Width, m.Height, m.Channels, tc.Size)
			continue
		}
		if tc.Near == "" {
			if crc32.ChecksumIEEE(m.Pix) != tc.CRC {
				t.Errorf("%s: pixels differ from PIL's", tc.Name)
			}
			continue
		}
		want, err := Decode(readFile(t, tc.Near))
		if err != nil {
			t.Fatal(err)
		}
		worst, sum := 0, 0
		for i, v := range m.Pix {
			d := int(v) - int(want.Pix[i])
			worst, sum = max(worst, d, -d), sum+max(d, -d)
		}
		mean := float64(sum) / float64(len(m.Pix))
		t.Logf("%s: differs from PIL's by %d at most, %.3f on average", tc.Name, worst, mean)
		// Decoders round their inverse transforms differently, by 1 a plane; the
		// conversion to RGB takes up to 1.772 times that of a colour plane.
		if worst > 3 || mean > 0.5 {
			t.Errorf("%s: differs from PIL's by %d at most, %.3f on average", tc.Name, worst, mean)
		}
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(fixtures + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func checksum(values []float32) uint32 {
	b := make([]byte, 0, 4*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return crc32.ChecksumIEEE(b)
}

func decodeFloats(t *testing.T, text string) (out []float32) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	for ; len(raw) > 0; raw = raw[4:] {
		out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
	}
	return out
}
