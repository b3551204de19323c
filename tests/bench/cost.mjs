#!/usr/bin/env node
// Writes what a GPU's compiler makes of the kernels to wgsl/cost.json and, as a table, to
// wgsl/COST.md. It fails if a register is spilled. The modules are those that package gpu
// assembles for a GPU (tests/bench/modules).
//
//     GPUCOST=path/to/gpucost.mjs node tests/bench/cost.mjs     measures and writes the table
//     node tests/bench/cost.mjs --table                         writes the table from cost.json
//
// gpucost compiles WGSL for RDNA3 with the RADV driver, without such a GPU, and prints the
// driver's statistics. It needs Debian's spirv-tools, libvulkan-dev and gcc.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

const here = import.meta.dirname;
const wgsl = path.join(here, "../../wgsl");

function measure(gpucost) {
  const webgpu = process.env.GPUCOST_WEBGPU ?? createRequire(path.join(here, "../x.js")).resolve("webgpu");
  const tmp = fs.mkdtempSync(path.join(os.tmpdir(), "cost-"));
  process.on("exit", () => fs.rmSync(tmp, { recursive: true, force: true }));
  const modules = spawnSync("go", ["run", "./tests/bench/modules", tmp], { encoding: "utf8", cwd: path.join(here, "../..") });
  if (modules.status !== 0) {
    console.error(modules.stderr || String(modules.error));
    process.exit(1);
  }
  const rows = [];
  for (const { kernel, what, numbers, file, tile } of modules.stdout.trim().split("\n").map(JSON.parse)) {
    const r = spawnSync(process.execPath, [gpucost, "--json", file], { encoding: "utf8", env: { ...process.env, GPUCOST_WEBGPU: webgpu } });
    if (r.status !== 0) {
      console.error(`${kernel} (${what}): ${r.stderr}`);
      process.exit(1);
    }
    const s = JSON.parse(r.stdout);
    const cycles = +s["Inverse Throughput"];
    const row = {
      kernel, what, numbers, vgprs: +s.VGPRs, spilled: +s["Spilled VGPRs"] + +s["Spilled SGPRs"],
      waves: +s["Subgroups per SIMD"], workgroup_bytes: +s["LDS size"], inverse_throughput: cycles,
    };
    if (tile) {
      row.thread_tile = tile.join(" × ");
      // A pass takes 16 input channels and is in a loop within a loop, which the driver counts
      // as 32 iterations.
      row.share_of_fma = +((tile[0] * tile[1] * 16 * 32) / cycles).toFixed(2);
    }
    rows.push(row);
    console.log(JSON.stringify(row));
  }
  fs.writeFileSync(path.join(wgsl, "cost.json"), `[\n${rows.map((r) => `  ${JSON.stringify(r)}`).join(",\n")}\n]\n`);
}

if (process.argv[2] !== "--table") {
  if (!process.env.GPUCOST) {
    console.error("Set GPUCOST to the path of gpucost.mjs.");
    process.exit(2);
  }
  measure(process.env.GPUCOST);
}

const rows = JSON.parse(fs.readFileSync(path.join(wgsl, "cost.json")));
// A kernel with and without shader-f16 is one line of the table.
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

For RDNA3 (RADV, Navi 31), with the constants that Go gives the kernels on a GPU. If there are
two numbers, the first is with shader-f16 and the second without. No register may be spilled,
and 8 or more waves per SIMD hide the memory's latency. *Share* is the part of the chip's peak
of f32 multiply-adds that the main loop reaches. These are the compiler's estimates, not
measured times. \`tests/bench/cost.mjs\` writes this page from \`cost.json\`.
`];
let spilled = 0;
const left = new Set(lines.values());
for (const [title, belongs] of SECTIONS) {
  const here = [...left].filter((l) => belongs((l.f16 ?? l.f32).kernel));
  if (!here.length) continue;
  out.push(`## ${title}`, "", "| kernel | | thread tile | registers | spilled | waves | workgroup bytes | cycles per wave | share |", "|---|---|---|--:|--:|--:|--:|--:|--:|");
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
