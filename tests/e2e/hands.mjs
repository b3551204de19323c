// What a visitor does on the page.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import zlib from "node:zlib";
import { expect as expects } from "@playwright/test";

// SwiftShader draws on the processor. It takes minutes where a GPU takes seconds, and longer if
// the processor has other work. IMPROMPT_PATIENCE=4 waits four times as long.
export const PATIENCE = Number(process.env.IMPROMPT_PATIENCE) || 1;
export const PICTURE = 240_000 * PATIENCE;

// slow is a test that runs with --full alone. It takes long, and what it tests is rare, or is tested elsewhere in another way.
export const slow = (name, ...rest) => (process.env.IMPROMPT_FULL ? test : test.skip)(name, ...rest);

// expect waits until what is expected of an element is so. A page answers a moment after a click, so a test that looks
// once fails now and then.
export const expect = expects.configure({ timeout: 30_000 * PATIENCE });

export const button = (page, name) => page.getByRole("button", { name, exact: true });
export const spin = (page, name) => page.getByRole("spinbutton", { name, exact: true });
export const prompt = (page) => page.getByRole("textbox", { name: "Prompt", exact: true });
export const result = (page) => page.getByRole("img", { name: "Result", exact: true });
export const gallery = (page) => page.getByRole("region", { name: "Gallery" });
// pictures are the gallery's pictures, by what they are called.
export const pictures = (page, name = /./) => gallery(page).getByRole("option", { name, exact: typeof name === "string" });
export const problems = (page) => page.locator(".problem").allTextContents();

// visit opens the page and waits until it can be used.
export async function visit(page, url) {
  // The page takes back an entry of the history when what was open over it is closed. If that is still under way, it
  // ends the visit that begins here.
  await page.goto(url).catch((e) => {
    if (!/ERR_ABORTED/.test(e.message)) throw e;
    return page.goto(url);
  });
  await button(page, "Generate").waitFor({ timeout: 60_000 * PATIENCE });
}

// forget has every page begin with an empty composer, whatever the one before left.
export const forget = (page) => page.addInitScript(() => { for (const key of Object.keys(localStorage)) if (key.startsWith("imprompt-drafts")) localStorage.removeItem(key); });

// loaded waits until the model is there.
export const loaded = (page) => page.getByText(/\d+ of 30 tokens/).first().waitFor({ timeout: 120_000 * PATIENCE });

export async function unfold(page, title) {
  const details = page.locator("details", { has: page.locator("summary", { hasText: title }) }).last();
  if (!(await details.evaluate((d) => d.open))) await details.locator("summary").first().click();
}

// adjust shows the further controls of an image prompt.
export async function adjust(page, name) {
  const open = button(page, `Adjust ${name}`);
  if ((await open.getAttribute("aria-expanded")) !== "true") await open.click();
  await page.getByRole("group", { name: `Adjust ${name}` }).waitFor();
}

export async function set(page, values) {
  await unfold(page, "Settings");
  for (const [name, value] of Object.entries(values)) await spin(page, name).fill(String(value));
}

// small chooses the settings with which the next picture is drawn fastest.
export const small = (page, more = {}) => set(page, { Width: 64, Height: 64, Steps: 2, Seed: 7, ...more });

// draw presses Generate and waits for one more picture in the gallery.
export async function draw(page, press = () => button(page, "Generate").click()) {
  const before = await page.locator(".gallery figure").count();
  await press();
  await page.waitForFunction((n) => document.querySelectorAll(".gallery figure").length > n || document.querySelector(".composer .problem"), before, { timeout: PICTURE });
  const wrong = await problems(page);
  if (wrong.length) throw new Error(wrong.join("; "));
  await button(page, "Generate").waitFor({ timeout: PICTURE });
}

// engine is the worker that draws.
export const engine = (page) => page.workers().find((w) => w.url().endsWith("/worker.js"));

// loseGPU has the engine lose its GPU with the next work that it gives to it.
export const loseGPU = (page) => engine(page).evaluate(() => {
  const make = GPUDevice.prototype.createCommandEncoder;
  GPUDevice.prototype.createCommandEncoder = function (...args) {
    GPUDevice.prototype.createCommandEncoder = make;
    const encoder = make.apply(this, args);
    this.destroy();
    return encoder;
  };
});

// countGPU counts, from now on, what the engine makes on the GPU. What it destroys is taken off again, which counts for
// buffers and textures; the other objects have no end that a script sees.
export const countGPU = (page) => engine(page).evaluate(() => {
  globalThis.made = {};
  const count = (kind, by) => { made[kind] = (made[kind] ?? 0) + by; };
  for (const name of Object.getOwnPropertyNames(GPUDevice.prototype).filter((n) => n.startsWith("create"))) {
    const make = GPUDevice.prototype[name];
    GPUDevice.prototype[name] = function (...args) { count(name.slice("create".length), 1); return make.apply(this, args); };
  }
  for (const kind of [GPUBuffer, GPUTexture]) {
    const { destroy } = kind.prototype;
    kind.prototype.destroy = function () { count(kind.name.slice("GPU".length), -1); return destroy.call(this); };
  }
});

