// Starts the engine in a dedicated worker: the same wasm as the page's.
import "./gpu.js";
import "./wasm_exec.js";

const go = new Go();
const { instance } = await WebAssembly.instantiateStreaming(fetch(new URL("../app.wasm", import.meta.url)), go.importObject);
globalThis.wasm = instance; // cogentcore/webgpu writes buffers from its memory
await go.run(instance);
