// Runs the benchmark in Node: the engine and onnxruntime-web in one process, both over Dawn and
// on the same adapter.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import * as compare from "./compare.mjs";

const root = process.env.IMPROMPT_ROOT;
const modules = process.env.IMPROMPT_NODE_MODULES;
export const ORT = { webgpu: "ort.webgpu.min.mjs", jsep: "ort.all.min.mjs" };

export async function open(wasm, { ort: build }) {
  const ready = new Promise((resolve) => { globalThis.impromptBenchReady = resolve; });
  process.argv = [process.argv[0], "node.js", wasm];
  import(pathToFileURL(path.join(root, "web/js/node.js"))); // resolves only when the engine ends
  await ready;

  // Dawn checks what the GPU has finished in setImmediate. If WebAssembly requests that, Node
  // notices it only when something else wakes its event loop.
  setInterval(() => {}, 1);

  // Dawn in Node rejects views of shared memory ("Invalid argument"), and all of onnxruntime's
  // memory is shared, so it gets a copy.
  const write = GPUQueue.prototype.writeBuffer;
  GPUQueue.prototype.writeBuffer = function (buffer, offset, data, from = 0, size) {
    const view = ArrayBuffer.isView(data);
    const unit = view ? data.BYTES_PER_ELEMENT ?? 1 : 1;
    const bytes = new Uint8Array(view ? data.buffer : data, (view ? data.byteOffset : 0) + from * unit,
      size === undefined ? data.byteLength - from * unit : size * unit);
    write.call(this, buffer, offset, bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice());
  };

  // Dawn keeps the process alive as long as there is a device.
  const devices = [];
  const requestDevice = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (options) {
    const device = await requestDevice.call(this, options);
    devices.push(device);
    return device;
  };
  process.on("exit", () => { for (const d of devices) d.destroy(); });

  const adapters = [];
  const { gpu } = navigator;
  const request = gpu.requestAdapter.bind(gpu);
  gpu.requestAdapter = async (options) => {
    const adapter = await request(options);
    adapters.push(adapter.info.description || adapter.info.device);
    return adapter;
  };
  const dist = path.join(modules, "onnxruntime-web/dist/");
  const ort = await import(pathToFileURL(path.join(dist, ORT[build])));
  ort.env.wasm.numThreads = 1; // no kernels run on the CPU
  ort.env.wasm.wasmPaths = pathToFileURL(dist).href;
  ort.env.logLevel = "error";

  const cpu = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
  globalThis.impromptBenchCPU = () => ({ "": cpu() });
  const file = (name) => path.join(root, ".build/bench", name);
  const host = {
    ort, ours: impromptBench,
    has: async (name) => fs.existsSync(file(name)),
    read: async (name) => {
      const b = await fs.promises.readFile(file(name));
      return b.byteLength === b.buffer.byteLength ? b.buffer : b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength);
    },
    at: file,
    cpu,
    ortAdapter: () => adapters.at(-1),
    say: (text) => console.error("  " + text),
  };
  return {
    compare: (what, options, each) => compare[what](host, { ...options, each }),
    close: async () => {},
  };
}
