// Starts the page's workers, of the page's own version.
import { workerProgram } from "./program.js";

const here = new URL(import.meta.url);
const address = (file) => new URL(file + here.search, here).href;

// startWorker starts "engine", "library" or "check". The engine and the check are started from blobs, because a
// worker that comes from a blob inherits the page's Content-Security-Policy, with or without
// headers. The library is loaded from its own address, which has its own policy. The fragment
// only tells the two apart in the browser's developer tools.
//
// The engine and the library ask for their program. The page fetches and compiles it once for both.
globalThis.impromptWorker = (name) => {
  const worker = create(name);
  worker.addEventListener("message", (e) => {
    if (e.data !== "program") return;
    e.stopImmediatePropagation();
    workerProgram().then((program) => worker.postMessage({ program }), (e) => worker.postMessage({ error: e.message }));
  });
  return worker;
};

function create(name) {
  if (name === "library") return new Worker(address("library.js"), { type: "module", name });
  const file = name === "check" ? "check.js" : "worker.js";
  const start = new Blob([`import ${JSON.stringify(address(file))};`], { type: "text/javascript" });
  return new Worker(`${URL.createObjectURL(start)}#/${file}`, { type: "module", name });
}
