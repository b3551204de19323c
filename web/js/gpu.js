// The JavaScript half of package gpu. It replays a program's dispatches in one call, which
// would otherwise take a call from Go for each of them. The worker, Node and the browser
// tests load it before the wasm. It registers itself as globalThis.impromptGPU.

// How long one submission should keep the GPU busy. Windows resets a GPU that is busy for two
// seconds, and Cancel takes effect only between submissions.
const TARGET_MS = 100;
// How many submissions are under way at a time, so that the GPU already has the next one.
const IN_FLIGHT = 2;

const submissions = new WeakMap();
// What a device's programs share: the submissions that are under way, and how many floating-point
// operations a new program's submissions have at first, which is what was learnt last.
function shared(device) {
  if (!submissions.has(device)) submissions.set(device, { pending: [], budget: 4e9 });
  return submissions.get(device);
}

class Program {
  // list has 6 numbers for each dispatch: pipeline, bind group, the workgroups in x, y and z, and
  // the number of its condition, or 0. cost has the floating-point operations of each dispatch.
  // conditions says of each condition, counted from 1, in which steps it is true.
  constructor(device, pipelines, bindGroups, list, cost, stepBuffer, conditions) {
    Object.assign(this, { device, pipelines, bindGroups, list, cost, stepBuffer, conditions });
    this.cancelled = false;
    this.shared = shared(device);
    this.pending = this.shared.pending;
    this.budget = this.shared.budget; // floating-point operations per submission, adapted to the GPU's speed
  }

  // active lists the dispatches that run in a step.
  active(step) {
    const { list, conditions, cost } = this;
    return [...cost.keys()].filter((i) => !list[6 * i + 5] || conditions[list[6 * i + 5] - 1][step]);
  }

  // run submits what the step runs of the list. It resolves when all of it is in the queue or, with wait, when
  // the GPU has finished. It resolves to false if it was cancelled.
  async run(step, wait) {
    const { device: { queue }, cost } = this;
    this.cancelled = false;
    if (this.stepBuffer) queue.writeBuffer(this.stepBuffer, 0, new Uint32Array([step, 0, 0, 0]));
    const pending = this.pending;
    const order = this.active(step);
    for (let n = 0; n < order.length;) {
      let spent = 0, end = n;
      do spent += cost[order[end++]]; while (end < order.length && spent + cost[order[end]] <= this.budget);
      this.submit(order.slice(n, end));
      n = end;
      const began = performance.now();
      pending.push(queue.onSubmittedWorkDone().then(() => {
        // If another submission was before it, this one also waited for its turn. The estimate
        // is then too low by a factor of at most IN_FLIGHT.
        const ms = performance.now() - began;
        if (spent > 1e8) this.shared.budget = this.budget = Math.min(1e12, Math.max(5e8, spent * Math.min(2, TARGET_MS / ms)));
      }));
      while (pending.length >= IN_FLIGHT) await pending.shift();
      if (this.cancelled) { await Promise.all(pending.splice(0)); return false; }
    }
    if (wait) await Promise.all(pending.splice(0));
    return true;
  }

