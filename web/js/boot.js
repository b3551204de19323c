// Starts the page: what go-app's own script does, without inline code, with relative
// addresses, and with our service worker.
import "./guard.js";
import "./wasm_exec.js";

globalThis.goappGetenv = (name) => ({ GOAPP_ROOT_PREFIX: new URL(".", document.baseURI).pathname.replace(/\/$/, "") })[name] ?? "";
globalThis.goappKeepBodyClean = () => () => {};

const status = document.getElementById("boot-status");
const bar = document.getElementById("boot-bar");

function fail(text) {
  status.textContent = text;
  bar.hidden = true;
}

// The wasm with progress: WASM_BYTES is set when the site is built, because a
// compressed response does not say how long it will be.
async function download() {
  const response = await fetch(new URL("../app.wasm", import.meta.url));
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const total = Number(document.documentElement.dataset.wasmBytes) || 1;
  let done = 0;
  const counted = response.body.pipeThrough(new TransformStream({
    transform(chunk, controller) {
      done += chunk.byteLength;
      bar.value = Math.min(1, done / total);
      controller.enqueue(chunk);
    },
  }));
  return new Response(counted, { headers: { "content-type": "application/wasm" } });
}

if ("serviceWorker" in navigator) {
  // Offered, not forced: the page asks, and only then does the new version take over.
  const offer = (next) => {
    globalThis.impromptUpdate = () => next.postMessage("activate");
    globalThis.dispatchEvent(new Event("imprompt-update"));
  };
  navigator.serviceWorker.register("service-worker.js").then((registration) => {
    // One that an earlier visit was offered and did not take still waits.
    if (registration.waiting && navigator.serviceWorker.controller) offer(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const next = registration.installing;
      next.addEventListener("statechange", () => {
        if (next.state === "installed" && navigator.serviceWorker.controller) offer(next);
      });
    });
  }).catch((e) => console.warn("offline use is not available:", e.message));
  let had = !!navigator.serviceWorker.controller;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    // Another tab may have asked: a drawing under way here is finished first.
    const reload = () => (globalThis.impromptBusy?.() ? setTimeout(reload, 500) : location.reload());
    if (had) reload();
    had = true;
  });
}

if (typeof WebAssembly !== "object" || !WebAssembly.instantiateStreaming) {
  fail("This browser is too old for Imprompt: it has no WebAssembly. A current Chrome or Edge does.");
} else {
  try {
    const go = new Go();
    const { instance } = await WebAssembly.instantiateStreaming(download(), go.importObject);
    go.run(instance);
  } catch (e) {
    fail(`Imprompt could not start: ${e.message}. Reload the page to try again.`);
  }
}
