// Composing a request: image prompts and their crops, words and settings, using the page
// with the keyboard alone, and what the page refuses.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { beforeEach, test } from "node:test";
import { safetensors } from "../cdn/model.mjs";
import { PICTURE, adjust, axeFindsNothing, button, drop, expect, forget, gallery, loaded, plainPNG, problems, prompt, result, set, spin, unfold, visit, withText } from "./hands.mjs";
import { opened, root, ships } from "./site.mjs";

const fox = fs.readFileSync(path.join(root, "web/samples/fox.png"));
let site, studio, page;

opened(async (all) => {
  ({ site, studio, page } = all);
  await forget(page);
});
beforeEach(async () => { await visit(page, site.url); });

// bright says which part of a crop's canvas is not dimmed: its middle, 0 to 1, and side.
const bright = (canvas) => canvas.evaluate((c) => {
  const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
  let [left, top, right, bottom] = [c.width, c.height, 0, 0];
  for (let y = 0; y < c.height; y++) for (let x = 0; x < c.width; x++) {
    if (data[4 * (y * c.width + x)] < 180) continue; // the picture is of 200, 200, 200
    left = Math.min(left, x); right = Math.max(right, x + 1); top = Math.min(top, y); bottom = Math.max(bottom, y + 1);
  }
  return { x: (left + right) / 2 / c.width, y: (top + bottom) / 2 / c.height, width: (right - left) / c.width, height: (bottom - top) / c.height };
});
const near = (a, b, what) => assert.ok(Math.abs(a - b) < 0.03, `${what}: ${a}, not ${b}`);

test("the square that the encoder sees is dragged, zoomed and moved by keys", async () => {
  await drop(page, ["wide.png", plainPNG(300, 100, [200, 200, 200])]);
  await page.getByRole("img", { name: "Image prompt wide.png" }).waitFor();
  await adjust(page, "wide.png");
  const canvas = page.getByRole("img", { name: "Crop of wide.png" });
  await canvas.waitFor();
  await page.waitForFunction(() => document.getElementById("crop-a").width > 200);
  let now = await bright(canvas);
  near(now.x, 0.5, "the middle at first");
  near(now.width, 1 / 3, "as wide as the picture is high");
  const box = await canvas.boundingBox();
  const at = (x) => [box.x + x * box.width, box.y + box.height / 2];
  await page.mouse.move(...at(0.5));
  await page.mouse.down();
  await page.mouse.move(...at(0.7), { steps: 5 });
  await page.mouse.up();
  near((await bright(canvas)).x, 0.7, "dragged");
  await page.mouse.move(...at(0.7));
  await page.waitForTimeout(400);
  await page.mouse.wheel(0, -347); // e^(347/500) is 2
  await page.waitForTimeout(400);
  now = await bright(canvas);
  near(now.width, 1 / 6, "zoomed");
  near(now.x, 0.7, "about its middle");
  await canvas.focus();
  await page.keyboard.press("0");
  for (let i = 0; i < 40; i++) await page.keyboard.press("ArrowLeft");
  now = await bright(canvas);
  near(now.x, 1 / 6, "at the left edge, and not beyond");
  await page.keyboard.press("+");
  near((await bright(canvas)).height, 1 / 1.1, "zoomed by key");
  // The sliders say the same.
  await button(page, "Crop").click();
  await expect(page.getByRole("slider", { name: "Crop zoom" })).toHaveValue("1.1");
});

