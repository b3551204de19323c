// Builds the site once, serves it under a sub-path as GitHub Pages does, and opens it in
// headless Chromium.
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import { PATIENCE } from "./hands.mjs";

export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
// ships describes the model that ships.
export const ships = JSON.parse(fs.readFileSync(path.join(root, "web/model/ships.json"), "utf8"));
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json", ".svg": "image/svg+xml", ".png": "image/png", ".woff2": "font/woff2" };

// headersOf reads a site's _headers as hosts of static sites do: a rule for each path, and one
// for all paths.
function headersOf(dir) {
  const rules = new Map();
  let rule;
  for (const line of fs.readFileSync(path.join(dir, "_headers"), "utf8").split("\n")) {
    const header = /^\s+([\w-]+): (.*)$/.exec(line);
    if (header) rule[header[1].toLowerCase()] = header[2];
    else if (line) rules.set(line, rule = {});
  }
  return (name) => ({ ...rules.get("/*"), ...rules.get(name) });
}

// build builds the site and returns its folder. The tests only read it; a file that changes it names a folder of its own.
// IMPROMPT_SITE is a site that is built already.
export function build(name) {
  const own = path.join(root, ".build", name ?? `${path.basename(process.argv[1], ".test.mjs")}-site`);
  const built = process.env.IMPROMPT_SITE;
  if (built && !name) return built;
  if (built) fs.cpSync(built, own, { recursive: true });
  else execFileSync("go", ["run", "./app/cmd/site", "build", "--out", own], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  return own;
}

// release copies a built site as its next version and changes files in the copy:
// { path: (text) => text }. It returns the copy's folder.
export function release(dir, version, changes) {
  const next = `${dir}-${version}`;
  fs.rmSync(next, { recursive: true, force: true });
  fs.cpSync(dir, next, { recursive: true });
  const rewrite = (name, f) => fs.writeFileSync(path.join(next, name), f(fs.readFileSync(path.join(next, name), "utf8")));
  for (const [name, f] of Object.entries(changes)) rewrite(name, f);
  const worker = fs.readFileSync(path.join(next, "service-worker.js"), "utf8");
  const before = /const VERSION = "(\w+)"/.exec(worker)[1];
  const files = JSON.parse(/const FILES = (\{.*?\});/.exec(worker)[1]);
  for (const name of Object.keys(files)) {
    if (/\.(html|js)$/.test(name)) rewrite(name, (s) => s.replaceAll(`?v=${before}`, `?v=${version}`));
    files[name] = `sha256-${crypto.createHash("sha256").update(fs.readFileSync(path.join(next, name))).digest("base64")}`;
  }
  rewrite("service-worker.js", (s) => s.replace(before, version).replace(/const FILES = \{.*?\};/, `const FILES = ${JSON.stringify(files)};`));
  return next;
}

// serve serves a built site at /studio/. use switches to another build of it. Without headers
// it acts as a host that sends none of its own, like GitHub Pages. Like all hosts, it tells
// whether a file has changed, and does not send it again if it has not.
export async function serve(dir, { headers = true } = {}) {
  let own = headersOf(dir);
  const requests = []; // the paths
  const sent = []; // those whose files were sent
  const held = new Map(); // those that wait, with a promise for when they go on
  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url, "http://x");
    requests.push(url.pathname);
    await held.get(url.pathname);
    if (!url.pathname.startsWith("/studio/")) { response.writeHead(404); return response.end(); }
    // As Go's file server and some hosts of static sites do.
    if (url.pathname.endsWith("/index.html")) { response.writeHead(301, { location: "./" }); return response.end(); }
    let name = path.join(dir, decodeURIComponent(url.pathname.slice("/studio/".length)));
    if (name.endsWith("/") || name === dir) name = path.join(name, "index.html");
    if (!fs.existsSync(name)) { response.writeHead(404); return response.end(); }
    const { ino, size, mtimeMs } = fs.statSync(name), etag = `"${ino}-${size}-${mtimeMs}"`;
    const common = { etag, "cache-control": "no-cache", ...(headers ? own(url.pathname.slice("/studio".length)) : {}) };
    if (request.headers["if-none-match"] === etag) { response.writeHead(304, common); return response.end(); }
    sent.push(url.pathname);
    response.writeHead(200, { "content-type": types[path.extname(name)] ?? "application/octet-stream", ...common });
    fs.createReadStream(name).pipe(response);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${server.address().port}/studio/`;
  return {
    url, requests, sent,
    // hold lets requests for a file wait until the function that it returns is called. A route of Playwright's would do
    // that as well, but the browser would then have no cache of its own.
    hold(name) {
      let release;
      held.set(`/studio/${name}`, new Promise((done) => { release = done; }));
      return release;
    },
    use(other) { dir = other; own = headersOf(other); },
    close: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }),
  };
}

// open starts a browser and collects what must never happen: errors, refusals by the
// policy, and requests to anywhere but the page's own origin.
export async function open({ webgpu = true, viewport = { width: 1280, height: 900 }, colorScheme = "light", ...options } = {}) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "imprompt-e2e-"));
  const args = ["--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream"];
  if (webgpu) args.push("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader");
  else args.push("--disable-features=WebGPU", "--disable-blink-features=WebGPU");
  const context = await chromium.launchPersistentContext(profile, { executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: false, viewport, colorScheme, args, ...options });
  context.setDefaultTimeout(60_000 * PATIENCE);
  const page = context.pages()[0] ?? await context.newPage();
  const faults = [], elsewhere = [];
  page.on("pageerror", (e) => faults.push(`error: ${e.message}`));
  page.on("console", (m) => { if (/Content.Security.Policy|Refused to/.test(m.text())) faults.push(`policy: ${m.text()}`); });
  context.on("request", (r) => {
    const url = new URL(r.url()), own = page.url() === "about:blank" ? url.origin : new URL(page.url()).origin;
    if (!["blob:", "data:", "about:"].includes(url.protocol) && url.origin !== own) elsewhere.push(r.url());
  });
  return { context, page, faults, elsewhere, close: async () => { await context.close(); fs.rmSync(profile, { recursive: true, force: true }); } };
}

// opened serves the site and opens a browser for the tests of a file, and closes both after them.
// prepare is given { site, studio, page } before the first test.
export function opened(prepare) {
  let site, studio;
  before(async () => {
    site = await serve(build());
    studio = await open();
    await prepare({ site, studio, page: studio.page });
  });
  after(async () => {
    await studio?.close();
    await site?.close();
  });
}
