package loader

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, c := range []struct {
		text, date string
		want       time.Duration
	}{
		{"12", "", 12 * time.Second},
		{" 12 ", "", 12 * time.Second},
		{"0", "", 0},
		{"-3", "", 0},
		{"", "", 0},
		{"soon", "", 0},
		{"Wed, 04 Mar 2026 05:06:37 GMT", "", 30 * time.Second},
		{"Wed, 04 Mar 2026 05:06:37 GMT", "Wed, 04 Mar 2026 05:06:30 GMT", 7 * time.Second}, // the visitor's clock is off
		{"Wed, 04 Mar 2026 05:00:00 GMT", "", 0},
	} {
		a := Answer{Status: 429, Headers: map[string]string{"retry-after": c.text, "date": c.date}}
		if got := a.RetryAfter(now); got != c.want {
			t.Errorf("%q, %q: %v, want %v", c.text, c.date, got, c.want)
		}
	}
}

func TestTag(t *testing.T) {
	for _, c := range []struct {
		etag, modified, text string
		strong               bool
	}{
		{`"x"`, "", `"x"`, true},
		{`W/"x"`, "", `"x"`, false},
		{"", "Wed, 04 Mar 2026 05:06:37 GMT", "Wed, 04 Mar 2026 05:06:37 GMT", false},
		{"", "", "", false},
	} {
		if got := (Answer{Headers: map[string]string{"etag": c.etag, "last-modified": c.modified}}).Tag(); got != (Tag{c.text, c.strong}) {
			t.Errorf("%q, %q: %v", c.etag, c.modified, got)
		}
	}
}

func TestLengths(t *testing.T) {
	h := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for _, c := range []struct {
		status        int
		headers       map[string]string
		length, total int64
	}{
		{200, h("content-length", "10"), 10, 10},
		{206, h("content-length", "1", "content-range", "bytes 0-0/10"), 1, 10},
		{206, h("content-length", "1"), 1, -1},
		{206, h("content-range", "bytes 0-0/*"), -1, -1},
		{206, h("content-range", "bytes 5-3/10"), -1, -1},
		{206, h("content-range", "bytes 0-9/5"), -1, -1},
		{206, h("content-range", "bytes 0-0/99999999999999999999"), -1, -1},
		{403, h("content-length", "243"), -1, -1}, // an error page's
		{404, h("content-length", "15"), -1, -1},
		{200, h("content-length", "10", "content-encoding", "gzip"), -1, -1},
		{200, h("content-length", "10", "content-encoding", "identity"), 10, 10},
		{200, h("content-length", "-1"), -1, -1},
	} {
		a := Answer{Status: c.status, Headers: c.headers}
		if a.Length() != c.length || a.Total() != c.total {
			t.Errorf("%d %v: %d, %d; want %d, %d", c.status, c.headers, a.Length(), a.Total(), c.length, c.total)
		}
	}
}

