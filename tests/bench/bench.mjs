// ./build.sh bench compares the engine with onnxruntime-web, in one process (or page) and on
// one adapter. Both have to compute what torch computes; then their times are compared.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

const SIZES = { // of UNets with SD 1.5's channels and heads
  tiny: { levels: 1, layers: 1, latents: 16, batch: 1 },
  small: { levels: 2, layers: 1, latents: 16, batch: 2 },
  medium: { levels: 2, layers: 1, latents: 32, batch: 2 },
  large: { levels: 4, layers: 2, latents: 32, batch: 2 },
  half: { levels: 3, layers: 1, latents: 64, batch: 2 }, // of SD 1.5's weights
  full: { levels: 4, layers: 2, latents: 64, batch: 2 }, // SD 1.5 at 512 × 512
};
const usage = `./build.sh bench [unet|ops|load|card|model] [OPTIONS]
  unet   a step of Stable Diffusion's UNet with an IP-Adapter (default)
  ops    SD 1.5's single operations at 512 × 512: convolutions, matrix products, attention
  load   from a file (Node), from IndexedDB (Chromium) to the GPU, beside reading alone; with --part lora, also
         merging a LoRA of rank 64. Its weights are random numbers, and it needs no torch
  card   Stable Diffusion 1.5 with random weights on the GPU at hand, with each variant of the kernels
  model  the same, predicted for six cards
  --on node|chromium     Dawn in Node, or headless Chromium (default: node, for load both)
  --size ${Object.keys(SIZES).join("|")}   how much of the UNet (default tiny; full is SD 1.5 at 512 × 512)
  --numbers f16|f32      (default both, where the adapter has shader-f16)
  --runs N               (default 5; the median counts)
  --ort jsep|webgpu      which of onnxruntime-web's two WebGPU providers: the one in JavaScript
                         (default), or the one in WebAssembly, whose fused attention is wrong on
                         lavapipe (5 % off with 77 keys): with it --attention plain
  --attention fused|plain   onnxruntime's MultiHeadAttention (default), or single products and softmax
  --kernels LIST         card: whose times are taken, divided by spaces ("gpu each": the first variants, then
                         each other one; "gpu,conv=early gpu,attention=pair")
  --part unet|decoder|lora   card: the network (default unet), or how long a LoRA of rank 64 takes to merge
  --latents N            card: the latents' height and width (default 64)
  --only TEXT            operations whose name has TEXT
  --profile              our dispatches, each timed alone
  --json FILE            all figures
`;

const root = process.env.IMPROMPT_ROOT;
const made = path.join(root, ".build/bench");

// prepare makes the folder of a size, or of the operations, unless it exists.
function prepare(name, script, args, mark) {
  if (fs.existsSync(path.join(made, name, mark))) return name;
  console.error(`  making ${path.join(".build/bench", name)} with torch (once)`);
  const r = spawnSync(process.env.IMPROMPT_PYTHON, [path.join(root, "tests/reference", script), "--out", path.join(made, name), ...args], { stdio: ["ignore", 2, 2] });
  if (r.status !== 0) throw new Error(`${script} failed${r.error ? ": " + r.error.message : ""}`);
  return name;
}

// prepareLoad makes the folder of weights for load, unless it exists.
function prepareLoad(name, { levels, layers }) {
  const folder = "load-" + name;
  if (fs.existsSync(path.join(made, folder, "unet/config.json"))) return folder;
  const r = spawnSync("go", ["run", "./tests/bench/weights", "-out", path.join(made, folder), "-levels", levels, "-layers", layers], { cwd: root, stdio: ["ignore", 2, 2] });
  if (r.status !== 0) throw new Error(`tests/bench/weights failed${r.error ? ": " + r.error.message : ""}`);
  return folder;
}

const seconds = (s) => (s >= 10 ? s.toFixed(1) + " s" : s >= 1 ? s.toFixed(2) + " s" : (1e3 * s).toFixed(s < 0.01 ? 1 : 0) + " ms").padStart(8);
const times = (r) => (r.toFixed(r < 10 ? 2 : 1) + " x").padStart(7);
const small = (e) => e.toExponential(1);

