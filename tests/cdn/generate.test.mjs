// ./build.sh generate --model with the same small model in every form that it accepts: a
// folder, a single file, the address of a folder, and the address of a file.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { slow } from "../e2e/hands.mjs";
import { smallModel, writeFolder } from "./model.mjs";
import { torchFile } from "./torch_file.mjs";
import { startCDN } from "./server.mjs";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "imprompt-generate-"));
let cdn, first;

before(async () => {
  cdn = await startCDN();
  const { folder, single, tensors } = smallModel();
  writeFolder(path.join(dir, "folder"), smallModel({ shards: true }).folder);
  fs.writeFileSync(path.join(dir, "single.safetensors"), single);
  for (const [name, bytes] of Object.entries(folder)) cdn.add("/repo/" + name, bytes);
  cdn.add("/single.ckpt", torchFile({ epoch: 3, state_dict: Object.fromEntries(tensors.map((t) => [t.name, t])) }));
  cdn.add("/system.ckpt", fs.readFileSync(path.join(root, "tests/fixtures/pickles/system.ckpt")));
});
after(() => {
  cdn?.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

// generate draws a picture and returns its latents, because the PNG names its model. It must
// not block this process, which is also the CDN.
function generate(model) {
  const latents = path.join(dir, "latents.npy");
  return new Promise((resolve, reject) => {
    execFile("./build.sh", ["generate", "--model", model, "--prompt", "a small house, ünïcode", "--negative-prompt", "grey", "--num-inference-steps", "2", "--seed", "3",
      "--height", "64", "--width", "64", "--dump-latents", latents, "--out", path.join(dir, "out.png")], { cwd: root }, (error, _, stderr) => {
      if (error) reject(new Error(stderr));
      else resolve(fs.readFileSync(latents));
    });
  });
}

test("a folder, in shards", { timeout: 240_000 }, async () => {
  first = await generate(path.join(dir, "folder"));
  const numbers = new Float32Array(first.buffer.slice(first.byteOffset + first.length - 4 * 4 * 16 * 16, first.byteOffset + first.length));
  assert.ok(numbers.every(Number.isFinite) && new Set(numbers).size > 500, "the latents are not a picture");
});

for (const [name, model, run] of [["one file", () => path.join(dir, "single.safetensors"), slow], ["the address of a folder", () => cdn.url + "/repo", slow], ["the address of a file that torch wrote", () => cdn.url + "/single.ckpt", test]]) {
  run(`${name} draws the same`, { timeout: 240_000 }, async () => {
    assert.ok((await generate(model())).equals(first), "the latents differ from the folder's");
  });
}

test("what is not a model is refused", { timeout: 240_000 }, async () => {
  await assert.rejects(generate(cdn.url + "/system.ckpt"), /system\.ckpt.*would run os\.system/);
  await assert.rejects(generate(cdn.url + "/nowhere"), /nowhere/);
});
