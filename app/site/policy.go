//go:build !js

package site

import (
	"fmt"
	"path"
	"strings"
)

// pagePolicy is the Content-Security-Policy of the page and of everything that it starts,
// except for the worker that downloads models. It allows the page's own origin and nothing
// else. The engine's worker is started from a blob (web/js/workers.js), so it inherits this
// policy from the page even if a host sends no headers.
const pagePolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self' blob:; " +
	"img-src 'self' blob: data:; style-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'"

// headerPolicy adds the directive that browsers accept only in a header.
const headerPolicy = pagePolicy + "; frame-ancestors 'none'"

// libraryPolicy is for the worker that downloads models. A visitor may choose any server, so
// the policy cannot name it. It allows all of https, and this machine, which may run a
// mirror. web/js/guard.js narrows that to the servers that the visitor chose.
const libraryPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' blob: https: http://127.0.0.1:* http://localhost:*"

// libraryScript is the one file that is served with libraryPolicy.
const libraryScript = "/web/js/library.js"

// policy is the Content-Security-Policy that the file at a path is served with.
func policy(name string) string {
	if name == libraryScript {
		return libraryPolicy
	}
	return headerPolicy
}

// common holds the headers of every file.
var common = [][2]string{
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
}

// headersFile returns the _headers file that some hosts of static sites read. A path that
// matches two rules gets the headers of both, and two policies allow only what both of them
// allow. So the rule for all paths has no policy. The page and the scripts, for which a
// policy matters, have one rule each.
func headersFile(files []string) string {
	var b strings.Builder
	rule := func(name string, headers ...[2]string) {
		fmt.Fprintln(&b, name)
		for _, h := range headers {
			fmt.Fprintf(&b, "  %s: %s\n", h[0], h[1])
		}
	}
	csp := func(name string) [2]string { return [2]string{"Content-Security-Policy", policy(name)} }
	rule("/", csp("/"))
	rule("/service-worker.js", csp("/service-worker.js"), [2]string{"Cache-Control", "no-cache"})
	for _, name := range files {
		switch path.Ext(name) {
		case ".html", ".js", ".svg":
			rule("/"+name, csp("/"+name))
		}
	}
	rule("/*", common...)
	return b.String()
}
