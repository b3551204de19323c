// Models on the page: they come from a hub, a link or a file, draw pictures, and are deleted.
// The hub is a CDN on this machine.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test as check } from "node:test";
import { safetensors, smallModel } from "../cdn/model.mjs";
import { startCDN } from "../cdn/server.mjs";
import { torchFile } from "../cdn/torch_file.mjs";
import { adjust, axeFindsNothing, button, bytesOf, draw, expect, pixelsOf, prompt, result, set, spin, unfold, visit } from "./hands.mjs";
import { build, open, root, serve, ships } from "./site.mjs";

const PICTURE = 600_000; // SwiftShader draws on the processor
const licences = {
  "creativeml-openrail-m": { name: "CreativeML OpenRAIL-M", url: "https://example.com/licence", accept: true },
  "apache-2.0": { name: "Apache 2.0", url: "https://example.com/apache", accept: false },
};
const files = fs.mkdtempSync(path.join(os.tmpdir(), "imprompt-models-"));
let cdn, site, studio, page, asked = [];

// The hub of this test's catalogue cannot be reached, so everything comes from the mirror that
// the visitor sets.
const catalogue = {
  base: "https://hub.invalid", licences,
  models: [
    { id: "emoji", kind: "model", name: "Emoji again", source: "emoji/model", bytes: 13_000_000, licence: "creativeml-openrail-m" },
    { id: "plus", kind: "ip_adapter", name: "Emoji Plus", source: "emoji/adapters/resolve/main/ip-adapter-plus.safetensors", needs: "encoder", bytes: 2_000_000, licence: "apache-2.0" },
    { id: "encoder", kind: "image_encoder", name: "Emoji encoder", source: "emoji/adapters/tree/main/image_encoder", bytes: 3_000_000, licence: "apache-2.0" },
    { id: "mse", kind: "vae", name: "Small VAE", source: "small/vae/resolve/main/vae.safetensors", bytes: 300_000, licence: "apache-2.0" },
  ],
  bundles: [{ id: "all", name: "Emoji with image prompts", records: ["emoji", "plus"] }],
};

// Each test builds on the one before, so after a failure the others are skipped.
let failed = false;
function test(name, options, body = options) {
  check(name, body === options ? {} : options, async (t) => {
    if (failed) return t.skip("an earlier test failed");
    failed = true;
    await body(t);
    failed = false;
  });
}

function addFolder(at, dir, list) {
  for (const name of list) cdn.add(`${at}/${name}`, fs.readFileSync(path.join(root, "web/model", dir, name)));
}

