// Counts what the main loop of a kernel issues, in the machine code that a driver prints. The
// main loop is the innermost loop with the most multiply-adds. A kernel with several main loops,
// as attention_tile.wgsl has for its two products, says how many; they count alike, each for the
// same number of multiply-adds. Every function resolves the output of pipeline_stats to
//   spilled, fills   registers written to and read from memory (on AMD without scalar ones, which
//                    go to other registers)
//   registers, waves (AMD), width (Intel: the lanes of a subgroup)
//   share            multiply-adds of all issue: cycles on AMD and Intel, instructions on NVIDIA
//   bytes_a_mac      of workgroup memory (AMD, NVIDIA)

const number = (text, name) => {
  const m = new RegExp(`^${name}=(\\d+)`, "m").exec(text);
  return m ? Number(m[1]) : undefined;
};
const round = (x) => (x === undefined || Number.isNaN(x) ? undefined : Number(x.toFixed(3)));

// mainLoops returns the n loops with the most products of their own, as one loop. A loop that
// holds others counts without them.
function mainLoops(loops, n) {
  const real = loops.filter((l) => l.macs >= 16);
  const holds = (l, o) => l !== o && (l.inside?.has(o.first) ?? (o.first >= l.first && o.last <= l.last));
  const own = real.map((l) => {
    const all = real.filter((o) => holds(l, o));
    const inside = all.filter((o) => !all.some((other) => holds(other, o)));
    const without = (what) => inside.reduce((rest, o) => rest - o[what], l[what]);
    return { macs: without("macs"), issue: without("issue"), bytes: without("bytes") };
  });
  const list = own.filter((l) => l.macs >= 16).sort((a, b) => b.macs - a.macs).slice(0, n);
  if (!list.length) return undefined;
  const sum = (what) => list.reduce((s, l) => s + l[what] / l.macs, 0);
  return { macs: list.length, issue: sum("issue"), bytes: sum("bytes") };
}

// AMD. The cycles of a wave of 64 that an instruction takes follow Mesa's model of RDNA3
// (src/amd/compiler/aco_statistics.cpp). RDNA2 issues a wave of 32 a cycle, so that what can be
// issued in pairs on RDNA3 takes as long as any other instruction; the share is then of all
// vector instructions.
const PAIRED = new Set(("v_fma_f32 v_fmac_f32 v_fmaak_f32 v_fmamk_f32 v_mul_f32 v_add_f32 v_sub_f32 v_subrev_f32 v_fma_f16 v_fmac_f16 v_fmaak_f16 v_fmamk_f16 " +
  "v_mul_f16 v_add_f16 v_sub_f16 v_subrev_f16 v_mov_b32 v_cndmask_b32 v_max_f32 v_min_f32 v_max_f16 v_min_f16 v_dot2_f32_f16 v_dot2_f16_f16 v_dot2c_f32_f16 v_dot2acc_f32_f16 v_mov_b16 v_cndmask_b16").split(" "));

export function amdCycles(op, args, paired) {
  if (!op.startsWith("v_")) return 0;
  if (op.startsWith("v_dual_") || op.startsWith("v_nop")) return 1;
  if (/^v_(mul_lo_u32|mul_hi_u32|mul_hi_i32|mad_u64_u32|mad_i64_i32)/.test(op)) return paired ? 8 : 4;
  if (/^v_(exp|log|rcp|rsq|sqrt|sin|cos)/.test(op)) return paired ? 2 : 4;
  if (!paired) return 1;
  if (/row_|quad_perm|dpp/.test(args)) return 2;
  if (PAIRED.has(op)) return 1;
  if (/^v_(lshlrev_b64|lshrrev_b64|ashrrev_i64)/.test(op)) return 4;
  if (op.startsWith("v_fma_mix_f32")) return /op_sel_hi:\[\d,\d,1\]/.test(args) ? 2 : / 1\.0|neg\(0\)| 0[, ]|, s\d/.test(args) ? 1 : 2;
  return 2;
}

const amdMacs = (op) => /^v_pk_fma(c)?_f16/.test(op) || op.startsWith("v_dot2") ? 2 : /^v_(fma|fmac|fmamk|fmaak)_f(32|16)/.test(op) || op.startsWith("v_mad_f32") || op.startsWith("v_mac_f32") ? 1 : 0;
const amdBytes = (op) => {
  const m = /^ds_(?:load|read|store|write)(2|_2addr)?(?:_stride64|st64)?_b(\d+)/.exec(op);
  return m ? Number(m[2]) / 8 * (m[1] ? 2 : 1) : 0;
};

export function amd(text, family, mains) {
  const paired = family === "rdna3";
  const blocks = [{ name: "entry", code: [] }];
  for (const line of text.slice(text.lastIndexOf("disasm:")).split("\n")) {
    const label = /^(BB\d+):/.exec(line);
    if (label) { blocks.push({ name: label[1], code: [] }); continue; }
    const code = /^\t(\S+)(.*?);/.exec(line);
    if (code) blocks.at(-1).code.push([code[1].replace(/_e(32|64)(_dpp)?$/, "").replace(/_(sdwa|dpp)$/, ""), code[2] + (/dpp/.test(code[1]) ? " dpp" : "")]);
  }
  const at = new Map(blocks.map((b, i) => [b.name, i]));
  const ends = new Map();
  blocks.forEach((b, i) => {
    for (const [op, args] of b.code) {
      const first = /^s_(c?branch)/.test(op) ? at.get(/BB\d+/.exec(args)?.[0]) : undefined;
      if (first <= i) ends.set(first, Math.max(ends.get(first) ?? 0, i));
    }
  });
  const loops = [...ends].map(([first, last]) => {
    const l = { first, last, macs: 0, issue: 0, bytes: 0 };
    for (const [op, args] of blocks.slice(first, last + 1).flatMap((b) => b.code)) {
      l.macs += amdMacs(op);
      l.issue += amdCycles(op, args, paired);
      l.bytes += amdBytes(op);
    }
    return l;
  });
  const loop = mainLoops(loops, mains);
  return { registers: number(text, "VGPRs"), spilled: number(text, "Spilled VGPRs"), waves: number(text, "Subgroups per SIMD"),
    share: round(loop?.macs / loop?.issue), bytes_a_mac: round(loop?.bytes / loop?.macs) };
}

