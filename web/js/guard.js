// Nothing leaves the page. This is how that is ensured:
//
// The page's Content-Security-Policy allows only its own origin. The engine's worker
// inherits it (workers.js). Only the worker that downloads models, library.js, has its own
// policy. That one allows all of https, because a static policy cannot name the server that
// a visitor will choose. It is sent as a header of library.js, so on a host that sends no
// headers (GitHub Pages) that worker has no policy at all, and only this file restricts it.
// That is weaker: a fault in the worker's program could still load code from elsewhere with
// import(). The page and the engine are restricted by the policy everywhere.
//
// This file restricts fetch: in the page and the engine to the page's own origin, so that the
// error says why, and in the library to the servers that the visitor chose. A hub may redirect
// from there to the server that has the file.
const origin = new URL(import.meta.url).origin;
const allowed = new Set([origin]);
const open = globalThis.fetch.bind(globalThis);
const isWorker = globalThis.document === undefined;

globalThis.fetch = async (what, options) => {
  const url = new URL(what instanceof Request ? what.url : what, isWorker ? import.meta.url : document.baseURI);
  if (url.protocol !== "blob:" && !allowed.has(url.origin)) throw new TypeError(`${url.origin} was not chosen: nothing is asked of it`);
  return open(what, options);
};

if (isWorker && globalThis.name === "library") {
  globalThis.impromptAllow = (chosen) => { allowed.add(chosen); };
  // The other ways to send something out of a worker.
  for (const way of ["XMLHttpRequest", "WebSocket", "WebSocketStream", "EventSource", "WebTransport", "Worker", "importScripts"]) delete globalThis[way];
} else if (!isWorker) {
  // The one way to send something out of a page that no policy closes in Chrome.
  for (const way of ["RTCPeerConnection", "webkitRTCPeerConnection"]) delete globalThis[way];
}
