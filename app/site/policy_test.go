//go:build !js

package site

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// Only the worker that downloads models may talk to other servers, according to the headers
// that are served and to those that are written for other hosts.
func TestPolicy(t *testing.T) {
	files := []string{"index.html", "web/app.css", "web/js/boot.js", "web/js/library.js", "web/js/worker.js", "web/icons/icon.svg"}
	rules := map[string]string{}
	var rule string
	for line := range strings.Lines(headersFile(files)) {
		if text, ok := strings.CutPrefix(line, "  Content-Security-Policy: "); ok {
			rules[rule] = strings.TrimSpace(text)
		} else if !strings.HasPrefix(line, " ") {
			rule = strings.TrimSpace(line)
		}
	}
	if _, ok := rules["/*"]; ok {
		t.Error("two policies would meet at library.js")
	}
	handler := Handler(t.TempDir())
	for _, name := range []string{"/", "/index.html", "/service-worker.js", "/web/js/boot.js", "/web/js/library.js", "/web/js/worker.js"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", name, nil))
		served := w.Header().Get("Content-Security-Policy")
		if served != rules[name] {
			t.Errorf("%s is served with %q and _headers says %q", name, served, rules[name])
		}
		if wide := strings.Contains(served, "https:"); wide != (name == "/web/js/library.js") {
			t.Errorf("%s: other servers allowed: %t", name, wide)
		}
		if w.Header().Get("Referrer-Policy") != "no-referrer" || w.Header().Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", name, w.Header())
		}
	}
	if !strings.Contains(rules["/"], "frame-ancestors 'none'") {
		t.Error("other pages may show this one in a frame")
	}
	page, err := os.ReadFile("../../web/index.html")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), `<meta name="referrer" content="no-referrer">`) {
		t.Error("without headers, the page would tell servers its address")
	}
}

// The addresses that a script imports carry the site's version.
func TestAddVersion(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a.js", "import \"./b.js\";\nimport { c } from \"./c.js\";\nconst s = 'import \"./d.js\";';\n")
	if err := addVersion(dir, "42"); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(dir + "/a.js")
	if want := "import \"./b.js?v=42\";\nimport { c } from \"./c.js?v=42\";\nconst s = 'import \"./d.js\";';\n"; string(got) != want {
		t.Errorf("%s", got)
	}
}
