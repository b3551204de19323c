//go:build !js

package site

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/imprompt/imprompt/model/imageproc/pose"
)

// Build writes the site into a folder, replacing what was there.
func Build(out string) error {
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(out, "web"), os.DirFS("web")); err != nil {
		return err
	}
	for _, name := range []string{"README.md", "ships.go", "ships_test.go", "languages/README.md", "languages/en.json"} { // for readers, Go and translators
		if err := os.Remove(filepath.Join(out, "web", name)); err != nil {
			return err
		}
	}
	// These go to the top, where their scope is the whole site.
	for _, name := range []string{"index.html", "manifest.webmanifest", "service-worker.js"} {
		if err := os.Rename(filepath.Join(out, "web", name), filepath.Join(out, name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"js/node.js", "js/package.json"} {
		if err := os.Remove(filepath.Join(out, "web", name)); err != nil {
			return err
		}
	}
	if err := copyPose(filepath.Join(out, "web", "pose")); err != nil {
		return err
	}
	for _, program := range programs {
		if err := compile(program, filepath.Join(out, "web")); err != nil {
			return err
		}
	}
	if err := compileCheck(filepath.Join(out, "web", "check.wasm")); err != nil {
		return err
	}
	if err := copyWasmExec(filepath.Join(out, "web", "js", "wasm_exec.js")); err != nil {
		return err
	}
	texts, err := licences()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "web", "licences.txt"), texts, 0o644); err != nil {
		return err
	}
	if err := fillIn(out); err != nil {
		return err
	}
	return compress(out)
}

// human is the npm package that MoveNet comes from, which finds poses.
const human = "tests/node_modules/@vladmandic/human"

