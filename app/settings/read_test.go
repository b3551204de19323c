package settings

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image/jpeg"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/imprompt/imprompt/model/imageproc/exif"
)

// exifBlock holds one tag, in the first directory or in EXIF's own.
func exifBlock(order binary.AppendByteOrder, tag, kind uint16, value []byte, below bool) []byte {
	b := []byte("II*\x00")
	if order == binary.BigEndian {
		b = []byte("MM\x00*")
	}
	entry := func(id, kind uint16, count, value uint32) {
		b = order.AppendUint16(b, 1)
		b = order.AppendUint16(b, id)
		b = order.AppendUint16(b, kind)
		b = order.AppendUint32(b, count)
		b = order.AppendUint32(b, value)
		b = order.AppendUint32(b, 0)
	}
	b = order.AppendUint32(b, 8)
	if below {
		entry(0x8769, 4, 1, 26)
	}
	entry(tag, kind, uint32(len(value)), uint32(len(b)+18))
	return append(b, value...)
}

func jpegWith(block []byte) []byte {
	data := append([]byte("Exif\x00\x00"), block...)
	b := binary.BigEndian.AppendUint16([]byte("\xff\xd8\xff\xe1"), uint16(len(data)+2))
	return append(append(b, data...), "\xff\xd9"...)
}

func webpWith(block []byte) []byte {
	chunk := binary.LittleEndian.AppendUint32([]byte("EXIF"), uint32(len(block)))
	chunk = append(chunk, block...)
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+len(chunk)))
	return append(append(b, "WEBP"...), chunk...)
}

