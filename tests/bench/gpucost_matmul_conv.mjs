#!/usr/bin/env node
// What RADV's compiler for RDNA3 makes of convolution and linear layers: one row for
// each variant of conv2d.wgsl that Go compiles on a GPU (gpu/conv2d_tile.go).
// Writes wgsl/cost_matmul_conv.json; a spill fails.
//
// usage: node gpucost_matmul_conv.mjs GPUCOST   (the path of gpucost.mjs)
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
  console.error('usage: node gpucost_matmul_conv.mjs GPUCOST, the path of gpucost.mjs');
  process.exit(2);
}
const webgpu = process.env.GPUCOST_WEBGPU ?? createRequire(path.join(here, '../x.js')).resolve('webgpu');
const text = (name) => fs.readFileSync(path.join(wgsl, name + '.wgsl'), 'utf8');

// As gpu/shader.go puts a module together.
function source(kernel, f16, consts) {
  const lines = Object.entries(consts).map(([name, v]) =>
    typeof v === 'boolean' ? `const ${name}: bool = ${v};` : `const ${name}: u32 = ${v}u;`);
  return [f16 ? 'enable f16;' : '', ...lines, text(f16 ? 'prelude_f16' : 'prelude_f32'), text('prelude_common'), text(kernel), kernel === 'conv2d' ? text('prelude_conv2d') : ''].join('\n');
}

const conv = (mv, nv, x2 = false) => ({ kernel: 'conv2d', what: x2 ? 'two inputs' : '', mv, nv,
  consts: { MV: mv, NV: nv, HAS_X2: x2 } });
const kernels = [conv(2, 2), conv(2, 2, true), conv(1, 2), conv(1, 2, true), conv(1, 1), conv(1, 1, true),
  { kernel: 'conv2d_sum', what: '', consts: {} }];

const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'cost-'));
process.on('exit', () => fs.rmSync(tmp, { recursive: true, force: true }));
const rows = [];
let failed = false;
for (const f16 of [true, false]) {
  for (const { kernel, what, mv, nv, consts } of kernels) {
    const file = path.join(tmp, kernel + '.wgsl');
    fs.writeFileSync(file, source(kernel, f16, consts));
    const r = spawnSync(process.execPath, [gpucost, '--json', file], { encoding: 'utf8', env: { ...process.env, GPUCOST_WEBGPU: webgpu } });
    if (r.status !== 0) {
      console.error(`${kernel} (${what}): ${r.stderr}`);
      process.exit(1);
    }
    const s = JSON.parse(r.stdout);
    const cycles = +s['Inverse Throughput'];
    const row = { kernel, what, numbers: f16 ? 'f16' : 'f32', vgprs: +s.VGPRs, spilled: +s['Spilled VGPRs'] + +s['Spilled SGPRs'],
      waves: +s['Subgroups per SIMD'], workgroup_bytes: +s['LDS size'], inverse_throughput: cycles };
    if (mv) {
      row.thread_tile = `${4 * mv} × ${4 * nv}`;
      // A pass is 16 input channels, in a loop in a loop: the driver counts that 32 times.
      row.share_of_fma = +(16 * mv * nv * 16 * 32 / cycles).toFixed(2);
    }
    failed ||= row.spilled > 0;
    rows.push(row);
    console.log(JSON.stringify(row));
  }
}
fs.writeFileSync(path.join(wgsl, 'cost_matmul_conv.json'), '[\n' + rows.map((r) => '  ' + JSON.stringify(r)).join(',\n') + '\n]\n');
if (failed) {
  console.error('a kernel spills registers');
  process.exit(1);
}