test("up to four image prompts, each with its own settings; removing one leaves the others unchanged", async () => {
  for (const name of ["Fox", "Cactus", "Octopus", "Moon"]) {
    await button(page, `Sample: ${name}`).click();
    await page.waitForTimeout(300);
  }
  const sliders = page.getByRole("slider", { name: "Image weight" });
  await sliders.nth(3).waitFor();
  await expect(button(page, "Sample: Fox"), "there is no room for a fifth").toHaveCount(0);
  // The words, all four and Generate are seen at once.
  const places = await page.evaluate(() => ["#words-Prompt", ".tile:nth-child(4) > button:last-child", ".go .primary"].map((s) => document.querySelector(s).getBoundingClientRect().toJSON()));
  assert.ok(places[0].top > 0 && places[1].bottom < places[2].top && places[2].bottom < 900, JSON.stringify(places));
  for (const [i, v] of ["0", "0.5", "1", "1.5"].entries()) await sliders.nth(i).fill(v);
  await adjust(page, "octopus.png");
  const taken = page.getByRole("combobox", { name: "What to take" });
  await taken.selectOption("style-transfer");
  await button(page, "Remove cactus.png").click();
  await page.getByRole("img", { name: "Image prompt cactus.png" }).waitFor({ state: "detached" });
  const values = (list) => list.evaluateAll((l) => l.map((e) => e.value));
  await page.waitForFunction(() => document.querySelectorAll(".tile input[aria-label='Image weight']")[1]?.value === "1");
  assert.deepEqual(await values(sliders), ["0", "1", "1.5"]);
  await expect(taken, "what is adjusted stays so").toHaveValue("style-transfer");
  // The controls still act on the image prompt that they show after an earlier one is removed.
  await sliders.nth(1).fill("0.25");
  await button(page, "Remove fox.png").click();
  await page.waitForFunction(() => document.querySelectorAll(".tile input[aria-label='Image weight']").length === 2);
  assert.deepEqual(await values(sliders), ["0.25", "1.5"]);
  await adjust(page, "crescent-moon.png");
  await expect(taken).toHaveValue("all");
  await button(page, "Remove crescent-moon.png").click();
  await taken.waitFor({ state: "detached" });
});

test("pictures that were removed are given back to the browser", async () => {
  // Count object URLs where they are made and where they are revoked.
  await page.evaluate(() => {
    const live = (globalThis.live = { urls: 0, bitmaps: 0 });
    const { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (b) => { live.urls++; return createObjectURL.call(URL, b); };
    URL.revokeObjectURL = (u) => { live.urls--; revokeObjectURL.call(URL, u); };
    const create = globalThis.createImageBitmap, close = ImageBitmap.prototype.close;
    globalThis.createImageBitmap = async (...a) => { const b = await create(...a); live.bitmaps++; return b; };
    ImageBitmap.prototype.close = function () { live.bitmaps--; close.call(this); };
  });
  for (let i = 0; i < 6; i++) {
    await drop(page, [`${i}.png`, plainPNG(300, 100, [200, 200, 200])]);
    await button(page, `Remove ${i}.png`).click();
    await button(page, `Remove ${i}.png`).waitFor({ state: "detached" });
  }
  assert.deepEqual(await page.evaluate(() => globalThis.live), { urls: 0, bitmaps: 0 });
});

test("words are read with weights, in any length; read literally, those that do not fit are named", async () => {
  await loaded(page);
  await page.getByText("0 of 30 tokens").first().waitFor();
  await prompt(page).fill("ein Fuchs auf einem blauen Hintergrund");
  await page.getByText("This looks like German.").waitFor();
  await prompt(page).fill("a fox on a blue background");
  await page.getByText("This looks like German.").waitFor({ state: "hidden" });
  const negative = page.getByRole("textbox", { name: "Negative prompt" });
  await negative.fill("fog");
  for (let i = 0; i < 2; i++) await page.getByLabel("Add to the negative prompt").selectOption("Text and marks");
  await expect(negative).toHaveValue("fog, text, watermark, signature, logo, caption, frame");
  await negative.fill("");
  await prompt(page).fill(`${"fox ".repeat(40)}zebra (fox:1.3)`);
  await page.getByText(/\d+ of 60 tokens/).waitFor();
  assert.deepEqual(await page.locator(".marks .up.much").allTextContents(), ["fox"]);
  await page.locator("#words-reading").click();
  await page.locator(".marks .up").waitFor({ state: "detached" });
  await prompt(page).fill(`${"fox ".repeat(40)}zebra`);
  const cut = page.locator(".problem", { hasText: "left out" });
  await cut.waitFor();
  await expect(cut).toHaveText(/zebra$/);
  await prompt(page).fill("a fox");
  await cut.waitFor({ state: "detached" });
  await page.locator("#words-reading").click();
});

test("files that are not pictures, cut off or too large are refused in plain words", async () => {
  const png = plainPNG(300, 200, [1, 200, 3]);
  for (const [name, bytes, text] of [
    ["notes.txt", Buffer.from("no picture at all"), /notes\.txt: .*not a picture/],
    ["half.png", fox.subarray(0, fox.length / 2), /half\.png.*cut off/],
    ["huge.png", plainPNG(4, 4, [1, 2, 3], [60_000, 60_000]), /huge\.png: .*60000 × 60000 pixels, more than/],
    ["empty.png", Buffer.alloc(0), /empty\.png.*empty/],
  ]) {
    await drop(page, [name, bytes]);
    await page.locator(".problem", { hasText: name }).waitFor();
    assert.match((await problems(page)).join(), text);
    await expect(page.getByRole("slider", { name: "Image weight" }), name).toHaveCount(0);
  }
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(70 << 20)], "large.png", { type: "image/png" }));
    window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
  });
  await page.locator(".problem", { hasText: "large.png has 73 MB" }).waitFor();
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), button(page, "Choose another").click()]);
  await chooser.setFiles({ name: "good.png", mimeType: "image/png", buffer: png });
  await page.getByRole("img", { name: "Image prompt good.png" }).waitFor();
  assert.deepEqual(await problems(page), []);
});

