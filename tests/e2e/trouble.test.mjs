// When something is missing or breaks: no WebGPU, no GPU, an engine that does not load,
// a GPU that is taken away, no network, and a new version of the site.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { PATIENCE, PICTURE, button, draw, expect, loaded, loseGPU, prompt, result, slow, small, spin, unfold, visit } from "./hands.mjs";
import { build, open, release, serve } from "./site.mjs";

let dir, site;
before(async () => {
  dir = build();
  site = await serve(dir);
});
after(async () => { await site?.close(); });

// says opens the page after a change to the browser, and expects a heading on it.
async function says(heading, text, change, options = {}) {
  const studio = await open(options);
  const { page } = studio;
  try {
    await change(page);
    await page.goto(site.url);
    await page.getByRole("heading", { name: heading }).waitFor();
    await expect(page.locator(".empty")).toHaveText(text);
    await expect(button(page, "Generate")).toBeDisabled();
    await button(page, "Try again").waitFor();
  } finally {
    await studio.close();
  }
}

const noGPU = (page) => page.addInitScript(() => Object.defineProperty(navigator, "gpu", { value: undefined }));

test("a browser where WebGPU is off says so, and what to do", () =>
  says("WebGPU is switched off in this browser", /graphics acceleration in the browser's settings/, noGPU, { webgpu: false }));

test("a browser that is too old says so", () =>
  says("This browser is too old", /Version 100 has no WebGPU.*from 113 on/, noGPU, { userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/100.0.0.0 Safari/537.36" }));

test("another browser without WebGPU says so", () =>
  says("This browser has no WebGPU", /current Chrome or Edge/, noGPU, { userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0" }));

test("WebGPU without a graphics card says so", () =>
  says("No graphics card to draw with", /found no graphics card that it may use/, async (page) => {
    // Change the worker before the engine asks for an adapter. Scripts of the page have no effect there.
    await page.route("**/web/js/gpu.js?*", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `navigator.gpu.requestAdapter = async () => null;\n${await response.text()}` });
    });
  }, { serviceWorkers: "block" }));

test("an engine that cannot be loaded is not called a missing card", () =>
  says("The engine could not start", /It could not be loaded: .*Try again/, (page) => page.route("**/web/js/gpu.js?*", (route) => route.abort()), { serviceWorkers: "block" }));

test("the workers' program that does not arrive is named", () =>
  says("The engine could not start", /its program could not be loaded: the server answered 503 for worker\.wasm/, (page) => page.route("**/worker.wasm*", (route) => route.fulfill({ status: 503 })), { serviceWorkers: "block" }));

test("the part that stores models says why it cannot start, and starts when the panel is opened again", async () => {
  const { page, close } = await open({ serviceWorkers: "block" });
  try {
    await page.route("**/web/catalogue.json?*", (route) => route.abort());
    await visit(page, site.url);
    await button(page, "Models").click();
    const alert = page.locator("#models").getByRole("alert");
    await alert.waitFor();
    await expect(alert).toHaveText(/catalogue\.json/);
    await page.unroute("**/web/catalogue.json?*");
    await button(page, "Close models").click();
    await button(page, "Models").click();
    await page.getByRole("region", { name: "Catalogue" }).waitFor();
    await expect(alert).toHaveCount(0);
  } finally {
    await close();
  }
});

test("requests to the Models panel before its worker runs are answered", async () => {
  const { page, close } = await open({ serviceWorkers: "block" });
  try {
    await visit(page, site.url);
    await button(page, "Models").click();
    await page.getByRole("textbox", { name: "Link to a model" }).fill("no link at all");
    await button(page, "Look at the link").click();
    await page.getByRole("region", { name: "Model from a link" }).getByRole("alert").waitFor();
  } finally {
    await close();
  }
});

test("a request that is stopped while the model loads is never drawn; the next one is", { timeout: PICTURE + 120_000 }, async () => {
  const studio = await open({ serviceWorkers: "block" });
  const { page } = studio;
  try {
    let release;
    const held = new Promise((done) => { release = done; });
    await page.context().route("**/web/model/unet/*.safetensors", async (route) => { await held; await route.continue(); });
    const asked = page.context().waitForEvent("request", (r) => r.url().includes("/web/model/unet/diffusion"));
    await visit(page, site.url);
    await small(page);
    await asked;
    await prompt(page).fill("cactus");
    await button(page, "Generate").click();
    await button(page, "Stop").click();
    await button(page, "Generate").waitFor();
    await prompt(page).fill("fox");
    await button(page, "Generate").click();
    await button(page, "Stop").waitFor();
    release();
    await result(page).waitFor({ timeout: PICTURE });
    await button(page, "Generate").waitFor();
    const titles = await page.locator(".gallery figure").evaluateAll((list) => list.map((b) => b.getAttribute("aria-label")));
    assert.deepEqual(titles, ["fox"]);
    assert.deepEqual(studio.faults, []);
  } finally {
    await studio.close();
  }
});

test("a processor in place of a graphics card is noted, and the note can be closed", async () => {
  const { page, close } = await open();
  try {
    await visit(page, site.url);
    const notice = page.locator(".notice", { hasText: "There is no graphics card here" });
    await notice.waitFor({ timeout: 60_000 * PATIENCE });
    await button(page, "What can be done").click();
    await page.getByText("This is not a graphics card but the processor in its place.").waitFor();
    await page.keyboard.press("Escape");
    await button(page, "Close the notice").click();
    await notice.waitFor({ state: "hidden" });
  } finally {
    await close();
  }
});

test("a GPU that is taken away midway is opened again, and the picture goes on", { timeout: 2 * PICTURE + 120_000 }, async () => {
  const studio = await open();
  const { page } = studio;
  try {
    await visit(page, site.url);
    await loaded(page);
    await prompt(page).fill("fox on a blue background");
    await small(page, { Steps: 30 });
    await button(page, "Generate").click();
    await page.getByText(/^Step [1-9]\d* of 30/).waitFor({ timeout: PICTURE });
    await loseGPU(page);
    await page.locator(".notice", { hasText: /graphics card was taken away .* opened again/ }).waitFor({ timeout: PICTURE });
    await result(page).waitFor({ timeout: PICTURE });
    await button(page, "Generate").waitFor();
    await unfold(page, "Settings");
    await expect(spin(page, "Steps")).toHaveValue("30");
    await expect(prompt(page)).toHaveValue("fox on a blue background");
    await expect(page.locator(".problem")).toHaveCount(0);
    assert.deepEqual(studio.faults, []);
  } finally {
    await studio.close();
  }
});

test("a gallery that a newer version wrote is not shown as empty", { timeout: 60_000 }, async () => {
  const { page, close } = await open();
  try {
    await page.goto(`${site.url}manifest.webmanifest`); // the page's origin, without the page
    await page.evaluate(() => new Promise((done) => { indexedDB.open("imprompt-gallery", 99).onsuccess = (e) => { e.target.result.close(); done(); }; }));
    await visit(page, site.url);
    await page.getByText(/pictures of earlier visits cannot be shown: a newer version of this page/).waitFor();
  } finally {
    await close();
  }
});

const nextSite = () => release(dir, "next", {
  "index.html": (s) => s.replace("<title>Imprompt</title>", "<title>Imprompt, next</title>"),
  "web/app.css": (s) => `${s}\n:root { --build: next; }\n`,
});
const offer = (page) => button(page, "A new version is ready: use it");
const update = (page) => page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());

// version is what a page shows and gets: its title, its style, whether the style that its
// version names is the next one's, and how many versions are kept.
const version = (page) => page.evaluate(async () => {
  const { search } = new URL(document.querySelector("script[type=module]").src);
  return [document.title, getComputedStyle(document.documentElement).getPropertyValue("--build").trim(),
    /--build/.test(await (await fetch(`web/app.css${search}`)).text()), (await caches.keys()).length];
});

// kept opens the page and waits until it is kept for use without a network.
async function kept(page) {
  await visit(page, site.url);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await button(page, "Generate").waitFor();
}

test("a new version is offered, not forced, and never mixes with the old; offline a picture is made", { timeout: PICTURE + 240_000 }, async () => {
  const next = nextSite();
  const studio = await open();
  const { page } = studio;
  try {
    await kept(page);
    assert.deepEqual(await version(page), ["Imprompt", "", false, 1]);
    await expect(offer(page)).toBeHidden();

    site.use(next);
    await update(page);
    await offer(page).waitFor();
    assert.deepEqual(await version(page), ["Imprompt", "", false, 2], "the old one goes on");
    await page.reload();
    await offer(page).waitFor();
    assert.deepEqual(await version(page), ["Imprompt", "", false, 2], "a reload does not mix them");
    // Another tab holds work meanwhile. It is not reloaded, and the workers that it starts are of its own version.
    const other = await page.context().newPage();
    await visit(other, site.url);
    await prompt(other).fill("fox");
    // Chromium ends the old service worker. If a page asks that for a file at this moment, it is
    // started again, and then the debugger, through which this test sees the pages, keeps it alive.
    await loaded(page);
    await loaded(other);
    await Promise.all([page.waitForEvent("load", { timeout: PICTURE }), offer(page).click()]);
    await button(page, "Generate").waitFor();
    assert.deepEqual(await version(page), ["Imprompt, next", "next", true, 2], "all of the new one");
    await offer(other).waitFor();
    assert.deepEqual(await version(other), ["Imprompt", "", false, 2], "the other tab goes on");
    await expect(prompt(other)).toHaveValue("fox");
    const started = other.waitForEvent("worker");
    await other.evaluate(() => { impromptWorker("engine"); });
    const engine = await started;
    assert.equal(await other.evaluate(() => new URL(document.querySelector("script[type=module]").src).search), await engine.evaluate(async () => {
      while (!globalThis.impromptSite) await new Promise((r) => setTimeout(r, 50));
      return impromptSite.version;
    }));
    await Promise.all([other.waitForEvent("load"), offer(other).click()]);
    await button(other, "Generate").waitFor();
    assert.equal(await other.title(), "Imprompt, next");
    await other.waitForFunction(async () => (await caches.keys()).length === 1, null, { timeout: 20_000 });
    await other.close();

    // The server goes away for good.
    await site.close();
    await page.reload();
    await button(page, "Generate").waitFor();
    await loaded(page);
    await button(page, "Sample: Fox").click();
    await page.getByRole("slider", { name: "Image weight" }).waitFor();
    await prompt(page).fill("on a yellow background");
    await small(page);
    await draw(page);
    await result(page).waitFor();
    assert.deepEqual(studio.faults, []);
    assert.deepEqual(studio.elsewhere, []);
  } finally {
    await studio.close();
    await site.close();
    site = await serve(dir);
    fs.rmSync(next, { recursive: true, force: true });
  }
});

slow("a deploy during an update is not used until it is complete", { timeout: 120_000 }, async () => {
  const next = nextSite();
  const css = path.join(next, "web/app.css"), whole = fs.readFileSync(css);
  fs.copyFileSync(path.join(dir, "web/app.css"), css); // not there yet
  const studio = await open();
  const { page } = studio;
  try {
    await page.clock.install();
    await kept(page);
    site.use(next);
    const failed = page.evaluate(() => new Promise((done) => navigator.serviceWorker.getRegistration().then((r) => {
      r.addEventListener("updatefound", () => r.installing.addEventListener("statechange", (e) => done(e.target.state)));
    })));
    await update(page).catch(() => {});
    assert.equal(await failed, "redundant");
    await expect(offer(page)).toBeHidden();
    await page.reload();
    await button(page, "Generate").waitFor();
    assert.deepEqual((await version(page)).slice(0, 3), ["Imprompt", "", false]);
    fs.writeFileSync(css, whole);
    // An open page asks every hour, from when it is kept on.
    await expect(async () => {
      await page.clock.fastForward(3_600_000);
      await offer(page).waitFor({ timeout: 5000 * PATIENCE });
    }).toPass({ timeout: 60_000 * PATIENCE });
    await Promise.all([page.waitForEvent("load"), offer(page).click()]);
    await button(page, "Generate").waitFor();
    assert.deepEqual((await version(page)).slice(0, 3), ["Imprompt, next", "next", true]);
  } finally {
    await studio.close();
    site.use(dir);
    fs.rmSync(next, { recursive: true, force: true });
  }
});
