// What people expect of a program: keys, prompts that come back, shapes, files from elsewhere, answers to what they do.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { adjust, axeFindsNothing, button, expect, forget, loaded, prompt, spin, unfold, visit } from "./hands.mjs";
import { opened, root } from "./site.mjs";

let site, studio, page;

opened(async (all) => {
  ({ site, studio, page } = all);
  await forget(page);
  await page.addInitScript(() => {
    globalThis.locks = [];
    const request = async () => {
      locks.push("awake");
      return { released: false, release() { this.released = true; locks.push("asleep"); } };
    };
    Object.defineProperty(navigator, "wakeLock", { value: { request } });
    // Windows of installed pages get the files that they were opened with.
    Object.defineProperty(globalThis, "launchQueue", { value: { setConsumer(take) { globalThis.launch = take; } } });
    globalThis.shifts = [];
    new PerformanceObserver((list) => { for (const e of list.getEntries()) shifts.push([e.value, ...e.sources.map((s) => s.node?.className ?? s.node?.nodeName)]); })
      .observe({ type: "layout-shift", buffered: true });
  });
});

for (const viewport of [{ width: 390, height: 844 }, { width: 1440, height: 900 }]) {
  test(`nothing jumps while the page loads, ${viewport.width} pixels wide`, async () => {
    await page.setViewportSize(viewport);
    await visit(page, site.url);
    await loaded(page);
    // What comes last: the notice that the processor draws, and what a picture takes.
    await button(page, "Close the notice").waitFor();
    await expect(page.locator(".estimate")).not.toBeEmpty();
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const shifts = await page.evaluate(() => shifts);
    assert.ok(shifts.reduce((sum, [value]) => sum + value, 0) < 0.02, JSON.stringify(shifts));
  });
}

// narrow lists what can be pressed and is smaller than a finger.
const narrow = () => page.evaluate(() => [...document.querySelectorAll("button, select, textarea, summary, .add, input:not([type=file])")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true })).map((e) => [e, (e.type === "checkbox" ? e.closest("label") : e).getBoundingClientRect()])
  .filter(([e, r]) => r.height < 43.9 || e.tagName === "BUTTON" && r.width < 43.9)
  .map(([e, r]) => `${e.tagName} ${e.getAttribute("aria-label") || e.textContent || e.id}: ${r.width} × ${r.height}`));

test("on a phone, words and samples are seen at once, and what is pressed is as large as a finger", async () => {
  const touch = await studio.context.newCDPSession(page);
  await touch.send("Emulation.setTouchEmulationEnabled", { enabled: true });
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(page.getByText("or drop, or paste one")).toBeHidden();
  await expect(page.getByText("Drop one anywhere")).toBeHidden();
  const boxes = await page.evaluate(() => ["#words-Prompt", ".try img", ".go"].map((s) => document.querySelector(s).getBoundingClientRect().toJSON()));
  assert.ok(boxes[0].top > 0 && boxes[0].bottom < boxes[1].top && boxes[1].bottom < boxes[2].top, JSON.stringify(boxes));
  await button(page, "Sample: Fox").click();
  await adjust(page, "fox.png");
  await page.evaluate(() => { for (const d of document.querySelectorAll(".sheets details")) d.open = true; });
  assert.deepEqual(await narrow(), []);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), await page.evaluate(() => document.documentElement.clientWidth));
  await axeFindsNothing(page);
  await page.evaluate(() => { for (const d of document.querySelectorAll("details")) d.open = false; });
  await touch.send("Emulation.setTouchEmulationEnabled", { enabled: false });
  await touch.detach();
});

