// A first visit: what is seen before the program runs, what is fetched, and the way to a real picture.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PATIENCE, button, expect, loaded, visit } from "./hands.mjs";
import { opened } from "./site.mjs";

let site, studio, page;

opened(async (all) => {
  ({ site, studio, page } = all);
  await page.addInitScript(() => {
    globalThis.paints = [];
    new PerformanceObserver((list) => { for (const e of list.getEntries()) paints.push([e.startTime, e.element?.className]); }).observe({ type: "largest-contentful-paint", buffered: true });
  });
});

// slow gives the page a phone's network and processor, as Lighthouse does by default: 1.6 Mbit/s after 150 ms, and a
// quarter of the speed.
async function slow(devtools, on) {
  await devtools.send("Network.emulateNetworkConditions", { offline: false, latency: on ? 150 : 0, downloadThroughput: on ? 200_000 : -1, uploadThroughput: on ? 94_000 : -1 });
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: on ? 4 : 1 });
}

test("on a phone, the first paint needs no program, and says how much is loaded", async () => {
  const release = site.hold("web/app.wasm");
  const { width, height } = page.viewportSize();
  await page.setViewportSize({ width: 412, height: 823 });
  const devtools = await studio.context.newCDPSession(page);
  await devtools.send("Network.enable");
  await slow(devtools, true);
  await page.goto(site.url);
  await page.getByRole("heading", { name: "Imprompt" }).waitFor();
  await page.getByText("Nothing is uploaded").waitFor();
  await page.getByText(/With the demo model \d\d MB, once/).waitFor();
  await expect(button(page, "Generate"), "nothing that does not work yet looks as if it did").toHaveCount(0);
  await page.waitForFunction(() => paints.length > 0);
  await slow(devtools, false);
  await devtools.detach();
  release();
  await button(page, "Generate").waitFor({ timeout: 60_000 * PATIENCE });
  await page.setViewportSize({ width, height });
  const [paints, program] = await page.evaluate(() => [paints, performance.getEntriesByName("program")[0].startTime]);
  const [largest, what] = paints.at(-1);
  assert.ok(largest < program && /intro/.test(what ?? "intro"), `the largest paint is ${what} after ${largest} ms; the program ran after ${program}`);
  assert.ok(largest < 4000 * PATIENCE, `the largest contentful paint came after ${largest} ms`);
});

test("each file is sent once: for the page, both workers, and use without a network", async () => {
  await loaded(page);
  await button(page, "Models").click();
  await page.getByRole("region", { name: "Catalogue" }).waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(async () => {
    const stored = async (cache, file) => !!(await cache.match(file, { ignoreSearch: true }));
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      if (await stored(cache, "web/model/unet/config.json") && await stored(cache, "web/languages/de.json") && await stored(cache, "web/languages/ja.json")) return true;
    }
  });
  assert.deepEqual(site.sent.filter((file, i) => site.sent.indexOf(file) < i), []);
  await studio.context.setOffline(true);
  // Languages need no network either, and the choice outlasts a reload.
  await page.locator("#language").selectOption("de");
  await button(page, "Generieren").waitFor();
  await page.reload();
  await button(page, "Generieren").waitFor({ timeout: 60_000 * PATIENCE });
  await page.locator("#language").selectOption("en");
  await button(page, "Generate").waitFor();
});

test("a browser in Japanese is greeted in Japanese", async () => {
  const japanese = await studio.context.newPage();
  await japanese.addInitScript(() => {
    localStorage.removeItem("imprompt-language"); // as if nothing had been chosen
    Object.defineProperty(navigator, "languages", { value: ["fr", "ja-JP", "en"] });
  });
  await japanese.goto(site.url);
  await button(japanese, "生成").waitFor({ timeout: 60_000 * PATIENCE });
  await expect(japanese.locator("html")).toHaveAttribute("lang", "ja");
  await japanese.close();
  await studio.context.setOffline(false);
});

test("a bundle says what it takes, and asks for its licence", async () => {
  await loaded(page); // what appears while the model loads moves the card, and a press on it would miss
  const card = page.locator(".stage").getByRole("group", { name: "Stable Diffusion 1.5 with image prompts" });
  await card.getByText("4.71 GB to download, 3.44 GB on disk").waitFor();
  const start = card.getByRole("button", { name: /^Download/ });
  await expect(start).toBeDisabled();
  await card.getByRole("checkbox").check();
  await page.waitForFunction(() => !document.querySelector(".stage .offered button").disabled);
});
