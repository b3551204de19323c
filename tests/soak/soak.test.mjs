// A long visit: 200 pictures in one page, 50 stops at random moments, and 20 lost GPUs. The
// memory that the page and its engine hold at the end is what it was at the beginning.
// ./build.sh test --full soak
//
// IMPROMPT_SOAK=20,5,2 makes it shorter: pictures, stops, losses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PATIENCE, PICTURE, button, draw, engine, loaded, loseGPU, prompt, set, small, visit } from "../e2e/hands.mjs";
import { opened } from "../e2e/site.mjs";

const [PICTURES, STOPS, LOSSES] = (process.env.IMPROMPT_SOAK || "200,50,20").split(",").map(Number);
const BATCH = 10; // pictures of one request
const UNDO = 32_000; // deleted pictures are kept for half a minute, to be brought back

let site, studio, page, cdp;
opened(async (all) => {
  ({ site, studio, page } = all);
  cdp = await page.context().newCDPSession(page);
  // The page's program is not global, as the worker's is.
  await page.addInitScript(() => {
    const instantiate = WebAssembly.instantiateStreaming;
    WebAssembly.instantiateStreaming = async (...args) => {
      const result = await instantiate(...args);
      globalThis.soak = result.instance;
      return result;
    };
  });
});

// held is what the page and its engine hold, in bytes.
async function held() {
  await page.waitForTimeout(UNDO);
  await cdp.send("HeapProfiler.collectGarbage");
  const heap = await cdp.send("Runtime.getHeapUsage");
  // The panel says what the GPU holds, in whole megabytes.
  const gpu = await page.locator("#about dt", { hasText: "Memory in use" }).locator("xpath=following-sibling::dd[1]").textContent();
  return {
    "JavaScript heap of the page": heap.usedSize,
    "WebAssembly memory of the page": await page.evaluate(() => globalThis.soak.exports.mem.buffer.byteLength),
    "WebAssembly memory of the engine": await engine(page).evaluate(() => globalThis.wasm.exports.mem.buffer.byteLength),
    "memory of the GPU, by the engine's account": 1e6 * Number.parseFloat(gpu),
  };
}

// forget deletes every picture, because what the gallery shows is not a leak.
async function forget() {
  for (;;) {
    const thumb = page.locator(".gallery .thumb").first();
    if ((await thumb.count()) === 0) return;
    await page.locator(".gallery figure").first().hover();
    await page.locator(".gallery figure").first().getByRole("button", { name: /^Delete/ }).click();
    await page.waitForTimeout(30);
  }
}

async function pictures(count) {
  await set(page, { Pictures: BATCH });
  for (let made = 0; made < count; made += BATCH) {
    await button(page, "Generate").click();
    await page.waitForFunction((n) => document.querySelectorAll(".gallery figure").length >= n, BATCH, { timeout: BATCH * PICTURE });
    await button(page, "Generate").waitFor({ timeout: PICTURE });
    await forget();
  }
}

async function stops(count) {
  for (let i = 0; i < count; i++) {
    await button(page, "Generate").click();
    await page.waitForTimeout(Math.random() * 4000);
    await button(page, "Stop").click({ timeout: 5000 }).catch(() => {}); // it may be done already
    await button(page, "Generate").waitFor({ timeout: PICTURE });
  }
}

async function losses(count) {
  await set(page, { Pictures: 1 });
  for (let i = 0; i < count; i++) {
    await loseGPU(page);
    await draw(page);
  }
  await draw(page);
}

test("what is held ends where it began", { timeout: (PICTURES + STOPS + 10 * LOSSES) * 10_000 * PATIENCE + 4 * PICTURE }, async () => {
  await visit(page, site.url);
  await loaded(page);
  await small(page);
  await prompt(page).fill("fox");
  // What the first pictures, stops and losses bring, such as compiled shaders, stays. So does
  // the size of Go's heap between two collections, which grows 4 MB at a time.
  await draw(page);
  await pictures(2 * BATCH);
  await stops(2);
  await losses(4);
  await forget();
  const began = await held();

  await pictures(PICTURES);
  await stops(STOPS);
  await losses(LOSSES);
  await forget();
  const ended = await held();
  const grown = [];
  for (const [what, before] of Object.entries(began)) {
    const now = ended[what];
    const line = `${what}: ${(before / 1e6).toFixed(2)} MB, then ${(now / 1e6).toFixed(2)} MB`;
    console.log(line);
    if (now > 1.1 * before) grown.push(line);
  }
  assert.deepEqual(grown, []);
  assert.deepEqual(studio.faults, []);
});
