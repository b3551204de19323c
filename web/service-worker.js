// Keeps the site, and the model that ships, for use without a network. VERSION, FILES and LATER
// are filled in when the site is built. All FILES of a version are stored before it can take over,
// and those of LATER, which not every visitor needs, when they are first asked for.
// A page sees only the files of its own version, because the addresses of its scripts, workers
// and weights name the version.
const VERSION = "{{VERSION}}";
const FILES = {{FILES}}; // path → hash
const LATER = {{LATER}}; // the same
// Files whose addresses do not name the version on the page.
const UNNAMED = /\.(woff2|svg|png|webmanifest)$|\/catalogue\.json$/;
const PREFIX = "imprompt-site:" + self.registration.scope + ":";
const CACHE = PREFIX + VERSION;
// The page is stored under the address of its folder, because many hosts redirect index.html
// there, and a browser refuses a redirected answer to a navigation.
const PAGE = new URL("./", self.registration.scope);

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    // The hashes reject a mixture of two versions, which a deploy during the installation
    // would give. The browser then tries again at the next visit, and goes on with what it has.
    // A script sees the address that it was stored under, so that address has the version, too.
    await Promise.all(Object.entries(FILES).map(async ([f, integrity]) => {
      const url = f === "index.html" ? PAGE : new URL(`${f}?v=${VERSION}`, PAGE);
      if (await isStored(cache, url, integrity)) return;
      const shown = UNNAMED.test(f) && await fetched(f, integrity);
      if (shown) return cache.put(url, shown);
      // What the page has fetched just now is asked about, and not fetched again, on hosts that
      // tell whether a file has changed.
      await cache.add(new Request(url, { cache: "no-cache", integrity }));
    }));
    // The very first version does not have to ask any page.
    if (!self.registration.active) await self.skipWaiting();
  })());
});

// isStored says whether a file is stored already, and whole: web/js/boot.js stores the program
// as it fetches it.
async function isStored(cache, url, integrity) {
  const hit = await cache.match(url);
  if (!hit) return false;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await hit.arrayBuffer()));
  return integrity === `sha256-${btoa(String.fromCharCode(...hash))}`;
}

// fetched answers, from the browser's own cache, with a file that the page has fetched just now
// by an address without the version.
async function fetched(f, integrity) {
  try {
    const response = await fetch(new URL(f, PAGE), { cache: "only-if-cached", mode: "same-origin", integrity });
    return response.ok ? response : null;
  } catch {
    return null; // it is not there, or of another version
  }
}

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

// versionOf asks a page for its version. It resolves to null if the page does not answer.
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
  // A newer version that is waiting already has its files in the cache.
  if (used.includes(null) || self.registration.waiting || self.registration.installing) return;
  const keep = new Set([CACHE, ...used.map((v) => PREFIX + v)]);
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && !keep.has(name)) await caches.delete(name);
  }
}

// share keeps the files that another program shares with the page, and opens the page, which
// takes them from the cache.
async function share(request) {
  const cache = await caches.open("imprompt-shared");
  for (const [i, file] of (await request.formData()).getAll("files").entries()) {
    const headers = { "content-type": file.type || "application/octet-stream", "x-name": encodeURIComponent(file.name) };
    await cache.put(new URL(`shared/${Date.now()}-${i}`, PAGE), new Response(file, { headers }));
  }
  return Response.redirect(PAGE, 303);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const scope = new URL(self.registration.scope);
  if (request.method === "POST" && url.href === new URL("share", scope).href) return event.respondWith(share(request));
  // This worker does not handle weights from elsewhere, nor ranges.
  if (request.method !== "GET" || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname) || request.headers.has("range")) return;
  event.respondWith((async () => {
    const version = (request.mode !== "navigate" && url.searchParams.get("v")) || VERSION;
    // A file of an older version that is no longer stored must not come from the server, which
    // has another version.
    if (version !== VERSION && !(await caches.has(PREFIX + version))) return new Response("", { status: 404 });
    const cache = await caches.open(PREFIX + version);
    const hit = await cache.match(request, { ignoreSearch: true });
    if (hit) return hit;
    if (request.mode === "navigate") {
      const index = await cache.match(PAGE);
      if (index) return index;
    }
    try {
      const integrity = LATER[url.pathname.slice(scope.pathname.length)];
      if (!integrity || version !== VERSION) return await fetch(request);
      const response = await fetch(url, { integrity });
      if (response.ok) await cache.put(request, response.clone());
      return response;
    } catch {
      // Without a network, a file that is not stored is not found.
      return new Response("", { status: 404 });
    }
  })());
});
