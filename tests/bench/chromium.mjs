// Runs the benchmark in headless Chromium over SwiftShader: the engine and onnxruntime-web in
// one page and on the same adapter.
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { chromium } from "@playwright/test";

const root = process.env.IMPROMPT_ROOT;
const here = import.meta.dirname;
const dist = path.join(process.env.IMPROMPT_NODE_MODULES, "onnxruntime-web/dist");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
const PAGE = "<!doctype html><meta charset=utf-8><title>bench</title><script src=/wasm_exec.js></script><script type=module src=/bench/page.mjs></script>";

// Serves files from the folder that the first part of the path names, and ranges of files,
// which the engine's loader requests.
function serve(wasm) {
  const folders = { bench: here, ort: dist, js: path.join(root, "web/js"), data: path.join(root, ".build/bench") };
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const [first, ...rest] = pathname.slice(1).split("/");
    const file = pathname === "/wasm_exec.js" ? process.env.IMPROMPT_WASM_EXEC : pathname === "/bench.wasm" ? wasm : folders[first] && path.join(folders[first], ...rest);
    // onnxruntime's WebAssembly uses shared memory, which needs these two headers.
    const headers = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp", "cache-control": "no-store" };
    if (pathname === "/") {
      response.writeHead(200, { ...headers, "content-type": "text/html" });
      return response.end(PAGE);
    }
    const info = file && fs.statSync(file, { throwIfNoEntry: false });
    if (!info?.isFile()) {
      response.writeHead(404, headers);
      return response.end();
    }
    Object.assign(headers, { "content-type": TYPES[path.extname(file)] ?? "application/octet-stream", etag: `"${info.mtimeMs}"`, "accept-ranges": "bytes" });
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const start = range ? +range[1] : 0, end = range?.[2] ? Math.min(+range[2], info.size - 1) : info.size - 1;
    headers["content-length"] = end - start + 1;
    if (range) headers["content-range"] = `bytes ${start}-${end}/${info.size}`;
    response.writeHead(range ? 206 : 200, headers);
    if (request.method === "HEAD") return response.end();
    fs.createReadStream(file, { start, end }).pipe(response);
  });
  return new Promise((resolve) => { server.listen(0, "127.0.0.1", () => resolve(server)); });
}

// threads tells how many seconds of a processor the threads of these processes have used, by their names.
function threads(processes) {
  const used = {};
  for (const { id, type } of processes) {
    let tasks = [];
    try { tasks = fs.readdirSync(`/proc/${id}/task`); } catch { /* it has ended */ }
    for (const task of tasks) {
      try {
        const [, name, rest] = /\((.*)\) (.*)/.exec(fs.readFileSync(`/proc/${id}/task/${task}/stat`, "utf8"));
        const fields = rest.split(" "), key = `${type} ${name.replace(/[0-9/]+$/, "")}`;
        used[key] = (used[key] ?? 0) + (+fields[11] + +fields[12]) / 100; // in ticks of 10 ms
      } catch { /* it has ended */ }
    }
  }
  return used;
}

export async function open(wasm, { ort }) {
  const executablePath = process.env.CHROMIUM || "/usr/bin/chromium";
  const server = await serve(wasm);
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "imprompt-bench-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath, headless: false, timeout: 180e3, // with --headless=new below, because the old headless mode has no WebGPU
    args: ["--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  });
  const close = async () => {
    await context.close();
    server.close();
    fs.rmSync(profile, { recursive: true, force: true });
  };
  try {
    const tab = await context.newPage();
    let each = () => {};
    tab.setDefaultTimeout(0);
    tab.on("pageerror", (e) => console.error("page:", e.message));
    await tab.exposeFunction("benchSay", (text) => console.error("  " + text));
    const cdp = await context.browser().newBrowserCDPSession();
    await tab.exposeFunction("benchCPU", async () => threads((await cdp.send("SystemInfo.getProcessInfo")).processInfo));
    await tab.exposeFunction("benchEach", (row) => each(row));
    const ready = new Promise((resolve, reject) => {
      tab.exposeFunction("benchReady", (error) => (error ? reject(new Error(error)) : resolve()));
      tab.on("crash", () => reject(new Error("the tab crashed")));
    });
    await tab.goto(`http://127.0.0.1:${server.address().port}/?ort=${ort}`);
    await ready;
    return {
      compare: (what, options, row) => {
        each = row ?? each;
        return tab.evaluate(([what, options]) => globalThis.benchCompare(what, options), [what, options]);
      },
      close,
    };
  } catch (e) {
    await close();
    throw e;
  }
}
