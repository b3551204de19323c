// ./build.sh generate, from a prompt and picture files to latents, compared with what diffusers
// makes from the same files (tests/reference/generate.py).
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";

const root = path.join(import.meta.dirname, "../..");
const fixture = path.join(root, "tests/fixtures/generate");
const cases = JSON.parse(fs.readFileSync(path.join(fixture, "generate.json")));

// NumPy's format, version 1: magic, version, the header's length, a Python literal, numbers.
function readNpy(file) {
  const b = fs.readFileSync(file);
  assert.equal(b.toString("latin1", 0, 6), "\x93NUMPY");
  const end = 10 + b.readUInt16LE(8);
  const header = b.toString("latin1", 10, end);
  assert.match(header, /'descr': '<f4', 'fortran_order': False/);
  const shape = /\(([^)]*)\)/.exec(header)[1].split(",").filter((s) => s.trim()).map(Number);
  return { shape, values: new Float32Array(b.buffer.slice(b.byteOffset + end, b.byteOffset + b.length)) };
}

function relativeError(got, want) {
  let d = 0, n = 0;
  for (let i = 0; i < want.length; i++) { d += (got[i] - want[i]) ** 2; n += want[i] ** 2; }
  return Math.sqrt(d / n);
}

for (const [name, c] of Object.entries(cases)) {
  for (const f16 of [false, true]) {
    test(`${name}, ${f16 ? "f16" : "f32"}`, (t) => {
      const dir = fs.mkdtempSync(path.join(os.tmpdir(), "imprompt-generate-"));
      t.after(() => fs.rmSync(dir, { recursive: true }));
      const latents = path.join(dir, "latents.npy"), picture = path.join(dir, "picture.png");
      const flags = c.flags.map((f) => (f.startsWith("@") ? path.join(fixture, f.slice(1)) : f));
      const r = spawnSync(path.join(root, "build.sh"), ["generate", ...flags, ...(f16 ? [] : ["--no-f16"]), "--stats", "--dump-latents", latents, "--out", picture],
        { encoding: "utf8" });
      assert.equal(r.status, 0, r.stderr);
      assert.equal(JSON.parse(r.stdout.slice(r.stdout.indexOf("{"))).shader_f16, f16, "shader-f16: install Mesa 25's lavapipe (./build.sh setup)");
      const got = readNpy(latents);
      assert.deepEqual(got.shape, c.shape);
      const error = relativeError(got.values, c.latents);
      // The engine's tolerances: 1e-3 in float32, and in float16 twice what diffusers' own
      // float16 run is off by.
      const limit = f16 ? 2 * c.f16_error : 1e-3;
      t.diagnostic(`relative error ${error.toExponential(1)}, at most ${limit.toExponential(1)}`);
      assert.ok(error <= limit, `the latents are off by ${error}, at most ${limit} allowed`);
      const png = fs.readFileSync(picture);
      assert.equal(png.toString("latin1", 1, 4), "PNG");
      assert.deepEqual([png.readUInt32BE(20), png.readUInt32BE(16)], [8 * c.shape[2], 8 * c.shape[3]]);
    });
  }
}
