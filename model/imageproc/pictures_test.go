package imageproc

import (
	"bytes"
	"encoding/json"
	"errors"
	"hash/crc32"
	"os"
	"strings"
	"testing"
)

const pictures = "../../tests/fixtures/pictures/"

// TestPicturesAsPIL reads the files that tests/reference/pictures.py wrote:
// unusual JPEGs, animations, transparency, and orientations in every place where
// they are kept.
func TestPicturesAsPIL(t *testing.T) {
	var list struct {
		Files []struct {
			Name             string
			Size             [2]int
			Near             int
			CRC, White, Blue uint32
			Alpha            *uint32
		}
	}
	text, err := os.ReadFile(pictures + "pictures.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	for _, tc := range list.Files {
		t.Run(tc.Name, func(t *testing.T) {
			file := readPicture(t, tc.Name)
			if err := Check(file); err != nil {
				t.Error(err)
			}
			m, alpha, err := DecodeAlpha(file)
			if err != nil {
				t.Fatal(err)
			}
			if m.Width != tc.Size[0] || m.Height != tc.Size[1] {
				t.Fatalf("%d × %d, want %v", m.Width, m.Height, tc.Size)
			}
			// Go forgets the colour that a GIF's transparent pixels would have.
			if tc.Near > 0 {
				worst := difference(m, decodePicture(t, "pil-"+tc.Name+".png"))
				if worst > tc.Near {
					t.Errorf("differs from PIL's by %d", worst)
				}
			} else if hidden := tc.Name == "transparent.gif"; !hidden && crc32.ChecksumIEEE(m.Pix) != tc.CRC {
				t.Error("other colours than PIL's")
			}
			if (alpha != nil) != (tc.Alpha != nil) {
				t.Fatalf("alpha is there: %v; for PIL: %v", alpha != nil, tc.Alpha != nil)
			}
			if alpha == nil {
				if m.Flatten(nil, [3]uint8{}) != m {
					t.Error("an opaque picture is changed")
				}
				return
			}
			if alpha.Width != m.Width || alpha.Height != m.Height || crc32.ChecksumIEEE(alpha.Pix) != *tc.Alpha {
				t.Error("another alpha than PIL's")
			}
			if crc32.ChecksumIEEE(m.Flatten(alpha, [3]uint8{255, 255, 255}).Pix) != tc.White {
				t.Error("another picture than PIL's on white")
			}
			if crc32.ChecksumIEEE(m.Flatten(alpha, [3]uint8{10, 20, 200}).Pix) != tc.Blue {
				t.Error("another picture than PIL's on blue")
			}
		})
	}
}

func difference(a, b *Image) (worst int) {
	for i, v := range a.Pix {
		d := int(v) - int(b.Pix[i])
		worst = max(worst, d, -d)
	}
	return worst
}

