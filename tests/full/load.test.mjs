// Stable Diffusion 1.5 and an IP-Adapter of the true size, with random weights
// (weights.py), through a CDN into Chromium's IndexedDB and from there to the GPU
// (SwiftShader), timed, with the memory that the tab and Go take meanwhile.
// ./build.sh test --full full
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import { startCDN } from "../cdn/server.mjs";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const weights = path.join(root, ".build/full");
const MiB = 1 << 20;
const files = ["sd15/unet/config.json", "sd15/vae/config.json", "sd15/text_encoder/config.json", "ip-adapter/image_encoder/config.json",
  "sd15/text_encoder/model.fp16.safetensors", "sd15/vae/diffusion_pytorch_model.fp16.safetensors", "sd15/unet/diffusion_pytorch_model.fp16.safetensors",
  "ip-adapter/ip-adapter_sd15.safetensors", "ip-adapter/image_encoder/model.safetensors"];
const unet = "sd15/unet/diffusion_pytorch_model.fp16.safetensors";

let cdn, site, context, folder, tab;
let empty; // MiB of the tab before anything was loaded

before(async () => {
  for (const f of files) assert.ok(fs.existsSync(path.join(weights, f)), `there is no ${f}: tests/full/weights.py makes it`);
  folder = fs.mkdtempSync(path.join(process.env.TMPDIR ?? os.tmpdir(), "imprompt-full-"));
  const wasm = path.join(folder, "page.wasm");
  execFileSync("go", ["build", "-trimpath", "-o", wasm, "./tests/full/page"], { cwd: root, env: { ...process.env, GOOS: "js", GOARCH: "wasm" }, stdio: "inherit" });
  const goroot = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
  const read = (name) => fs.readFileSync(path.join(root, name));
  const served = {
    "/": ["text/html", "<!doctype html><meta charset=utf-8><title>full size</title><script src=/wasm_exec.js></script><script type=module src=/run.js></script>"],
    "/run.js": ["text/javascript", 'import "/gpu.js"; import "/loader.js"; const go = new Go(); const { instance } = await WebAssembly.instantiateStreaming(fetch("/page.wasm"), go.importObject); globalThis.wasm = instance; go.run(instance);'],
    "/gpu.js": ["text/javascript", read("web/js/gpu.js")],
    "/loader.js": ["text/javascript", read("web/js/loader.js")],
    "/hash-wasm.js": ["text/javascript", read("web/js/hash-wasm.js")],
    "/wasm_exec.js": ["text/javascript", fs.readFileSync(path.join(goroot, "lib/wasm/wasm_exec.js"))],
    "/page.wasm": ["application/wasm", fs.readFileSync(wasm)],
  };
  site = http.createServer((request, response) => {
    const found = served[request.url];
    response.writeHead(found ? 200 : 404, found ? { "content-type": found[0] } : {});
    response.end(found?.[1]);
  });
  await new Promise((done) => site.listen(0, "127.0.0.1", done));
  cdn = await startCDN();
  cdn.fault = { chunk: MiB };
  for (const f of files) cdn.addFile(`/${f}`, path.join(weights, f));
  context = await chromium.launchPersistentContext(path.join(folder, "profile"), {
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: false,
    args: ["--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
      "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  });
  tab = await context.newPage();
  tab.on("pageerror", (e) => console.error("browser:", e.message));
  await tab.goto(`http://127.0.0.1:${site.address().port}/`);
  await tab.waitForFunction(() => globalThis.full);
  empty = tabMemory();
});

after(async () => {
  await context?.close();
  site?.close();
  cdn?.close();
  if (folder) fs.rmSync(folder, { recursive: true, force: true });
});

// The tab's process: its anonymous and shared memory, in MiB, as Linux counts it. That is
// all of its JavaScript, its ArrayBuffers, Go's heap and the browser's own code besides.
function tabMemory() {
  let most = 0;
  for (const pid of fs.readdirSync("/proc").filter((n) => /^\d+$/.test(n))) {
    try {
      const args = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (!args.includes("--type=renderer") || !ours(pid)) continue;
      const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
      const kb = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
      most = Math.max(most, (kb("RssAnon") + kb("RssShmem")) / 1024);
    } catch { /* it ended meanwhile */ }
  }
  return most;
}

// Whether a process descends from this one.
function ours(pid) {
  for (let p = Number(pid); p > 1;) {
    if (p === process.pid) return true;
    p = Number(/\) \S (\d+)/.exec(fs.readFileSync(`/proc/${p}/stat`, "utf8"))[1]);
  }
  return false;
}

// watched runs do and returns, beside its result, seconds and by how much the tab's memory
// was at most above the empty page's.
async function watched(do_) {
  let peak = 0;
  const timer = setInterval(() => { peak = Math.max(peak, tabMemory()); }, 100);
  const began = Date.now();
  try {
    const result = await do_();
    return { result, seconds: (Date.now() - began) / 1000, rise: peak - empty };
  } finally { clearInterval(timer); }
}

const size = (f) => fs.statSync(path.join(weights, f)).size;
const within = (what, value, most) => assert.ok(value <= most, `${what} took ${Math.round(value)} MiB, at most ${most} are allowed`);

test("a bare loop of fetch and put", async (t) => {
  const { seconds } = await watched(() => tab.evaluate(async ([url, size]) => {
    const db = await new Promise((resolve, reject) => {
      const r = indexedDB.open("bare", 1);
      r.onupgradeneeded = () => r.result.createObjectStore("slices");
      r.onsuccess = () => resolve(r.result);
      r.onerror = () => reject(r.error);
    });
    for (let at = 0; at < size; at += 64 << 20) {
      const to = Math.min(size, at + (64 << 20));
      const response = await fetch(url, { headers: { range: `bytes=${at}-${to - 1}` }, cache: "no-store" });
      const blob = await response.blob();
      await new Promise((resolve, reject) => {
        const transaction = db.transaction("slices", "readwrite", { durability: "strict" });
        transaction.objectStore("slices").put(blob, at);
        transaction.oncomplete = resolve;
        transaction.onerror = () => reject(transaction.error);
      });
    }
    db.close();
    await new Promise((resolve) => { indexedDB.deleteDatabase("bare").onsuccess = resolve; });
  }, [`${cdn.url}/${unet}`, size(unet)]));
  t.diagnostic(`UNet: ${(size(unet) / MiB / seconds).toFixed(0)} MiB/s, ${seconds.toFixed(0)} s`);
});

test("into the store", { timeout: 3_600_000 }, async (t) => {
  let all = 0, stored = 0, took = 0, most = 0;
  for (const f of files) {
    const { result, seconds, rise } = await watched(() => tab.evaluate((u) => full.download(u), `${cdn.url}/${f}`));
    all += size(f);
    stored += result.size;
    took += seconds;
    most = Math.max(most, rise);
    if (size(f) > MiB) t.diagnostic(`${f}: ${(size(f) / MiB / seconds).toFixed(0)} MiB/s, ${seconds.toFixed(0)} s; the tab's memory ${rise.toFixed(0)} MiB above the empty page's`);
  }
  const heap = (await tab.evaluate(() => full.heap())) / MiB;
  t.diagnostic(`all: ${(all / 1e9).toFixed(2)} GB, ${(stored / 1e9).toFixed(2)} GB stored, ${(all / MiB / took).toFixed(0)} MiB/s; the tab at most ${most.toFixed(0)} MiB above the empty page; Go's heap ${heap.toFixed(0)} MiB`);
  within("Go's heap", heap, 64);
  within("the tab", most, 300);
});

test("to the GPU", { timeout: 3_600_000 }, async (t) => {
  const { result, seconds, rise } = await watched(() => tab.evaluate((u) => full.load(u), cdn.url));
  let bytes = 0;
  for (const n of result.networks) {
    bytes += n.Bytes;
    t.diagnostic(`${n.Network}: ${(n.Bytes / MiB).toFixed(0)} MiB on the GPU, ${(n.Bytes / MiB / n.Seconds).toFixed(0)} MiB/s`);
  }
  const heap = (await tab.evaluate(() => full.heap())) / MiB;
  t.diagnostic(`all on ${result.adapter}: ${(bytes / MiB).toFixed(0)} MiB in ${seconds.toFixed(0)} s; at the peak ${(result.peak / MiB).toFixed(0)} MiB on the GPU; the tab at most ${rise.toFixed(0)} MiB above the empty page; Go's heap ${heap.toFixed(0)} MiB`);
  assert.ok(bytes > 3.3e9, "every network was loaded");
  assert.equal(result.left, 0);
  assert.ok(result.peak <= 2 * 1024 * MiB);
  within("Go's heap", heap, 64);
  within("the tab", rise, 300);
});
