#!/usr/bin/env node
// What RADV's compiler for RDNA3 makes of attention, the norms and the sampler, as Go
// sets their constants on a GPU (gpu/attention.go, chooseAttentionTile): registers,
// spills, waves a SIMD. Writes wgsl/cost_attention_norm.json; a spill fails.
//
// usage: node gpucost_attention_norm.mjs GPUCOST   (the path of gpucost.mjs)
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const wgsl = path.join(here, '../../wgsl');
const gpucost = process.argv[2];
if (!gpucost) {
  console.error('usage: node gpucost_attention_norm.mjs GPUCOST, the path of gpucost.mjs');
  process.exit(2);
}
const webgpu = process.env.GPUCOST_WEBGPU ?? createRequire(path.join(here, '../x.js')).resolve('webgpu');
const text = (name) => fs.readFileSync(path.join(wgsl, name + '.wgsl'), 'utf8');

// As gpu/shader.go puts a module together.
function source(kernel, f16, consts) {
  const lines = Object.entries(consts).map(([name, v]) =>
    typeof v === 'boolean' ? `const ${name}: bool = ${v};` : `const ${name}: u32 = ${v}u;`);
  return [f16 ? 'enable f16;' : '', ...lines, text(f16 ? 'prelude_f16' : 'prelude_f32'), text('prelude_common'), text(kernel)].join('\n');
}

const attention = (d, split, keys, cross) => ({
  kernel: 'attention', what: `head size ${d}${cross ? ', image prompts' : ''}`,
  consts: { QUADS: d / 4 / split, SPLIT: split, KEYS: keys, RUN: Math.min(4, keys), THREADS: 64, CROSS: cross, CAUSAL: false },
});
const kernels = [
  ...[[40, 1, 16], [64, 2, 16], [80, 2, 8], [160, 4, 4], [512, 16, 2]].map(([d, s, k]) => attention(d, s, k, false)),
  ...[[40, 1, 16], [80, 2, 8], [160, 4, 4]].map(([d, s, k]) => attention(d, s, k, true)),
  { kernel: 'layer_norm', what: '', consts: {} },
  { kernel: 'group_norm_partial', what: '', consts: {} },
  { kernel: 'group_norm_combine', what: '', consts: {} },
  { kernel: 'group_norm_apply', what: '', consts: {} },
  { kernel: 'sampler_step', what: '', consts: {} },
];

const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'cost-'));
process.on('exit', () => fs.rmSync(tmp, { recursive: true, force: true }));
const rows = [];
let failed = false;
for (const f16 of [true, false]) {
  for (const { kernel, what, consts } of kernels) {
    const file = path.join(tmp, kernel + '.wgsl');
    fs.writeFileSync(file, source(kernel, f16, consts));
    const r = spawnSync(process.execPath, [gpucost, '--json', file], { encoding: 'utf8', env: { ...process.env, GPUCOST_WEBGPU: webgpu } });
    if (r.status !== 0) {
      console.error(`${kernel} (${what}): ${r.stderr}`);
      process.exit(1);
    }
    const s = JSON.parse(r.stdout);
    const row = { kernel, what, numbers: f16 ? 'f16' : 'f32', vgprs: +s.VGPRs, spilled: +s['Spilled VGPRs'] + +s['Spilled SGPRs'],
      waves: +s['Subgroups per SIMD'], workgroup_bytes: +s['LDS size'], inverse_throughput: +s['Inverse Throughput'] };
    failed ||= row.spilled > 0;
    rows.push(row);
    console.log(`${kernel} ${what}, ${row.numbers}: ${row.vgprs} VGPRs, ${row.spilled} spilled, ${row.waves} waves, ${row.inverse_throughput} cycles`);
  }
}
fs.writeFileSync(path.join(wgsl, 'cost_attention_norm.json'), '[\n' + rows.map((r) => '  ' + JSON.stringify(r)).join(',\n') + '\n]\n');
if (failed) {
  console.error('a kernel spills registers');
  process.exit(1);
}
