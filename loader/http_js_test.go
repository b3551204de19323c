//go:build js && wasm

package loader

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"syscall/js"
	"testing"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// A file of a server is read in ranges; a cut connection and a busy server are tried
// again, and what cannot work is said.
func TestWeb(t *testing.T) {
	data := []byte(strings.Repeat("0123456789abcdef", 1000))
	faults := js.Global().Get("Object").New()
	serve := js.Global().Get("Function").New("http", "data", "faults", `
		return new Promise((ready) => {
			const server = http.createServer((q, r) => {
				if (!q.url.startsWith("/m/a.bin")) { r.writeHead(q.url === "/m/closed" ? 403 : 404); return r.end(); }
				if (faults.busy-- > 0) { r.writeHead(503); return r.end(); }
				if (faults.redirect) { r.writeHead(302, { location: faults.redirect }); return r.end(); }
				const m = /bytes=(\d+)-(\d+)/.exec(q.headers.range);
				if (faults.noRange) { r.writeHead(200); return r.end(data); }
				const part = data.subarray(+m[1], +m[2] + 1);
				r.writeHead(206, { etag: faults.etag ?? "1", "content-length": part.length, "content-range": "bytes " + (m[1] - (faults.shift ?? 0)) + "-" + (m[2] - (faults.shift ?? 0)) + "/" + data.length, ...(faults.encoding ? { "content-encoding": faults.encoding } : {}) });
				if (faults.cut-- > 0) { r.write(part.subarray(0, 5), () => r.destroy()); return; }
				r.end(part);
			}).listen(0, "127.0.0.1", () => ready(server));
		});`)
	http := js.Global().Get("require").Invoke("node:http")
	ctx := context.Background()
	server, err := webapi.Await(ctx, serve.Invoke(http, webapi.BytesOf(data), faults))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { server.Call("closeAllConnections"); server.Call("close") }()
	base := "http://127.0.0.1:" + js.Global().Get("String").Invoke(server.Call("address").Get("port")).String() + "/m"
	f, err := Web(base).Open(ctx, "a.bin")
	if err != nil || f.Size() != int64(len(data)) {
		t.Fatal(f, err)
	}
	check := func() {
		t.Helper()
		b, err := f.ReadRange(ctx, 1001, 5000)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(webapi.GoBytes(b), data[1001:6001]) {
			t.Error("other bytes came")
		}
	}
	check()
	faults.Set("cut", 2)
	check()
	faults.Set("busy", 2)
	check()
	if _, err := f.ReadRange(ctx, 10, int64(len(data))); err == nil {
		t.Error("a read beyond the end succeeded")
	}
	faults.Set("etag", "W/1")
	check() // the same file
	faults.Set("shift", 1)
	if _, err := f.ReadRange(ctx, 100, 10); err == nil || !strings.Contains(err.Error(), "another part") {
		t.Errorf("another part: %v", err)
	}
	faults.Set("shift", 0)
	faults.Set("etag", "2")
	if _, err := f.ReadRange(ctx, 0, 10); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("a changed file: %v", err)
	}
	if _, err := Web(base).Open(ctx, "none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Web(base).Open(ctx, "closed"); err == nil || !strings.Contains(err.Error(), "licence") {
		t.Errorf("a closed file: %v", err)
	}
	faults.Set("redirect", "/m/a.bin?x")
	if _, err := Web(base).Open(ctx, "a.bin"); err == nil {
		t.Error("a redirect in circles is followed for ever")
	}
	faults.Set("redirect", "")
	faults.Set("noRange", true)
	if _, err := Web(base).Open(ctx, "a.bin"); err == nil || !strings.Contains(err.Error(), "does not send parts") {
		t.Errorf("a server without ranges: %v", err)
	}
}
