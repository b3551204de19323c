// Starts the page's workers, of the page's own version.
const here = new URL(import.meta.url);
const address = (file) => new URL(file + here.search, here).href;

// startWorker starts "engine" or "library". The engine is started from a blob, because a
// worker that comes from a blob inherits the page's Content-Security-Policy, with or without
// headers. The library is loaded from its own address, which has its own policy. The fragment
// only tells the two apart in the browser's developer tools.
globalThis.impromptWorker = (name) => {
  if (name === "library") return new Worker(address("library.js"), { type: "module", name });
  const start = new Blob([`import ${JSON.stringify(address("worker.js"))};`], { type: "text/javascript" });
  return new Worker(`${URL.createObjectURL(start)}#/worker.js`, { type: "module", name });
};
