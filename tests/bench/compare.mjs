// The measurements, which are the same in Node and in a page. A host provides
//   ours       the engine (globalThis.impromptBench from tests/bench/engine)
//   ort        onnxruntime-web, with its sessions on the same adapter
//   read(path) reads a file of the benchmark into an ArrayBuffer
//   at(path)   the address of a folder of the benchmark, for the engine
//   cpu()      the processor time that this process has used, in seconds, or null
//   say(text)  reports progress

const LIMIT = 90; // seconds after which no more runs are begun, once there are three

// The largest relative errors against torch's float32 with which a result is right. In float32
// another order of sums gives about 1e-5 through a hundred layers, and the engine's tests allow
// 1e-3 for whole pipelines. In float16 every operation rounds its result. Torch's own float16
// run shows how much that is (it is measured when the files are made), and twice that is
// allowed. onnxruntime also sums in float16 inside its kernels, so that a single 3 × 3
// convolution of SD 1.5 has an error of 0.8 to 1.5 % (./build.sh bench ops --numbers f16). It
// is allowed twenty times torch's error (on lavapipe it has ten times); the table shows it.
const F32 = 1e-3;
const OURS_F16 = 2, ORT_F16 = 20;

export function relativeError(got, want) {
  if (got.length !== want.length) throw new Error(`${got.length} numbers, not ${want.length}`);
  let d = 0, n = 0;
  for (let i = 0; i < got.length; i++) { d += (got[i] - want[i]) ** 2; n += want[i] ** 2; }
  return Math.sqrt(d / n);
}

function within(what, error, limit) {
  if (!(error <= limit)) throw new Error(`${what} is off by ${error.toPrecision(3)} from what torch computes, and ${limit.toPrecision(2)} is allowed`);
}

export function median(x) {
  const s = [...x].sort((a, b) => a - b), m = s.length >> 1;
  return s.length % 2 ? s[m] : (s[m - 1] + s[m]) / 2;
}

// alternate runs both in turn, so that other work on the machine disturbs both alike.
async function alternate(host, runs, ours, theirs) {
  const times = { ours: [], ort: [] }, cpu = { ours: [], ort: [] };
  const once = async (name, run) => {
    const began = performance.now(), used = host.cpu();
    await run();
    times[name].push((performance.now() - began) / 1e3);
    if (used !== null) cpu[name].push(host.cpu() - used);
  };
  const began = performance.now();
  for (let i = 0; i < runs && (i < 3 || performance.now() - began < 1e3 * LIMIT); i++) {
    await once("ours", ours);
    await once("ort", theirs);
  }
  const two = (x) => x.ours.length ? { ours: median(x.ours), ort: median(x.ort), ratio: median(x.ort) / median(x.ours) } : null;
  return { runs: times.ours.length, wall: two(times), cpu: two(cpu), times };
}

const json = async (host, path) => JSON.parse(new TextDecoder().decode(await host.read(path)));

async function session(host, folder, name, options) {
  const model = new Uint8Array(await host.read(`${folder}/${name}`));
  let externalData;
  if (await host.has(`${folder}/${name}.data`)) externalData = [{ path: `${name}.data`, data: new Uint8Array(await host.read(`${folder}/${name}.data`)) }];
  return host.ort.InferenceSession.create(model, { executionProviders: ["webgpu"], externalData, ...options });
}

async function open(host, f16) {
  const device = await host.ours.open({ noF16: !f16 });
  if (f16 && !device.f16) throw new Error(`${device.adapter} has no shader-f16`);
  return device;
}

// unet compares a step of the network in folder (tests/reference/onnx_unet.py).
export async function unet(host, { folder, f16, runs, profile }) {
  const { ours, ort } = host;
  const meta = await json(host, `${folder}/bench.json`);
  const inputs = {};
  for (const name of Object.keys(meta.shapes)) inputs[name] = new Float32Array(await host.read(`${folder}/${name}.bin`));
  const want = inputs.prediction;
  const device = await open(host, f16);

  let began = performance.now();
  const made = await ours.unet(host.at(folder), JSON.stringify(meta), inputs);
  await ours.run();
  const got = await ours.output();
  const ready = { ours: (performance.now() - began) / 1e3 };
  host.say(`ours is ready after ${ready.ours.toFixed(1)} s`);

  began = performance.now();
  const s = await session(host, folder, `unet.${f16 ? "f16" : "f32"}.onnx`);
  const feeds = { timestep: new ort.Tensor("float32", new Float32Array([meta.timestep]), [1]) };
  for (const name of ["sample", "words", "picture"]) feeds[name] = new ort.Tensor("float32", inputs[name], meta.shapes[name]);
  const theirs = async () => (await s.run(feeds)).prediction.data;
  const given = await theirs();
  ready.ort = (performance.now() - began) / 1e3;
  host.say(`onnxruntime-web is ready after ${ready.ort.toFixed(1)} s`);

  const error = { ours: relativeError(got, want), ort: relativeError(given, want), between: relativeError(got, given), torchF16: meta.f16_error };
  within("our prediction", error.ours, f16 ? OURS_F16 * meta.f16_error : F32);
  within("onnxruntime-web's prediction", error.ort, f16 ? ORT_F16 * meta.f16_error : F32);
  const timed = await alternate(host, runs, () => ours.run(), theirs);
  const kernels = profile ? await ours.profile() : undefined;
  await s.release();
  await ours.close();
  return { adapter: device.adapter, ortAdapter: host.ortAdapter(), f16, meta, made, ready, error, kernels, ...timed };
}

