//go:build !js

package site

import (
	"fmt"
	"mime"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Serve serves a built site on this machine until it is interrupted.
func Serve(dir string, port int) error {
	fmt.Printf("Imprompt is at http://127.0.0.1:%d/\n", port)
	return http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", port), Handler(dir))
}

// Handler serves a built site with the headers of its _headers file, and sends compressed files
// to browsers that accept them.
func Handler(dir string) http.Handler {
	_ = mime.AddExtensionType(".wasm", "application/wasm")
	_ = mime.AddExtensionType(".webmanifest", "application/manifest+json")
	_ = mime.AddExtensionType(".md", "text/plain; charset=utf-8")
	files := http.FileServer(http.Dir(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Clean("/" + r.URL.Path)
		w.Header().Set("Content-Security-Policy", policy(name))
		for _, h := range common {
			w.Header().Set(h[0], h[1])
		}
		w.Header().Set("Cache-Control", "no-cache")
		if strings.HasSuffix(r.URL.Path, "/") {
			name = path.Join(name, "index.html")
		}
		zipped := filepath.Join(dir, filepath.FromSlash(name)) + ".gz"
		if _, err := os.Stat(zipped); err == nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && r.Header.Get("Range") == "" {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
			w.Header().Add("Vary", "Accept-Encoding")
			http.ServeFile(w, r, zipped)
			return
		}
		files.ServeHTTP(w, r)
	})
}
