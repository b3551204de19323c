package imageproc

import (
	"bytes"
	"hash/crc32"
	"image"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestFilesThatAreNoPictures(t *testing.T) {
	good := readFile(t, "rgb.png")
	jpeg := readFile(t, "420.jpg")
	for _, tc := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "empty"},
		{"text", []byte("hello"), "not a picture"},
		{"HEIC", []byte("\x00\x00\x00\x18ftypheic\x00\x00"), "HEIC"},
		{"SVG", []byte("<svg xmlns='x'/>"), "SVG"},
		{"cut PNG", good[:len(good)/2], "cut off"},
		{"PNG of its signature", good[:8], "cut off"},
		{"cut JPEG", jpeg[:len(jpeg)/2], "cut off"},
		{"damaged PNG", slices.Concat(good[:60], []byte{good[60] ^ 0xff}, good[61:]), "damaged"},
		{"huge PNG", hugePNG(t), "more than the 64 million"},
	} {
		_, err := Decode(tc.file)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v; want %q", tc.name, err, tc.want)
		}
	}
}

// hugePNG claims a size that would take gigabytes; the claim is all there is.
func hugePNG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	copy(file[16:24], []byte{0, 1, 0, 0, 0, 1, 0, 0})
	sum := crc32.ChecksumIEEE(file[12:29])
	copy(file[29:33], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	return file
}

func TestCrop(t *testing.T) {
	m := pattern(9, 7, 3, true)
	c, err := m.Crop(Crop{X: 2, Y: 3, Size: 4})
	if err != nil {
		t.Fatal(err)
	}
	for y := range 4 {
		if want := m.Pix[((y+3)*9+2)*3:][:12]; !bytes.Equal(c.Pix[y*12:][:12], want) {
			t.Errorf("row %d is %v, want %v", y, c.Pix[y*12:][:12], want)
		}
	}
	for _, bad := range []Crop{{0, 0, 0}, {-1, 0, 3}, {0, 4, 4}, {6, 0, 4}, {0, 0, 8}, {0, 0, -1}, {1 << 62, 0, 1 << 62}} {
		if _, err := m.Crop(bad); err == nil || !strings.Contains(err.Error(), "not inside the picture") {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestRGBA(t *testing.T) {
	m := pattern(4, 3, 3, true)
	for i, v := range m.RGBA() {
		want := uint8(255)
		if i%4 < 3 {
			want = m.Pix[i/4*3+i%4]
		}
		if v != want {
			t.Fatalf("sample %d of pixel %d is %d, want %d", i%4, i/4, v, want)
		}
	}
	grey := pattern(4, 3, 1, true)
	if !bytes.Equal(grey.RGB().RGBA(), grey.RGBA()) || !bytes.Equal(grey.RGB().Grey().Pix, grey.Pix) {
		t.Error("grey, as RGB, is another grey")
	}
}

func TestMaskedImage(t *testing.T) {
	got := MaskedImage([]float32{1, 2, 3, 4, 5, 6}, []float32{1, 0})
	if !slices.Equal(got, []float32{0, 0, 0, 4, 5, 6}) {
		t.Errorf("got %v", got)
	}
}

// downsampleMask is IPAdapterMaskProcessor.downsample as diffusers has it: it
// guesses the attention layer's height and width from the number of queries and
// from the mask's proportions. Where the guess does not come out even, the rest
// of the result is 0 or is cut off. It returns [queries].
func downsampleMask(mask []float32, height, width, queries int) []float32 {
	out := make([]float32, queries)
	if h, w := guessedSize(height, width, queries); w > 0 {
		copy(out, AttentionMask(mask, height, width, h, w))
	}
	return out
}

// guessedSize is the size that diffusers assumes for an attention layer.
func guessedSize(height, width, queries int) (h, w int) {
	ratio := float64(width) / float64(height)
	h = max(int(math.Sqrt(float64(queries)/ratio)), 1)
	if queries%h != 0 {
		h++
	}
	return h, queries / h
}

// Where diffusers guesses an attention layer's size right, knowing it changes
// nothing. At 360 × 1024 it guesses wrong, and a mask of the left half has to
// stay the left half.
func TestAttentionMaskKnowsTheLayersSize(t *testing.T) {
	right, wrong := 0, 0
	for _, size := range [][2]int{{512, 512}, {512, 768}, {768, 512}, {640, 384}, {360, 1024}, {1024, 360}, {520, 712}, {64, 72}} {
		height, width := size[0], size[1]
		mask := make([]float32, height*width)
		for i := range mask {
			if i%width < width/2 {
				mask[i] = 1
			}
		}
		for h, w := height/8, width/8; h > 0 && w > 0; h, w = (h+1)/2, (w+1)/2 {
			got := AttentionMask(mask, height, width, h, w)
			if gh, gw := guessedSize(height, width, h*w); gh == h && gw == w {
				right++
				if !slices.Equal(got, downsampleMask(mask, height, width, h*w)) {
					t.Errorf("%d × %d, attention of %d × %d: the mask is not diffusers'", height, width, h, w)
				}
			} else {
				wrong++
			}
			for i, v := range got {
				if x := i % w; 2*x+2 < w && v < 0.85 || 2*x > w && v > 0.15 {
					t.Fatalf("%d × %d, attention of %d × %d: column %d has %v", height, width, h, w, x, v)
				}
			}
			if h == 1 && w == 1 {
				break
			}
		}
	}
	if right < 10 || wrong == 0 {
		t.Errorf("%d sizes were guessed right and %d wrong; the test needs both", right, wrong)
	}
}

func TestPreprocessorConfigErrors(t *testing.T) {
	for _, tc := range []struct{ config, want string }{
		{"{", "preprocessor_config.json"},
		{`{"size": {}}`, "size has a length of 0"},
		{`{"size": -3}`, "size has a length of -3"},
		{`{"size": {"shortest_edge": 5, "longest_edge": 9}}`, "longest_edge"},
		{`{"crop_size": {"height": 5}}`, "crop_size has a length of 0"},
		{`{"resample": 9}`, "resample 9"},
		{`{"image_std": 0}`, "image_std has a zero"},
		{`{"image_mean": [1, 2]}`, "one number or three"},
		{`{"do_pad": true, "resample": 9}`, "do_pad"},
		{`{"do_pad": true, "resample": 9}`, "resample"},
	} {
		if _, err := NewCLIPImageProcessor([]byte(tc.config)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v; want %q", tc.config, err, tc.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"rgb.png", "turned.jpg", "turned.webp", "palette.gif", "lossy-alpha.webp", "cmyk.jpg", "turned-5.png"} {
		f.Add(readFile(f, name))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Decode(file)
		if err != nil {
			return
		}
		if m.Channels != 3 || m.Width <= 0 || m.Height <= 0 || len(m.Pix) != 3*m.Width*m.Height {
			t.Fatalf("%d × %d × %d with %d samples", m.Width, m.Height, m.Channels, len(m.Pix))
		}
	})
}
