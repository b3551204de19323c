#!/usr/bin/env node
// What RADV's compiler for RDNA3 makes of convolution and linear layers, at the shapes
// of SD1.5 at 512² with guidance, with the tiles that Go chooses on a GPU
// (gpu/conv2d.go, convTile). Writes wgsl/cost_matmul_conv.json; a spill fails.
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
const out = 'alias Out4 = Act4;\nfn to_out4(v: vec4<f32>) -> Out4 { return to_act4(v); }';

// As gpu/shader.go puts a module together.
function source(f16, consts) {
  const lines = Object.entries(consts).map(([name, v]) =>
    typeof v === 'boolean' ? `const ${name}: bool = ${v};` : `const ${name}: u32 = ${v}u;`);
  return [f16 ? 'enable f16;' : '', ...lines, out, text(f16 ? 'prelude_f16' : 'prelude_f32'), text('prelude_common'), text('conv2d')].join('\n');
}

// As convTile chooses where the device is a GPU.
function tile(m, n, geglu) {
  let at;
  for (at of [[2, 2], [1, 2], [1, 1]]) {
    if ((at[0] === 2 && m <= 32) || (at[1] === 2 && n <= 32)) continue;
    if (Math.ceil(m / 32 / at[0]) * Math.ceil(n / 32 / at[1]) >= 256) break;
  }
  return geglu ? [at[0], 2] : at;
}

const conv = (what, m, n, more = {}) => ({ what, m, n, more: { KSIZE: 3, HAS_TABLE: true, ...more } });
const linear = (what, m, n, more = {}) => ({ what, m, n, more: { KSIZE: 1, ...more } });
const kernels = [
  conv('3 × 3, 320 → 320 at 64²', 8192, 320),
  conv('3 × 3, 640 → 640 at 32²', 2048, 640),
  conv('3 × 3, 1280 → 1280 at 16²', 512, 1280),
  conv('3 × 3, 1280 → 1280 at 8²', 128, 1280),
  conv('3 × 3, stride 2, 320 → 320 at 64²', 2048, 320, { STRIDE: 2, HAS_TABLE: false }),
  conv('3 × 3, upsampling, 1280 → 1280 to 32²', 2048, 1280, { UPSAMPLE: true, HAS_TABLE: false }),
  linear('1 × 1, two inputs, 640 + 320 → 320 at 64²', 8192, 320, { HAS_X2: true }),
  linear('linear, 320 → 960 at 64²', 8192, 960),
  linear('linear, residual, 1280 → 1280 at 16²', 512, 1280, { HAS_RESIDUAL: true }),
  linear('GEGLU, 320 → 1280 at 64²', 8192, 2560, { GEGLU: true }),
  linear('linear, 768 → 640 of 77 tokens', 154, 640),
];

const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'cost-'));
process.on('exit', () => fs.rmSync(tmp, { recursive: true, force: true }));
const rows = [];
let failed = false;
for (const f16 of [true, false]) {
  for (const { what, m, n, more } of kernels) {
    const [mv, nv] = tile(m, n, more.GEGLU);
    const consts = { STRIDE: 1, MV: mv, NV: nv, HAS_BIAS: true, HAS_X2: false, HAS_TABLE: false, HAS_RESIDUAL: false,
      UPSAMPLE: false, GEGLU: false, ACTIVATION: 0, UNROLL: true, ...more };
    const file = path.join(tmp, 'conv2d.wgsl');
    fs.writeFileSync(file, source(f16, consts));
    const r = spawnSync(process.execPath, [gpucost, '--json', file], { encoding: 'utf8', env: { ...process.env, GPUCOST_WEBGPU: webgpu } });
    if (r.status !== 0) {
      console.error(`conv2d (${what}): ${r.stderr}`);
      process.exit(1);
    }
    const s = JSON.parse(r.stdout);
    const cycles = +s['Inverse Throughput'];
    // The driver counts the one loop of passes 8 times; a pass is 16 input channels.
    const share = +(16 * mv * nv * 16 * 8 / cycles).toFixed(2);
    const row = { kernel: 'conv2d', what, numbers: f16 ? 'f16' : 'f32', thread_tile: `${4 * mv} × ${4 * nv}`, vgprs: +s.VGPRs,
      spilled: +s['Spilled VGPRs'] + +s['Spilled SGPRs'], waves: +s['Subgroups per SIMD'], workgroup_bytes: +s['LDS size'],
      inverse_throughput: cycles, share_of_fma: share };
    failed ||= row.spilled > 0;
    rows.push(row);
    console.log(`${what}, ${row.numbers}: tile ${row.thread_tile}, ${row.vgprs} VGPRs, ${row.spilled} spilled, ${row.waves} waves, ${cycles} cycles, share ${share}`);
  }
}
fs.writeFileSync(path.join(wgsl, 'cost_matmul_conv.json'), '[\n' + rows.map((r) => '  ' + JSON.stringify(r)).join(',\n') + '\n]\n');
if (failed) {
  console.error('a kernel spills registers');
  process.exit(1);
}
