// Starts a dedicated worker with the workers' program: the engine, or, if library.js imports this
// file, the worker that stores models.
import "./guard.js";
import "./gpu.js";
import "./loader.js";
import "./wasm_exec.js";

// The address of the site's files, with the query that names their version. A worker that was
// started from a blob cannot find it out from its own address.
const here = new URL(import.meta.url);
globalThis.impromptSite = { base: new URL("../", here).href, version: here.search };

// The message Ended of app/protocol.
const ended = (message) => postMessage({ text: JSON.stringify({ id: 0, type: "ended", body: { message } }) });

// program asks the page for the program, which it compiles.
const program = () => new Promise((done, failed) => {
  addEventListener("message", (e) => {
    if (e.data.program) done(e.data.program);
    else failed(new Error(`its program could not be loaded: ${e.data.error}`));
  }, { once: true });
  postMessage("program");
});

try {
  const go = new Go();
  const instance = await WebAssembly.instantiate(await program(), go.importObject);
  globalThis.wasm = instance; // cogentcore/webgpu writes buffers from its memory
  await go.run(instance);
  // The program runs as long as the worker lives. Only a fault ends it.
  ended("its program stopped");
} catch (e) {
  ended(e.message);
}