func readPicture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(pictures + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decodePicture(t testing.TB, name string) *Image {
	t.Helper()
	m, err := Decode(readPicture(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The ratio of libjpeg's fractional sampling is refused by PIL, but legal.
func TestFractionalSampling(t *testing.T) {
	file := readPicture(t, "jpeg-3x1-1x1-1x1.jpg")
	fractional := []byte(strings.Replace(string(file), "\x02\x11\x01", "\x02\x21\x01", 1))
	if string(fractional) == string(file) {
		t.Fatal("the component's header was not found")
	}
	// The data no longer fits the header, but the decoder has to get through.
	if m, err := Decode(fractional); err == nil && (m.Width != 47 || m.Height != 35) {
		t.Errorf("%d × %d", m.Width, m.Height)
	}
}

// What is not read here is said without blaming the file, with a remedy.
func TestKindsThatAreNotRead(t *testing.T) {
	bigTIFF := []byte("II+\x00\x08\x00\x00\x00")
	rle := append([]byte(nil), readPicture(t, "palette.bmp")...)
	rle[30] = 1 // BI_RLE8
	for name, tc := range map[string]struct {
		file []byte
		want string
	}{
		"AVIF":         {readPicture(t, "rgb.avif"), "AVIF"},
		"HEIC":         {[]byte("\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic"), "HEIC"},
		"film":         {[]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"), "film"},
		"JPEG 2000":    {readPicture(t, "rgb.jp2"), "JPEG 2000"},
		"JPEG XL":      {[]byte("\xff\x0a\xfa\x00"), "JPEG XL"},
		"arithmetic":   {readPicture(t, "jpeg-arithmetic.jpg"), "arithmetic coding"},
		"Photoshop":    {[]byte("8BPS\x00\x01"), "Photoshop"},
		"icon":         {[]byte("\x00\x00\x01\x00\x01\x00"), "ICO"},
		"big TIFF":     {bigTIFF, "BigTIFF"},
		"RLE BMP":      {rle, "BMP"},
		"web page":     {[]byte("\n\n<!DOCTYPE html><html>"), "web page"},
		"Git LFS":      {[]byte("version https://git-lfs.github.com/spec/v1\n"), "Git LFS"},
		"iPhone's PNG": {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x04CgBI\x50\x00\x20\x02"), "iPhone"},
	} {
		_, err := Decode(tc.file)
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "damaged") || !errors.Is(err, ErrFormat) && name != "web page" {
			t.Errorf("%s: %v; want %q", name, err, tc.want)
		}
	}
}

// A file that claims a huge picture is refused before anything is allocated.
func TestHugeClaims(t *testing.T) {
	jpeg := append([]byte(nil), readPicture(t, "jpeg-3x1-1x1-1x1.jpg")...)
	at := strings.Index(string(jpeg), "\xff\xc0\x00\x11\x08") + 5
	copy(jpeg[at:], "\xff\xff\xff\xff")
	webp := append([]byte(nil), readPicture(t, "animated.webp")...)
	copy(webp[24:], "\xff\xff\x00\xff\xff\x00")
	bmp := append([]byte(nil), readPicture(t, "rgb.bmp")...)
	copy(bmp[18:], "\x00\x00\x01\x00\x00\x00\x01\x00")
	for name, file := range map[string][]byte{"JPEG": jpeg, "WebP": webp, "BMP": bmp} {
		if _, err := Decode(file); err == nil || !strings.Contains(err.Error(), "more than the 64 million") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCutOffPictures(t *testing.T) {
	for _, name := range []string{"jpeg-2x2-2x1-1x2.jpg", "jpeg-progressive-odd.jpg", "jpeg-restart-odd.jpg", "animated.webp", "animated-part.webp", "rgb.bmp", "rgb.tif"} {
		file := readPicture(t, name)
		for _, part := range []int{len(file) / 3, len(file) / 2} {
			if _, err := Decode(file[:part]); err == nil || !strings.Contains(err.Error(), "cut off") {
				t.Errorf("%s, %d of %d bytes: %v", name, part, len(file), err)
			}
		}
	}
}

// FuzzPictures looks for files that make a decoder panic or return nonsense.
func FuzzPictures(f *testing.F) {
	for _, name := range []string{"jpeg-progressive-odd.jpg", "jpeg-restart-odd.jpg", "jpeg-ycck-subsampled.jpg", "animated-part.webp", "exif-mm-long.png", "alpha-deflate.tif", "xmp-packed.png", "exif-raw-profile.png", "palette.bmp"} {
		f.Add(readPicture(f, name))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if w, h, _, err := size(file); err != nil || w*h > 1<<20 {
			return // not the decoders' memory is tried here
		}
		m, alpha, err := DecodeAlpha(file)
		if err != nil {
			return
		}
		if m.Channels != 3 || m.Width <= 0 || m.Height <= 0 || len(m.Pix) != 3*m.Width*m.Height {
			t.Fatalf("%d × %d × %d with %d samples", m.Width, m.Height, m.Channels, len(m.Pix))
		}
		if alpha != nil && (alpha.Width != m.Width || alpha.Height != m.Height) {
			t.Fatalf("%d × %d with an alpha of %d × %d", m.Width, m.Height, alpha.Width, alpha.Height)
		}
	})
}

func TestOddOrientation(t *testing.T) {
	for name, want := range map[string]bool{
		"exif-long.jpg": true, "xmp-element.jpg": true, "exif-ii-short.png": true, "xmp.webp": true, "orientation.tif": true,
		"exif-and-xmp.jpg": false, "alpha.png": false, "jpeg-3x1-1x1-1x1.jpg": false, "animated.webp": false,
	} {
		if got := OddOrientation(readPicture(t, name)); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPNGKeepsPixelsAndTransparency(t *testing.T) {
	for _, name := range []string{"alpha.png", "rgb.tif", "exif-mm-long.png"} {
		m, alpha, err := DecodeAlpha(readPicture(t, name))
		if err != nil {
			t.Fatal(err)
		}
		file, err := m.PNG(alpha)
		if err != nil {
			t.Fatal(err)
		}
		back, backAlpha, err := DecodeAlpha(file)
		if err != nil || !bytes.Equal(back.Pix, m.Pix) || (alpha == nil) != (backAlpha == nil) || alpha != nil && !bytes.Equal(alpha.Pix, backAlpha.Pix) {
			t.Errorf("%s, written as PNG, is another picture; %v", name, err)
		}
	}
}
