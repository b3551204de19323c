// Which servers this page talks to. A static site's Content-Security-Policy cannot name
// the server that a visitor will choose to download a model from, so it lets in all of
// https (and this machine, for a mirror on it). This narrows fetch, the only way out
// that the program uses, to the page's own origin; the worker that downloads adds the
// origin that the visitor asked for, and no other. A hub may redirect from there to
// where its bytes lie.
const allowed = new Set([location.origin]);
const open = globalThis.fetch.bind(globalThis);

globalThis.fetch = async (what, options) => {
  const url = new URL(what instanceof Request ? what.url : what, location.href);
  if (url.protocol !== "blob:" && !allowed.has(url.origin)) throw new TypeError(`${url.origin} was not chosen: nothing is asked of it`);
  return open(what, options);
};

if (globalThis.name === "library" && globalThis.document === undefined) {
  globalThis.impromptAllow = (origin) => { allowed.add(origin); };
}
