// Keeps the site, and the model that ships, for use without a network. VERSION and
// FILES are filled in when the site is built. Everything of a version is stored before
// it can take over, and a page only ever sees one version;
// while a page draws it needs no file, and when it is done boot.js reloads it.
const VERSION = "{{VERSION}}";
const FILES = {{FILES}};
const PREFIX = "imprompt-site:" + self.registration.scope + ":";
const CACHE = PREFIX + VERSION;
// The page is stored as its folder: many hosts redirect index.html there, and a browser
// refuses a redirected answer to a navigation.
const PAGE = new URL("./", self.registration.scope);

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(FILES.map((f) => new Request(f === "index.html" ? PAGE : new URL(f, PAGE), { cache: "reload" })));
    // The very first version has nobody to ask.
    if (!self.registration.active) await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("message", (event) => {
  if (event.data === "activate") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const scope = new URL(self.registration.scope);
  // Weights from elsewhere, and ranges, are none of this worker's business.
  if (request.method !== "GET" || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname) || request.headers.has("range")) return;
  event.respondWith((async () => {
    const cache = await caches.open(CACHE);
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