func inUTF16(order binary.AppendByteOrder, text string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

// Programs write a UserComment in any encoding and byte order.
func TestReadJPEGAndWebP(t *testing.T) {
	const words = "a café, 狐 🦊"
	const text = words + "\nSteps: 7, Sampler: LCM, CFG scale: 2, Seed: 3, Size: 64x64, RNG: CPU"
	for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
		for _, below := range []bool{true, false} {
			for name, value := range map[string][]byte{
				"UNICODE, big":      append([]byte("UNICODE\x00"), inUTF16(binary.BigEndian, text)...),
				"UNICODE, little":   append([]byte("UNICODE\x00"), inUTF16(binary.LittleEndian, text)...),
				"UNICODE with mark": append([]byte("UNICODE\x00"), inUTF16(binary.LittleEndian, "\ufeff"+text)...),
				"UNICODE as UTF-8":  []byte("UNICODE\x00" + text),
				"ASCII":             []byte("ASCII\x00\x00\x00" + text + "\x00"),
				"no code":           []byte("\x00\x00\x00\x00\x00\x00\x00\x00" + text),
				"no code's name":    []byte(text + "\x00"),
			} {
				block := exifBlock(order, exif.UserComment, 7, value, below)
				for kind, file := range map[string][]byte{"JPEG": jpegWith(block), "WebP": webpWith(block), "WebP with Exif": webpWith(append([]byte("Exif\x00\x00"), block...))} {
					s, err := Read(file)
					if err != nil || s.Prompt != words || s.NumInferenceSteps != 7 || s.Scheduler != "lcm" {
						t.Errorf("%s, %s, %v, below %v: %+v, %v", kind, name, order, below, s, err)
					}
				}
			}
		}
	}
	fooocus := exifBlock(binary.BigEndian, exif.UserComment, 2, []byte(`{"prompt": "a fox", "steps": 30, "resolution": "(896, 1152)"}`+"\x00"), false)
	if s, err := Read(jpegWith(fooocus)); err != nil || s.Prompt != "a fox" || s.NumInferenceSteps != 30 || s.Height != 1152 {
		t.Errorf("Fooocus: %+v, %v", s, err)
	}
	comfy := exifBlock(binary.LittleEndian, exif.Model, 2, []byte("prompt:"+comfyPrompt+"\x00"), false)
	var partial *Partial
	if s, err := Read(webpWith(comfy)); !errors.As(err, &partial) || s.Seed != 156680208700286 {
		t.Errorf("ComfyUI: %+v, %v", s, err)
	}
	for name, file := range map[string][]byte{
		"a photograph":      jpegWith(exifBlock(binary.LittleEndian, exif.Description, 2, []byte("At the sea, Steps: none\x00"), false)),
		"a camera":          jpegWith(exifBlock(binary.LittleEndian, exif.Model, 2, []byte("Canon EOS 5D\x00"), false)),
		"an empty comment":  jpegWith(exifBlock(binary.BigEndian, exif.UserComment, 7, []byte("ASCII\x00\x00\x00"), true)),
		"a directory lost":  jpegWith([]byte("MM\x00*\xff\xff\xff\xff\x00\x09")),
		"no picture at all": []byte("hello"),
		"nothing":           nil,
		"a JPEG of 3 bytes": []byte("\xff\xd8\xff"),
	} {
		if s, err := Read(file); !errors.Is(err, ErrNoSettings) || !reflect.DeepEqual(s, Default()) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

func TestJPEGRoundTrip(t *testing.T) {
	s := full()
	s.Prompt = "狐 🦊 café"
	var b bytes.Buffer
	if err := EncodeJPEG(&b, bytes.Repeat([]byte{200, 100, 50, 255}, 16*8), 16, 8, s); err != nil {
		t.Fatal(err)
	}
	if back, err := Read(b.Bytes()); err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("%+v\ncomes back as %+v, %v", s, back, err)
	}
	// Another program finds A1111's text.
	text, ok := exif.Read(b.Bytes()).Tags.Text(exif.UserComment)
	if !ok || text != s.Format() {
		t.Errorf("UserComment is %q", text)
	}
	m, err := jpeg.Decode(&b)
	if err != nil || m.Bounds().Dx() != 16 || m.Bounds().Dy() != 8 {
		t.Fatalf("the picture cannot be decoded: %v", err)
	}
	if r, _, _, _ := m.At(3, 3).RGBA(); r>>8 < 195 || r>>8 > 205 {
		t.Errorf("red is %d", r>>8)
	}
	s.Prompt = strings.Repeat("fox ", 10000)
	if err := EncodeJPEG(&b, make([]byte, 4), 1, 1, s); err == nil || !strings.Contains(err.Error(), "write a PNG") {
		t.Errorf("40 kB of words: %v", err)
	}
}

// The keys of other programs, and UTF-8 where PNG expects Latin-1.
func TestReadOtherProgramsPNG(t *testing.T) {
	chunk := func(kind, data string) []byte { return appendChunk(nil, kind, []byte(data)) }
	const utf8Text = "café 狐\nSteps: 7, Sampler: LCM, CFG scale: 2, Seed: 3, Size: 64x64, RNG: CPU"
	comment := exifBlock(binary.BigEndian, exif.UserComment, 7, append([]byte("UNICODE\x00"), inUTF16(binary.BigEndian, utf8Text)...), true)
	for name, tc := range map[string]struct {
		file   []byte
		prompt string
	}{
		"UTF-8 in tEXt":   {with(t, chunk("tEXt", "parameters\x00"+utf8Text)), "café 狐"},
		"UTF-8 in zTXt":   {with(t, chunk("zTXt", "parameters\x00\x00"+pack(utf8Text))), "café 狐"},
		"EXIF in a PNG":   {with(t, appendChunk(nil, "eXIf", comment)), "café 狐"},
		"ComfyUI":         {with(t, chunk("tEXt", "prompt\x00"+comfyPrompt), chunk("tEXt", "workflow\x00"+comfyWorkflow)), "beautiful scenery, purple galaxy"},
		"a workflow only": {with(t, chunk("tEXt", "workflow\x00"+comfyWorkflow)), "a fox"},
		"InvokeAI":        {with(t, chunk("tEXt", `invokeai_metadata`+"\x00"+`{"positive_prompt": "a cat", "steps": 3}`)), "a cat"},
		"Fooocus":         {with(t, chunk("tEXt", "fooocus_scheme\x00fooocus"), chunk("tEXt", `parameters`+"\x00"+`{"prompt": "a dog", "steps": 30}`)), "a dog"},
	} {
		s, err := Read(tc.file)
		var partial *Partial
		if err != nil && !errors.As(err, &partial) || s.Prompt != tc.prompt {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	// A title with the key "prompt" is not taken for settings.
	if _, err := Read(with(t, chunk("tEXt", "prompt\x00my holiday"))); !errors.Is(err, ErrNoSettings) {
		t.Errorf("%v", err)
	}
	// Latin-1 that looks like UTF-8 comes back as it was.
	s := Default()
	s.Prompt = "Ã©"
	texts, err := readTexts(bytes.NewReader(encode(t, s)))
	if err != nil || !strings.HasPrefix(texts[keyA1111], "Ã©\n") {
		t.Errorf("%q, %v", texts, err)
	}
}

// A picture reveals nothing of the disk that it was made on, and no secret.
func TestPicturesCarryNamesOnly(t *testing.T) {
	s := full()
	s.Model = "https://me:pass@civitai.com/api/download/models/1234?token=s3cret&type=Model#top"
	s.InitImage, s.Mask = "/home/anna/private/start.png", `C:\Users\anna\mask.png`
	first, second := s.IPAdapters()[0], s.IPAdapters()[1]
	first.Weights, first.ImageEncoder = "../anna/plus.safetensors", "/home/anna/encoder/"
	first.Images[0].Picture, first.Mask = `\\server\anna\a.jpg`, "~/anna/left.png"
	second.Weights = "https://hub.example/x/resolve/main/a.safetensors?X-Amz-Signature=s3cret"
	before := first.Images[0].Picture
	var jpg bytes.Buffer
	if err := EncodeJPEG(&jpg, make([]byte, 4), 1, 1, s); err != nil {
		t.Fatal(err)
	}
	for kind, file := range map[string][]byte{"PNG": encode(t, s), "JPEG": jpg.Bytes()} {
		both := string(file) + strings.ReplaceAll(string(file), "\x00", "") // UTF-16, too
		for _, secret := range []string{"anna", "s3cret", "pass", "Users", "server"} {
			if strings.Contains(both, secret) {
				t.Errorf("the %s says %q", kind, secret)
			}
		}
		back, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		a := back.IPAdapters()
		got := []string{back.Model, back.InitImage, back.Mask, a[0].Weights, a[0].ImageEncoder, a[0].Images[0].Picture, a[0].Mask, a[1].Weights}
		want := []string{"https://civitai.com/api/download/models/1234", "start.png", "mask.png", "plus.safetensors", "encoder", "a.jpg", "left.png", "https://hub.example/x/resolve/main/a.safetensors"}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q\nwant %q", kind, got, want)
		}
	}
	if first.Images[0].Picture != before {
		t.Error("writing a picture changed the settings")
	}
}

func TestBackgroundColour(t *testing.T) {
	for text, want := range map[string][3]uint8{"": {255, 255, 255}, "#000000": {}, "ff8000": {255, 128, 0}, "#abc": {0xaa, 0xbb, 0xcc}} {
		if got, err := (Settings{Background: text}).BackgroundColour(); err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"white", "#12", "#12345", "#gggggg", "é"} {
		if _, err := (Settings{Background: text}).BackgroundColour(); err == nil {
			t.Errorf("%q is a colour", text)
		}
	}
}

func TestGeneratorDevice(t *testing.T) {
	for device, want := range map[string]string{"": "RNG: CPU", GeneratorCPU: "RNG: CPU", GeneratorGPU: "RNG: NV"} {
		s := Default()
		s.GeneratorDevice = device
		if text := s.Format(); !strings.Contains(text, want) {
			t.Errorf("%q is written as %s", device, text)
		}
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
	}
	if err := (Settings{GeneratorDevice: "tpu"}).Validate(); err == nil || !strings.Contains(err.Error(), `generator_device is "tpu"`) {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(jpegWith(exif.Comment(foreign)))
	f.Add(webpWith(exifBlock(binary.LittleEndian, exif.UserComment, 7, []byte("UNICODE\x00x"), true)))
	f.Add(with(f, appendChunk(nil, "tEXt", []byte("prompt\x00"+comfyPrompt))))
	f.Add(with(f, appendChunk(nil, "tEXt", []byte("workflow\x00"+comfyWorkflow))))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := Read(file)
		var partial *Partial
		if err != nil && !errors.As(err, &partial) && !reflect.DeepEqual(s, Default()) {
			t.Fatalf("%+v beside %v", s, err)
		}
	})
}