test("a PNG by A1111 restores its settings, and its text is never treated as markup", async () => {
  const evil = `<img src=x onerror="document.title='taken'"><b id=bold>fox</b>`;
  const text = `${evil}\nNegative prompt: blur\nSteps: 33, Sampler: Euler a, CFG scale: 6.5, Seed: 12345, Size: 192x256, Model hash: abc, Hires upscale: 2`;
  await drop(page, ["<b id=bold>name</b>.png", withText(fox, "parameters", text)]);
  await page.waitForFunction(() => document.getElementById("words-Prompt").value.includes("onerror"));
  await expect(prompt(page)).toHaveValue(evil);
  await expect(page.getByRole("textbox", { name: "Negative prompt" })).toHaveValue("blur");
  await unfold(page, "Settings");
  for (const [name, value] of [["Steps", "33"], ["Guidance", "6.5"], ["Seed", "12345"], ["Width", "192"], ["Height", "256"]]) {
    await expect(spin(page, name), name).toHaveValue(value);
  }
  await expect(page.getByRole("combobox", { name: "Scheduler" })).toHaveValue("euler_a");
  const note = page.locator(".notice", { hasText: "Settings restored" });
  await expect(note).toHaveText(/<b id=bold>name<\/b>\.png, except for: Hires/);
  await expect(page.locator("#bold, img[src=x]")).toHaveCount(0);
  assert.notEqual(await page.title(), "taken");
  await note.getByRole("button", { name: "Use it as an image prompt instead" }).click();
  await page.getByRole("slider", { name: "Image weight" }).waitFor();
});

test("a style in a picture's text is on a card with its weight, and one that is not here is named", async () => {
  const text = "a fox <lora:ink:0.6>\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 128x128, Version: v1.9.0";
  await drop(page, ["a1111.png", withText(fox, "parameters", text)]);
  await page.waitForFunction(() => document.getElementById("words-Prompt").value === "a fox");
  await unfold(page, "Styles");
  const weight = page.getByRole("slider", { name: "Weight of ink" });
  await expect(weight).toHaveValue("0.6");
  await weight.fill("1.2");
  await page.getByText("1.2", { exact: true }).waitFor();
  await button(page, "Generate").click();
  await page.waitForFunction(() => document.querySelector(".go .problem"));
  assert.match((await problems(page)).join(), /style ink is not one of the model that ships/);
  await page.evaluate(() => { document.getElementById("styles").open = false; });
  await button(page, "Open Styles").click();
  await expect(button(page, "Remove ink")).toBeInViewport();
  await button(page, "Remove ink").click();
  await weight.waitFor({ state: "detached" });
  const [own] = ships.loras;
  await page.getByLabel("Add a style", { exact: true }).selectOption(own.file);
  await expect(page.getByRole("slider", { name: `Weight of ${own.name}` })).toHaveValue("1");
  await button(page, own.triggers[0]).click();
  await expect(prompt(page)).toHaveValue(`a fox, ${own.triggers[0]}`);
  await button(page, `Remove ${own.name}`).click();
  await prompt(page).fill("a fox <lora:gone:1>");
  await button(page, "Generate").click();
  await page.waitForFunction(() => /style gone/.test(document.querySelector(".go .problem")?.textContent));
  await expect(prompt(page)).toHaveValue("a fox <lora:gone:1>");
});

