#!/usr/bin/env node
// Writes what the compilers of real GPUs make of the kernels to wgsl/cost.json and, as a table,
// to wgsl/COST.md. The modules are those that package gpu assembles for a GPU
// (tests/bench/modules). README.md says what is needed, and how the compilers are built.
//
//     node tests/bench/cost.mjs             measures with every compiler that is at hand
//     node tests/bench/cost.mjs short       only kernels and variants whose names have this text
//     node tests/bench/cost.mjs --table     writes the table from cost.json
//
// The figures of a compiler that is not at hand stay as they are, and are lost only with their
// kernel. wgsl/cost_test.go holds the figures against the goals.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { spirv, pipeline } from "./cost/compile.mjs";
import { FAMILIES } from "./cost/families.mjs";

const root = path.join(import.meta.dirname, "../..");
const cost = path.join(root, "wgsl/cost.json");
const keyOf = (r) => [r.kernel, r.variant, r.what, r.tile?.join("x"), r.numbers].join("|");

function measure(only) {
  const before = new Map(JSON.parse(fs.readFileSync(cost)).map((r) => [keyOf(r), r]));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "modules-"));
  process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  const modules = spawnSync("go", ["run", "./tests/bench/modules", folder], { encoding: "utf8", cwd: root });
  if (modules.status !== 0) throw new Error(modules.stderr || String(modules.error));
  const rows = [];
  for (const m of modules.stdout.trim().split("\n").map(JSON.parse)) {
    const { file, ...row } = m;
    row.families = before.get(keyOf(row))?.families ?? {};
    if (only && !`${row.kernel} ${row.variant}`.includes(only) && before.has(keyOf(row))) {
      rows.push(row);
      continue;
    }
    const compiled = spirv(file);
    for (const [name, f] of Object.entries(FAMILIES)) {
      if (!f.available) continue;
      try {
        row.families[name] = f.count(pipeline(compiled, f), name, row.kernel === "attention_tile" ? 2 : 1);
      } catch (e) {
        console.error(`${row.kernel} ${row.variant ?? ""} ${row.what} (${row.numbers}) on ${name}: ${e.message}`);
        delete row.families[name];
      }
    }
    rows.push(row);
    console.log(JSON.stringify(row));
  }
  fs.writeFileSync(cost, `[\n${rows.map((r) => `  ${JSON.stringify(r)}`).join(",\n")}\n]\n`);
}

if (process.argv[2] !== "--table") measure(process.argv[2]);

const rows = JSON.parse(fs.readFileSync(cost));
const measured = Object.keys(FAMILIES).filter((name) => rows.some((r) => r.families[name]));
const out = [`# What the compilers of real GPUs make of the kernels

With the constants that Go gives the kernels on a GPU. If there are two numbers, the first is
with shader-f16 and the second without. *Share* is the part of what the main loop issues that
is multiply-adds: of cycles on AMD and Intel, of instructions on NVIDIA. The variant tile of
attention has two main loops, which count alike. *Spills* are registers
written to memory and, but for AMD, the reads. *Bytes* are those of workgroup memory that a
multiply-add moves; above 1 that memory may be the limit. These are counts of machine code from
Mesa's compilers, not measured times, and Windows' and NVIDIA's own compilers differ.
\`tests/bench/cost.mjs\` writes this page from \`cost.json\`.
`];
const SECTIONS = [
  ["Convolutions and matrix products", (k) => k === "conv2d" || k === "conv2d_short"],
  ["Attention", (k) => k.startsWith("attention")],
  ["The rest", () => true],
];
// A kernel with and without shader-f16 is one line of the table.
const lines = new Map();
for (const r of rows) {
  const key = [r.kernel, r.variant, r.what, r.tile?.join(" × ")].join("|");
  if (!lines.has(key)) lines.set(key, {});
  lines.get(key)[r.numbers] = r;
}
function cell(line, family, show) {
  const texts = ["f16", "f32"].map((n) => line[n]?.families[family]).filter(Boolean).map(show);
  return texts.every((t) => t === texts[0]) ? texts[0] ?? "" : texts.join(" / ");
}
const left = new Set(lines.values());
for (const [title, belongs] of SECTIONS) {
  const here = [...left].filter((l) => belongs((l.f16 ?? l.f32).kernel));
  if (!here.length) continue;
  out.push(`## ${title}`, "", `| variant | | ${measured.map((n) => FAMILIES[n].title).join(" | ")} |`, `|---|---|${measured.map(() => "---").join("|")}|`);
  for (const l of here) {
    left.delete(l);
    const r = l.f16 ?? l.f32;
    const cells = measured.map((n) => cell(l, n, (f) => [
      f.share !== undefined ? `share ${f.share.toFixed(2)}` : "",
      f.bytes_a_mac ? `${f.bytes_a_mac.toFixed(2)} bytes` : "",
      f.registers !== undefined ? `${f.registers} registers` : "",
      f.waves ? `${f.waves} waves` : "", f.width ? `SIMD${f.width}` : "",
      f.spilled || f.fills ? `**${f.spilled}${f.fills !== undefined ? ` : ${f.fills}` : ""} spilled**` : "",
    ].filter(Boolean).join(", ")));
    out.push(`| ${r.variant ?? r.kernel} | ${[r.tile?.join(" × "), r.what].filter(Boolean).join(", ")} | ${cells.join(" | ")} |`);
  }
  out.push("");
}
fs.writeFileSync(path.join(root, "wgsl/COST.md"), out.join("\n"));
console.log(`wgsl/COST.md: ${lines.size} kernels on ${measured.join(", ") || "no family"}`);