  // submit submits some dispatches, or all of them.
  submit(some = this.cost.keys()) {
    const { device, pipelines, bindGroups, list } = this;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    let pipeline = -1;
    for (const i of some) {
      const at = 6 * i;
      if (list[at] !== pipeline) pass.setPipeline(pipelines[pipeline = list[at]]);
      pass.setBindGroup(0, bindGroups[list[at + 1]]);
      pass.dispatchWorkgroups(list[at + 2], list[at + 3], list[at + 4]);
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  // profile runs every dispatch in submissions of its own and resolves to a Float64Array of
  // the milliseconds that one run of each takes. A dispatch is repeated until it has taken
  // target milliseconds, because browsers round timestamps to 100 µs. Without target it runs
  // once. Without timestamps the wait for the GPU is counted, too.
  // only lists the indices of the dispatches.
  async profile(step, target, only) {
    const { device, stepBuffer } = this;
    if (stepBuffer) device.queue.writeBuffer(stepBuffer, 0, new Uint32Array([step, 0, 0, 0]));
    const ms = new Float64Array(only.length);
    const clock = new Clock(device);
    try {
      // A GPU that was idle is slow at first.
      for (const i of only.slice(0, 8)) await clock.time((pass) => this.repeat(pass, i, 1));
      for (let i = 0; i < only.length; i++) {
        let times = 1;
        for (;;) {
          const taken = await clock.time((pass) => this.repeat(pass, only[i], times));
          ms[i] = taken / times;
          if (taken >= target || times >= 4096) break;
          times = Math.min(4096, Math.max(2 * times, Math.ceil(times * 1.2 * target / Math.max(taken, 0.05))));
        }
      }
    } finally {
      clock.destroy();
    }
    return ms;
  }

  // repeat records a dispatch a number of times.
  repeat(pass, i, times) {
    const { pipelines, bindGroups, list } = this;
    pass.setPipeline(pipelines[list[6 * i]]);
    pass.setBindGroup(0, bindGroups[list[6 * i + 1]]);
    for (let n = 0; n < times; n++) pass.dispatchWorkgroups(list[6 * i + 2], list[6 * i + 3], list[6 * i + 4]);
  }

  cancel() { this.cancelled = true; }
}

// Clock measures compute passes, by the GPU's own timestamps if the device has them.
class Clock {
  constructor(device) {
    this.device = device;
    if (!device.features.has("timestamp-query")) return;
    this.queries = device.createQuerySet({ type: "timestamp", count: 2 });
    this.resolved = device.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  }

  // time resolves to the milliseconds that a pass takes, which record fills.
  async time(record) {
    const { device, queries, resolved } = this;
    await device.queue.onSubmittedWorkDone();
    const began = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass(queries && { timestampWrites: { querySet: queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } });
    record(pass);
    pass.end();
    if (queries) encoder.resolveQuerySet(queries, 0, 2, resolved, 0);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    const waited = performance.now() - began;
    if (!queries) return waited;
    const [from, to] = new BigUint64Array((await read(device, resolved, 0, 16)).buffer);
    return to > from ? Number(to - from) / 1e6 : waited;
  }

  destroy() {
    this.queries?.destroy();
    this.resolved?.destroy();
  }
}

// write writes bytes to a buffer. writeBuffer takes only multiples of four bytes.
function write(device, buffer, offset, bytes) {
  const n = bytes.byteLength;
  const whole = n & ~3;
  if (whole) device.queue.writeBuffer(buffer, offset, bytes, 0, whole);
  if (whole < n) {
    const tail = new Uint8Array(4);
    tail.set(bytes.subarray(whole));
    device.queue.writeBuffer(buffer, offset + whole, tail);
  }
}

// read resolves to a copy of a buffer's bytes. It does not stop the queue: other submissions
// can follow immediately.
async function read(device, buffer, offset, size) {
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const staging = device.createBuffer({ size, usage });
  try {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return new Uint8Array(staging.getMappedRange().slice(0));
  } finally {
    staging.destroy();
  }
}

// open asks for an adapter, and for a device with those of the adapter's features and limits
// that the engine uses. If there is none it resolves to a problem ("webgpu", "adapter" or
// "device") and a text that explains it.
async function open({ noF16 = false, powerPreference = "high-performance" } = {}) {
  if (!navigator.gpu) return { problem: "webgpu", text: "this browser has no WebGPU" };
  const adapter = await navigator.gpu.requestAdapter({ powerPreference });
  if (!adapter) return { problem: "adapter", text: "WebGPU found no GPU that it may use" };
  const requiredFeatures = [];
  if (!noF16 && adapter.features.has("shader-f16")) requiredFeatures.push("shader-f16");
  if (adapter.features.has("subgroups")) requiredFeatures.push("subgroups");
  if (adapter.features.has("timestamp-query")) requiredFeatures.push("timestamp-query");
  const requiredLimits = {};
  for (const name of [
    "maxBufferSize", "maxStorageBufferBindingSize", "maxComputeWorkgroupStorageSize",
    "maxComputeInvocationsPerWorkgroup", "maxComputeWorkgroupSizeX", "maxComputeWorkgroupSizeY",
    "maxComputeWorkgroupsPerDimension", "maxStorageBuffersPerShaderStage",
  ]) requiredLimits[name] = adapter.limits[name];
  let device;
  try {
    device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
  } catch (e) {
    return { problem: "device", text: `the GPU could not be opened: ${e.message}` };
  }
  // failed says whether error or lost holds a text. Package gpu reads it often.
  const state = { device, info: adapter.info, failed: false, error: "", full: false, lost: "" };
  device.addEventListener("uncapturederror", ({ error }) => {
    state.error ||= error.message;
    state.full ||= error instanceof GPUOutOfMemoryError;
    state.failed = true;
  });
  device.lost.then((info) => {
    state.lost = info.message || info.reason || "device lost";
    state.failed = true;
  });
  return state;
}

globalThis.impromptGPU = {
  open, read, write,
  ignore() {},
  program: (...args) => new Program(...args),
};
