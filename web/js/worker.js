// Starts a dedicated worker of the same wasm as the page's: the engine, or, by the name
// "library", the keeper of models.
import "./guard.js";
import "./gpu.js";
import "./loader.js";
import "./wasm_exec.js";

try {
  const go = new Go();
  const { instance } = await WebAssembly.instantiateStreaming(fetch(new URL("../app.wasm", import.meta.url)), go.importObject);
  globalThis.wasm = instance; // cogentcore/webgpu writes buffers from its memory
  await go.run(instance);
  // The engine serves as long as the worker lives: it ends only by a fault.
  postMessage({ type: "ended", message: "the engine stopped" });
} catch (e) {
  postMessage({ type: "ended", message: e.message });
}