// copyPose copies MoveNet's files into the site.
func copyPose(to string) error {
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	for _, name := range []string{pose.Graph, pose.Weights} {
		b, err := os.ReadFile(filepath.Join(human, "models", name))
		if err != nil {
			return fmt.Errorf("%w: it is part of the npm packages, which ./build.sh setup installs", err)
		}
		if err := os.WriteFile(filepath.Join(to, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// programs are the packages that the site's WebAssembly is compiled from. The page and its workers have one each, because
// what a visitor waits for is the page, and it needs neither the engine nor its shaders.
var programs = []struct{ name, source string }{
	{"app.wasm", "./app/cmd/page"},
	{"worker.wasm", "./app/cmd/worker"},
}

// inlined are the packages whose functions the compiler inlines in the programs, which are a tenth smaller to download
// without the copies. These go through pixels, numbers and long texts, or are Go's own runtime. All others draw the
// page, read headers, keep records, or record what a GPU does, so a call costs nothing there.
var inlined = []string{
	"runtime",
	"internal/bytealg",
	"internal/runtime/...",
	"bufio",
	"bytes",
	"compress/...",
	"crypto/internal/fips140/sha256",
	"encoding/binary",
	"hash/...",
	"image/...",
	"golang.org/x/image/...",
	"math/...",
	"strings",
	"unicode/utf8",
	"github.com/imprompt/imprompt/model/imageproc/...",
	"github.com/imprompt/imprompt/model/npy",
	"github.com/imprompt/imprompt/model/random",
	"github.com/imprompt/imprompt/model/tokenizer/...",
}

func compile(program struct{ name, source string }, dir string) error {
	modfile, err := browserModule()
	if err != nil {
		return err
	}
	overlay, err := withoutComments()
	if err != nil {
		return err
	}
	args := []string{"build", "-modfile", modfile, "-overlay", overlay, "-trimpath", "-ldflags=-s -w", "-gcflags=all=-l", "-o", filepath.Join(dir, program.name)}
	for _, packages := range inlined {
		args = append(args, "-gcflags="+packages+"=") // the last pattern that fits a package counts
	}
	cmd := exec.Command("go", append(args, program.source)...)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", program.source, err, text)
	}
	return nil
}

// compileCheck compiles the unit tests of package gpu, with which the page checks the visitor's GPU. They are a program
// of their own, of 1.8 MB compressed, so that the page itself need not have their cases and references.
func compileCheck(to string) error {
	cmd := exec.Command("go", "test", "-c", "-trimpath", "-ldflags=-s -w", "-o", to, "./gpu")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the check of the GPU: %w\n%s", err, text)
	}
	return nil
}

func copyWasmExec(to string) error {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("asking for Go's folder: %w", err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}

// fillIn inserts what is known only after compiling: the sizes of the program and the site, the policy,
// the site's version, and the hashes of its files.
func fillIn(out string) error {
	info, err := os.Stat(filepath.Join(out, "web", "app.wasm"))
	if err != nil {
		return err
	}
	files, version, err := inventory(out)
	if err != nil {
		return err
	}
	bytes := int64(0) // of all that the service worker stores at once
	for _, name := range files {
		if notAtOnce(name) {
			continue
		}
		f, err := os.Stat(filepath.Join(out, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		bytes += f.Size()
	}
	if err := replace(filepath.Join(out, "index.html"), "{{WASM_BYTES}}", fmt.Sprint(info.Size()), "{{SITE_BYTES}}", fmt.Sprint(bytes), "{{CSP}}", pagePolicy, "{{VERSION}}", version); err != nil {
		return err
	}
	if err := addVersion(filepath.Join(out, "web", "js"), version); err != nil {
		return err
	}
	now, later := map[string]string{}, map[string]string{}
	for _, name := range files {
		b, err := os.ReadFile(filepath.Join(out, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		hashes := now
		if notAtOnce(name) {
			hashes = later
		}
		hashes[name] = "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	}
	nowList, err1 := json.Marshal(now)
	laterList, err2 := json.Marshal(later)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if err := replace(filepath.Join(out, "service-worker.js"), "{{VERSION}}", version, "{{FILES}}", string(nowList), "{{LATER}}", string(laterList)); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "_headers"), []byte(headersFile(files)), 0o644)
}

// notAtOnce says of a file that the service worker stores it only when it is first asked for: the ControlNet of the
// model that ships, the network that finds poses, and the check of the GPU.
func notAtOnce(name string) bool {
	return strings.HasPrefix(name, "web/model/controlnet/") || strings.HasPrefix(name, "web/pose/") || name == "web/check.wasm"
}

// importOf finds the modules that a module of the site imports.
var importOf = regexp.MustCompile(`(?m)^(import (?:.* from )?"\./[\w.-]+\.js)";`)

// addVersion adds the site's version to the address of every module that a script imports,
// so that a page that is still open after an update gets the files of its own version.
// service-worker.js keeps both versions.
func addVersion(dir, version string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.js"))
	if err != nil {
		return err
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, importOf.ReplaceAll(b, []byte("${1}?v="+version+`";`)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func replace(name string, pairs ...string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return os.WriteFile(name, []byte(strings.NewReplacer(pairs...).Replace(string(b))), 0o644)
}

// inventory lists the files that the service worker stores, and hashes all files into a version.
func inventory(out string) (files []string, version string, err error) {
	h := sha256.New()
	err = filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(out, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		fmt.Fprintf(h, "%s %d\n", name, len(b))
		h.Write(b)
		if name != "service-worker.js" && !strings.HasPrefix(name, "web/screenshots/") {
			files = append(files, name)
		}
		return nil
	})
	sort.Strings(files)
	return files, hex.EncodeToString(h.Sum(nil))[:16], err
}

// compressed lists the extensions of files that compression makes smaller. Weights and
// pictures are not among them.
var compressed = []string{".wasm", ".js", ".css", ".html", ".json", ".txt", ".svg", ".webmanifest"}

// compress writes a .gz beside every file that it makes smaller, for servers that look for one
// (nginx with gzip_static, and Serve).
func compress(out string) error {
	return filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !hasEnding(path, compressed) {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var z bytes.Buffer
		w, err := gzip.NewWriterLevel(&z, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		if z.Len() >= len(b) {
			return nil
		}
		return os.WriteFile(path+".gz", z.Bytes(), 0o644)
	})
}

func hasEnding(path string, endings []string) bool {
	for _, e := range endings {
		if strings.HasSuffix(path, e) {
			return true
		}
	}
	return false
}