before(async () => {
  cdn = await startCDN();
  addFolder("/emoji/model/resolve/main", "", ["model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "vae/config.json", "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/config.json", "text_encoder/model.safetensors", "tokenizer/vocab.json", "tokenizer/merges.txt", "tokenizer/tokenizer_config.json", "scheduler/scheduler_config.json"]);
  addFolder("/emoji/adapters/resolve/main", "", ["ip-adapter-plus.safetensors", "image_encoder/config.json", "image_encoder/model.safetensors"]);
  cdn.add("/emoji/adapters/resolve/main/image_encoder/preprocessor_config.json", fs.readFileSync(path.join(root, "web/model/feature_extractor/preprocessor_config.json")));
  const dir = build("models-site");
  const text = JSON.stringify(catalogue), hash = `"sha256-${createHash("sha256").update(text).digest("base64")}"`;
  fs.writeFileSync(path.join(dir, "web/catalogue.json"), text);
  // The service worker installs the site only if every file has its hash.
  const worker = path.join(dir, "service-worker.js");
  fs.writeFileSync(worker, fs.readFileSync(worker, "utf8").replace(/(?<="web\/catalogue\.json":)"[^"]*"/, hash));
  site = await serve(dir);
  studio = await open();
  page = studio.page;
  page.setDefaultTimeout(30_000);
  // Every request of every worker and page.
  studio.context.on("request", (r) => asked.push(r.url()));
  await visit(page, site.url);
});
after(async () => {
  if (failed) await page?.screenshot({ path: path.join(root, ".build/models-failed.png") }).catch(() => {});
  await studio?.close();
  await site?.close();
  cdn?.close();
  fs.rmSync(files, { recursive: true, force: true });
});

const panel = (on = page) => on.getByRole("region", { name: "Models", exact: true });
const row = (name, on = page) => panel(on).getByRole("group", { name, exact: true });
const press = (name, on = page) => panel(on).getByRole("button", { name, exact: true }).click();
const erase = async (name, on = page) => {
  await press(`Delete ${name}`, on);
  await press(`Delete now ${name}`, on);
};
const choice = () => page.getByRole("combobox", { name: "Model", exact: true });

// until waits until something is so, or fails with a text after some milliseconds.
async function until(is, patience, otherwise) {
  for (let waited = 0; !(await is()); waited += 100) {
    assert.ok(waited < patience, otherwise);
    await page.waitForTimeout(100);
  }
}

async function openPanel(on = page) {
  if (!(await panel(on).count())) await on.getByRole("button", { name: "Models", exact: true }).click();
  await panel(on).getByText(/This page stores/).waitFor({ timeout: 30_000 });
}

async function closePanel() {
  if (!(await panel().count())) return;
  await press("Close models");
  await panel().waitFor({ state: "detached" });
}

// picture makes the smallest picture with the seed 7 and returns its pixels. That takes a
// minute on a processor, so it happens only in ./build.sh test --full. Otherwise it returns
// nothing, and pictures are not compared.
async function picture({ size = 64, steps = 2 } = {}) {
  await closePanel();
  if (!process.env.IMPROMPT_FULL) return [];
  await set(page, { Width: size, Height: size, Steps: steps, Guidance: 5, Seed: 7 });
  await draw(page);
  return pixelsOf(page, await bytesOf(result(page)));
}

const differ = (a, b) => a.length !== b.length || a.some((v, i) => v !== b[i]);
const lively = (pixels) => !process.env.IMPROMPT_FULL || new Set(pixels).size > 20;

// give puts a file from the disk where the page's scripts find it: window.given.
async function give(name, bytes) {
  const file = path.join(files, name);
  fs.writeFileSync(file, bytes);
  await page.evaluate(() => {
    const input = document.createElement("input");
    input.type = "file";
    input.id = "given";
    input.addEventListener("change", () => { window.given = input.files[0]; input.remove(); });
    document.body.append(input);
  });
  await page.locator("#given").setInputFiles(file);
  await page.waitForFunction((n) => window.given?.name === n, name);
}

// drop drops a file anywhere on the page.
async function drop(name, bytes) {
  await give(name, bytes);
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(window.given);
    window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
  });
}

let shipped;

test("the licence is asked, the download paused, and taken up after a reload", { timeout: PICTURE + 120_000 }, async () => {
  await prompt(page).fill("3d emoji of fox on a blue background");
  shipped = await picture();
  await openPanel();
  await panel().getByText("Hub or mirror", { exact: true }).click();
  const mirror = page.getByRole("textbox", { name: /mirror with the same paths/ });
  await mirror.fill(cdn.url);
  await mirror.press("Tab");
  await press("Download Emoji again");
  await row("Emoji again").getByText(/11 files, \d+\.\d MB to download/).waitFor({ timeout: 30_000 });
  const start = panel().getByRole("button", { name: "Start download of Emoji again" });
  await expect(start, "it starts without the licence").toBeDisabled();
  await expect(row("Emoji again").getByRole("link", { name: "CreativeML OpenRAIL-M" })).toHaveAttribute("href", licences["creativeml-openrail-m"].url);
  await row("Emoji again").getByRole("checkbox").check();
  cdn.fault = { slow: 30, chunk: 16384 };
  await start.click();
  await row("Emoji again").getByText(/MB of .* MB · .*\/s · .* left/).waitFor({ timeout: 30_000 });
  // Wait for the largest file, after the small ones.
  await page.waitForFunction(() => [...document.querySelectorAll(".model li")].some((li) => /unet\/diffusion_pytorch_model.safetensors: [1-9]/.test(li.textContent)), null, { timeout: 30_000 });
  await press("Pause Emoji again");
  await panel().getByRole("button", { name: "Resume Emoji again" }).waitFor({ timeout: 10_000 });
  await page.reload();
  cdn.reset();
  await openPanel();
  await row("Emoji again").getByText(/ of .* are here/).waitFor();
  assert.ok(!(await choice().locator("option").allTextContents()).includes("Emoji again"), "half a model is offered");
  // A download that a reload interrupts goes on by itself, before the panel is opened.
  cdn.fault = { slow: 30, chunk: 16384 };
  await press("Resume Emoji again");
  await panel().getByRole("button", { name: "Pause Emoji again" }).waitFor({ timeout: 10_000 });
  await page.waitForFunction(() => [...document.querySelectorAll(".model li")].some((li) => /unet\/diffusion_pytorch_model.safetensors: [1-9]/.test(li.textContent)), null, { timeout: 30_000 });
  await page.goto("about:blank");
  cdn.reset();
  await page.goBack();
  await button(page, "Generate").waitFor({ timeout: 60_000 });
  await until(() => cdn.bytes > 0, 30_000, "the download did not go on");
  await openPanel();
  await panel().getByRole("button", { name: "Use Emoji again" }).waitFor({ timeout: 30_000 });
  assert.ok(!cdn.requests.some((r) => r.path.endsWith("tokenizer/merges.txt") || r.path.endsWith("unet/config.json")), "what was here came again");
});

test("without the CDN or a network, the downloaded copy draws what the model that ships draws", { timeout: PICTURE + 60_000 }, async () => {
  await press("Use Emoji again");
  await page.evaluate(() => navigator.serviceWorker.ready);
  cdn.reset();
  cdn.fault = { status: 500 };
  await studio.context.setOffline(true);
  await page.reload();
  await page.getByText("Settings", { exact: true }).waitFor();
  await expect(choice(), "the choice outlives a reload").toHaveValue("emoji");
  await prompt(page).fill("3d emoji of fox on a blue background");
  const stored = await picture();
  await openPanel();
  await panel().getByRole("button", { name: "Delete Emoji again" }).waitFor();
  await closePanel();
  await studio.context.setOffline(false);
  assert.equal(cdn.requests.length, 0);
  assert.ok(lively(stored) && !differ(stored, shipped), "the stored model draws something else");
  cdn.reset();
});

test("an adapter comes with the image encoder it needs, while a picture is drawn, and is used", { timeout: 2 * PICTURE }, async () => {
  await page.getByRole("button", { name: "Sample: Fox" }).click();
  await page.getByRole("slider", { name: "Image weight" }).waitFor();
  await page.getByRole("button", { name: "Generate" }).click();
  await page.getByText(/needs an IP-Adapter that fits Emoji again: download one in Models/).first().waitFor();
  await page.getByRole("button", { name: "Remove fox.png" }).click();
  await openPanel();
  await press("Download Emoji Plus");
  await row("Emoji Plus").getByText(/Emoji encoder, .*files/).waitFor({ timeout: 30_000 });
  cdn.fault = { slow: 20, chunk: 32768 };
  await press("Start download of Emoji Plus");
  await picture({ steps: 3 }); // neither waits for the other
  await openPanel();
  await panel().getByRole("region", { name: "Stored models" }).getByRole("button", { name: "Delete Emoji Plus" }).waitFor({ timeout: 60_000 });
  await panel().getByRole("region", { name: "Stored models" }).getByRole("button", { name: "Delete Emoji encoder" }).waitFor({ timeout: 60_000 });
  cdn.reset();
  await closePanel();
  await page.getByRole("button", { name: "Sample: Fox" }).click();
  await page.getByRole("slider", { name: "Image weight" }).waitFor();
  const stored = await picture();
  await choice().selectOption({ label: `${ships.name}, the one that ships` });
  await adjust(page, "fox.png");
  await unfold(page, "More options");
  await page.getByRole("combobox", { name: "Image adapter", exact: true }).selectOption(ships.ip_adapters[1].file);
  const finer = await picture();
  assert.ok(lively(stored) && !differ(stored, finer), "the stored adapter draws something else");
  await page.getByRole("button", { name: "Remove fox.png" }).click();
});

test("a model is verified; after it is deleted, the model that ships is used", { timeout: 60_000 }, async () => {
  await choice().selectOption("emoji");
  await openPanel();
  await press("Verify Emoji again");
  await row("Emoji again").getByText("Verified: every byte is as it was stored.").waitFor({ timeout: 30_000 });
  const used = () => page.evaluate(async () => {
    const db = await new Promise((done) => { const r = indexedDB.open("imprompt-weights"); r.onsuccess = () => done(r.result); });
    const keys = await new Promise((done) => { const r = db.transaction("slices").objectStore("slices").getAllKeys(); r.onsuccess = () => done(r.result); });
    db.close();
    return keys.filter((k) => k[0].includes("/emoji/model/")).length;
  });
  assert.ok((await used()) >= 11);
  await erase("Emoji again");
  await panel().getByRole("button", { name: "Download Emoji again" }).waitFor({ timeout: 10_000 });
  await until(async () => (await used()) === 0, 10_000, "the files are still stored");
  await expect(choice().locator("option:checked")).toHaveText(`${ships.name}, the one that ships`);
});

test("a link to one file, with shards behind another, and a dropped file draw the same", { timeout: 3 * PICTURE }, async () => {
  const { single } = smallModel();
  const { folder } = smallModel({ shards: true });
  const url = cdn.add("/small/files/resolve/main/small.safetensors", single);
  for (const [name, bytes] of Object.entries(folder)) cdn.add(`/small/${name}`, bytes);
  const pictures = [];
  for (const [link, name] of [[url, "small.safetensors"], [cdn.url + "/small", "small"]]) {
    await openPanel();
    await page.getByRole("textbox", { name: "Link to a model" }).fill(link);
    await press("Look at the link");
    if (link === cdn.url + "/small") {
      // The mirror has the paths of a hub. An address there that is not owner/model is refused.
      await panel().getByText(/continues with owner\/model/).waitFor({ timeout: 10_000 });
      await page.getByRole("textbox", { name: "Link to a model" }).fill("small/house");
      for (const [n, bytes] of Object.entries(folder)) cdn.add(`/small/house/resolve/main/${n}`, bytes);
      await press("Look at the link");
    }
    const label = link === url ? name : "house";
    await panel().getByRole("button", { name: `Start download of ${label}` }).click({ timeout: 30_000 });
    await panel().getByRole("button", { name: `Use ${label}`, exact: true }).click({ timeout: 60_000 });
    pictures.push(await picture());
  }
  await openPanel();
  await drop("dropped.safetensors", single);
  await press("Keep a copy in the browser dropped.safetensors");
  await panel().getByRole("region", { name: "Stored models" }).getByRole("group", { name: "dropped.safetensors" }).getByText("In use").waitFor({ timeout: 60_000 });
  // A single file does not give the picture's size, which is then Stable Diffusion 1.5's, times this VAE's factor.
  await closePanel();
  await unfold(page, "Settings");
  await expect(spin(page, "Width")).toHaveValue("256");
  pictures.push(await picture());
  assert.ok(lively(pictures[0]) && !differ(pictures[0], pictures[1]) && !differ(pictures[0], pictures[2]), "the three draw differently");
  await openPanel();
  for (const name of ["small.safetensors", "house", "dropped.safetensors"]) {
    await erase(name);
    await row(name).waitFor({ state: "detached" });
  }
});

test("a file is used from the disk, and after a reload the browser asks for leave again", { timeout: 2 * PICTURE }, async () => {
  // The origin's private file system gives the same kind of handles as a file picker. The
  // picker itself belongs to the browser and cannot be operated from here.
  await give("lies.safetensors", smallModel().single);
  await page.evaluate(async () => {
    const handle = await (await navigator.storage.getDirectory()).getFileHandle("lies.safetensors", { create: true });
    const w = await handle.createWritable();
    await w.write(window.given);
    await w.close();
  });
  const picker = () => {
    window.showOpenFilePicker = async () => [await (await navigator.storage.getDirectory()).getFileHandle("lies.safetensors")];
    FileSystemHandle.prototype.requestPermission = async () => { window.permissions = (window.permissions ?? 0) + 1; return window.refuse ? "denied" : "granted"; };
  };
  await page.evaluate(picker);
  await page.context().addInitScript(picker);
  await openPanel();
  await press("Use a file without copying it");
  await row("lies.safetensors").getByText(/used from your disk, not copied/).waitFor({ timeout: 30_000 });
  await row("lies.safetensors").getByText("In use").waitFor();
  const first = await picture();
  await page.reload();
  await page.getByText("Settings", { exact: true }).waitFor();
  await openPanel();
  await row("lies.safetensors").getByText("In use").waitFor();
  await closePanel();
  await page.evaluate(() => { window.refuse = true; });
  await prompt(page).fill("3d emoji of fox on a blue background");
  await page.getByRole("button", { name: "Generate" }).click();
  await page.getByText(/was not allowed to read lies.safetensors/).first().waitFor();
  await page.evaluate(() => { window.refuse = false; });
  const again = await picture();
  assert.ok((await page.evaluate(() => window.permissions)) >= (process.env.IMPROMPT_FULL ? 2 : 1), "the browser was not asked");
  assert.ok(!differ(first, again));
  await openPanel();
  await press("Forget lies.safetensors");
  await press("Delete now lies.safetensors");
  await row("lies.safetensors").waitFor({ state: "detached" });
});

test("an inpainting model, in a file that torch wrote, asks for a start picture and a mask", { timeout: 60_000 }, async () => {
  await openPanel();
  await drop("inpainting.ckpt", torchFile({ state_dict: Object.fromEntries(smallModel({ channels: 9 }).tensors.map((t) => [t.name, t])) }));
  await press("Keep a copy in the browser inpainting.ckpt");
  await row("inpainting.ckpt").getByText("In use").waitFor({ timeout: 60_000 });
  await closePanel();
  await page.getByRole("button", { name: "Generate" }).click();
  await page.getByText(/add a start picture, and paint on it/).first().waitFor();
  await openPanel();
  await erase("inpainting.ckpt");
  await row("inpainting.ckpt").waitFor({ state: "detached" });
});

test("a model without a VAE asks for one, and an embedding is completed by its name", { timeout: PICTURE }, async () => {
  const { single, folder } = smallModel({ vae: false });
  cdn.add("/small/vae/resolve/main/vae.safetensors", folder["vae/diffusion_pytorch_model.safetensors"]);
  const width = JSON.parse(folder["unet/config.json"]).cross_attention_dim;
  await openPanel();
  await drop("bare.safetensors", single);
  await press("Keep a copy in the browser bare.safetensors");
  await row("bare.safetensors").getByText("In use").waitFor({ timeout: 60_000 });
  await row("bare.safetensors").getByText(/without a VAE/).waitFor();
  await drop("bad-hands.safetensors", safetensors([{ name: "emb_params", dtype: "F32", shape: [2, width], bytes: Buffer.alloc(8 * width) }]));
  await press("Keep a copy in the browser bad-hands.safetensors");
  await row("bad-hands.safetensors").getByText(/^Embedding · /).waitFor({ timeout: 30_000 });
  await closePanel();
  await prompt(page).fill("a fox");
  await button(page, "Generate").click();
  await page.locator(".go").getByText(/bare.safetensors was saved without a VAE/).waitFor();
  await button(page.locator(".go"), "Download: Small VAE").click();
  await unfold(page, "Settings");
  await expect(page.getByRole("combobox", { name: "VAE", exact: true }).locator("option:checked")).toHaveText("Small VAE"); // and no more to download
  // Names are completed as they are typed, and their tokens are counted: two vectors and one word.
  const names = page.getByRole("listbox", { name: "Names that fit" }), words = prompt(page);
  await words.fill("a ");
  await words.press("End");
  await words.pressSequentially("ba");
  await names.getByRole("option", { name: "bad-hands" }).waitFor();
  // On a phone a name is large enough for a finger, and the list is as wide as the screen at most.
  const touch = await page.context().newCDPSession(page), { width: wide, height: high } = page.viewportSize();
  await touch.send("Emulation.setTouchEmulationEnabled", { enabled: true });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForFunction(() => {
    const name = document.querySelector(".suggestion").getBoundingClientRect();
    return name.height >= 44 && name.left >= 0 && name.right <= 390 && document.documentElement.scrollWidth <= 390;
  });
  await axeFindsNothing(page, ".composer");
  await touch.detach();
  await page.setViewportSize({ width: wide, height: high });
  await axeFindsNothing(page, ".composer");
  await words.press("ArrowDown");
  await names.getByRole("option", { selected: true }).waitFor();
  await words.press("Enter");
  await expect(words).toHaveValue("a bad-hands");
  await names.waitFor({ state: "hidden" });
  await expect(page.locator(".marks .name")).toHaveText("bad-hands");
  await page.getByText(/^3 of \d+ tokens/).waitFor({ timeout: 60_000 });
  // Ctrl and the arrow keys change the weight of the word at the cursor, and the browser can undo it.
  await words.press("Control+ArrowUp");
  await words.press("Control+ArrowUp");
  await expect(words).toHaveValue("a (bad-hands:1.2)");
  await words.press("Control+z");
  await expect(words).toHaveValue("a (bad-hands:1.1)");
  await unfold(page, "Styles");
  await expect(button(page, "bad-hands in the prompt")).toHaveAttribute("aria-pressed", "true");
  await button(page, "bad-hands in the negative prompt").click();
  await expect(page.getByRole("textbox", { name: "Negative prompt" })).toHaveValue("bad-hands");
  const pixels = await picture();
  assert.ok(lively(pixels));
  if (pixels.length) assert.match((await bytesOf(result(page))).toString("latin1"), /VAE: mse.*TI hashes: "?bad-hands: [0-9a-f]{12}/s);
  await openPanel();
  for (const name of ["bare.safetensors", "bad-hands.safetensors", "Small VAE"]) await erase(name);
});

test("a wrong file says what it is and what to do", { timeout: 60_000 }, async () => {
  const zeros = (shape) => ({ dtype: "F16", shape, bytes: Buffer.alloc(2 * shape.reduce((a, b) => a * b, 1)) });
  const file = (names) => safetensors(Object.entries(names).map(([name, shape]) => ({ name, ...zeros(shape) })));
  const wrong = [
    ["model.ckpt", fs.readFileSync(path.join(root, "tests/fixtures/pickles/system.ckpt")), /would run os\.system when opened by other programs/],
    ["lora.safetensors", file({ "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_up.weight": [4, 4], "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": [4, 4] }), /is a LoRA for .*choose .*Stable Diffusion 1\.5/],
    ["xl.safetensors", file({ "conditioner.embedders.0.transformer.x": [4, 4], "model.diffusion_model.input_blocks.0.0.weight": [4, 4, 3, 3] }), /Stable Diffusion XL model.*1\.5 family/],
    ["cut.safetensors", smallModel().single.subarray(0, 5000), /cut off/],
  ];
  await openPanel();
  for (const [name, bytes, text] of wrong) {
    await drop(name, bytes);
    await press(`Keep a copy in the browser ${name}`);
    await panel().getByRole("alert").filter({ hasText: text }).waitFor({ timeout: 10_000 });
    await page.getByRole("textbox", { name: "Link to a model" }).fill(cdn.add(`/wrong/files/resolve/main/${name}`, bytes));
    cdn.bytes = 0;
    await press("Look at the link");
    await panel().getByRole("region", { name: "Model from a link" }).getByRole("alert").filter({ hasText: text }).waitFor({ timeout: 20_000 });
    assert.ok(cdn.bytes <= 2 * 5000, "it was downloaded to be looked at");
  }
  await page.getByRole("textbox", { name: "Link to a model" }).fill("nobody/nothing");
  await press("Look at the link");
  await panel().getByText(/has no unet\/config\.json/).waitFor({ timeout: 20_000 });
});

test("a second tab waits for the first, and has the model that it downloaded", { timeout: 120_000 }, async () => {
  await openPanel();
  await press("Download Emoji again");
  cdn.fault = {};
  const start = panel().getByRole("button", { name: "Start download of Emoji again" });
  await start.waitFor({ timeout: 30_000 });
  cdn.reset();
  cdn.fault = { slow: 10, chunk: 32768 };
  await start.click();
  await row("Emoji again").getByText(/\/s · /).waitFor({ timeout: 30_000 });
  const other = await studio.context.newPage();
  await other.goto(site.url);
  await openPanel(other);
  await press("Resume Emoji again", other);
  await row("Emoji again", other).getByText("Another tab is downloading it").waitFor({ timeout: 10_000 });
  for (const p of [page, other]) await panel(p).getByRole("button", { name: "Use Emoji again" }).waitFor({ timeout: 60_000 });
  const total = cdn.requests.filter((r) => r.method === "GET" && r.path.endsWith("unet/diffusion_pytorch_model.safetensors")).reduce((n, r) => n + r.sent, 0);
  const once = fs.statSync(path.join(root, "web/model/unet/diffusion_pytorch_model.safetensors")).size;
  assert.ok(total < 1.2 * once, `${total} bytes came of a file of ${once}`);
  // Deleted in one, it is gone from the other.
  await erase("Emoji again", other);
  await panel().getByRole("button", { name: "Download Emoji again" }).waitFor({ timeout: 10_000 });
  await other.close();
});

test("a bundle comes with one press, is followed with the drawer closed, and is used when it is here", { timeout: 120_000 }, async () => {
  await openPanel();
  cdn.reset();
  cdn.fault = { slow: 10, chunk: 32768 };
  await press("Download: Emoji with image prompts");
  await closePanel();
  await page.locator("header").getByRole("button", { name: /Emoji with image prompts, \d+ %/ }).waitFor({ timeout: 30_000 });
  await page.waitForFunction(() => /^\d+ % · Imprompt$/.test(document.title));
  cdn.reset();
  await page.locator(".notice", { hasText: "Emoji with image prompts: all of it is here" }).waitFor({ timeout: 60_000 });
  await expect(choice()).toHaveValue("emoji");
});

test("no request went to a server that the visitor did not choose", async () => {
  const own = new URL(site.url).origin;
  const others = asked.filter((u) => /^https?:/.test(u) && ![own, cdn.url].includes(new URL(u).origin));
  assert.deepEqual(others, []);
  assert.match(await page.evaluate(() => fetch("https://example.com/").catch((e) => e.message)), /was not chosen/);
  assert.match(await page.evaluate((u) => fetch(u).catch((e) => e.message), cdn.url), /was not chosen/, "only the worker that downloads may ask the CDN");
  // Neither may use plain http elsewhere, which the policy refuses.
  const refused = await page.evaluate(() => new Promise((done) => {
    document.addEventListener("securitypolicyviolation", (e) => done(e.effectiveDirective));
    const x = new XMLHttpRequest();
    x.open("GET", "http://example.com/");
    x.onerror = () => setTimeout(() => done("no violation"), 1000);
    x.send();
  }));
  assert.equal(refused, "connect-src");
  assert.deepEqual(studio.faults.filter((f) => !f.includes("http://example.com/")), []);
});

test("axe finds nothing in the panel", async () => {
  await openPanel();
  await axeFindsNothing(page, "#models");
});
