#!/usr/bin/env node
// What a GPU's compiler makes of the kernels, with the constants that Go gives them on a
// GPU: wgsl/cost.json, and of it one table, wgsl/COST.md. A spilled register fails.
//
//     GPUCOST=path/of/gpucost.mjs node tests/bench/cost.mjs     measures anew, then draws
//     node tests/bench/cost.mjs --table                         draws wgsl/cost.json
//
// gpucost compiles WGSL for a GPU that need not be there (RADV's RDNA3) and prints the
// driver's statistics; it needs Debian's spirv-tools, libvulkan-dev and gcc.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

const here = import.meta.dirname;
const wgsl = path.join(here, "../../wgsl");

// gpu/conv2d_tile.go: 4 · MV pixels by 4 · NV channels a thread.
const conv2d = (mv, nv, x2) => ({ kernel: "conv2d", what: x2 ? "two inputs" : "", tile: [mv, nv], consts: { MV: mv, NV: nv, HAS_X2: x2 } });
// gpu/attention.go, chooseAttentionTile.
const attention = (d, split, keys, cross) => ({
  kernel: "attention", what: `head size ${d}${cross ? ", image prompts" : ""}`,
  consts: { QUADS: d / 4 / split, SPLIT: split, KEYS: keys, RUN: Math.min(4, keys), THREADS: 64, CROSS: cross, CAUSAL: false },
});
const kernels = [
  ...[[2, 2], [1, 2], [1, 1]].flatMap(([mv, nv]) => [conv2d(mv, nv, false), conv2d(mv, nv, true)]),
  ...[[40, 1, 16], [64, 2, 16], [80, 2, 8], [160, 4, 4], [512, 16, 2]].map(([d, s, k]) => attention(d, s, k, false)),
  ...[[40, 1, 16], [80, 2, 8], [160, 4, 4]].map(([d, s, k]) => attention(d, s, k, true)),
  ...["conv2d_sum", "layer_norm", "group_norm_partial", "group_norm_combine", "group_norm_apply", "sampler_step"].map((kernel) => ({ kernel, what: "", consts: {} })),
];

// As gpu/shader.go puts a module together.
function moduleSource(kernel, f16, consts) {
  const text = (name) => fs.readFileSync(path.join(wgsl, `${name}.wgsl`), "utf8");
  const body = text(kernel);
  const needs = [...body.matchAll(/^\/\/needs (prelude_\w+)$/gm)].map((m) => m[1]);
  const declared = Object.entries(consts).map(([name, v]) => (typeof v === "boolean" ? `const ${name}: bool = ${v};` : `const ${name}: u32 = ${v}u;`));
  return [f16 ? "enable f16;" : "", ...declared, ...[f16 ? "prelude_f16" : "prelude_f32", "prelude_common", ...needs].map(text), body].join("\n");
}

function measure(gpucost) {
  const webgpu = process.env.GPUCOST_WEBGPU ?? createRequire(path.join(here, "../x.js")).resolve("webgpu");
  const tmp = fs.mkdtempSync(path.join(os.tmpdir(), "cost-"));
  process.on("exit", () => fs.rmSync(tmp, { recursive: true, force: true }));
  const rows = [];
  for (const f16 of [true, false]) {
    for (const { kernel, what, tile, consts } of kernels) {
      const file = path.join(tmp, `${kernel}.wgsl`);
      fs.writeFileSync(file, moduleSource(kernel, f16, consts));
      const r = spawnSync(process.execPath, [gpucost, "--json", file], { encoding: "utf8", env: { ...process.env, GPUCOST_WEBGPU: webgpu } });
      if (r.status !== 0) {
        console.error(`${kernel} (${what}): ${r.stderr}`);
        process.exit(1);
      }
      const s = JSON.parse(r.stdout);
      const cycles = +s["Inverse Throughput"];
      const row = {
        kernel, what, numbers: f16 ? "f16" : "f32", vgprs: +s.VGPRs, spilled: +s["Spilled VGPRs"] + +s["Spilled SGPRs"],
        waves: +s["Subgroups per SIMD"], workgroup_bytes: +s["LDS size"], inverse_throughput: cycles,
      };
      if (tile) {
        row.thread_tile = tile.map((n) => 4 * n).join(" × ");
        // A pass is 16 input channels, in a loop in a loop: the driver counts that 32 times.
        row.share_of_fma = +((16 * tile[0] * tile[1] * 16 * 32) / cycles).toFixed(2);
      }
      rows.push(row);
      console.log(JSON.stringify(row));
    }
  }
  fs.writeFileSync(path.join(wgsl, "cost.json"), `[\n${rows.map((r) => `  ${JSON.stringify(r)}`).join(",\n")}\n]\n`);
}

if (process.argv[2] !== "--table") {
  if (!process.env.GPUCOST) {
    console.error("GPUCOST has to be the path of gpucost.mjs");
    process.exit(2);
  }
  measure(process.env.GPUCOST);
}

const rows = JSON.parse(fs.readFileSync(path.join(wgsl, "cost.json")));
// A kernel with and without shader-f16 is one line.
const lines = new Map();
for (const r of rows) {
  const key = [r.kernel, r.what, r.thread_tile].join("|");
  if (!lines.has(key)) lines.set(key, {});
  lines.get(key)[r.numbers] = r;
}
const SECTIONS = [
  ["Convolutions and matrix products", (k) => k.startsWith("conv2d")],
  ["Attention", (k) => k === "attention"],
  ["Norms", (k) => k.endsWith("norm") || k.startsWith("group_norm")],
  ["The rest", () => true],
];
const out = [`# What a GPU's compiler makes of the kernels

RDNA3 (RADV, Navi 31), with the constants that Go gives the kernels on a GPU. Where two numbers
stand, the first is with shader-f16 and the second without. Spilled registers have to be 0; 8
waves a SIMD or more hide the memory's latency. *Share* is how much of the chip's issue of
multiply-adds (f32) the main loop fills. These are the compiler's figures, no times. Drawn by
\`tests/bench/cost.mjs\` from \`cost.json\`.
`];
let spilled = 0;
const left = new Set(lines.values());
for (const [title, belongs] of SECTIONS) {
  const here = [...left].filter((l) => belongs((l.f16 ?? l.f32).kernel));
  if (!here.length) continue;
  out.push(`## ${title}`, "", "| kernel | | thread tile | registers | spilled | waves | workgroup bytes | cycles a wave | share |", "|---|---|---|--:|--:|--:|--:|--:|--:|");
  for (const l of here) {
    left.delete(l);
    const kinds = ["f16", "f32"].map((n) => l[n]).filter(Boolean);
    const cell = (name) => {
      const v = kinds.map((r) => r[name] ?? "");
      return v.every((x) => x === v[0]) ? `${v[0]}` : v.join(" / ");
    };
    spilled += kinds.reduce((n, r) => n + r.spilled, 0);
    out.push(`| ${kinds[0].kernel} | ${kinds[0].what} | ${cell("thread_tile")} | ${cell("vgprs")} | ${cell("spilled")} | ${cell("waves")} | ${cell("workgroup_bytes")} | ${cell("inverse_throughput")} | ${cell("share_of_fma")} |`);
  }
  out.push("");
}
fs.writeFileSync(path.join(wgsl, "COST.md"), out.join("\n"));
console.log(`wgsl/COST.md: ${lines.size} kernels, ${spilled} spilled registers`);
process.exit(spilled ? 1 : 0);
