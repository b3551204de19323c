// A long visit: 200 pictures in one page, 50 stops at random moments, and 20 lost GPUs. The
// memory that the page and its engine hold at the end is what it was at the beginning, and so
// are the objects on the GPU after the pictures.
// ./build.sh test --full soak
//
// IMPROMPT_SOAK=20,5,2 makes it shorter: pictures, stops, losses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PATIENCE, PICTURE, button, countGPU, draw, held, keepProgram, loaded, loseGPU, prompt, set, small, visit } from "../e2e/hands.mjs";
import { opened } from "../e2e/site.mjs";

const [PICTURES, STOPS, LOSSES] = (process.env.IMPROMPT_SOAK || "200,50,20").split(",").map(Number);
const BATCH = 10; // pictures of one request
const UNDO = 32_000; // deleted pictures are kept for half a minute, to be brought back

let site, studio, page, cdp;
opened(async (all) => {
  ({ site, studio, page } = all);
  cdp = await page.context().newCDPSession(page);
  await keepProgram(page);
});

// all is what the page and its engine hold.
async function all() {
  await page.waitForTimeout(UNDO);
  await cdp.send("HeapProfiler.collectGarbage");
  return { "JavaScript heap of the page": (await cdp.send("Runtime.getHeapUsage")).usedSize, ...await held(page) };
}

// grown lists what is more than it was, and says how much there is.
function grown(before, now) {
  const list = [];
  for (const [what, was] of Object.entries(before)) {
    const line = what.startsWith("GPU objects") ? `${what}: ${now[what]} more` : `${what}: ${(was / 1e6).toFixed(2)} MB, then ${(now[what] / 1e6).toFixed(2)} MB`;
    console.log(line);
    if (now[what] > 1.1 * was) list.push(line);
  }
  return list;
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
  await countGPU(page);
  const began = await all();

  await pictures(PICTURES);
  assert.deepEqual(grown(began, await all()), []);
  await stops(STOPS);
  await losses(LOSSES);
  await forget();
  // A GPU that was lost took its objects with it, and they were made anew.
  const rest = Object.fromEntries(Object.entries(began).filter(([what]) => !what.startsWith("GPU objects")));
  assert.deepEqual(grown(rest, await all()), []);
  assert.deepEqual(studio.faults, []);
});
