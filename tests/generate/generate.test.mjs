// ./build.sh generate, from a prompt and picture files to latents, compared with what diffusers
// makes from the same files (tests/reference/generate.py).
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";

import { safetensors } from "../cdn/model.mjs";
import { torchFile } from "../cdn/torch_file.mjs";

const root = path.join(import.meta.dirname, "../..");
const fixture = path.join(root, "tests/fixtures/generate"); // a small model and its pictures

// The cases of a folder of tests/fixtures, each with the folder that its flags' @ stands for.
function cases(name) {
  const folder = path.join(root, "tests/fixtures", name);
  return Object.entries(JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`)))).map(([key, c]) => [key, { ...c, folder }]);
}

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

for (const [name, c] of [...cases("generate"), ...cases("shipped")]) {
  for (const f16 of [false, true]) {
    test(`${name}, ${f16 ? "f16" : "f32"}`, (t) => {
      const dir = fs.mkdtempSync(path.join(os.tmpdir(), "imprompt-generate-"));
      t.after(() => fs.rmSync(dir, { recursive: true }));
      const latents = path.join(dir, "latents.npy"), picture = path.join(dir, "picture.png");
      const flags = c.flags.map((f) => (f.startsWith("@") ? path.join(c.folder, f.slice(1)) : f));
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

// readSafetensors lists a file's tensors as { name, dtype, shape, bytes }.
function readSafetensors(file) {
  const b = fs.readFileSync(file), end = 8 + Number(b.readBigUInt64LE());
  const { __metadata__, ...header } = JSON.parse(b.toString("utf8", 8, end));
  return Object.entries(header).map(([name, { dtype, shape, data_offsets: [from, to] }]) => ({ name, dtype, shape, bytes: b.subarray(end + from, end + to) }));
}

// structureAdapter is a T2I-Adapter for the small model, by diffusers' names.
function structureAdapter() {
  let x = 1;
  const tensor = (name, ...shape) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b));
    for (let i = 0; i < values.length; i++) {
      x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
      values[i] = (x / 2 ** 31 - 1) / Math.sqrt(shape.slice(1).reduce((a, b) => a * b, 1));
    }
    return { name, dtype: "F32", shape, bytes: Buffer.from(values.buffer) };
  };
  const list = [];
  for (const [name, ...shape] of [["conv_in", 12, 192, 3, 3], ["body.0.resnets.0.block1", 12, 12, 3, 3], ["body.0.resnets.0.block2", 12, 12, 1, 1],
    ["body.1.in_conv", 24, 12, 1, 1], ["body.1.resnets.0.block1", 24, 24, 3, 3], ["body.1.resnets.0.block2", 24, 24, 1, 1]]) {
    list.push(tensor(`adapter.${name}.weight`, ...shape), tensor(`adapter.${name}.bias`, shape[0]));
  }
  return list;
}

test("an IP-Adapter and a T2I-Adapter that torch wrote give the same latents as their safetensors, to the bit", (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "imprompt-torch-"));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  const image = readSafetensors(path.join(fixture, "model/ip-adapter-global.safetensors")), structure = structureAdapter();
  const nested = {};
  for (const { name, ...tensor } of image) {
    const [, part, rest] = /^(image_proj|ip_adapter)\.(.*)$/.exec(name);
    (nested[part] ??= {})[rest] = tensor;
  }
  fs.writeFileSync(path.join(dir, "image.safetensors"), safetensors(image));
  fs.writeFileSync(path.join(dir, "image.bin"), torchFile(nested));
  fs.writeFileSync(path.join(dir, "structure.safetensors"), safetensors(structure));
  fs.writeFileSync(path.join(dir, "structure.pth"), torchFile(Object.fromEntries(structure.map((x) => [x.name, x]))));
  const draw = (imageFile, ...flags) => {
    const latents = path.join(dir, "latents.npy");
    const r = spawnSync(path.join(root, "build.sh"), ["generate", "--model", path.join(fixture, "model"), "--prompt", "a fox", "--seed", "1", "--num-inference-steps", "1",
      "--height", "64", "--width", "64", "--ip-adapter", path.join(dir, imageFile), "--image-encoder", path.join(fixture, "model/image_encoder"), "--image", path.join(fixture, "wide.png"),
      ...flags, "--dump-latents", latents, "--out", path.join(dir, "picture.png")], { encoding: "utf8" });
    assert.equal(r.status, 0, r.stderr);
    return fs.readFileSync(latents);
  };
  const mapped = (file) => ["--t2i-adapter", path.join(dir, file), "--control-image", path.join(fixture, "start.png")];
  const want = draw("image.safetensors", ...mapped("structure.safetensors"));
  assert.ok(draw("image.bin", ...mapped("structure.pth")).equals(want), "the latents differ");
  assert.ok(!draw("image.bin").equals(want), "the T2I-Adapter changes nothing");
});