// ops compares single operations (tests/reference/onnx_ops.py).
export async function ops(host, { folder, f16, runs, only, each }) {
  const { ours, ort } = host;
  const list = (await json(host, `${folder}/ops.json`)).filter((o) => !only || o.name.includes(only));
  const device = await open(host, f16);
  const kind = f16 ? "f16" : "f32";
  const rows = [];
  for (const op of list) {
    const tensors = {};
    for (const name of Object.keys(op.shapes)) tensors[name] = new Float32Array(await host.read(`${folder}/${op.file}.${name}.bin`));
    const made = await ours.op(JSON.stringify(op), tensors);
    await ours.run();
    const got = await ours.output();

    const s = await session(host, folder, `${op.file}.${kind}.onnx`, { preferredOutputLocation: "gpu-buffer" });
    const gpu = await ort.env.webgpu.device;
    const feeds = {}, buffers = [];
    for (const name of op.inputs) {
      const data = f16 ? toHalf(tensors[name]) : tensors[name];
      const buffer = gpu.createBuffer({ size: (data.byteLength + 15) & ~15, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
      gpu.queue.writeBuffer(buffer, 0, data);
      buffers.push(buffer);
      feeds[name] = ort.Tensor.fromGpuBuffer(buffer, { dataType: f16 ? "float16" : "float32", dims: op.shapes[name] });
    }
    const first = await s.run(feeds);
    const raw = await first.y.getData(true);
    const given = f16 ? fromHalf(new Uint16Array(raw.buffer, raw.byteOffset, raw.length)) : raw;
    const row = { name: op.name, flop: made.flop, error: { ours: relativeError(got, tensors.y), ort: relativeError(given, tensors.y) } };
    // An operation rounds its result once, in float16 by at most 2^-11 of each number.
    within(`${op.name}: ours`, row.error.ours, f16 ? 1e-3 : 1e-5);
    // Its scores of 4096 by 4096 need a larger binding than some adapters have. Its result is then
    // shown as wrong instead of failing.
    row.wrong = !(row.error.ort <= (f16 ? 2e-2 : 1e-4));
    Object.assign(row, await alternate(host, runs, () => ours.run(), async () => {
      const r = await s.run(feeds);
      await gpu.queue.onSubmittedWorkDone();
      r.y.dispose();
    }));
    await s.release();
    for (const b of buffers) b.destroy();
    await ours.free();
    rows.push(row);
    await each(row);
  }
  await ours.close();
  return { adapter: device.adapter, ortAdapter: host.ortAdapter(), f16, rows };
}

// load measures how long a UNet's weights take to reach the GPU.
export async function load(host, { folder, f16, runs, lora }) {
  const device = await open(host, f16);
  const r = await host.ours.load(host.at(folder), runs, lora);
  await host.ours.close();
  return { adapter: device.adapter, ...r };
}

const floats = new Float32Array(1), bits = new Uint32Array(floats.buffer);

// toHalf is exact, because every number in the files is a float16.
function toHalf(values) {
  return Uint16Array.from(values, (v) => {
    floats[0] = v;
    const u = bits[0], sign = u >>> 16 & 0x8000, exponent = (u >>> 23 & 255) - 112;
    if (exponent > 0) return sign | exponent << 10 | u >>> 13 & 0x3ff;
    return sign | (exponent < -10 ? 0 : (u & 0x7fffff | 0x800000) >>> 14 - exponent);
  });
}

function fromHalf(values) {
  return Float32Array.from(values, (h) => {
    const sign = h & 0x8000 ? -1 : 1, e = h >>> 10 & 31, m = h & 0x3ff;
    return sign * (e === 31 ? (m ? NaN : Infinity) : e ? 2 ** (e - 15) * (1 + m / 1024) : m * 2 ** -24);
  });
}
