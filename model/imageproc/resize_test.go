package imageproc

import (
	"bytes"
	"runtime"
	"testing"
)

func TestAPartOfAResizeIsThatPartOfTheWhole(t *testing.T) {
	for filter := Nearest; filter <= Hamming; filter++ {
		for _, size := range [][4]int{{64, 48, 32, 24}, {37, 23, 64, 64}, {3, 90, 40, 1200}, {90, 3, 1200, 40}, {300, 200, 8, 150}, {19, 76, 19, 53}, {46, 46, 31, 46}} {
			m := pattern(size[0], size[1], 3, true)
			w, h := size[2], size[3]
			whole := m.Resize(w, h, filter)
			for _, part := range []box{{0, 0, w, h}, {w / 3, h / 2, w - w/3, 1}, {w - 1, h - 1, 1, 1}, {w / 4, h / 4, w / 2, h / 2}, {0, h / 3, w, h / 3}} {
				got, want := m.resizePart(w, h, filter, part), whole.cut(part.x, part.y, part.width, part.height)
				if got.Width != want.Width || got.Height != want.Height || !bytes.Equal(got.Pix, want.Pix) {
					t.Errorf("filter %d, %v, part %v: other pixels than in the whole", filter, size, part)
				}
			}
		}
	}
}

// A long strip is resized to millions of rows, of which the crop keeps 224.
func TestPreprocessOfAStripCostsWhatItKeeps(t *testing.T) {
	p, err := NewCLIPImageProcessor(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range [][2]int{{1, 20000}, {20000, 1}, {3, 50000}} {
		m := pattern(size[0], size[1], 3, true)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		values, h, w := p.Preprocess(m)
		runtime.ReadMemStats(&after)
		if h != 224 || w != 224 || len(values) != 3*224*224 {
			t.Errorf("%v gives %d × %d", size, h, w)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
			t.Errorf("%v takes %d MiB", size, used>>20)
		}
	}
}

func TestOutputSize(t *testing.T) {
	for _, config := range []string{`{}`, `{"do_center_crop": false, "size": 20}`, `{"do_center_crop": false, "do_resize": false}`, `{"crop_size": 30, "size": {"height": 9, "width": 12}}`} {
		p, err := NewCLIPImageProcessor([]byte(config))
		if err != nil {
			t.Fatal(err)
		}
		m := pattern(31, 47, 3, true)
		_, h, w := p.Preprocess(m)
		if oh, ow := p.OutputSize(m.Width, m.Height); oh != h || ow != w {
			t.Errorf("%s: OutputSize is %d × %d, and the result has %d × %d", config, oh, ow, h, w)
		}
	}
}
