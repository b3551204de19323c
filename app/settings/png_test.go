package settings

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image/png"
	"reflect"
	"strings"
	"testing"
)

func encode(t testing.TB, s Settings) []byte {
	t.Helper()
	pixels := make([]byte, 4*5*3)
	for i := range pixels {
		pixels[i] = byte(i * 37)
		if i%4 == 3 {
			pixels[i] = 0xff
		}
	}
	var b bytes.Buffer
	if err := EncodePNG(&b, pixels, 5, 3, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPNGRoundTrip(t *testing.T) {
	unusual := Default()
	unusual.Prompt = "狐 🦊 café \x00 \xff <b>"
	for _, s := range []Settings{Default(), full(), unusual} {
		file := encode(t, s)
		back, err := ReadPNG(bytes.NewReader(file))
		want := s
		want.Prompt = strings.ToValidUTF8(want.Prompt, "\uFFFD")
		if err != nil || !reflect.DeepEqual(back, want) {
			t.Errorf("%+v\ncomes back as %+v, %v", want, back, err)
		}
		m, err := png.Decode(bytes.NewReader(file))
		if err != nil || m.Bounds().Dx() != 5 || m.Bounds().Dy() != 3 {
			t.Fatalf("the picture cannot be decoded: %v", err)
		}
		if r, _, _, _ := m.At(1, 0).RGBA(); r>>8 != 4*37 {
			t.Errorf("pixel 1 has red %d", r>>8)
		}
	}
	if err := EncodePNG(&bytes.Buffer{}, make([]byte, 10), 5, 3, Default()); err == nil {
		t.Error("10 bytes were taken for 5 × 3 pixels")
	}
}

func TestA1111TextIsLatin1OrInternational(t *testing.T) {
	s := Default()
	s.Prompt = "café"
	if file := encode(t, s); !bytes.Contains(file, []byte("tEXtparameters\x00caf\xe9\n")) {
		t.Errorf("no Latin-1 tEXt in %q", file)
	}
	s.Prompt = "狐"
	if file := encode(t, s); !bytes.Contains(file, []byte("iTXtparameters\x00\x00\x00\x00\x00狐\n")) {
		t.Errorf("no UTF-8 iTXt in %q", file)
	}
}

// with returns a one-pixel PNG with chunks before the pixels.
func with(t testing.TB, chunks ...[]byte) []byte {
	t.Helper()
	file := encode(t, Default())
	const header = 8 + 25
	start := bytes.Index(file, []byte("IDAT")) - 4
	out := append([]byte{}, file[:header]...)
	for _, c := range chunks {
		out = append(out, c...)
	}
	return append(out, file[start:]...)
}

func pack(text string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

const foreign = "Negative prompt: caf\u00e9\nSteps: 7, Sampler: LCM, CFG scale: 2, Seed: 3, Size: 64x64"

func latin1(text string) string {
	var b []byte
	for _, r := range text {
		b = append(b, byte(r))
	}
	return string(b)
}

func TestReadEveryKindOfText(t *testing.T) {
	chunk := func(kind, data string) []byte { return appendChunk(nil, kind, []byte(data)) }
	for name, file := range map[string][]byte{
		"tEXt":            with(t, chunk("tEXt", "parameters\x00"+latin1(foreign))),
		"zTXt":            with(t, chunk("zTXt", "parameters\x00\x00"+pack(latin1(foreign)))),
		"iTXt":            with(t, chunk("iTXt", "parameters\x00\x00\x00en\x00Parameter\x00"+foreign)),
		"packed iTXt":     with(t, chunk("iTXt", "parameters\x00\x01\x00\x00\x00"+pack(foreign))),
		"after others":    with(t, chunk("tEXt", "Comment\x00x"), chunk("tEXt", strings.Repeat("k", 500)), chunk("tEXt", ""), chunk("zzZz", "abc"), chunk("tEXt", "parameters\x00"+latin1(foreign))),
		"a damaged other": with(t, damaged(chunk("tEXt", "Comment\x00x")), chunk("tEXt", "parameters\x00"+latin1(foreign))),
		"a damaged JSON":  with(t, chunk("tEXt", "parameters\x00"+latin1(foreign)), damaged(chunk("iTXt", string(internationalText(keyJSON, "{}"))))),
	} {
		s, err := ReadPNG(bytes.NewReader(file))
		if err != nil || s.NegativePrompt != "caf\u00e9" || s.NumInferenceSteps != 7 || s.Scheduler != "lcm" || s.Seed != 3 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	both := with(t, chunk("tEXt", "parameters\x00"+latin1(foreign)), chunk("iTXt", string(internationalText(keyJSON, `{"prompt": 3}`))))
	s, err := ReadPNG(bytes.NewReader(both))
	var partial *Partial
	if !errors.As(err, &partial) || s.Seed != 3 {
		t.Errorf("senseless JSON beside A1111's text: %+v, %v", s, err)
	}
}

func damaged(chunk []byte) []byte {
	chunk[len(chunk)-5] ^= 1
	return chunk
}

func TestDamagedPNGs(t *testing.T) {
	good := encode(t, full())
	huge := binary.BigEndian.AppendUint32([]byte(signature), 0xfffffff0)
	bomb := appendChunk(nil, "zTXt", []byte("parameters\x00\x00"+pack(strings.Repeat("a", maxText+1))))
	for _, tc := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "not a PNG"},
		{"JPEG", []byte("\xff\xd8\xff\xe0\x00\x10JFIF"), "not a PNG"},
		{"signature alone", []byte(signature), "cut off"},
		{"cut in a text", good[:60], "cut off"},
		{"a chunk of 4 GiB", append(huge, "IDATxxxx"...), "claims 4294967280 bytes"},
		{"a chunk longer than the file", append(binary.BigEndian.AppendUint32([]byte(signature), 1<<30), "iTXtparameters\x00"...), "cut off"},
		{"no settings", with(t), "carries no settings"},
		{"a wrong checksum", with(t, damaged(appendChunk(nil, "tEXt", []byte("parameters\x00x")))), "checksum is wrong"},
		{"too long a text", with(t, appendChunk(nil, "tEXt", append([]byte("parameters\x00"), make([]byte, maxText)...))), "more than any prompt"},
		{"a text that unpacks to too much", with(t, bomb), "unpacks to more than"},
		{"broken compression", with(t, appendChunk(nil, "zTXt", []byte("parameters\x00\x00xxxx"))), "damaged"},
		{"unknown compression", with(t, appendChunk(nil, "zTXt", []byte("parameters\x00\x07xxxx"))), "compression is unknown"},
		{"half an iTXt", with(t, appendChunk(nil, "iTXt", []byte("imprompt\x00\x00\x00en"))), "no language"},
		{"iTXt in Latin-1", with(t, appendChunk(nil, "iTXt", []byte("imprompt\x00\x00\x00\x00\x00caf\xe9"))), "not UTF-8"},
		{"JSON that is none", with(t, appendChunk(nil, "iTXt", internationalText(keyJSON, "{"))), "damaged"},
	} {
		s, err := ReadPNG(bytes.NewReader(tc.file))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v; want %q", tc.name, err, tc.want)
		}
		if !reflect.DeepEqual(s, Default()) {
			t.Errorf("%s: settings %+v beside an error", tc.name, s)
		}
	}
	if _, err := ReadPNG(bytes.NewReader(with(t))); !errors.Is(err, ErrNoSettings) {
		t.Errorf("%v is not ErrNoSettings", err)
	}
	// What was read before the file ends is enough.
	cut := good[:bytes.Index(good, []byte("IDAT"))+6]
	if s, err := ReadPNG(bytes.NewReader(cut)); err != nil || s.Seed != full().Seed {
		t.Errorf("a PNG that is cut in its pixels: %+v, %v", s, err)
	}
}

func TestChunkChecksums(t *testing.T) {
	c := appendChunk(nil, "tEXt", []byte("k\x00v"))
	if got, want := binary.BigEndian.Uint32(c[len(c)-4:]), crc32.ChecksumIEEE([]byte("tEXtk\x00v")); got != want {
		t.Errorf("checksum %x, want %x", got, want)
	}
}

// FuzzReadPNG checks that no file does harm, and that settings that were read can be
// written and read again.
func FuzzReadPNG(f *testing.F) {
	f.Add(encode(f, full()))
	f.Add(with(f, appendChunk(nil, "zTXt", []byte("parameters\x00\x00"+pack(foreign)))))
	f.Add(with(f, appendChunk(nil, "iTXt", []byte("parameters\x00\x01\x00\x00\x00"+pack(foreign)))))
	f.Add([]byte(signature))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := ReadPNG(bytes.NewReader(file))
		var partial *Partial
		if err != nil && !errors.As(err, &partial) {
			if !reflect.DeepEqual(s, Default()) {
				t.Fatalf("%+v beside %v", s, err)
			}
			return
		}
		var b bytes.Buffer
		if err := EncodePNG(&b, make([]byte, 4), 1, 1, s); err != nil {
			t.Fatalf("%+v cannot be written: %v", s, err)
		}
		if _, err := ReadPNG(&b); err != nil {
			t.Fatalf("%+v cannot be read again: %v", s, err)
		}
	})
}
