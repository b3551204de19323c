// Starts a dedicated worker with the same program as the page's: the engine, or, imported
// by library.js, the one that stores models.
import "./guard.js";
import "./gpu.js";
import "./loader.js";
import "./wasm_exec.js";

// Where the site's files lie, and the query that names their version: a worker that was
// started from a blob cannot tell by its own address.
const here = new URL(import.meta.url);
globalThis.impromptSite = { base: new URL("../", here).href, version: here.search };

// The message Ended of app/protocol.
const ended = (message) => postMessage({ text: JSON.stringify({ id: 0, type: "ended", body: { message } }) });

try {
  const go = new Go();
  const { instance } = await WebAssembly.instantiateStreaming(fetch(new URL(`../app.wasm${here.search}`, here)), go.importObject);
  globalThis.wasm = instance; // cogentcore/webgpu writes buffers from its memory
  await go.run(instance);
  // The program serves as long as the worker lives: only a fault ends it.
  ended("its program stopped");
} catch (e) {
  ended(e.message);
}