function printUNet(r, size) {
  const m = r.meta;
  if (r.adapter !== r.ortAdapter) console.log(`  note: the engine's adapter is ${r.adapter}, onnxruntime-web's ${r.ortAdapter}`);
  console.log(`\nUNet step, ${r.f16 ? "f16" : "f32"}, on ${r.adapter}
  ${size}: ${m.levels} levels, ${m.layers} layers a block, ${(m.parameters / 1e6).toFixed(0)} M parameters; batch ${m.batch}, ${m.latents} × ${m.latents} latents, 77 + ${m.tokens} tokens
  relative error from torch's float32: ours ${small(r.error.ours)}, onnxruntime-web's ${small(r.error.ort)}${r.f16 ? `, torch's own float16 ${small(r.error.torchF16)}` : ""}; between us ${small(r.error.between)}
               ours    onnxruntime-web   ratio
  wall     ${seconds(r.wall.ours)}           ${seconds(r.wall.ort)} ${times(r.wall.ratio)}   median of ${r.runs}${r.cpu ? `
  CPU      ${seconds(r.cpu.ours)}           ${seconds(r.cpu.ort)} ${times(r.cpu.ratio)}   processor time: what other programs take does not count` : ""}
  to first ${seconds(r.ready.ours)}           ${seconds(r.ready.ort)} ${times(r.ready.ort / r.ready.ours)}   loading, compiling and the first step
  ours: ${r.made.dispatches} dispatches, ${(r.made.flop / 1e9).toFixed(1)} GFLOP, ${(r.made.flop / 1e9 / r.wall.ours).toFixed(1)} GFLOP/s`);
  if (r.kernels) printKernels(r.kernels);
}

function printKernels(kernels) {
  const by = new Map();
  for (const k of kernels) {
    const sum = by.get(k.kernel) ?? { ms: 0, flop: 0, n: 0 };
    sum.ms += k.ms; sum.flop += k.flop; sum.n++;
    by.set(k.kernel, sum);
  }
  const all = kernels.reduce((s, k) => s + k.ms, 0);
  console.log("  our kernels, each dispatch alone:");
  for (const [name, k] of [...by].sort((a, b) => b[1].ms - a[1].ms)) {
    console.log(`    ${name.padEnd(20)} ${seconds(k.ms / 1e3)} ${(100 * k.ms / all).toFixed(0).padStart(3)} %  ${String(k.n).padStart(4)} dispatches  ${(k.flop / 1e6 / k.ms).toFixed(1).padStart(6)} GFLOP/s`);
  }
  for (const k of [...kernels].sort((a, b) => b.ms - a.ms).slice(0, 8)) console.log(`      ${seconds(k.ms / 1e3)}  ${k.kernel}  ${k.label}`);
}

function opLine(r) {
  const of = r.cpu ?? r.wall;
  return `  ${r.name.padEnd(36)} ${seconds(r.wall.ours)} ${seconds(r.wall.ort)} ${times(r.wall.ratio)}  ${r.cpu ? `${seconds(r.cpu.ours)} ${seconds(r.cpu.ort)} ${times(r.cpu.ratio)}  ` : ""}${(r.flop / 1e9 / of.ours).toFixed(1).padStart(6)}  ${small(r.error.ours)} ${small(r.error.ort)}${r.wrong ? "  onnxruntime-web's result is wrong: no comparison" : ""}`;
}

function printLoad(r, where) {
  const mib = r.bytes / 2 ** 20;
  // The processor time of the threads that use any, where the host tells it.
  const cpu = (what) => Object.entries(r).filter(([name, s]) => name.startsWith(what + "CPU") && s > 0.04).sort((a, b) => b[1] - a[1]).map(([name, s]) => `${name.slice(what.length + 3)} ${s.toFixed(2)}`.trim()).join(", ");
  const line = (name, what) => console.log(`  ${name.padEnd(42)} ${seconds(r[what + "Seconds"])} ${(mib / r[what + "Seconds"]).toFixed(0).padStart(6)} MiB/s  ${(100 * r.readSeconds / r[what + "Seconds"]).toFixed(0).padStart(4)} %  ${cpu(what)}`);
  console.log(`\nLoading a UNet of ${mib.toFixed(0)} MiB, ${where}, on ${r.adapter}: wall, rate, share of the rate of reading alone; seconds of processor time, by thread in a browser`);
  if (r.downloadSeconds) line("from the server into IndexedDB", "download");
  line(`reading alone, ${r.readAhead} × ${r.readPiece / 2 ** 20} MiB under way`, "read");
  line("to the GPU, without the dispatches", "copy");
  line("to the GPU, repacked, with compiling", "load");
  if (!r.allSeconds) return;
  const merged = (what) => {
    const ratio = r.loadCPU ? r[what + "CPU"] / r.loadCPU : r[what + "Seconds"] / r.loadSeconds;
    return `${seconds(r[what + "Seconds"]).trim()}, ${times(ratio).trim()} as long as loading${r.loadCPU ? ", by processor time," : ""} takes`;
  };
  console.log(`  a LoRA of rank 64 is merged into the transformers' layers in ${merged("attentions")}; into all layers in ${merged("all")}`);
}

// card measures each numeric path in a process of its own, because a device cannot be opened
// with and without shader-f16 on the same weights.
function card(o) {
  for (const numbers of o.numbers ? [o.numbers] : ["f16", "f32"]) {
    const options = { part: o.part, latents: +o.latents, f16: numbers === "f16", kernels: o.kernels.split(" "), steps: +o.runs, json: o.json && o.json.replace(/(\.json)?$/, `-${numbers}.json`) };
    spawnSync(process.execPath, ["--no-warnings", "--max-old-space-size=8192", path.join(import.meta.dirname, "card.mjs")],
      { stdio: "inherit", env: { ...process.env, IMPROMPT_BENCH_CARD: JSON.stringify(options) } });
  }
}

async function main() {
  const { values: o, positionals } = parseArgs({ allowPositionals: true, options: {
    on: { type: "string" }, size: { type: "string", default: "tiny" }, numbers: { type: "string" }, runs: { type: "string", default: "5" },
    ort: { type: "string", default: "jsep" }, attention: { type: "string", default: "fused" }, only: { type: "string" }, profile: { type: "boolean" }, kernels: { type: "string", default: "gpu each" }, part: { type: "string", default: "unet" }, latents: { type: "string", default: "64" }, json: { type: "string" }, help: { type: "boolean" },
  } });
  const what = positionals[0] ?? "unet";
  if (o.help) { console.log(usage); return; }
  if (!["unet", "ops", "load", "card"].includes(what) || !SIZES[o.size] || ![undefined, "node", "chromium"].includes(o.on) || !["webgpu", "jsep"].includes(o.ort) || !["fused", "plain"].includes(o.attention) || !(o.runs >= 1)) {
    console.error(usage);
    process.exit(2);
  }
  if (what === "card") { card(o); return; }
  const size = SIZES[o.size];
  const folder = what === "load" ? prepareLoad(o.size, size)
    : what === "ops" ? prepare("ops", "onnx_ops.py", [], "ops.json")
    : prepare(o.size + (o.attention === "plain" ? "-plain" : ""), "onnx_unet.py",
      [...Object.entries(size).flatMap(([k, v]) => ["--" + k, String(v)]), ...(o.attention === "plain" ? ["--plain"] : [])], "bench.json");
  const results = [];
  for (const on of o.on ? [o.on] : what === "load" ? ["node", "chromium"] : ["node"]) {
    const host = await (await import(`./${on}.mjs`)).open(path.join(root, ".build/bench.wasm"), { ort: o.ort });
    // SwiftShader has no shader-f16.
    const kinds = o.numbers ? [o.numbers] : on === "chromium" || what === "load" ? ["f32"] : ["f16", "f32"];
    for (const kind of kinds) {
      const options = { folder, f16: kind === "f16", runs: +o.runs, profile: o.profile, only: o.only, lora: o.part === "lora" };
      if (what === "ops") {
        console.log(`\nSingle operations, ${kind}, median of ${o.runs}: ours, onnxruntime-web (${o.ort}), ratio by wall${on === "node" ? "; the same by processor time" : ""}; our GFLOP/s; relative errors`);
        results.push(await host.compare("ops", options, (row) => console.log(opLine(row))));
      } else {
        const r = await host.compare(what, options);
        if (what === "unet") printUNet(r, o.size); else printLoad(r, on === "node" ? "from a file in Node" : "in Chromium");
        results.push(r);
      }
      Object.assign(results.at(-1), { what, on, ort: o.ort, attention: o.attention, size: o.size });
    }
    if (o.json) fs.writeFileSync(o.json, JSON.stringify(results, null, 1));
    await host.close();
  }
}

// If the engine runs in this process, it also ends the process.
const exit = (code) => (globalThis.impromptBench ? impromptBench.exit(code) : process.exit(code));
try {
  await main();
  exit(0);
} catch (e) {
  console.error("bench:", e.stack ?? e);
  exit(1);
}
