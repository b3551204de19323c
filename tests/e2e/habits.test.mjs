// What people expect of a program: keys, prompts that come back, shapes, files from elsewhere, answers to what they do.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { axeFindsNothing, button, expect, forget, loaded, prompt, spin, unfold, visit } from "./hands.mjs";
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
  });
  await visit(page, site.url);
});

test("the question mark shows the keys, and Escape folds them away", async () => {
  await prompt(page).fill("what?");
  assert.equal(await page.locator("#shortcuts").evaluate((d) => d.open), false);
  await page.getByRole("heading", { name: "Imprompt" }).click();
  await page.keyboard.press("?");
  await page.getByText("take back what was done last").waitFor();
  await axeFindsNothing(page, "#shortcuts");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#shortcuts").evaluate((d) => d.open), false);
});

test("a shape is chosen with one press", async () => {
  await unfold(page, "Settings");
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

test("where the browser offers it, the page can be installed", async () => {
  await page.evaluate(() => dispatchEvent(Object.assign(new Event("beforeinstallprompt"), { prompt() { globalThis.prompted = true; } })));
  await button(page, "Install").click();
  await button(page, "Install").waitFor({ state: "hidden" });
  assert.ok(await page.evaluate(() => prompted));
});

test("with the system's own colours, edges and states are drawn", async () => {
  await page.emulateMedia({ forcedColors: "active" });
  const edge = (locator) => locator.evaluate((e) => getComputedStyle(e).borderTopStyle);
  assert.equal(await edge(button(page, "Models")), "solid");
  assert.equal(await edge(prompt(page)), "solid");
  await page.emulateMedia({ forcedColors: "none" });
});

test("nothing was refused by the policy, no error went unseen", () => assert.deepEqual(studio.faults, []));