test("from 700 pixels there are two columns, and a zoom of 200 % hides nothing", async () => {
  for (const [width, height] of [[700, 1000], [720, 450]]) { // the second is 1440 × 900 at 200 %
    await page.setViewportSize({ width, height });
    const [words, stage] = [await prompt(page).boundingBox(), await page.locator("#stage").boundingBox()];
    assert.ok(words.x + words.width < stage.x, `one column at ${width} × ${height}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `wider than ${width}`);
    for (const one of [prompt(page), page.getByRole("slider", { name: "Image weight" }), page.locator("#model"), button(page, "Generate"), page.locator(".try").last()]) {
      await one.scrollIntoViewIfNeeded();
      await one.click({ trial: true }); // nothing lies over it
    }
  }
  await button(page, "Remove fox.png").click();
  await page.setViewportSize({ width: 1280, height: 900 });
});

test("an (i) says what a setting does; Escape and a press outside close it, and do nothing else", async () => {
  await unfold(page, "Settings");
  const help = (label) => page.locator(`[popovertarget="about-set-${label}"]`);
  const tip = page.locator(".tip:popover-open");
  await help("Steps").press("Enter");
  await expect(tip).toContainText("In how many steps the picture is drawn.");
  await axeFindsNothing(page, ".composer");
  await page.keyboard.press("Escape");
  await expect(tip).toHaveCount(0);
  await help("Guidance").click();
  await expect(tip).toContainText("How closely the words are followed.");
  await button(page, "16:9").click();
  await expect(tip).toHaveCount(0);
  await expect(button(page, "1:1")).toHaveAttribute("aria-pressed", "true");
  await button(page, "16:9").click();
  await expect(button(page, "16:9")).toHaveAttribute("aria-pressed", "true");
  await button(page, "1:1").click();
  const without = await page.locator("#settings .field").evaluateAll((list) => list.filter((f) => !f.querySelector(".info")).map((f) => f.textContent));
  assert.deepEqual(without, []);
});

test("the question mark shows the keys, and Escape folds them away", async () => {
  // Words run as their script does, and so do the marks behind them.
  for (const [words, way] of [["ثعلب في الثلج", "rtl"], ["what?", "ltr"]]) {
    await prompt(page).fill(words);
    for (const one of [prompt(page), page.locator("#marks-Prompt")]) await expect(one).toHaveCSS("direction", way);
  }
  assert.equal(await page.locator("#shortcuts").evaluate((d) => d.open), false);
  await page.getByRole("heading", { name: "Imprompt" }).click();
  await page.keyboard.press("?");
  await page.getByText("take back what was done last").waitFor();
  await axeFindsNothing(page, "#shortcuts");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#shortcuts").evaluate((d) => d.open), false);
});

test("another language is chosen by its own name, and leaves what is composed as it is", async () => {
  const language = page.locator("#language");
  await page.evaluate(() => {
    const { impromptSpeak } = globalThis;
    globalThis.impromptSpeak = async () => {
      globalThis.impromptSpeak = impromptSpeak;
      throw new Error("no network");
    };
  });
  await language.selectOption({ label: "日本語" });
  await page.getByText("The language could not be loaded").waitFor();
  await expect(language).toHaveValue("en");
  await prompt(page).fill("a fox");
  await language.selectOption({ label: "Deutsch" });
  await button(page, "Generieren").waitFor();
  await expect(page.locator("html")).toHaveAttribute("lang", "de");
  await page.getByText(/^4,\d\d GB zu laden/).first().waitFor(); // numbers are written as in German
  await expect(page.locator("#words-Prompt")).toHaveValue("a fox");
  await axeFindsNothing(page);
  await language.selectOption({ label: "English" });
  await button(page, "Generate").waitFor();
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
});

test("a shape is chosen with one press", async () => {
  await button(page, "3:2").click();
  await page.locator("[aria-pressed=true]", { hasText: "3:2" }).waitFor();
  assert.deepEqual([await spin(page, "Width").inputValue(), await spin(page, "Height").inputValue()], ["160", "104"]);
  await button(page, "1:1").click();
});

test("earlier prompts come back with the arrow keys", async () => {
  await loaded(page);
  for (const words of ["a fox", "a cactus"]) {
    await prompt(page).fill(words);
    await prompt(page).press("Control+Enter");
    await button(page, "Stop").click();
    await button(page, "Generate").waitFor();
  }
  // The device stayed awake meanwhile.
  assert.deepEqual(await page.evaluate(() => locks), ["awake", "asleep", "awake", "asleep"]);
  await page.reload();
  await button(page, "Generate").waitFor();
  const area = prompt(page);
  await area.fill("typed");
  // A phone has no arrow keys, but a list. What was typed is not lost.
  const earlier = page.getByRole("combobox", { name: "Earlier prompts" });
  await earlier.selectOption({ label: "a fox" });
  await expect(area).toHaveValue("a fox");
  await earlier.selectOption({ label: "typed" });
  await expect(area).toHaveValue("typed");
  const press = async (key, want) => {
    await area.press(key === "ArrowUp" ? "Control+Home" : "Control+End");
    await area.press(key);
    await expect(area, key).toHaveValue(want);
  };
  await press("ArrowUp", "a cactus");
  await press("ArrowUp", "a fox");
  await press("ArrowDown", "a cactus");
  await press("ArrowDown", "typed");
});

test("pictures that another program shares become image prompts", async () => {
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  const fox = fs.readFileSync(path.join(root, "web/samples/fox.png")).toString("base64");
  await page.evaluate(async (bytes) => {
    const data = new FormData();
    data.append("files", new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], "from elsewhere ä.png", { type: "image/png" }));
    await fetch("share", { method: "POST", body: data, redirect: "manual" });
  }, fox);
  await page.reload();
  await page.getByRole("img", { name: "Image prompt from elsewhere ä.png" }).waitFor();
});

test("pictures and weights that the system opens with the page are taken like dropped ones", async () => {
  const { file_handlers: [handler], launch_handler } = await page.evaluate(async () => (await fetch(document.querySelector("link[rel=manifest]").href)).json());
  assert.equal(launch_handler.client_mode, "focus-existing");
  assert.equal(new URL(handler.action, site.url).href, site.url);
  const kinds = Object.values(handler.accept).flat();
  for (const kind of [".png", ".jpg", ".webp", ".safetensors"]) assert.ok(kinds.includes(kind), kind);
  const opened = (name, bytes) => page.evaluate(([name, bytes]) => {
    const file = new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name);
    launch({ files: [{ kind: "file", name, getFile: async () => file }] });
  }, [name, Buffer.from(bytes).toString("base64")]);
  await opened("opened.png", fs.readFileSync(path.join(root, "web/samples/cactus.png")));
  await page.getByRole("img", { name: "Image prompt opened.png" }).waitFor();
  await opened("opened.safetensors", "no weights");
  const drawer = page.getByRole("region", { name: "Models", exact: true });
  await drawer.getByText("opened.safetensors").first().waitFor();
  await page.keyboard.press("Escape");
  await drawer.waitFor({ state: "hidden" });
});

test("where the browser offers it, the page can be installed", async () => {
  await page.evaluate(() => dispatchEvent(Object.assign(new Event("beforeinstallprompt"), { prompt() { globalThis.prompted = true; } })));
  await button(page, "Install").click();
  await button(page, "Install").waitFor({ state: "hidden" });
  assert.ok(await page.evaluate(() => prompted));
});

test("with the system's own colours, edges and states are drawn", async () => {
  await button(page, "Clear").click();
  await expect(button(page, "λ strip")).toBeDisabled(); // without an image prompt
  await page.emulateMedia({ forcedColors: "active" });
  await page.evaluate(() => { for (const d of document.querySelectorAll(".sheets details")) d.open = true; });
  // Only symbols have no edge of their own, and what the browser draws itself.
  const bare = await page.locator("button, select, textarea, summary, .add, input").evaluateAll((list) => list
    .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.matches(".bare, .link, [type=range], [type=checkbox], [type=file]") && getComputedStyle(e).borderTopStyle !== "solid")
    .map((e) => e.getAttribute("aria-label") || e.id || e.textContent));
  assert.deepEqual(bare, []);
  for (const pressed of [button(page, "1:1"), button(page, "Weights")]) await expect(pressed).toHaveCSS("outline-style", "solid");
  await expect(button(page, "3:2")).toHaveCSS("outline-style", "none");
  const colour = (locator) => locator.evaluate((e) => getComputedStyle(e).color);
  assert.notEqual(await colour(button(page, "λ strip")), await colour(button(page, "Seed strip")));
  await page.evaluate(() => { for (const d of document.querySelectorAll(".sheets details")) d.open = false; });
  await page.emulateMedia({ forcedColors: "none" });
});

test("nothing was refused by the policy, no error went unseen", () => assert.deepEqual(studio.faults, []));