// held is what the page's program and the engine hold: bytes of WebAssembly memory and of the GPU, and the objects on the
// GPU that are there in addition since countGPU. The page's program is globalThis.soak.
export async function held(page) {
  // The panel says what the GPU holds, in whole megabytes or tenths.
  const gpu = await page.locator("#about dt", { hasText: "Memory in use" }).locator("xpath=following-sibling::dd[1]").textContent();
  const made = await engine(page).evaluate(() => globalThis.made ?? {});
  return {
    "WebAssembly memory of the page": await page.evaluate(() => soak.exports.mem.buffer.byteLength),
    "WebAssembly memory of the engine": await engine(page).evaluate(() => wasm.exports.mem.buffer.byteLength),
    "memory of the GPU, by the engine's account": 1e6 * Number.parseFloat(gpu),
    ...Object.fromEntries(["Buffer", "Texture", "ComputePipeline", "ComputePipelineAsync", "ShaderModule"].map((kind) => [`GPU objects: ${kind}`, made[kind] ?? 0])),
  };
}

// keepProgram has the page's program kept as globalThis.soak, for held. The workers' is global as it is.
export const keepProgram = (page) => page.addInitScript(() => {
  const instantiate = WebAssembly.instantiateStreaming;
  WebAssembly.instantiateStreaming = async (...args) => {
    const result = await instantiate(...args);
    globalThis.soak = result.instance;
    return result;
  };
});

// fingers puts fingers on the page, as on a phone: each place is a list of points, one for each finger, from where they
// are put to where they are lifted.
export async function fingers(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: 2 });
  const send = (type, points) => devtools.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  return {
    async put(from, ...places) {
      await send("touchStart", from);
      for (const place of places) await send("touchMove", place);
      await send("touchEnd", []);
    },
    async gone() {
      await devtools.send("Emulation.setTouchEmulationEnabled", { enabled: false });
      await devtools.detach();
    },
  };
}

// look has the page believe that the visitor looks at it, or elsewhere.
export const look = (page, here) => page.evaluate((state) => {
  Object.defineProperty(document, "visibilityState", { configurable: true, value: state });
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}, here ? "visible" : "hidden");

// drop drops files anywhere on the page: [name, bytes, type].
export const drop = (page, ...files) => page.evaluate((list) => {
  const data = new DataTransfer();
  for (const [name, bytes, type] of list) data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type }));
  window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
}, files.map(([name, bytes, type = "image/png"]) => [name, Buffer.from(bytes).toString("base64"), type]));

// bytesOf reads the file that an image shows.
export const bytesOf = async (img) => Buffer.from(await img.evaluate(async (i) => new Uint8Array(await (await fetch(i.src)).arrayBuffer()).toBase64()), "base64");

// pixelsOf decodes a picture, as [width, height, RGBA…].
export async function pixelsOf(page, bytes) {
  // As text, because a list of numbers takes the browser's protocol a hundred times as long.
  const [width, height, pixels] = await page.evaluate(async (b) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.fromBase64(b)]));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    const { data } = canvas.getContext("2d").getImageData(0, 0, bitmap.width, bitmap.height);
    return [bitmap.width, bitmap.height, new Uint8Array(data.buffer).toBase64()];
  }, Buffer.from(bytes).toString("base64"));
  return [width, height, ...Buffer.from(pixels, "base64")];
}

// difference is the largest difference between two pictures, out of 255.
export function difference(a, b) {
  if (a.length !== b.length || a[0] !== b[0]) return Infinity;
  return a.slice(2).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i + 2])), 0);
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});
function crc32(bytes) {
  let c = 0xffffffff;
  for (const b of bytes) c = table[(c ^ b) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

// withText puts a text into a PNG, as A1111 does: after its header.
export function withText(png, key, text) {
  return Buffer.concat([png.subarray(0, 33), chunk("tEXt", Buffer.from(`${key}\0${text}`, "latin1")), png.subarray(33)]);
}

// plainPNG is a PNG of one colour. claim puts a different size into its header.
export function plainPNG(width, height, [r, g, b], claim = [width, height]) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(claim[0]);
  head.writeUInt32BE(claim[1], 4);
  head.set([8, 2, 0, 0, 0], 8);
  const line = Buffer.concat([Buffer.from([0]), Buffer.concat(Array(width).fill(Buffer.from([r, g, b])))]);
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head), chunk("IDAT", zlib.deflateSync(Buffer.concat(Array(height).fill(line)))), chunk("IEND", Buffer.alloc(0))]);
}

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

// axeFindsNothing fails where axe sees a fault of accessibility: in the page, or within a selector.
export async function axeFindsNothing(page, within) {
  await page.evaluate(fs.readFileSync(axe, "utf8"));
  const found = await page.evaluate((where) => axe.run(where ?? document, { resultTypes: ["violations"] }), within);
  assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`), []);
}
