package store

import "testing"

// A visitor's file takes no name that something else goes by.
func TestFileID(t *testing.T) {
	ships := func(name string) bool { return name == "ip-adapter.safetensors" }
	for name, want := range map[string]string{
		"mine.safetensors":       "mine.safetensors",
		"Mine.SAFETENSORS":       "Mine.SAFETENSORS",
		"ip-adapter.safetensors": "file:ip-adapter.safetensors",
		"old.ckpt":               "old.ckpt",
		"sd15":                   "file:sd15",
	} {
		if got := fileID(name, ships); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