// lora is a LoRA's file, with a title in its metadata.
const lora = safetensors([["lora_A", [2, 4]], ["lora_B", [4, 2]]].map(([part, shape]) => (
  { name: `unet.mid_block.attentions.0.proj_in.${part}.weight`, dtype: "F32", shape, bytes: Buffer.alloc(32) })), { "modelspec.title": "Ink of old" });

test("a LoRA from the disk is kept in the browser under its title, and is used at once", async () => {
  await drop(page, ["ink.safetensors", lora, ""]);
  await button(page, "Keep a copy in the browser ink.safetensors").click();
  const row = page.getByRole("group", { name: "ink.safetensors", exact: true });
  await row.getByText(/LoRA · .* · Ink of old/).waitFor();
  await button(page, "Use ink.safetensors").waitFor();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("slider", { name: "Weight of ink" })).toHaveValue("1");
});

// kept is a file of kept embeddings.
const kept = safetensors([{ name: "ip_adapter_image_embeds", dtype: "F16", shape: [2, 1, 4], bytes: Buffer.alloc(16) }]);

test("an image prompt takes several pictures, one that it should not be like, tiles, and kept embeddings in a picture's place", async () => {
  const file = (name, colour) => ({ name, mimeType: "image/png", buffer: plainPNG(30, 20, colour) });
  await drop(page, ["kept.safetensors", kept, ""]);
  await page.locator(".kept", { hasText: "kept.safetensors" }).waitFor();
  await button(page, "Remove kept.safetensors").click();
  await button(page, "Remove kept.safetensors").waitFor({ state: "detached" });
  await drop(page, ["a.png", plainPNG(30, 20, [9, 9, 9])]);
  await adjust(page, "a.png");
  await unfold(page, "More pictures");
  await page.getByLabel("Add pictures", { exact: true }).setInputFiles([file("b.png", [200, 200, 200]), file("c.png", [0, 200, 0])]);
  for (const name of ["b.png", "c.png"]) await button(page, `Remove ${name}`).waitFor();
  // Their crops are chosen like that of the first.
  const further = page.getByRole("img", { name: "Picture b.png", exact: true }), part = page.locator(".part", { has: further });
  await expect(async () => assert.equal(await further.evaluate((c) => c.width), 224)).toPass({ timeout: 30_000 }); // it is painted
  await further.press("+");
  await button(part, "Crop").click();
  await expect(page.getByRole("slider", { name: "Crop zoom" })).toHaveValue("1.1");
  await page.getByRole("slider", { name: "Crop zoom" }).fill("2");
  await expect(async () => near((await bright(further)).width, 1 / 3, "half as wide as the picture is high")).toPass({ timeout: 30_000 });
  await page.getByRole("combobox", { name: "How they are combined" }).selectOption("average");
  await page.getByLabel("Add a picture to avoid", { exact: true }).setInputFiles(file("d.png", [0, 0, 200]));
  await button(page, "Remove d.png").waitFor();
  await unfold(page, "More options");
  const seen = page.getByRole("combobox", { name: "What the encoder sees" }), square = page.getByRole("img", { name: "Crop of a.png" });
  await expect(seen.locator("option:checked")).toHaveText("The square of the crop");
  await expect(square).toBeVisible();
  await seen.selectOption("masked");
  await expect(square).toBeHidden();
  await seen.selectOption({ label: "The square of the crop" });
  await expect(square).toBeVisible();
  await seen.selectOption("masked");
  await page.getByRole("combobox", { name: "What to take" }).selectOption({ label: "InstantStyle: style" });
  await axeFindsNothing(page, ".composer");
  await button(page, "Remove b.png").click();
  await button(page, "Remove b.png").waitFor({ state: "detached" });
  await expect(page.getByText("1 more, 1 to avoid", { exact: true })).toBeVisible();
});

test("the seed is rolled by its die, and kept by its lock", async () => {
  await unfold(page, "Settings");
  const seed = spin(page, "Seed"), lock = button(page, "Keep this seed");
  const before = await seed.inputValue();
  await button(page, "Roll a new seed").click();
  await page.waitForFunction((v) => document.getElementById("set-Seed").value !== v, before);
  await expect(lock).toHaveAttribute("aria-pressed", "false");
  await lock.click();
  await page.locator("[aria-label='Keep this seed'][aria-pressed=true]").waitFor();
  await lock.click();
  await seed.fill("42");
  await page.locator("[aria-label='Keep this seed'][aria-pressed=true]").waitFor();
});

