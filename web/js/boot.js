// Starts the page. It does what go-app's own script does, but without inline code, with
// relative addresses, and with our service worker.
import "./guard.js";
import "./workers.js";
import { ready, t } from "./language.js";
import "./wasm_exec.js";
import { fetchProgram, stored, workerProgram } from "./program.js";

globalThis.goappGetenv = (name) => ({ GOAPP_ROOT_PREFIX: new URL(".", document.baseURI).pathname.replace(/\/$/, "") })[name] ?? "";
globalThis.goappKeepBodyClean = () => () => {};

const here = new URL(import.meta.url); // with the version of the site in its query
const { siteBytes, wasmBytes } = document.documentElement.dataset; // set when the site is built
const megabytes = (n) => `${(n / 1e6).toFixed(0)} MB`;
const status = document.getElementById("boot-status");
const bar = document.getElementById("boot-bar");

ready.then(() => {
  const size = document.getElementById("boot-size"); // until the program draws
  if (size) size.textContent = t("With the demo model %s, once.", megabytes(siteBytes));
});

function fail(text) {
  status.textContent = text;
  bar.hidden = true;
}

// progress shows how much of the page's program has come. A compressed response does not say how
// long it will be, so the page does.
function progress(done) {
  const total = Number(wasmBytes) || 1;
  bar.value = Math.min(1, done / total);
  status.textContent = t("Loading, %s of %s", megabytes(done), megabytes(total));
}

// painted is settled once the text above is on the screen. The program keeps the thread busy when it starts, and would hold
// that back where the program is there as soon. A page that is not seen is not painted.
const painted = new Promise((done) => {
  const types = PerformanceObserver.supportedEntryTypes;
  new PerformanceObserver(done).observe({ type: types.includes("largest-contentful-paint") ? "largest-contentful-paint" : "paint", buffered: true });
  setTimeout(done, document.hidden ? 0 : 2000);
});

// offer tells the page that a new version is available. take switches to it.
function offer(take) {
  globalThis.impromptUpdate = take;
  globalThis.dispatchEvent(new Event("imprompt-update"));
}

// The browser's offer to install the page, which comes once.
addEventListener("beforeinstallprompt", (e) => {
  e.preventDefault();
  globalThis.impromptInstall = e;
  dispatchEvent(new Event("imprompt-install"));
});

// impromptShared takes the files that another program shared with the page, which
// service-worker.js has put into a cache.
globalThis.impromptShared = async () => {
  const files = [];
  if (!(await caches.has("imprompt-shared"))) return files;
  const cache = await caches.open("imprompt-shared");
  for (const request of await cache.keys()) {
    const response = await cache.match(request);
    files.push(new File([await response.blob()], decodeURIComponent(response.headers.get("x-name")), { type: response.headers.get("content-type") ?? "" }));
  }
  await caches.delete("imprompt-shared");
  return files;
};

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
    // A page that stays open for days is offered new versions, too.
    setInterval(() => registration.update().catch(() => {}), 3_600_000);
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
if (globalThis.top !== globalThis) {
  fail(t("Imprompt does not run inside another page. Open it in its own tab."));
} else if (typeof WebAssembly !== "object" || !WebAssembly.instantiateStreaming) {
  fail(t("This browser is too old for Imprompt: it has no WebAssembly. A current Chrome or Edge has it."));
} else {
  try {
    const go = new Go();
    const { instance } = await WebAssembly.instantiateStreaming(fetchProgram("app.wasm", progress), go.importObject);
    await painted;
    performance.mark("program");
    go.run(instance);
  } catch (e) {
    fail(t("Imprompt could not start: %s. Reload the page to try again.", e.message));
  }
  // What the visitor waits for comes first.
  await workerProgram().catch(() => {}); // the worker that asks for it reports the failure
  await stored();
  if ("serviceWorker" in navigator) keepOffline();
}
