// Runs a Go test binary (wasm) in headless Chromium over SwiftShader, which has no
// shader-f16: GOOS=js GOARCH=wasm go test -exec "$PWD/tests/runner/chromium" ./gpu/
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";

const [wasm, ...args] = process.argv.slice(2);
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const executablePath = process.env.CHROMIUM || "/usr/bin/chromium";
if (!fs.existsSync(executablePath)) {
  console.error(`There is no Chromium at ${executablePath}: run ./build.sh setup, or set CHROMIUM to one.`);
  process.exit(1);
}

const page = `<!doctype html><meta charset=utf-8><title>tests</title>
<script src=/wasm_exec.js></script><script type=module src=/run.js></script>`;
const run = `import "/js/gpu.js";
const go = new Go();
go.argv = ${JSON.stringify(["test", ...args])};
go.env = { IMPROMPT_BACKEND: "swiftshader" };
let code = -1, line = "";
// Go's own file system stub prints whole lines only and through console.log.
const decoder = new TextDecoder();
globalThis.fs.writeSync = (fd, buffer) => { output(decoder.decode(buffer, { stream: true })); return buffer.length; };
go.exit = (c) => { code = c; };
try {
  const { instance } = await WebAssembly.instantiateStreaming(fetch("/test.wasm"), go.importObject);
  globalThis.wasm = instance;
  await go.run(instance);
} catch (e) { await output("browser: " + (e.stack || e) + "\\n"); }
finished(code);`;

const server = http.createServer((request, response) => {
  const send = (type, body) => { response.writeHead(200, { "content-type": type }); response.end(body); };
  switch (request.url) {
    case "/": return send("text/html", page);
    case "/run.js": return send("text/javascript", run);
    case "/js/gpu.js": return send("text/javascript", fs.readFileSync(path.join(root, "web/js/gpu.js")));
    case "/wasm_exec.js": return send("text/javascript", fs.readFileSync(process.env.IMPROMPT_WASM_EXEC));
    case "/test.wasm": return send("application/wasm", fs.readFileSync(wasm));
  }
  response.writeHead(404);
  response.end();
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

const profile = fs.mkdtempSync(path.join(os.tmpdir(), "imprompt-chromium-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath, headless: false, // --headless=new below: the old headless mode has no WebGPU
  args: ["--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
});
let code = 1;
try {
  const tab = await context.newPage();
  tab.on("pageerror", (e) => console.error("browser:", e.message));
  await tab.exposeFunction("output", (text) => { process.stdout.write(text); });
  const finished = new Promise((resolve) => { tab.exposeFunction("finished", resolve); });
  tab.on("crash", () => { console.error("browser: the tab crashed"); process.exit(1); });
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  code = await finished;
} finally {
  await context.close();
  server.close();
  fs.rmSync(profile, { recursive: true, force: true });
}
process.exit(code);
