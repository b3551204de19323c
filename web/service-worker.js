// Keeps the site, and the model that ships, for use without a network. VERSION and FILES
// are filled in when the site is built. Everything of a version is stored before it can
// take over, and a page sees only the files of its own version: the addresses of its
// scripts, workers and weights name it.
const VERSION = "{{VERSION}}";
const FILES = {{FILES}}; // path → hash
const PREFIX = "imprompt-site:" + self.registration.scope + ":";
const CACHE = PREFIX + VERSION;
// The page is stored as its folder: many hosts redirect index.html there, and a browser
// refuses a redirected answer to a navigation.
const PAGE = new URL("./", self.registration.scope);

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    // The hashes refuse a mixture of two versions, which a deploy in the middle of the
    // installation would give. The browser then tries again at the next visit. A script
    // sees the address that it was stored with, so that has the version, too.
    await cache.addAll(Object.entries(FILES).map(([f, integrity]) => new Request(f === "index.html" ? PAGE : new URL(`${f}?v=${VERSION}`, PAGE), { cache: "reload", integrity })));
    // The very first version has nobody to ask.
    if (!self.registration.active) await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    await self.clients.claim();
    await tidy();
  })());
});

self.addEventListener("message", (event) => {
  if (event.data === "activate") self.skipWaiting();
  if (event.data === "started") event.waitUntil(tidy());
});

// versionOf asks a page for its version; null where it does not answer.
function versionOf(client) {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (e) => resolve(e.data);
    setTimeout(resolve, 3000, null);
    client.postMessage("version", [port2]);
  });
}

// tidy deletes the versions that no page uses any more.
async function tidy() {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const used = await Promise.all(pages.map(versionOf));
  // A newer version that waits has its files in the cache already.
  if (used.includes(null) || self.registration.waiting || self.registration.installing) return;
  const keep = new Set([CACHE, ...used.map((v) => PREFIX + v)]);
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && !keep.has(name)) await caches.delete(name);
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const scope = new URL(self.registration.scope);
  // Weights from elsewhere, and ranges, are none of this worker's business.
  if (request.method !== "GET" || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname) || request.headers.has("range")) return;
  event.respondWith((async () => {
    const version = (request.mode !== "navigate" && url.searchParams.get("v")) || VERSION;
    // What is gone of an older version must not come from the server, which has another.
    if (version !== VERSION && !(await caches.has(PREFIX + version))) return new Response("", { status: 404 });
    const cache = await caches.open(PREFIX + version);
    const hit = await cache.match(request, { ignoreSearch: true });
    if (hit) return hit;
    if (request.mode === "navigate") {
      const index = await cache.match(PAGE);
      if (index) return index;
    }
    try {
      return await fetch(request);
    } catch {
      // Without a network, what is not stored is not there.
      return new Response("", { status: 404 });
    }
  })());
});
