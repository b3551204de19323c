#!/usr/bin/env node
// One table of what a GPU's compiler makes of the kernels: wgsl/COST.md.
//
//     GPUCOST=path/of/gpucost.mjs node tests/bench/cost.mjs     measures anew, then draws
//     node tests/bench/cost.mjs --table                         draws wgsl/cost_*.json
//
// gpucost compiles WGSL for a GPU that need not be there and prints the driver's
// statistics; it needs Debian's spirv-tools, libvulkan-dev and gcc. A spilled register fails.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const here = import.meta.dirname;
const wgsl = path.join(here, "../../wgsl");
if (process.argv[2] !== "--table") {
  if (!process.env.GPUCOST) {
    console.error("GPUCOST has to be the path of gpucost.mjs");
    process.exit(2);
  }
  for (const script of ["gpucost_matmul_conv.mjs", "gpucost_attention_norm.mjs"]) {
    const r = spawnSync(process.execPath, [path.join(here, script), process.env.GPUCOST], { stdio: "inherit" });
    if (r.status !== 0) process.exit(1);
  }
}

const rows = ["cost_matmul_conv.json", "cost_attention_norm.json"].flatMap((name) => JSON.parse(fs.readFileSync(path.join(wgsl, name))));
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
\`tests/bench/cost.mjs\` from \`cost_*.json\`.
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
