// The page in a real browser: from the first visit to pictures, and what can be done with
// them. Each test builds on the one before.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { PATIENCE, PICTURE, adjust, axeFindsNothing, button, bytesOf, countGPU, difference, draw, drop, expect, fingers, gallery, held, keepProgram, loaded, look, pictures, pixelsOf, problems, prompt, result, set, slow, small, spin, unfold, visit } from "./hands.mjs";
import { opened, root, ships } from "./site.mjs";

let site, studio, page;

opened(async (all) => {
  ({ site, studio, page } = all);
  await keepProgram(page);
  await page.addInitScript(() => {
    // A browser that can share: headless Chromium on Linux cannot.
    globalThis.shared = [];
    navigator.canShare = (what) => what.files?.every((f) => f.type === "image/png");
    navigator.share = async (what) => { shared.push(...what.files.map((f) => [f.name, f.size])); };
    globalThis.notified = [];
    globalThis.Notification = class {
      static permission = "granted";
      constructor(title, { body }) { notified.push([title, body]); }
    };
  });
  await visit(page, site.url);
});

test("every control has its name", async () => {
  for (const [role, name] of [["textbox", "Prompt"], ["textbox", "Negative prompt"], ["button", "Generate"], ["region", "Gallery"]]) {
    await expect(page.getByRole(role, { name, exact: true }), `${role} "${name}"`).toHaveCount(1);
  }
  await expect(page.locator("input[type=file][aria-label='Add image']")).toHaveCount(1);
  await small(page);
  for (const [role, name] of [["spinbutton", "Steps"], ["spinbutton", "Guidance"], ["spinbutton", "Seed"], ["spinbutton", "Width"], ["spinbutton", "Height"], ["combobox", "Scheduler"]]) {
    await expect(page.getByRole(role, { name, exact: true }), `${role} "${name}"`).toHaveCount(1);
  }
});

test("a picture and words make a picture", { timeout: PICTURE + 120_000 }, async () => {
  await loaded(page);
  await button(page, "Sample: Fox").click();
  await page.getByRole("slider", { name: "Image weight" }).waitFor();
  await prompt(page).fill("on a yellow background");
  await draw(page, () => prompt(page).press("Control+Enter"));
  const [width, height] = await pixelsOf(page, await bytesOf(result(page)));
  assert.deepEqual([width, height], [64, 64]);
  // A small picture is shown at twice its size, with its pixels crisp, and says what drew it.
  await expect(async () => {
    const shown = await result(page).evaluate((i) => [i.getBoundingClientRect().width, i.getBoundingClientRect().height, getComputedStyle(i).imageRendering]);
    assert.deepEqual(shown, [128, 128, "pixelated"]);
  }).toPass({ timeout: 30_000 * PATIENCE });
  await page.getByText(/^Demo model · Seed 7/).waitFor();
  // Its cost is shown below it, and in About.
  await page.getByText(/Seed 7 · 64 × 64 · 2 steps · .* · λ = 0\.7 · .* per step\) · [\d.]+ MB at most/).waitFor();
  await page.getByText("About this GPU").click();
  await page.getByText("The last picture", { exact: true }).waitFor();
  // What the card can do is known without a download, also beside Generate and in the catalogue.
  const about = page.locator("#about");
  await about.getByText(/^Stable Diffusion 1.5 at 512 × 512: about \d+ (min|hours) a picture, needs [\d.]+ GB of its memory: not on this card\.$/).waitFor();
  await about.getByText(/^The demo model at 128 × 128: about .* a picture\.$/).waitFor();
  // The check compares the first operations with plain Go and is then stopped.
  await button(page, "Check this GPU").click();
  await about.getByText(/^Test ([2-9]|\d\d) of \d+/).waitFor({ timeout: 60_000 * PATIENCE });
  await button(page, "Stop the check").click();
  await about.getByText(/^\d+ operations? .* compared with plain Go before the check was stopped, and none differs\.$/).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Download the report").click()]);
  const report = JSON.parse(fs.readFileSync(await download.path(), "utf8"));
  assert.ok(report.stopped && report.adapter.limits.maxBufferSize > 0 && report.adapter.features.length > 0 && report.browser.includes("Chrome"), JSON.stringify(report));
  assert.ok(report.tests.length > 0 && report.tests.every((t) => !t.failed && t.error <= t.tolerance && ["f32", "f32-weights-f32", ""].includes(t.path ?? "")), JSON.stringify(report.tests));
  await page.keyboard.press("Escape");
  await page.locator(".go").getByText(/^About (a second|\d+ s) a picture$/).waitFor();
});

