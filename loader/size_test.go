package loader

import "testing"

func TestFormatBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 kB", 499_999: "500 kB", 1_000_000: "1.0 MB", 44_642_768: "44.6 MB", 134_217_728: "134 MB",
		2_134_193_995: "2.13 GB", 64_000_000_000: "64.0 GB",
	} {
		if got := FormatBytes(n); got != want {
			t.Errorf("%d bytes are written %q, want %q", n, got, want)
		}
	}
}
