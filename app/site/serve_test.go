//go:build !js

package site

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// The service worker stores the page as its folder, which therefore must answer without
// a redirect, compressed or not.
func TestHandler(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"index.html": "plain", "index.html.gz": "zipped", "model.bin": "0123456789"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		path, encoding, bytes string
		status                int
		body                  string
	}{
		{"/", "", "", 200, "plain"},
		{"/", "gzip, br", "", 200, "zipped"},
		{"/model.bin", "gzip", "", 200, "0123456789"},
		{"/model.bin", "gzip", "bytes=2-4", 206, "234"},
		{"/missing", "gzip", "", 404, "404 page not found\n"},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		r.Header.Set("Accept-Encoding", c.encoding)
		if c.bytes != "" {
			r.Header.Set("Range", c.bytes)
		}
		w := httptest.NewRecorder()
		Handler(dir).ServeHTTP(w, r)
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s, Accept-Encoding %q, Range %q: %d %q, want %d %q", c.path, c.encoding, c.bytes, w.Code, w.Body, c.status, c.body)
		}
		if got := w.Header().Get("Content-Encoding"); (got == "gzip") != (c.body == "zipped") {
			t.Errorf("%s, Accept-Encoding %q: Content-Encoding %q for %q", c.path, c.encoding, got, c.body)
		}
		if w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s: no Content-Security-Policy", c.path)
		}
	}
}
