// 2,000 pictures in the gallery: they cost little memory, and what is on the screen is drawn wherever they are scrolled to.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, expect, keepProgram, loaded, pictures, visit } from "../e2e/hands.mjs";
import { opened } from "../e2e/site.mjs";

const COUNT = Number(process.env.IMPROMPT_GALLERY) || 2000;
let site, page;

opened(async (all) => {
  ({ site, page } = all);
  await keepProgram(page);
  await visit(page, site.url);
});

// fill puts pictures into the gallery's store, as the page does.
const fill = () => page.evaluate(async (count) => {
  const db = await new Promise((done) => { indexedDB.open("imprompt-gallery").onsuccess = (e) => done(e.target.result); });
  const kinds = [];
  for (let k = 0; k < 20; k++) {
    const canvas = new OffscreenCanvas(512, k % 5 ? 512 : 768), g = canvas.getContext("2d");
    g.fillStyle = `hsl(${k * 18} 60% 50%)`;
    g.fillRect(0, 0, 512, 768);
    kinds.push(await canvas.convertToBlob());
  }
  const txn = db.transaction("pictures", "readwrite");
  for (let i = 0; i < count; i++) {
    const settings = { prompt: `fox number ${i} in the snow, painted by hand, with many words that say how it looks`, negative_prompt: "blurry, ugly, cut off", seed: i, scheduler: "euler_a",
      num_inference_steps: 20, guidance_scale: 7.5, width: 512, height: i % 20 % 5 ? 512 : 768, strength: 0.8, num_images: 1, guides: [{ kind: "ip-adapter", ip_adapter_scale: (i % 5) / 4 }] };
    txn.objectStore("pictures").add({ png: kinds[i % 20], settings: JSON.stringify(settings), inputs: {}, label: "", cost: JSON.stringify({ seconds: 3 }), starred: i % 13 === 0 }, Date.now() - i * 60_000);
  }
  await new Promise((done) => { txn.oncomplete = done; });
  db.close();
}, COUNT);

// heap is what the page's JavaScript and the program's memory take, in MB.
async function heap() {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("HeapProfiler.collectGarbage");
  const { usedSize } = await devtools.send("Runtime.getHeapUsage");
  await devtools.detach();
  return (usedSize + await page.evaluate(() => soak.exports.mem.buffer.byteLength)) / 1e6;
}

test("2,000 pictures cost at most 20 MB of heap, and scroll", { timeout: 600_000 }, async () => {
  await loaded(page);
  const before = await heap();
  await fill();
  const begun = Date.now();
  await page.reload();
  await pictures(page).first().waitFor();
  const listed = Date.now() - begun;
  await loaded(page);
  await expect(page.locator(".count")).toHaveText(String(COUNT));
  await button(page, "Show all").click();
  const film = page.locator("#film");
  // scroll goes through the gallery by so many pixels a frame, for so many frames at most.
  const scroll = (pixels, most) => film.evaluate(async (e, { pixels, most }) => {
    let drawn = 0, longest = 0, frames = 0, slow = 0, last = performance.now();
    const begun = last;
    const observer = new PerformanceObserver((list) => { for (const t of list.getEntries()) longest = Math.max(longest, t.duration); });
    observer.observe({ entryTypes: ["longtask"] });
    for (let at = 0; at < e.scrollHeight && frames < most; at += pixels || e.clientHeight / 2) {
      e.scrollTop = at;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      frames++;
      if (now - last > 50) slow++;
      last = now;
      drawn = Math.max(drawn, e.querySelectorAll("figure").length);
    }
    observer.disconnect();
    const each = (last - begun) / frames;
    return { drawn, text: `${frames} frames of ${each.toFixed(0)} ms, ${slow} over 50 ms, the longest task ${Math.round(longest)} ms` };
  }, { pixels, most });
  const wheel = await scroll(40, 500); // 2,400 pixels a second at 60 frames
  const scrolled = await scroll(0, Infinity);
  assert.ok(scrolled.drawn <= 150, `${scrolled.drawn} pictures are in the page at once`);
  await expect(pictures(page, new RegExp(`fox number ${COUNT - 1} `))).toBeInViewport();
  await expect(pictures(page, new RegExp(`fox number ${COUNT - 1} `)).locator("img")).toHaveAttribute("src", /^blob:/);
  await film.focus();
  await page.keyboard.press("Home");
  await expect(pictures(page, /fox number 0 /)).toBeInViewport();
  await page.getByRole("searchbox").fill(`number ${COUNT / 2 + 34}`);
  await expect(pictures(page)).toHaveCount(1);
  await page.getByRole("searchbox").fill("");
  await expect(page.locator(".count")).toHaveText(String(COUNT));
  const after = await heap();
  console.log(`listed after ${listed} ms, ${scrolled.drawn} drawn at once, ${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after`);
  console.log(`by 40 pixels a frame: ${wheel.text}; by half a screen: ${scrolled.text}`);
  assert.ok(after - before <= 20, `${COUNT} pictures cost ${(after - before).toFixed(1)} MB`);
});
