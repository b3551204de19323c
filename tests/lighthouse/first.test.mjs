// Lighthouse on a first visit with a phone: ./build.sh test --full lighthouse. It measures in both of its ways, which are
// a phone's network and processor, estimated from a fast visit (what Lighthouse does by default), and the same applied by
// the browser. The report for reading is in .build/lighthouse.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const out = path.join(root, ".build/lighthouse");
const PORT = 8399, url = `http://127.0.0.1:${PORT}/`;
const MOST = 4000; // milliseconds until the largest contentful paint

let server;
before(async () => {
  // It is the server of ./build.sh serve, which sends compressed files as a host does.
  server = spawn("./build.sh", ["serve", "--out", path.join(out, "site"), "--port", String(PORT)], { cwd: root, stdio: ["ignore", "pipe", "inherit"], detached: true });
  await new Promise((done, failed) => {
    server.stdout.on("data", (text) => { if (String(text).includes(url)) done(); });
    server.on("exit", (code) => failed(new Error(`./build.sh serve ended with ${code}`)));
  });
});
after(() => { if (server?.exitCode === null) process.kill(-server.pid); });

for (const throttlingMethod of ["simulate", "devtools"]) {
  test(`a first visit with a phone, ${throttlingMethod}: the largest paint comes within ${MOST} ms`, { timeout: 300_000 }, async (t) => {
    // Each visit has a profile of its own, in which nothing is cached.
    const chrome = await launch({ chromePath: process.env.CHROMIUM || "/usr/bin/chromium", chromeFlags: ["--headless=new", "--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] });
    try {
      const { lhr, report } = await lighthouse(url, { port: chrome.port, output: "html", logLevel: "error", throttlingMethod, maxWaitForLoad: 120_000 });
      fs.writeFileSync(path.join(out, `${throttlingMethod}.html`), report);
      assert.equal(lhr.runtimeError, undefined);
      for (const [name, { score }] of Object.entries(lhr.categories)) if (score !== null) t.diagnostic(`${name}: ${Math.round(100 * score)} of 100`);
      for (const name of ["first-contentful-paint", "largest-contentful-paint", "speed-index", "total-blocking-time", "cumulative-layout-shift", "total-byte-weight"]) {
        const { title, displayValue } = lhr.audits[name];
        if (displayValue) t.diagnostic(`${title}: ${displayValue}`);
      }
      const paint = lhr.audits["largest-contentful-paint"].numericValue;
      assert.ok(paint < MOST, `the largest contentful paint came after ${Math.round(paint)} ms`);
      for (const name of ["accessibility", "best-practices", "seo"]) assert.equal(lhr.categories[name].score, 1, `${name}: ${failing(lhr, name)}`);
    } finally {
      await chrome.kill();
    }
  });
}

// failing lists what a category of Lighthouse's finds fault with.
const failing = (lhr, category) => lhr.categories[category].auditRefs.map(({ id }) => lhr.audits[id]).filter((a) => a.score !== null && a.score < 1).map((a) => a.title).join("; ");
