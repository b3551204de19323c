// Starts a dedicated worker with the same wasm as the page: the engine, or, where the
// worker's name is "library", the one that stores models.
import "./guard.js";
import "./gpu.js";
import "./loader.js";
import "./wasm_exec.js";

// The message Ended of app/protocol.
const ended = (message) => postMessage({ text: JSON.stringify({ id: 0, type: "ended", body: { message } }) });

try {
  const go = new Go();
  const { instance } = await WebAssembly.instantiateStreaming(fetch(new URL("../app.wasm", import.meta.url)), go.importObject);
  globalThis.wasm = instance; // cogentcore/webgpu writes buffers from its memory
  await go.run(instance);
  // The program serves as long as the worker lives: only a fault ends it.
  ended("its program stopped");
} catch (e) {
  ended(e.message);
}