test("the picture is zoomed about the pointer and moved, with the wheel and with keys", async () => {
  const place = () => result(page).evaluate((i) => { const r = i.getBoundingClientRect(); return { x: r.x, y: r.y, width: r.width }; });
  const settles = (check) => expect(async () => check(await place())).toPass({ intervals: [50], timeout: 30_000 * PATIENCE });
  const before = await place(), at = [before.x + 0.55 * before.width, before.y + 0.55 * before.width];
  await page.mouse.move(...at);
  // A press of a key in a text field is text.
  await prompt(page).press("End");
  await prompt(page).press("+");
  await prompt(page).press("Backspace");
  await expect(async () => {
    await page.mouse.wheel(0, -900); // as large as it gets: 16 times
    await expect(async () => assert.equal((await place()).width, 16 * 64)).toPass({ intervals: [50], timeout: 5000 * PATIENCE });
  }).toPass({ timeout: 60_000 * PATIENCE });
  const now = await place();
  assert.ok(Math.abs((at[0] - now.x) / now.width - 0.55) < 0.02, "the same is under the pointer");
  await page.getByRole("group", { name: "The picture", exact: true }).focus();
  await page.keyboard.press("-");
  await settles(({ width }) => assert.ok(Math.abs(width - 16 * 64 / 1.25) < 1, `it is ${width} wide`));
  const left = (await place()).x;
  await page.keyboard.press("ArrowLeft");
  await settles(({ x }) => assert.ok(x > left, "its left comes into view"));
  await page.keyboard.press("0");
  await settles((now) => assert.deepEqual(now, before));
  await expect(button(page, "Fit")).toHaveAttribute("aria-pressed", "true");
  const full = button(page, "Full screen");
  await page.keyboard.press("f");
  await expect(full).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator("#stage:fullscreen")).toBeVisible();
  await settles(({ width }) => assert.equal(width, 128));
  await full.click();
  await expect(full).toHaveAttribute("aria-pressed", "false");
  await settles((now) => assert.deepEqual(now, before));
});

test("it is the picture that the command line draws", { timeout: PICTURE }, async () => {
  const out = path.join(root, ".build/e2e.png");
  execFileSync("./build.sh", ["generate", "--no-f16", "--prompt", "on a yellow background", "--image", "web/samples/fox.png", "--ip-adapter-scale", "0.7",
    "--scheduler", "dpmpp_2m", "--num-inference-steps", "2", "--guidance-scale", "5", "--width", "64", "--height", "64", "--seed", "7", "--out", out], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  const ours = await pixelsOf(page, await bytesOf(result(page))), theirs = await pixelsOf(page, fs.readFileSync(out));
  // Two GPUs round sums differently, which makes a difference of at most 1 in 255.
  assert.ok(difference(ours, theirs) <= 1, `a pixel differs by ${difference(ours, theirs)} of 255`);
});

// The long-task observer also counts the time that a task waits for a processor, and here
// SwiftShader keeps all of them busy. The trace says how long each task itself took.
test("while a picture is made, no task of the page's thread takes over 50 ms", { timeout: PICTURE }, async () => {
  const devtools = await studio.context.newCDPSession(page);
  const names = new Map(), tasks = [];
  devtools.on("Tracing.dataCollected", ({ value }) => {
    for (const e of value) {
      if (e.name === "thread_name") names.set(`${e.pid}/${e.tid}`, e.args.name);
      if (e.name.endsWith("RunTask") && e.tdur !== undefined) tasks.push([`${e.pid}/${e.tid}`, e.tdur / 1000, e.args.src_func]);
    }
  });
  await devtools.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["toplevel", "__metadata"], recordMode: "recordAsMuchAsPossible" } });
  await draw(page);
  const complete = new Promise((done) => devtools.once("Tracing.tracingComplete", done));
  await devtools.send("Tracing.end");
  await complete;
  await devtools.detach();
  const main = tasks.filter(([thread]) => names.get(thread) === "CrRendererMain");
  assert.ok(main.length > 50, `${main.length} tasks were traced`);
  assert.deepEqual(main.filter(([, ms]) => ms > 50), [], "[thread, milliseconds, what]");
});

