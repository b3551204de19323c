// Runs the benchmark in a page; see chromium.mjs.
import "/js/gpu.js";
import "/js/loader.js";
import * as compare from "./compare.mjs";

const BUILDS = { webgpu: "ort.webgpu.min.mjs", jsep: "ort.all.min.mjs" };

async function start() {
  if (!navigator.gpu) throw new Error("this Chromium has no WebGPU");
  globalThis.impromptBenchCPU = benchCPU;
  const adapters = [];
  const request = navigator.gpu.requestAdapter.bind(navigator.gpu);
  navigator.gpu.requestAdapter = async (options) => {
    const adapter = await request(options);
    adapters.push(adapter.info.description || adapter.info.device || adapter.info.architecture || adapter.info.vendor);
    return adapter;
  };
  const go = new Go();
  const running = new Promise((resolve) => { globalThis.impromptBenchReady = resolve; });
  const { instance } = await WebAssembly.instantiateStreaming(fetch("/bench.wasm"), go.importObject);
  globalThis.wasm = instance;
  go.run(instance);
  await running;

  const ort = await import("/ort/" + BUILDS[new URL(location.href).searchParams.get("ort")]);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = location.origin + "/ort/";
  ort.env.logLevel = "error";
  const url = (name) => `${location.origin}/data/${name}`;
  const host = {
    ort, ours: impromptBench,
    has: async (name) => (await fetch(url(name), { method: "HEAD" })).ok,
    read: async (name) => {
      const r = await fetch(url(name));
      if (!r.ok) throw new Error(`${name}: the server answered ${r.status}`);
      return r.arrayBuffer();
    },
    at: url,
    cpu: () => null, // another process does the work
    ortAdapter: () => adapters.at(-1),
    say: benchSay,
  };
  globalThis.benchCompare = (what, options) => compare[what](host, { ...options, each: benchEach });
}

start().then(() => benchReady(""), (e) => benchReady(e.stack ?? String(e)));