// A part is checked against what was asked for, by the header, or where a page may not
// read it by its length.
func TestCheckPart(t *testing.T) {
	for _, c := range []struct {
		status int
		header string
		length string
		want   string // "", changed or other
	}{
		{206, "bytes 10-19/100", "10", ""},
		{206, "bytes 10-19/*", "10", ""},
		{206, "", "10", ""},
		{206, "", "", ""},
		{206, "bytes 0-9/100", "10", "other"},
		{206, "bytes 0-99/100", "100", "other"},
		{206, "bytes 10-99/100", "90", "other"},
		{206, "", "100", "other"},
		{200, "", "100", "other"},
		{206, "bytes 10-19/90", "10", "changed"},
	} {
		a := Answer{Status: c.status, Headers: map[string]string{"content-range": c.header, "content-length": c.length}}
		err := a.CheckPart("https://x.example/f.safetensors", 10, 20, 100)
		var t0 Transient
		got := ""
		switch {
		case errors.Is(err, ErrChanged):
			got = "changed"
		case errors.As(err, &t0):
			got = "other"
		}
		if got != c.want {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestCheckAnswer(t *testing.T) {
	const weights, settings = "https://hub.example/o/n/resolve/main/model.safetensors", "https://hub.example/o/n/resolve/main/unet/config.json"
	for _, c := range []struct {
		answer        Answer
		address, want string // parts of the error, parted by |
	}{
		{Answer{Status: 206, Headers: map[string]string{"content-encoding": "gzip"}}, weights, "content-encoding: gzip"},
		{Answer{Status: 206, Headers: map[string]string{"content-encoding": "br"}}, weights, "content-encoding: br"},
		{Answer{Status: 403}, weights, "accept the model's licence|download model.safetensors"},
		{Answer{Status: 401}, settings, "sign in|as one .safetensors file"},
		{Answer{Status: 403}, weights + "?X-Amz-Signature=s", "paste a new link"},
		{Answer{Failed: "Failed to fetch"}, settings, "CORS|as one .safetensors file"},
		{Answer{Status: 206, URL: "http://192.168.0.1/x"}, weights, "192.168.0.1|refused"},
		{Answer{Status: 206, URL: "https://[::1]:8080/x"}, weights, "own network"},
		{Answer{Status: 206, URL: "https://router.local/x"}, weights, "own network"},
		{Answer{Status: 206, URL: "http://cdn.example/x"}, weights, "without encryption"},
		{Answer{Status: 206, URL: "https://cdn.example/x"}, weights, ""},
		{Answer{Status: 206, URL: "http://127.0.0.1:2/bytes"}, "http://127.0.0.1:1/x", ""},
	} {
		err := c.answer.Check(c.address)
		if (err == nil) != (c.want == "") {
			t.Errorf("%+v: %v", c.answer, err)
			continue
		}
		for part := range strings.SplitSeq(c.want, "|") {
			if err != nil && !strings.Contains(err.Error(), part) {
				t.Errorf("%+v: %v, want %q", c.answer, err, part)
			}
		}
		if err != nil && strings.Contains(err.Error(), "drop config.json") {
			t.Errorf("of no use: %v", err)
		}
	}
}

func TestPrivate(t *testing.T) {
	for _, host := range []string{"localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "[::1]", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "nas", "nas.local", "x.internal", "router.lan.", "printer.home.arpa"} {
		if !private(host) {
			t.Errorf("%s is taken for public", host)
		}
	}
	for _, host := range []string{"huggingface.co", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "cdn-lfs.hf.co"} {
		if private(host) {
			t.Errorf("%s is taken for private", host)
		}
	}
}

// What came in place of weights is named, and nothing that may be weights is taken for it.
func TestNoModel(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"<!DOCTYPE html><html>", "is a web page"},
		{"\n\n  <!doctype html>", "is a web page"},
		{"\ufeff<html lang=en>", "is a web page"},
		{"\ufeff \r\n<HTML>", "is a web page"},
		{"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "is an answer in XML"},
		{`{"error":"Repository not found"}`, `JSON, not weights ("Repository not found")`},
		{" \n{\"message\": \"no\"}", `JSON, not weights ("no")`},
		{`[]`, "JSON"},
		{"Entry not found", `is a text, not weights ("Entry not found")`},
		{"Invalid username or password.", "is a text"},
		{"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "Git LFS pointer"},
		{"\ufeffversion https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"},
		{"404: Not Found é", "is a text"},
		{"GGUF\x03\x00\x00\x00", "GGUF"},
		{"\x90\x01\x00\x00\x00\x00\x00\x00{\"a\":", ""},
		{"{\x01\x00\x00\x00\x00\x00\x00{\"a\":", ""},
		{"  \x01\x00\x00\x00\x00\x00{\"a\":", ""},
	} {
		err := CheckFile("m.safetensors", []byte(c.text))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
	for _, c := range []struct{ name, text, want string }{
		{"unet/config.json", "{}", ""},
		{"unet/config.json", "\ufeff {}", ""},
		{"unet/config.json", "<html>", "is a web page"},
		{"unet/config.json", "Entry not found", `is not JSON ("Entry not found")`},
		{"unet/config.json", "version https://git-lfs.github.com/spec/v1", "Git LFS pointer"},
		{"tokenizer/merges.txt", "#version: 0.2\na b", ""},
		{"tokenizer/merges.txt", "<html", "is a web page"},
		{"tokenizer/merges.txt", "< b", ""},
	} {
		err := CheckSettings(c.name, []byte(c.text))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %v, want %q", c.name, c.text, err, c.want)
		}
	}
}

func TestPointer(t *testing.T) {
	sum := strings.Repeat("0a", 32)
	if got, size, ok := ParsePointer([]byte("version https://git-lfs.github.com/spec/v1\noid sha256:" + sum + "\nsize 123\n")); got != sum || size != 123 || !ok {
		t.Error(got, size, ok)
	}
	for _, bad := range []string{"", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "{}"} {
		if _, _, ok := ParsePointer([]byte(bad)); ok {
			t.Errorf("%q is a pointer", bad)
		}
	}
	for _, c := range [][3]string{
		{"https://h/o/n/resolve/main/unet/a%20b.safetensors?x=1", "https://h/api/models/o/n/tree/main/unet", "unet/a b.safetensors"},
		{"http://127.0.0.1:8/mirror/o/n/resolve/v1/x.safetensors", "http://127.0.0.1:8/mirror/api/models/o/n/tree/v1", "x.safetensors"},
		{"https://h/n/resolve/main/x", "", ""},
		{"https://h/o/n/x.safetensors", "", ""},
	} {
		if list, path, ok := TreeURL(c[0]); list != c[1] || path != c[2] || ok != (c[1] != "") {
			t.Errorf("%s: %q, %q, %v", c[0], list, path, ok)
		}
	}
	tree := []byte(`[{"type":"directory","path":"unet"},{"type":"file","path":"a","size":3,"oid":"1"},{"type":"file","path":"b","size":9,"oid":"2","lfs":{"oid":"` + sum + `","size":9,"pointerSize":134}}]`)
	for path, want := range map[string]string{"a": "", "b": sum, "c": ""} {
		if got, size := ParseTree(tree, path); got != want || want != "" && size != 9 {
			t.Errorf("%s: %q, %d", path, got, size)
		}
	}
	if got, _ := ParseTree([]byte("<html>"), "b"); got != "" {
		t.Errorf("a web page tells %q", got)
	}
	if got, ok := PointerURL("https://h/o/n/resolve/main/a/resolve/x?token=1"); got != "https://h/o/n/raw/main/a/resolve/x" || !ok {
		t.Error(got, ok)
	}
}
