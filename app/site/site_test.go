//go:build !js

package site

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A change to any file makes a new version. The service worker stores everything that the
// page needs, but not the screenshots, which only an app store shows.
func TestInventory(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]string{}
	for _, change := range [][2]string{{"index.html", "a"}, {"web/app.css", "b"}, {"web/app.css", "c"}, {"service-worker.js", "d"}, {"web/screenshots/desktop.webp", "e"}, {"web/model/unet", "f"}} {
		write(change[0], change[1])
		files, version, err := inventory(dir)
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := seen[version]; ok {
			t.Errorf("%v: the version is that of %s", change, before)
		}
		seen[version] = change[0]
		kept := change[0] != "service-worker.js" && change[0] != "web/screenshots/desktop.webp"
		if slices.Contains(files, change[0]) != kept {
			t.Errorf("%s: kept for use without a network is %t, want %t", change[0], !kept, kept)
		}
	}
}
