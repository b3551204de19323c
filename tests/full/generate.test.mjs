// The command line with a model of the true size (random weights, weights.py) in each form
// that --model takes: a folder in diffusers' layout, a single file in the original one, and
// that file at an address. All three draw one picture. ./build.sh test --full full
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { startCDN } from "../cdn/server.mjs";

const root = path.join(import.meta.dirname, "../..");
const weights = path.join(root, ".build/full");
const file = path.join(weights, "sd15.safetensors");

let dir, cdn;
before(async () => {
  assert.ok(fs.existsSync(file), "there is no sd15.safetensors: tests/full/weights.py makes it");
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "imprompt-full-"));
  cdn = await startCDN();
  cdn.addFile("/sd15.safetensors", file);
});
after(() => {
  cdn?.close();
  if (dir) fs.rmSync(dir, { recursive: true });
});

// Small, because what is compared is what was loaded.
async function draw(model, name) {
  const out = path.join(dir, `${name}.png`);
  const picture = path.join(root, "tests/heldout", fs.readdirSync(path.join(root, "tests/heldout")).find((f) => f.endsWith(".webp")));
  const adapter = path.join(weights, "ip-adapter");
  const child = spawn(path.join(root, "build.sh"), ["generate", "--model", model, "--prompt", "a cat", "--height", "64", "--width", "64", "--seed", "3",
    "--ip-adapter", path.join(adapter, "ip-adapter_sd15.safetensors"), "--image-encoder", adapter, "--image", picture,
    "--scheduler", "ddim", "--num-inference-steps", "2", "--no-f16", "--stats", "--out", out]);
  let stdout = "", stderr = "";
  child.stdout.on("data", (b) => (stdout += b));
  child.stderr.on("data", (b) => (stderr += b));
  assert.equal(await new Promise((done) => child.on("close", done)), 0, stderr);
  const stats = JSON.parse(stdout.slice(stdout.indexOf("{")));
  return { png: fs.readFileSync(out), heap: Math.round(stats.go_heap_bytes / (1 << 20)) };
}

let folder;
test("a folder", async (t) => {
  folder = await draw(path.join(weights, "sd15"), "folder");
  t.diagnostic(`Go's heap ${folder.heap} MiB`);
});

for (const [name, model] of [["a single file", () => file], ["its address", () => `${cdn.url}/sd15.safetensors`]]) {
  test(name, async (t) => {
    const got = await draw(model(), "file");
    t.diagnostic(`Go's heap ${got.heap} MiB`);
    assert.ok(got.heap < 64, `Go's heap took ${got.heap} MiB`);
    assert.ok(pixels(got.png).equals(pixels(folder.png)), "the picture is another than the folder's");
  });
}

// A PNG's image data, without the chunks that name the model.
function pixels(png) {
  const parts = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  return Buffer.concat(parts);
}