// Intel. A multiply-add of eight lanes in f32, or sixteen in f16, takes a cycle; so does every
// message to memory and every branch.
export function intel(text, family, mains) {
  const lines = text.slice(text.lastIndexOf("Native code")).split("\n");
  const width = Number(/SIMD(\d+) shader/.exec(lines.join("\n"))?.[1]);
  const code = [], labels = new Map(), loops = [];
  for (const line of lines) {
    const label = /^(LABEL\d+):/.exec(line);
    if (label) { labels.set(label[1], code.length); continue; }
    const text = line.replace(/^\s*\([^)]*\)\s*/, "");
    const op = /^(\w+)(?:\.\S+)?\((\d+)\)/.exec(text);
    if (!op) continue;
    code.push({ op: op[1], lanes: Number(op[2]), text });
    const back = op[1] === "while" && labels.get(/JIP:\s+(LABEL\d+)/.exec(text)?.[1]);
    if (back !== false && back !== undefined) loops.push({ first: back, last: code.length - 1, macs: 0, issue: 0 });
  }
  for (const l of loops) {
    for (const { op, lanes, text } of code.slice(l.first, l.last + 1)) {
      const half = /HF/.test(text) && !/<[\d;,]+>(F|D|UD|Q|UQ)\b/.test(text);
      if (/^(mad|mac)$/.test(op) && /(F|HF)\b/.test(text) && !/<[\d;,]+>(D|UD|W|UW)\b/.test(text)) l.macs += lanes / 8;
      l.issue += /^(send|nop|sync|endif|if|else|while|break|jmpi|cont|halt)/.test(op) ? 1 : op === "math" ? 0 : Math.max(1, lanes / (half ? 16 : 8));
    }
  }
  const loop = mainLoops(loops, mains);
  return { width, spilled: number(text, "Spill Count") ?? 0, fills: number(text, "Fill Count") ?? 0, share: round(loop?.macs / loop?.issue) };
}

// NVIDIA, by Mesa's compiler NAK, which prints its code as blocks with their successors. What
// follows a loop may lie between its blocks, so that a loop is the blocks from which its end is
// reached without its beginning. Registers go to local memory, and a sum that needs an address
// is there, too.
export function nvidia(text, family, mains) {
  const blocks = [];
  let block = null;
  for (const line of text.slice(text.lastIndexOf("NAK IR after calc_instr_deps:")).split("\n").slice(1)) {
    const begin = /^\s*block(?:\.u)? (\d+) /.exec(line);
    if (begin) { blocks.push(block = { id: Number(begin[1]), code: [], next: [] }); continue; }
    const end = /^\s*\} -> \[(.*?)\]/.exec(line);
    if (end && block) {
      block.next = end[1].split(",").map((x) => parseInt(x)).filter((x) => !Number.isNaN(x));
      block = null;
      continue;
    }
    const code = line.replace(/\/\/.*/, "").trim().replace(/^@!?\S+\s+/, "");
    if (block && code) block.code.push((code.includes(" = ") ? code.split(" = ").pop() : code).trim().split(/\s+/)[0]);
  }
  const at = new Map(blocks.map((b, i) => [b.id, i]));
  const before = blocks.map(() => []);
  blocks.forEach((b, i) => b.next.forEach((id) => before[at.get(id)]?.push(i)));
  const ends = new Map(); // of each loop's first block
  blocks.forEach((b, i) => {
    for (const first of b.next.map((id) => at.get(id))) if (first <= i) ends.set(first, [...(ends.get(first) ?? []), i]);
  });
  const loops = [...ends].map(([first, todo]) => {
    const inside = new Set([first]);
    const l = { first, inside, macs: 0, issue: 0, bytes: 0 };
    while (todo.length) {
      const i = todo.pop();
      if (inside.has(i)) continue;
      inside.add(i);
      todo.push(...before[i]);
    }
    for (const op of [...inside].flatMap((i) => blocks[i].code)) {
      l.issue++;
      if (op.startsWith("ffma")) l.macs++;
      if (op.startsWith("hfma2")) l.macs += 2;
      if (/^(ld\.shared|lds)/.test(op)) l.bytes += /b128/.test(op) ? 16 : /b64/.test(op) ? 8 : 4;
    }
    return l;
  });
  const all = blocks.flatMap((b) => b.code);
  const loop = mainLoops(loops, mains);
  return { registers: number(text, "Number of GPRs"), spilled: all.filter((op) => op.startsWith("st.local")).length, fills: all.filter((op) => op.startsWith("ld.local")).length,
    share: round(loop?.macs / loop?.issue), bytes_a_mac: round(loop?.bytes / loop?.macs) };
}
