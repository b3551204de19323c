// The page in a real browser: from the first visit to pictures, offline, and by name.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { build, open, root, serve } from "./site.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
// SwiftShader draws on the processor: minutes where a GPU takes seconds.
const PICTURE = 240_000;
let site, studio;

before(async () => {
  site = await serve(build());
  studio = await open();
  await studio.page.goto(site.url);
  await studio.page.getByRole("button", { name: "Generate" }).waitFor();
});
after(async () => {
  await studio?.close();
  await site?.close();
});

// small makes the next picture as quick as can be.
async function small(page) {
  await page.getByText("Settings", { exact: true }).click();
  for (const [name, value] of [["Width", "64"], ["Height", "64"], ["Steps", "2"], ["Seed", "7"]]) {
    const input = page.getByRole("spinbutton", { name, exact: true });
    await input.fill(value);
    await input.press("Tab");
  }
}

test("every control has its name", async () => {
  const { page } = studio;
  for (const [role, name] of [["textbox", "Prompt"], ["textbox", "Negative prompt"], ["button", "Generate"], ["region", "Gallery"]]) {
    assert.equal(await page.getByRole(role, { name, exact: true }).count(), 1, `${role} "${name}"`);
  }
  await small(page);
  for (const [role, name] of [["spinbutton", "Steps"], ["spinbutton", "Guidance"], ["spinbutton", "Seed"], ["spinbutton", "Width"], ["spinbutton", "Height"], ["combobox", "Scheduler"]]) {
    assert.equal(await page.getByRole(role, { name, exact: true }).count(), 1, `${role} "${name}"`);
  }
});

test("a picture and words make a picture, which the gallery keeps over a reload", { timeout: PICTURE + 60_000 }, async () => {
  const { page } = studio;
  await page.getByRole("button", { name: "Sample: Fox" }).click();
  await page.getByRole("slider", { name: "Image weight" }).waitFor();
  await page.getByRole("textbox", { name: "Prompt", exact: true }).fill("on a yellow background");
  await page.getByRole("textbox", { name: "Prompt", exact: true }).press("Control+Enter");
  await page.getByRole("img", { name: "Result" }).waitFor({ timeout: PICTURE });
  const size = await page.getByRole("img", { name: "Result" }).evaluate(async (img) => { await img.decode(); return [img.naturalWidth, img.naturalHeight]; });
  assert.deepEqual(size, [64, 64]);
  const gallery = page.getByRole("region", { name: "Gallery" });
  await gallery.getByRole("button", { name: /^Show:/ }).first().waitFor();
  await page.waitForTimeout(1000); // the store's transaction
  await page.reload();
  await gallery.getByRole("button", { name: "Show: on a yellow background" }).first().waitFor({ timeout: 30_000 });
});

test("it is the picture that the command line draws", { timeout: PICTURE }, async () => {
  const { page } = studio;
  const out = path.join(root, ".build/e2e.png");
  execFileSync("./build.sh", ["generate", "--no-f16", "--prompt", "on a yellow background", "--image", "web/samples/fox.png", "--ip-adapter-scale", "0.7",
    "--scheduler", "dpmpp_2m", "--num-inference-steps", "2", "--guidance-scale", "5", "--width", "64", "--height", "64", "--seed", "7", "--out", out], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  await page.getByRole("button", { name: "Show: on a yellow background" }).first().click();
  const difference = await page.getByRole("img", { name: "Result" }).evaluate(async (img, bytes) => {
    const pixels = async (blob) => {
      const bitmap = await createImageBitmap(blob);
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      return canvas.getContext("2d").getImageData(0, 0, bitmap.width, bitmap.height).data;
    };
    const a = await pixels(await (await fetch(img.src)).blob()), b = await pixels(new Blob([new Uint8Array(bytes)]));
    if (a.length !== b.length) return Infinity;
    return a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);
  }, [...fs.readFileSync(out)]);
  // Two GPUs round sums differently: a step of 255 either way.
  assert.ok(difference <= 1, `a pixel differs by ${difference} of 255`);
});

