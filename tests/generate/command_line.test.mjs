// ./build.sh generate, up to the point where it needs a GPU.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";

const root = path.join(import.meta.dirname, "../..");

function generate(...flags) {
  return spawnSync(path.join(root, "build.sh"), ["generate", ...flags], { encoding: "utf8" });
}

// Go on wasm accepts 12 KiB of arguments, and wasm_exec.js throws if there are more.
test("many pictures and a long prompt are passed on completely", (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "imprompt-arguments-"));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  const pictures = Array.from({ length: 161 }, (_, i) => path.join(dir, `a-picture-with-a-long-name-${"x".repeat(100)}-${i}.png`));
  const r = generate("--prompt", "a fox, ".repeat(1300), "--image", ...pictures, "--out", path.join(dir, "o.png"));
  assert.equal(r.status, 1, r.stderr);
  assert.match(r.stderr, /x-0\.png: no such file/i);
  assert.match(r.stderr, /x-160\.png: no such file/i);
  assert.doesNotMatch(r.stderr, /wasm_exec|at .*\.js:\d/);
});

test("what cannot be drawn or written is refused before the GPU is opened", (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "imprompt-output-"));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  const start = path.join(root, "tests/fixtures/generate/start.png");
  for (const [flags, want] of [
    [["--out", path.join(dir, "o.webp")], /written as \.png or \.jpg/],
    [["--out", dir], /is a folder/],
    [["--init-image", start, "--strength", "0", "--out", path.join(dir, "o.png")], /50 steps at strength 0 leave none to run/],
    [["--init-image", start, "--strength", "0.01", "--out", path.join(dir, "o.png")], /50 steps at strength 0\.01 leave none to run/],
    [["--prompt", "x".repeat(70000), "--out", path.join(dir, "o.png")], /at most 64 kB/],
    [["--background", "white", "--out", path.join(dir, "o.png")], /background is "white"/],
    [["--init-image", path.join(root, "tests/fixtures/pictures/rgb.avif"), "--out", path.join(dir, "o.png")], /AVIF.*save it as PNG/],
  ]) {
    const r = generate(...flags);
    assert.equal(r.status, 1, `${flags}: ${r.stderr}`);
    assert.match(r.stderr, want);
    assert.deepEqual(fs.readdirSync(dir), []);
  }
});