test("an impossible value is corrected when its field loses the focus", async () => {
  await set(page, { Width: 63, Steps: 9999 });
  await spin(page, "Steps").press("Tab");
  await page.waitForTimeout(200);
  await expect(spin(page, "Width")).toHaveValue("64");
  await expect(spin(page, "Steps")).toHaveValue("150");
});

test("axe finds nothing, folded or open, light or dark", async () => {
  await axeFindsNothing(page);
  await button(page, "Sample: Fox").click();
  await adjust(page, "fox.png");
  await page.evaluate(() => { for (const d of document.querySelectorAll("details")) d.open = true; });
  // With the keyboard, because a press of the pointer would close About.
  await button(page, "Theme: as the system").press("Enter");
  await button(page, "Theme: light").press("Enter");
  await button(page, "Theme: dark").waitFor();
  await page.waitForTimeout(300);
  await axeFindsNothing(page);
  await button(page, "Theme: dark").press("Enter");
});

test("nothing moves if the visitor prefers reduced motion", async () => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((e) => getComputedStyle(e).transitionDuration !== "0s").length);
  assert.equal(moving, 0);
  await page.emulateMedia({ reducedMotion: null });
});

test("every control is reached by Tab, and a picture is made without a mouse", { timeout: PICTURE + 120_000 }, async () => {
  await loaded(page);
  const name = () => page.evaluate(() => {
    const e = document.activeElement;
    return e.getAttribute("aria-label") || e.labels?.[0]?.firstChild.textContent || e.textContent;
  });
  const tabTo = async (wanted) => {
    for (let i = 0; i < 150; i++) {
      if ((await name()).startsWith(wanted)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab does not reach ${wanted}`);
  };
  await tabTo("Sample: Fox");
  await page.keyboard.press("Enter");
  await page.getByRole("slider", { name: "Image weight" }).waitFor();
  await page.evaluate(() => document.activeElement.blur());
  await tabTo("Image weight");
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("slider", { name: "Image weight" })).toHaveValue("0.75");
  await tabTo("Adjust fox.png");
  await page.keyboard.press("Enter");
  await tabTo("Where");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("img", { name: "Where" })).toBeFocused(); // on the stage
  await page.keyboard.press(" ");
  for (let i = 0; i < 4; i++) await page.keyboard.press("Shift+ArrowRight");
  const white = await page.getByRole("img", { name: "Where" }).evaluate((c) => {
    const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
    return data.filter((v, i) => i % 4 === 0 && v > 200).length / (c.width * c.height);
  });
  assert.ok(white > 0.01 && white < 0.2, `painted by keys: ${white} of the frame`);
  await tabTo("Prompt");
  await page.keyboard.type("on a yellow background");
  await tabTo("Settings");
  await page.keyboard.press("Enter");
  for (const [field, value] of [["Width", "64"], ["Height", "64"], ["Steps", "2"], ["Seed", "7"]]) {
    await tabTo(field);
    await page.keyboard.press("Control+A");
    await page.keyboard.type(value);
  }
  await tabTo("Generate");
  await page.keyboard.press("Enter");
  await result(page).waitFor({ timeout: PICTURE });
  await button(page, "Generate").waitFor();
  // Now that every control is shown, Tab has to reach each of them.
  await page.evaluate(() => {
    for (const d of document.querySelectorAll("details")) d.open = true;
    globalThis.reached = new Set();
    document.addEventListener("focusin", (e) => reached.add(e.target));
    document.activeElement.blur();
  });
  await page.waitForTimeout(300);
  for (let i = 0; i < 180; i++) await page.keyboard.press("Tab");
  const missed = await page.evaluate(() => [...document.querySelectorAll("button, input, select, textarea, summary, a[href], canvas[tabindex]")]
    .filter((e) => !e.disabled && e.checkVisibility() && !reached.has(e)).map((e) => e.getAttribute("aria-label") || e.textContent || e.id));
  assert.deepEqual(missed, []);
  await gallery(page).getByRole("listbox", { name: "Pictures" }).focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("Delete");
  await gallery(page).getByText("What you make is kept here").waitFor();
});

test("nothing was refused by the policy, no error went unseen, no request left the origin", () => {
  assert.deepEqual(studio.faults, []);
  assert.deepEqual(studio.elsewhere, []);
});
