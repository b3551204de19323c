// What a seed's noise is drawn by, what is seen behind transparent pictures, pictures of a
// kind that only the browser decodes, another VAE, and an embedding.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { safetensors, smallModel } from "../cdn/model.mjs";
import { startCDN } from "../cdn/server.mjs";
import { PICTURE, adjust, bytesOf, button, difference, draw, drop, expect, loaded, pixelsOf, problems, prompt, result, small, unfold, visit } from "./hands.mjs";
import { opened, root } from "./site.mjs";

const fixture = (name) => fs.readFileSync(path.join(root, "tests/fixtures/pictures", name));
let site, studio, page;

opened(async (all) => {
  ({ site, studio, page } = all);
  await visit(page, site.url);
  await loaded(page);
  await small(page);
  await prompt(page).fill("fox");
});

const noise = () => page.getByRole("combobox", { name: "Noise", exact: true });
const background = () => page.getByLabel("Background", { exact: true });

// picture draws one picture, and returns its file and its pixels.
async function picture() {
  await draw(page);
  const file = await bytesOf(result(page));
  return { file, pixels: await pixelsOf(page, file) };
}

let first, second, third;

test("an AVIF, which only the browser decodes, is an image prompt like any other", { timeout: PICTURE }, async () => {
  await drop(page, ["photo.avif", fixture("rgb.avif"), "image/avif"], ["sticker.png", fixture("alpha.png")]);
  await page.getByRole("img", { name: "Image prompt photo.avif" }).waitFor();
  await page.getByRole("img", { name: "Image prompt sticker.png" }).waitFor();
  assert.deepEqual(await problems(page), []);
  first = await picture();
  // The first one is the only one that is not read by the engine itself.
  await drop(page, ["cut.avif", fixture("rgb.avif").subarray(0, 200), "image/avif"]);
  await page.locator(".problem", { hasText: "cut.avif" }).waitFor();
});

test("one seed gives another picture with the noise of a GPU, and its file says so", { timeout: PICTURE }, async () => {
  await unfold(page, "Settings");
  await expect(noise()).toHaveValue("cpu");
  await noise().selectOption({ label: "GPU, as A1111" });
  second = await picture();
  assert.ok(difference(first.pixels, second.pixels) > 20, "the noise is the same");
  const text = (p) => Buffer.from(p.file).toString("latin1");
  assert.match(text(first), /RNG: CPU/);
  assert.doesNotMatch(text(second), /RNG: CPU/);
  assert.match(text(second), /"generator_device":"gpu"/);
});

test("a picture that is kept as a file draws the same in its place, without the picture", { timeout: 2 * PICTURE }, async () => {
  await adjust(page, "sticker.png");
  const card = page.getByRole("group", { name: "Adjust sticker.png" });
  await card.getByText("More options").click();
  const [saved] = await Promise.all([page.waitForEvent("download", { timeout: PICTURE }), card.getByRole("button", { name: "Keep as a file" }).click()]);
  assert.equal(saved.suggestedFilename(), "sticker.embeds.safetensors");
  await page.getByRole("button", { name: "Remove sticker.png" }).click();
  await drop(page, ["sticker.embeds.safetensors", fs.readFileSync(await saved.path()), ""]);
  await page.locator(".kept", { hasText: "sticker.embeds" }).waitFor();
  assert.equal(difference(second.pixels, (await picture()).pixels), 0);
  await page.getByRole("button", { name: "Remove sticker.embeds.safetensors" }).click();
  await drop(page, ["sticker.png", fixture("alpha.png")]);
  await page.getByRole("img", { name: "Image prompt sticker.png" }).waitFor();
});

test("another colour behind a transparent picture gives another picture", { timeout: PICTURE }, async () => {
  await expect(background()).toHaveValue("#ffffff");
  await background().fill("#000000");
  third = await picture();
  assert.ok(difference(second.pixels, third.pixels) > 5, "the background has no effect");
  assert.match(Buffer.from(third.file).toString("latin1"), /"background":"#000000"/);
});

// keep stores a file of weights, with the panel of models open.
async function keep(name, bytes) {
  await drop(page, [name, bytes, ""]);
  await button(page, `Keep a copy in the browser ${name}`).click();
  await button(page, `Delete ${name}`).waitFor();
}

test("another VAE and an embedding in the words give another picture, whose file names both", { timeout: 2 * PICTURE }, async (t) => {
  // The model that ships draws with its own VAE alone, so this is a copy of it.
  const cdn = await startCDN();
  t.after(() => cdn.close());
  for (const name of ["unet/config.json", "unet/diffusion_pytorch_model.safetensors", "vae/config.json", "vae/diffusion_pytorch_model.safetensors", "text_encoder/config.json",
    "text_encoder/model.safetensors", "tokenizer/vocab.json", "tokenizer/merges.txt", "tokenizer/tokenizer_config.json", "scheduler/scheduler_config.json", "model_index.json"]) {
    cdn.add(`/demo/${name}`, fs.readFileSync(path.join(root, "web/model", name)));
  }
  await button(page, "Clear").click();
  await button(page, "Models").click();
  await page.getByRole("textbox", { name: "Link to a model" }).fill(cdn.url + "/demo");
  await button(page, "Look at the link").click();
  await button(page, "Start download of demo").click();
  await button(page, "Use demo").click();
  const width = JSON.parse(fs.readFileSync(path.join(root, "web/model/unet/config.json"))).cross_attention_dim;
  await keep("easy.safetensors", safetensors([{ name: "emb_params", dtype: "F32", shape: [1, width], bytes: Buffer.from(new Float32Array(width).fill(0.5).buffer) }]));
  await keep("other.safetensors", smallModel().folder["vae/diffusion_pytorch_model.safetensors"]);
  await button(page, "Close models").click();
  await small(page);
  await prompt(page).fill("fox");
  const plain = await picture();
  await prompt(page).fill("fox, easy");
  await page.getByRole("combobox", { name: "VAE", exact: true }).selectOption({ label: "other.safetensors" });
  const changed = await picture();
  assert.ok(difference(plain.pixels, changed.pixels) > 20, "neither has an effect");
  assert.match(Buffer.from(changed.file).toString("latin1"), /VAE: other.*TI hashes: "?easy: [0-9a-f]{12}/s);
});

test("a picture's file brings both choices back", async () => {
  await page.reload();
  await unfold(page, "Settings");
  await noise().selectOption("cpu");
  await background().fill("#ff0000");
  await drop(page, ["third.png", Buffer.from(third.file)]);
  await page.locator(".notice", { hasText: "Settings restored" }).waitFor();
  await unfold(page, "Settings");
  await expect(noise()).toHaveValue("gpu");
  await expect(background()).toHaveValue("#000000");
  assert.deepEqual(studio.faults, []);
});