test("a dropped PNG of ours restores its settings", async () => {
  const { page } = studio;
  await page.getByRole("button", { name: "Show: on a yellow background" }).first().click();
  await page.getByRole("textbox", { name: "Prompt", exact: true }).fill("something else");
  const png = await page.getByRole("img", { name: "Result" }).evaluate(async (img) => [...new Uint8Array(await (await fetch(img.src)).arrayBuffer())]);
  await page.evaluate((bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], "ours.png", { type: "image/png" }));
    window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
  }, png);
  await page.waitForFunction(() => document.getElementById("words-Prompt").value === "on a yellow background");
  await page.getByText("Settings", { exact: true }).click();
  assert.equal(await page.getByRole("spinbutton", { name: "Seed", exact: true }).inputValue(), "7");
  assert.equal(await page.getByRole("spinbutton", { name: "Steps", exact: true }).inputValue(), "2");
});

test("Stop ends a run", { timeout: PICTURE }, async () => {
  const { page } = studio;
  await page.getByRole("spinbutton", { name: "Steps", exact: true }).fill("150");
  await page.getByRole("spinbutton", { name: "Steps", exact: true }).press("Tab");
  await page.getByRole("button", { name: "Generate" }).click();
  await page.getByRole("button", { name: "Stop" }).waitFor();
  await page.getByText(/^Step \d+ of 150/).waitFor({ timeout: PICTURE });
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Generate" }).waitFor({ timeout: 60_000 });
});

test("a part of a start picture is repainted", { timeout: PICTURE + 60_000 }, async () => {
  const { page } = studio;
  await page.getByRole("spinbutton", { name: "Steps", exact: true }).fill("2");
  await page.getByRole("spinbutton", { name: "Steps", exact: true }).press("Tab");
  await page.getByRole("button", { name: "Show: on a yellow background" }).first().click();
  await page.getByRole("button", { name: "Use as start picture" }).click();
  await page.getByText("Start picture", { exact: true }).click();
  await page.getByText("Repaint a part", { exact: true }).click();
  const canvas = page.getByRole("img", { name: "Repaint a part" });
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  await page.mouse.move(box.x + 0.8 * box.width, box.y + 0.2 * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.8 * box.width, box.y + 0.8 * box.height, { steps: 4 });
  await page.mouse.up();
  const before = await page.getByRole("button", { name: /^Show: / }).count();
  await page.keyboard.press("Control+Enter");
  await page.waitForFunction((n) => document.querySelectorAll(".gallery figure").length > n, before, { timeout: PICTURE });
  assert.equal(await page.locator(".problem").count(), 0);
});

test("axe finds nothing", async () => {
  const { page } = studio;
  await page.evaluate(fs.readFileSync(axe, "utf8"));
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`), []);
});

test("with the server gone the page opens and its model loads", { timeout: 120_000 }, async () => {
  const { page, context } = studio;
  await page.evaluate(() => navigator.serviceWorker.ready);
  // The whole site is stored before the worker is active.
  await context.setOffline(true);
  await page.reload();
  await page.getByRole("button", { name: "Generate" }).waitFor({ timeout: 30_000 });
  await page.getByText(/\d+ of 32 tokens/).first().waitFor({ timeout: 60_000 });
  await context.setOffline(false);
});

test("nothing was refused by the policy, and no error went unseen", () => {
  assert.deepEqual(studio.faults, []);
});

test("without WebGPU the page says so", async () => {
  const plain = await open({ webgpu: false });
  try {
    await plain.page.addInitScript(() => Object.defineProperty(navigator, "gpu", { value: undefined }));
    await plain.page.goto(site.url);
    await plain.page.getByRole("heading", { name: "No graphics card to draw with" }).waitFor();
    assert.equal(await plain.page.getByRole("button", { name: "Generate" }).isDisabled(), true);
  } finally {
    await plain.close();
  }
});

test("screenshots: desktop, phone, dark", { timeout: 120_000 }, async () => {
  const shots = path.join(root, ".build/screenshots");
  fs.mkdirSync(shots, { recursive: true });
  for (const [name, options] of [["desktop", {}], ["phone", { viewport: { width: 360, height: 740 } }], ["dark", { colorScheme: "dark" }]]) {
    const s = await open(options);
    try {
      await s.page.goto(site.url);
      await s.page.getByRole("button", { name: "Generate" }).waitFor();
      const wide = await s.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name}: the page is ${wide} pixels wider than the window`);
      await s.page.getByText(/\d+ of 32 tokens/).first().waitFor({ timeout: 60_000 });
      await s.page.screenshot({ path: path.join(shots, `${name}.png`) });
    } finally {
      await s.close();
    }
  }
});