let second; // what is held after the second picture

test("a strip draws one seed at five weights; one is skipped; it is saved as one sheet", { timeout: 3 * PICTURE }, async () => {
  await countGPU(page);
  second = await held(page);
  const before = await page.locator(".gallery figure").count();
  await button(page, "λ strip").click();
  const strip = page.getByRole("group", { name: "Strip" });
  // It is pressed within the page, because a click from outside waits for frames, in which a slow machine may draw the rest, and
  // again if it came just as one picture was ready.
  await expect(async () => {
    await page.getByText(/^Picture [2-4] of 5/).evaluate(() => [...document.querySelectorAll("button")].find((b) => b.textContent === "Skip").click(), null, { timeout: PICTURE });
    await strip.locator("figcaption", { hasText: "left out" }).waitFor({ timeout: 20_000 * PATIENCE });
  }).toPass({ timeout: 2 * PICTURE });
  await button(page, "Generate").waitFor({ timeout: 2 * PICTURE });
  assert.deepEqual(await problems(page), []);
  const captions = await strip.locator("figcaption").allTextContents();
  assert.deepEqual(captions.map((c) => c.replace(", left out", "")), ["λ = 0", "λ = 0.25", "λ = 0.5", "λ = 0.75", "λ = 1"]);
  assert.equal(captions.filter((c) => c.endsWith("left out")).length, 1);
  await expect(page.locator(".gallery figure")).toHaveCount(before + 4);
  const pictures = [];
  for (const img of await strip.getByRole("img").all()) pictures.push(await pixelsOf(page, await bytesOf(img)));
  for (let i = 1; i < pictures.length; i++) assert.ok(difference(pictures[0], pictures[i]) > 8, "λ changes the picture");
  const near = String.raw`-?[01]\.\d\d to the picture and -?[01]\.\d\d to the words`;
  await page.getByRole("img", { name: new RegExp(`by image weight: at 0 ${near}, .*at 1 ${near}`) }).waitFor({ timeout: PICTURE });
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Download as one sheet").click()]);
  const sheet = fs.readFileSync(await download.path());
  const [width, height] = await pixelsOf(page, sheet);
  assert.ok(width > 4 * 320 && height > 320, `a sheet of ${width} × ${height}`);
  assert.match(sheet.toString("latin1"), /tEXtparameters\0.*on a yellow background/s, "it can be dropped back for its settings");
  assert.match(sheet.toString("latin1"), /iTXtimprompt-scores\0.{4}\[\{"label":.*"clip_i":\[[-\d.e]+\],"clip_t":/s);
});

test("pictures after the second hold nothing more: no memory, and nothing on the GPU", async () => {
  const room = { "WebAssembly memory of the page": 4 << 20, "WebAssembly memory of the engine": 4 << 20 }; // Go's heap grows by this much between two collections
  const now = await held(page);
  for (const [what, value] of Object.entries(second)) assert.ok(now[what] <= value + (room[what] ?? 0), `${what}: ${value}, and then ${now[what]}`);
});

test("buttons act on the picture that is shown, not on an earlier one", async () => {
  await button(page, "Show λ = 0").click();
  const [first] = await Promise.all([page.waitForEvent("download"), button(page, "Download").click()]);
  assert.deepEqual(fs.readFileSync(await first.path()), await bytesOf(result(page)));
  await button(page, "Back to the strip").click();
  await button(page, "Show λ = 1").click();
  const [last] = await Promise.all([page.waitForEvent("download"), button(page, "Download").click()]);
  assert.deepEqual(fs.readFileSync(await last.path()), await bytesOf(result(page)));
  // The line between it and another weight is moved with the keyboard.
  await button(page, "Compare").click();
  await page.getByRole("combobox", { name: "Compare with" }).selectOption({ label: "Same seed, λ = 0.7" });
  const before = page.getByRole("img", { name: "Before: Same seed, λ = 0.7" }), line = page.getByRole("slider", { name: "Before and after" });
  await expect(line).toHaveAttribute("aria-valuenow", "50");
  await line.press("ArrowRight");
  await expect(line).toHaveAttribute("aria-valuenow", "52");
  await expect(before).toHaveCSS("clip-path", /^inset\(0px calc\(100% - 33\.28px\) 0px 0px\)$/); // of 64
  await line.press("Home");
  await expect(line).toHaveAttribute("aria-valuetext", "0 % of Same seed, λ = 0.7");
  await line.press("c");
  await before.waitFor({ state: "hidden" });
  // On a phone what can be done is in a sheet, which closes when it is done.
  const { width, height } = page.viewportSize();
  await page.setViewportSize({ width: 390, height: 844 });
  await button(page, "Same seed").waitFor({ state: "hidden" });
  await button(page, "With this picture …").click();
  await button(page, "Same seed").click();
  await button(page, "Same seed").waitFor({ state: "hidden" });
  await page.setViewportSize({ width, height });
  await page.locator(".notice", { hasText: "The next pictures have the seed 7." }).waitFor();
  await button(page, "Share").click();
  await page.waitForFunction(() => shared.length === 1);
  const [[name, size]] = await page.evaluate(() => shared);
  assert.match(name, /^imprompt-20\d{6}-\d{6}-seed-7-lambda-1\.png$/);
  assert.equal(size, (await bytesOf(result(page))).length);
});

test("the gallery outlasts a reload; its settings come back with their image prompts", async () => {
  await page.waitForTimeout(1000); // the store's transaction
  await page.reload();
  const show = pictures(page, "on a yellow background").first();
  await show.waitFor();
  await expect(page.locator(".gallery figure")).toHaveCount(6);
  await show.click();
  await page.getByText(/^Near to the picture -?[01]\.\d\d · near to the words -?[01]\.\d\d$/).waitFor();
  await button(page, "Use these settings").click();
  await page.getByRole("img", { name: "Image prompt fox.png" }).waitFor();
  await expect(prompt(page)).toHaveValue("on a yellow background");
  await expect(page.getByRole("slider", { name: "Image weight" })).toHaveValue("0.7");
  await unfold(page, "Settings");
  await expect(spin(page, "Steps")).toHaveValue("2");
});

test("pictures are found, picked with keys and given stars; a sheet and a zip of them are saved", async () => {
  const film = page.getByRole("listbox", { name: "Pictures" }), tools = page.getByRole("toolbar", { name: "With the selected pictures" });
  const search = page.getByRole("searchbox", { name: "Search the gallery" });
  await search.fill("yellow -dpm");
  await expect(gallery(page).getByText("Nothing here has all")).toBeVisible();
  await search.fill("YELLOW 64x64");
  await expect(pictures(page)).toHaveCount(6);
  await search.fill("");
  await expect(pictures(page)).toHaveCount(6);
  await film.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await expect(pictures(page).nth(1)).toHaveAttribute("aria-current", "true");
  await page.keyboard.press("Shift+ArrowRight");
  await expect(tools.getByText("2 selected")).toBeVisible();
  await page.keyboard.press("s");
  await expect(pictures(page, /, starred$/)).toHaveCount(2);
  await axeFindsNothing(page, ".gallery");
  const [sheet] = await Promise.all([page.waitForEvent("download"), button(page, "Download the selected as one sheet").click()]);
  assert.match(fs.readFileSync(await sheet.path()).toString("latin1"), /tEXtparameters/);
  const [zip] = await Promise.all([page.waitForEvent("download"), button(page, "Export the selected as zip").click()]);
  const packed = fs.readFileSync(await zip.path());
  assert.equal(packed.readUInt16LE(packed.length - 12), 2 + 2, "files in the zip");
  await button(page, "Compare the two selected").click();
  await page.getByRole("slider", { name: "Before and after" }).waitFor();
  await button(page, "Compare").click();
  await button(page, "Only pictures with a star").click();
  await expect(pictures(page)).toHaveCount(2);
  await page.reload();
  await expect(pictures(page, /, starred$/)).toHaveCount(2);
  await pictures(page).nth(0).click({ modifiers: ["Control"] });
  await pictures(page).nth(2).click({ modifiers: ["Shift"] });
  await expect(tools.getByText("3 selected")).toBeVisible();
  await button(page, "Delete the selected").click();
  await expect(pictures(page)).toHaveCount(3);
  await page.locator(".notice", { hasText: "3 pictures were deleted" }).getByRole("button", { name: "Undo" }).click();
  await expect(pictures(page)).toHaveCount(6);
});

test("on a phone, a tap opens the lightbox, a swipe goes on, two fingers zoom; the whole gallery says what pictures were made from", async () => {
  for (const name of ["Close the note", "Close the notice"]) await button(page, name).click();
  await page.setViewportSize({ width: 390, height: 844 });
  const touch = await fingers(page);
  const lightbox = page.getByRole("dialog", { name: "Result" });
  const middle = async (of) => {
    await of.scrollIntoViewIfNeeded();
    const { x, y, width, height } = await of.boundingBox();
    return [x + width / 2, y + height / 2];
  };
  await expect(async () => {
    await touch.put([await middle(pictures(page).first())]);
    await lightbox.waitFor({ timeout: 5000 * PATIENCE });
  }).toPass({ timeout: 60_000 * PATIENCE });
  const first = await result(page).getAttribute("src");
  await axeFindsNothing(page);
  const [x, y] = await middle(page.getByRole("group", { name: "The picture", exact: true }));
  await touch.put([[x + 80, y]], [[x, y]], [[x - 80, y + 4]]);
  await expect(result(page)).not.toHaveAttribute("src", first);
  await touch.put([[x - 80, y]], [[x, y]], [[x + 80, y + 4]]);
  await expect(result(page)).toHaveAttribute("src", first);
  const wide = () => result(page).evaluate((i) => i.getBoundingClientRect().width), before = await wide();
  await touch.put([[x - 20, y], [x + 20, y]], [[x - 40, y], [x + 40, y]], [[x - 60, y], [x + 60, y]]);
  await expect(async () => assert.ok(Math.abs((await wide()) / before - 3) < 0.05)).toPass({ timeout: 30_000 * PATIENCE });
  await touch.gone();
  await page.keyboard.press("0");
  await page.keyboard.press("ArrowRight");
  await expect(result(page)).not.toHaveAttribute("src", first);
  await button(page, "The picture before").click();
  await expect(result(page)).toHaveAttribute("src", first);
  // A phone's way back closes what is open, one after another, and stays on the page.
  await page.evaluate(() => history.back());
  await expect(lightbox).toHaveCount(0);
  await button(page, "Show all").click();
  await expect(pictures(page).first()).toContainText(/λ = 1 · Demo model · DPM/);
  await pictures(page).first().click();
  await lightbox.waitFor();
  await button(page, "With this picture …").click();
  await page.locator(".actions:popover-open").waitFor();
  for (const [gone, left] of [[".actions:popover-open", ".lightbox"], [".lightbox", ".opened"], [".opened", ".gallery"]]) {
    await page.evaluate(() => history.back());
    await expect(page.locator(gone)).toHaveCount(0);
    await expect(page.locator(left)).toHaveCount(1);
  }
  await expect.poll(() => page.evaluate(() => history.state), "nothing is left to go back from").toBe(null);
  await button(page, "Show all").click();
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.keyboard.press("Escape");
  await expect(button(page, "Show all")).toBeVisible();
});

test("a dropped PNG of ours restores its settings", async () => {
  await prompt(page).fill("something else");
  await drop(page, ["ours.png", await bytesOf(result(page))]);
  await page.waitForFunction(() => document.getElementById("words-Prompt").value === "on a yellow background");
  await unfold(page, "Settings");
  await expect(spin(page, "Seed")).toHaveValue("7");
  await expect(spin(page, "Steps")).toHaveValue("2");
});

test("image only, from the finer adapter, in two passes", { timeout: PICTURE + 60_000 }, async () => {
  await loaded(page);
  await prompt(page).fill("");
  await adjust(page, "fox.png");
  await unfold(page, "More options");
  await page.getByRole("combobox", { name: "Image adapter" }).selectOption(ships.ip_adapters[1].file);
  await set(page, { "Second pass": 1.5, "Second strength": 0.5 });
  // The visitor looks elsewhere meanwhile, and is told.
  await look(page, false);
  await draw(page);
  await expect(page).toHaveTitle("Ready · Imprompt");
  assert.deepEqual(await page.evaluate(() => notified), [["Imprompt", "picture of seed 7"]]);
  await look(page, true);
  await expect(page).toHaveTitle("Imprompt");
  const made = (await bytesOf(result(page))).toString("latin1");
  assert.match(made, /"prompt":""/);
  assert.match(made, /Size: 64x64, Denoising strength: 0\.5, Hires upscale: 1\.5, Hires steps: 1, Hires upscaler: Latent,/);
  assert.deepEqual((await pixelsOf(page, await bytesOf(result(page)))).slice(0, 2), [96, 96]);
  await set(page, { "Second pass": 1 });
  await expect(spin(page, "Second strength")).toBeHidden();
  assert.ok(made.includes(`"ip_adapter":"${ships.ip_adapters[1].file}"`));
});

test("a picture is drawn again, larger", { timeout: PICTURE + 60_000 }, async () => {
  await draw(page, () => button(page, "Upscale 1.5 ×").click());
  const larger = await bytesOf(result(page));
  assert.deepEqual((await pixelsOf(page, larger)).slice(0, 2), [144, 144]);
  assert.match(Buffer.from(larger).toString("latin1"), /Seed: 7, Size: 144x144, Denoising strength: 0\.3,/);
});

test("two settings make a grid, which is saved as one sheet", { timeout: 2 * PICTURE }, async () => {
  await unfold(page, "Strip or grid");
  await page.getByRole("combobox", { name: "Columns" }).selectOption({ label: "Seed" });
  await page.getByRole("textbox", { name: "Values of the Columns" }).fill("1-2x");
  await page.getByRole("combobox", { name: "Rows" }).selectOption({ label: "Steps" });
  await page.getByRole("textbox", { name: "Values of the Rows" }).fill("2");
  await button(page, "Draw").click();
  await page.getByText('Seed: "1-2x" is not a number').waitFor();
  await page.getByRole("textbox", { name: "Values of the Columns" }).fill("1-2");
  await button(page, "Draw 2 pictures").click();
  const grid = page.getByRole("table", { name: "Grid" });
  await grid.getByRole("columnheader", { name: "seed 2" }).waitFor();
  await grid.getByRole("img").nth(1).waitFor({ timeout: PICTURE });
  await button(page, "Generate").waitFor({ timeout: PICTURE });
  await axeFindsNothing(page, ".stage");
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Download as one sheet").click()]);
  assert.equal(download.suggestedFilename(), "imprompt-grid-1.png");
});

test("what is asked for while a picture is drawn waits in the queue; Stop ends a run", { timeout: PICTURE }, async () => {
  await set(page, { Steps: 150 });
  await button(page, "Generate").click();
  await page.getByText(/^Step \d+ of 150/).waitFor({ timeout: PICTURE });
  await expect(page.getByRole("progressbar", { name: "Progress" })).toBeVisible();
  await expect(page).toHaveTitle(/^\d+ % · Imprompt$/);
  const queue = page.getByRole("region", { name: "Queue" });
  for (const words of ["first", "second"]) {
    await prompt(page).fill(words);
    await prompt(page).press("Control+Enter");
    await queue.getByText(words).waitFor();
  }
  await axeFindsNothing(page, ".go");
  await button(page, "Sooner: second").click();
  await expect(queue.locator("li")).toHaveText(["second", "first"]);
  await button(page, "Remove from the queue: second").click();
  await expect(queue.locator("li")).toHaveText(["first"]);
  await prompt(page).fill("");
  await button(page, "Stop").click(); // and the next begins
  await expect(queue.locator("li")).toHaveCount(0);
  await page.getByRole("heading", { name: "Imprompt" }).click();
  await page.keyboard.press("Escape");
  await button(page, "Generate").waitFor();
});

test("the masked part of a start picture is repainted, and the rest stays", { timeout: PICTURE + 60_000 }, async () => {
  await set(page, { Steps: 3 });
  await pictures(page, "on a yellow background").first().click();
  const from = await pixelsOf(page, await bytesOf(result(page)));
  await button(page, "Use as start picture").click();
  await button(page, "Repaint a part").click();
  const canvas = page.getByRole("img", { name: "Repaint a part" });
  await expect(canvas).toBeFocused();
  const box = await canvas.boundingBox();
  await page.mouse.move(box.x + 0.9 * box.width, box.y + 0.5 * box.height); // below what is noted over the stage
  await page.mouse.down();
  await page.mouse.move(box.x + 0.9 * box.width, box.y + 0.9 * box.height, { steps: 4 });
  await page.mouse.up();
  const tools = page.getByRole("group", { name: "Repaint a part" }), size = tools.getByRole("slider", { name: "Brush size" });
  await expect(button(tools, "Clear")).toBeEnabled();
  await page.keyboard.press("]");
  await expect(size).toHaveValue("18");
  await page.keyboard.press("Control+z");
  await expect(button(tools, "Clear")).toBeDisabled();
  await page.keyboard.press("Control+Shift+z");
  await button(tools, "Invert").click();
  await button(tools, "Invert").click();
  await button(tools, "Clear").click();
  await button(tools, "Undo").click();
  await button(tools, "Done").click();
  await expect(button(page, "Repaint a part")).toBeFocused();
  await page.getByRole("slider", { name: "Strength" }).fill("1");
  await draw(page);
  const to = await pixelsOf(page, await bytesOf(result(page)));
  const changed = (left, right) => {
    let sum = 0;
    for (let y = 0; y < 64; y++) for (let x = left; x < right; x++) sum += Math.abs(from[2 + 4 * (64 * y + x)] - to[2 + 4 * (64 * y + x)]);
    return sum / (64 * (right - left));
  };
  assert.ok(changed(56, 64) > 2 * changed(0, 32), `painted ${changed(56, 64)}, not painted ${changed(0, 32)} of 255 on average`);
  assert.equal(changed(0, 52), 0, "what was not painted keeps its pixels");
  await button(page, "Compare").click();
  await page.getByRole("img", { name: "Before: Start picture" }).waitFor();
});

test("the edges of a picture are dragged outwards, and it keeps its pixels; then it is varied", { timeout: 2 * PICTURE }, async () => {
  await set(page, { Steps: 1 });
  await pictures(page, "on a yellow background").first().click();
  const from = await pixelsOf(page, await bytesOf(result(page)));
  await button(page, "Extend").click();
  const edge = (name) => page.getByRole("slider", { name: `${name} edge`, exact: true });
  const added = (name, pixels) => expect(edge(name)).toHaveAttribute("aria-valuenow", String(pixels));
  await expect(edge("Right")).toBeFocused();
  // settled waits until all of the picture lies in the middle of the view, and returns its place.
  const settled = () => page.waitForFunction(() => {
    const [whole, view] = [".added", ".view"].map((s) => document.querySelector(s).getBoundingClientRect());
    const apart = Math.hypot(whole.x + whole.width / 2 - view.x - view.width / 2, whole.y + whole.height / 2 - view.y - view.height / 2);
    return whole.width > 0 && apart < 2 && Math.abs(Math.max(whole.width / view.width, whole.height / view.height) - 0.7) < 0.02 && whole.toJSON();
  }).then((h) => h.jsonValue());
  let whole = await settled();
  await page.mouse.move(whole.right, whole.bottom);
  await page.mouse.down();
  await page.mouse.move(whole.right + whole.width / 4, whole.bottom - 3, { steps: 4 });
  await added("Right", 16); // of 64
  await page.mouse.up();
  await edge("Top").press("ArrowUp");
  await added("Top", 8);
  await page.keyboard.press("Control+z");
  await added("Top", 0);
  await added("Right", 16);
  await spin(page, "Bottom").fill("13");
  await spin(page, "Bottom").press("Enter");
  await added("Bottom", 16);
  await axeFindsNothing(page, ".stage");
  // On a phone, with a finger.
  const { width, height } = page.viewportSize();
  await page.setViewportSize({ width: 390, height: 844 });
  await edge("Left").scrollIntoViewIfNeeded();
  whole = await settled();
  const touch = await studio.context.newCDPSession(page);
  const finger = (type, ...at) => touch.send("Input.dispatchTouchEvent", { type, touchPoints: at.map(([x, y]) => ({ x, y })) });
  const y = whole.y + whole.height / 2;
  await finger("touchStart", [whole.x, y]);
  await finger("touchMove", [whole.x - whole.width / 20, y]);
  await finger("touchMove", [whole.x - whole.width / 10, y]); // of 80
  await added("Left", 8);
  await finger("touchEnd");
  await touch.detach();
  await page.setViewportSize({ width, height });
  await button(page, "Done").click();
  await page.getByRole("slider", { name: "Strength" }).fill("1");
  await draw(page);
  const to = await pixelsOf(page, await bytesOf(result(page)));
  assert.deepEqual(to.slice(0, 2), [88, 80]);
  for (let y = 0; y < 64; y++) assert.deepEqual(to.slice(2 + 4 * (88 * y + 8), 2 + 4 * (88 * y + 72)), from.slice(2 + 4 * 64 * y, 2 + 4 * 64 * (y + 1)), `row ${y}`);
  // Its variations have its seed and its borders, and each has a variation seed of its own.
  await set(page, { Pictures: 2 });
  await button(page, "Variations").click();
  const varied = page.locator(".strip img");
  await expect(varied).toHaveCount(2, { timeout: PICTURE });
  const seeds = [];
  for (const i of [0, 1]) {
    const said = /Seed: 7, Size: 88x80, .*Variation seed: (\d+), Variation seed strength: 0\.25,/.exec((await bytesOf(varied.nth(i))).toString("latin1"));
    seeds.push(Number(said?.[1]));
  }
  assert.equal(seeds[1], seeds[0] + 1);
  await button(page, "Generate").waitFor({ timeout: PICTURE });
  await set(page, { Pictures: 1 });
});

test("deleting a picture deletes that one, also after a reload", async () => {
  const titles = () => pictures(page).evaluateAll((list) => list.map((b) => b.getAttribute("aria-label")));
  const before = await titles();
  await pictures(page).nth(1).hover();
  await pictures(page).nth(1).getByTitle("Delete").click();
  await page.waitForFunction((n) => document.querySelectorAll(".gallery figure").length === n, before.length - 1);
  assert.deepEqual(await titles(), before.toSpliced(1, 1));
  await page.waitForTimeout(1000); // the store's transaction
  await page.reload();
  await page.waitForFunction((n) => document.querySelectorAll(".gallery figure").length === n, before.length - 1);
  assert.deepEqual(await titles(), before.toSpliced(1, 1));
  const [zip] = await Promise.all([page.waitForEvent("download"), button(page, "Export as zip").click()]);
  const packed = fs.readFileSync(await zip.path());
  assert.equal(packed.readUInt16LE(packed.length - 12), before.length - 1 + 2, "files in the zip, with the index and the contact sheet");
  assert.match(packed.toString("latin1"), /imprompt-20\d{6}-\d{6}-seed-7-lambda-0\.7\.png/);
});

// remembered reads what the engine remembers of the kernels and, with change, stores a choice and a refusal that
// nobody would make here.
const remembered = (page, change = false) => page.evaluate(async (change) => {
  const done = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
  const db = await done(indexedDB.open("imprompt-memo"));
  try {
    const store = db.transaction("texts", "readwrite").objectStore("texts");
    const key = (await done(store.getAllKeys())).find((k) => k.includes("kernels of"));
    const text = key && await done(store.get(key));
    if (!text) return null;
    const record = JSON.parse(text);
    if (change) {
      record.Kernels = "gpu,conv/large=rolled";
      record.List.find((t) => t.Key === "conv/large" && t.Variant === "early").Refused = "its numbers differ by 0.5 from the first variant's";
      await done(store.put(JSON.stringify(record), key));
    }
    return record;
  } finally { db.close(); }
}, change);

// SwiftShader takes a minute of processor time for a GPU's kernels.
slow("a GPU's kernels are tried once, shown, remembered, and forgotten when asked", { timeout: 300_000 * PATIENCE }, async () => {
  const about = page.locator("#about");
  await page.goto(`${site.url}?kernels=gpu`);
  await loaded(page);
  await page.getByText("About this GPU").click();
  await about.getByText("Kernels, as measured", { exact: true }).waitFor();
  await about.getByText(/^direct [\d.]+ ms, early [\d.]+ ms, rolled [\d.]+ ms$/).first().waitFor();
  const { List: trials } = await remembered(page, true);
  assert.ok(trials.length > 20 && trials.every((t) => t.Milliseconds > 0 && (t.Refused || t.Difference <= 1e-4)), JSON.stringify(trials));
  // The next visit uses what is remembered, and says which variant is wrong on this GPU.
  await page.reload();
  await loaded(page);
  await page.getByText("About this GPU").click();
  await about.getByText("conv/large=rolled", { exact: true }).waitFor();
  await about.getByText(/^direct [\d.]+ ms, early is not used: its numbers differ by 0\.5 from the first variant's, rolled [\d.]+ ms/).waitFor();
  await button(page, "Measure the kernels again").click();
  await about.getByText("Kernels, as measured", { exact: true }).waitFor({ state: "detached" });
  await expect(async () => assert.equal(await remembered(page), null)).toPass({ timeout: 60_000 * PATIENCE });
});

test("nothing was refused by the policy, no error went unseen, no request left the origin", () => {
  assert.deepEqual(studio.faults, []);
  assert.deepEqual(studio.elsewhere, []);
});
