// Measures the card that is at hand: a whole step of Stable Diffusion 1.5's UNet or the VAE's
// decoder with random weights, and every different dispatch of it alone, with each variant of
// the kernels. bench.mjs runs it (./build.sh bench card); options are in the environment, as
// JSON, because the engine runs in this process and reads the arguments.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const root = process.env.IMPROMPT_ROOT;
const o = { part: "unet", latents: 64, batch: 2, f16: true, kernels: ["gpu"], steps: 5, ms: 5, seconds: 1e9, peak: 0, ...JSON.parse(process.env.IMPROMPT_BENCH_CARD ?? "{}") };
const began = performance.now();
const left = () => o.seconds - (performance.now() - began) / 1e3;

const ready = new Promise((resolve) => { globalThis.impromptBenchReady = resolve; });
process.argv = [process.argv[0], "node.js", process.env.IMPROMPT_BENCH_WASM ?? path.join(root, ".build/bench.wasm")];
import(pathToFileURL(path.join(root, "web/js/node.js"))); // resolves only when the engine ends
await ready;
// Dawn checks what the GPU has finished in setImmediate, which needs an event loop that turns.
setInterval(() => {}, 1);

const engine = impromptBench;
const result = { ...o, runs: [] };
const save = () => { if (o.json) fs.writeFileSync(o.json, JSON.stringify(result, null, 1)); };

function report(run) {
  const tflops = run.flop / run.ms / 1e9;
  console.log(`${o.part} ${o.f16 ? "f16" : "f32"} ${run.kernels}: ${run.ms.toFixed(2)} ms (host ${run.hostMs.toFixed(2)} ms), ${run.dispatches} dispatches, ${(run.flop / 1e9).toFixed(0)} GFLOP, ${tflops.toFixed(1)} TFLOP/s${o.peak ? `, ${(100 * tflops / o.peak).toFixed(0)} % of ${o.peak}` : ""}; compiled in ${run.compile.toFixed(1)} s`);
  const by = {};
  for (const s of run.shapes) {
    const k = by[s.kernel] ??= { ms: 0, flop: 0, n: 0 };
    k.ms += s.ms * s.count; k.flop += s.flop * s.count; k.n += s.count;
  }
  for (const [name, k] of Object.entries(by).sort((a, b) => b[1].ms - a[1].ms)) console.log(`    ${name.padEnd(24)} ${k.ms.toFixed(2).padStart(8)} ms  ${String(k.n).padStart(4)} dispatches  ${(k.flop / k.ms / 1e9).toFixed(2).padStart(7)} TFLOP/s`);
}

try {
  Object.assign(result, await engine.open({ noF16: !o.f16 }));
  if (o.f16 && !result.f16) throw new Error(`${result.adapter} has no shader-f16`);
  result.variants = await engine.variants();
  console.log(`${result.adapter}: ${JSON.stringify(result.variants)}`);
  const layout = fs.readFileSync(path.join(root, "tests/fixtures/full/layout.json"), "utf8");
  if (o.part === "lora") {
    const r = result.lora = await engine.lora({ layout });
    const took = (what) => `${r[what + "Seconds"].toFixed(2)} s, ${(r[what + "Seconds"] / r.loadSeconds).toFixed(2)} x`;
    console.log(`the UNet is loaded in ${r.loadSeconds.toFixed(2)} s; a LoRA of rank 64 is merged into the transformers' layers in ${took("attentions")}, into all layers in ${took("all")}`);
    save();
    engine.exit(0);
  }
  result.load = await engine.card({ layout, part: o.part, latents: o.latents, batch: o.batch });
  console.log(`random weights: ${(result.load.bytes / 1e6).toFixed(0)} MB in ${result.load.seconds.toFixed(1)} s`);
  const measured = new Set();
  const list = o.kernels.includes("each")
    ? o.kernels.flatMap((k) => k !== "each" ? [k] : Object.entries(result.variants).flatMap(([c, names]) => names.slice(1).map((n) => `gpu,${c}=${n}`)))
    : o.kernels;
  for (const kernels of list) {
    if (left() < 3) { console.log(`no time is left for ${kernels}`); break; }
    const made = await engine.kernels(kernels);
    const run = { kernels, ...made, compile: made.seconds, shapes: [] };
    let before = performance.now();
    await engine.steps(1);
    run.firstMs = performance.now() - before;
    const steps = Math.max(1, Math.min(o.steps, Math.floor(1e3 * left() / 4 / run.firstMs)));
    const used = process.cpuUsage();
    Object.assign(run, await engine.steps(steps));
    const cpu = process.cpuUsage(used);
    run.hostMs = (cpu.user + cpu.system) / 1e3 / steps;
    run.steps = steps;
    if (left() > 2 && o.ms > 0) {
      run.shapes = await engine.shapes(o.ms, [...measured]);
      for (const s of run.shapes) measured.add(s.shape);
    }
    result.runs.push(run);
    report(run);
    save();
  }
  save();
  engine.exit(0);
} catch (e) {
  console.error("bench card:", e.stack ?? e);
  result.error = String(e);
  save();
  engine.exit(1);
}
