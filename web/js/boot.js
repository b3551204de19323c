// Starts the page. It does what go-app's own script does, but without inline code, with
// relative addresses, and with our service worker.
import "./guard.js";
import "./workers.js";
import "./wasm_exec.js";

globalThis.goappGetenv = (name) => ({ GOAPP_ROOT_PREFIX: new URL(".", document.baseURI).pathname.replace(/\/$/, "") })[name] ?? "";
globalThis.goappKeepBodyClean = () => () => {};

const here = new URL(import.meta.url); // with the version of the site in its query
const status = document.getElementById("boot-status");
const bar = document.getElementById("boot-bar");

function fail(text) {
  status.textContent = text;
  bar.hidden = true;
}

// Downloads the wasm and shows the progress. WASM_BYTES is set when the site is built, because
// a compressed response does not say how long it will be.
async function download() {
  const response = await fetch(new URL(`../app.wasm${here.search}`, here));
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

// offer tells the page that a new version is available. take switches to it.
function offer(take) {
  globalThis.impromptUpdate = take;
  globalThis.dispatchEvent(new Event("imprompt-update"));
}

// reload reloads the page once nothing is being drawn or stored here.
function reload() {
  if (globalThis.impromptBusy?.()) setTimeout(reload, 500);
  else location.reload();
}

function keepOffline() {
  const { serviceWorker } = navigator;
  let asked = false; // whether this tab asked for the new version
  const wait = (next) => offer(() => {
    asked = true;
    next.postMessage("activate");
  });
  serviceWorker.register("service-worker.js").then((registration) => {
    // A version that was offered at an earlier visit, and not taken, still waits.
    if (registration.waiting && serviceWorker.controller) wait(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const next = registration.installing;
      next.addEventListener("statechange", () => {
        if (next.state === "installed" && serviceWorker.controller) wait(next);
      });
    });
  }).catch((e) => console.warn("offline use is not available:", e.message));
  let had = !!serviceWorker.controller;
  serviceWorker.addEventListener("controllerchange", () => {
    // Only the tab that asked is reloaded. Another tab may hold work, so it goes on with the
    // files of its own version and is offered the new one.
    if (asked) reload();
    else if (had) offer(reload);
    had = true;
  });
  // The service worker asks which versions are still in use.
  serviceWorker.addEventListener("message", (e) => {
    if (e.data === "version") e.ports[0].postMessage(here.searchParams.get("v"));
  });
  serviceWorker.startMessages();
  serviceWorker.controller?.postMessage("started");
}

// Hosts that send no headers cannot forbid other pages to show this one in a frame and to
// cover it with something else.
const framed = globalThis.top !== globalThis;
if (framed) fail("Imprompt does not run inside another page. Open it in its own tab.");
else if ("serviceWorker" in navigator) keepOffline();

if (framed) {
  // The message is already shown.
} else if (typeof WebAssembly !== "object" || !WebAssembly.instantiateStreaming) {
  fail("This browser is too old for Imprompt: it has no WebAssembly. A current Chrome or Edge has it.");
} else {
  try {
    const go = new Go();
    const { instance } = await WebAssembly.instantiateStreaming(download(), go.importObject);
    go.run(instance);
  } catch (e) {
    fail(`Imprompt could not start: ${e.message}. Reload the page to try again.`);
  }
}
