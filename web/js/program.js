// Fetches the site's two programs: app.wasm, which is the page, and worker.wasm, which its workers run.
import { t } from "./language.js";

const here = new URL(import.meta.url); // with the version of the site in its query
const copies = []; // settled when what was fetched is stored, if it is

// fetchProgram answers with a program, which can be compiled while it arrives. progress hears
// how many bytes have come, before compression.
export async function fetchProgram(file, progress = () => {}) {
  const url = new URL(`../${file}${here.search}`, here);
  const response = await fetch(url);
  if (!response.ok) throw new Error(t("the server answered %s for %s", response.status, file));
  let done = 0;
  let body = response.body.pipeThrough(new TransformStream({
    transform(chunk, controller) {
      done += chunk.byteLength;
      progress(done);
      controller.enqueue(chunk);
    },
  }));
  const headers = { "content-type": "application/wasm" };
  if ("serviceWorker" in navigator && !navigator.serviceWorker.controller) {
    // The first visit. The service worker finds the program here, and does not fetch it again.
    let copy;
    [body, copy] = body.tee();
    copies.push(caches.open(`imprompt-site:${new URL(".", document.baseURI).href}:${here.searchParams.get("v")}`)
      .then((cache) => cache.put(url, new Response(copy, { headers }))).catch(() => {}));
  }
  return new Response(body, { headers });
}

let worker; // the workers' program, compiled, as a promise

// workerProgram compiles the workers' program once, for all of them. After a failure, the next
// worker tries again.
export function workerProgram() {
  worker ??= WebAssembly.compileStreaming(fetchProgram("worker.wasm")).catch((e) => {
    worker = undefined;
    throw e;
  });
  return worker;
}

// stored waits until what was fetched is stored.
export const stored = () => Promise.all(copies);
