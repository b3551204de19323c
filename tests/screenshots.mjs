// Draws the screenshots of the README and of the manifest anew: ./build.sh screenshots. The pictures in them are drawn by the
// model that ships, and are kept in .build/screenshots for the next time.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { button, loaded, pictures, prompt, result, visit } from "./e2e/hands.mjs";
import { build, open, root, serve } from "./e2e/site.mjs";

// The pictures of the gallery, the latest first: a sample, the words beside it, and the seed.
const shown = [["fox", "3d emoji of fox on a yellow background", 7], ["strawberry", "3d emoji of strawberry on a blue background", 8],
  ["octopus", "3d emoji of octopus on a purple background", 11], ["cactus", "3d emoji of cactus on a pink background", 9]];
const folder = path.join(root, ".build/screenshots");
const out = path.join(root, "web/screenshots");

// drawn returns the file of a picture, and draws it if it is not there yet.
function drawn([sample, words, seed]) {
  const file = path.join(folder, `${sample}.png`);
  if (!fs.existsSync(file)) {
    execFileSync(path.join(root, "build.sh"), ["generate", "--prompt", words, "--image", path.join(root, "web/samples", `${sample}.png`), "--ip-adapter-scale", "0.5",
      "--scheduler", "dpmpp_2m", "--num-inference-steps", "12", "--guidance-scale", "5", "--seed", String(seed), "--out", file], { stdio: "inherit" });
  }
  return file;
}

// keep puts files of pictures into the gallery's store, as the page does: the last becomes the latest.
async function keep(page, files) {
  const list = files.map((file) => {
    const png = fs.readFileSync(file);
    const start = png.indexOf("imprompt\0");
    return [png.toString("base64"), png.subarray(start + 13, png.readUInt32BE(start - 8) + start).toString()];
  });
  await page.evaluate(async (all) => {
    const db = await new Promise((done, fail) => {
      const request = indexedDB.open("imprompt-gallery");
      request.onsuccess = () => done(request.result);
      request.onerror = () => fail(request.error);
    });
    const txn = db.transaction("pictures", "readwrite");
    for (const [i, [png, settings]] of all.entries()) {
      txn.objectStore("pictures").add({ png: new Blob([Uint8Array.from(atob(png), (c) => c.charCodeAt(0))]), settings, inputs: {}, label: "" }, Date.now() + i);
    }
    await new Promise((done) => { txn.oncomplete = done; });
    db.close();
  }, list);
  await page.reload();
  await page.waitForFunction((n) => document.querySelectorAll(".gallery figure").length === n, files.length);
}

// shoot takes a screenshot as a WebP, which is a tenth of a PNG.
async function shoot(page, name, viewport, colorScheme) {
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme });
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(1000); // for what moves to its place
  const png = (await page.screenshot({ scale: "device" })).toString("base64");
  const webp = await page.evaluate(async (text) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/webp", quality: 0.9 })).arrayBuffer());
    return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));
  }, png);
  fs.writeFileSync(path.join(out, `${name}.webp`), Buffer.from(webp, "base64"));
}

fs.mkdirSync(folder, { recursive: true });
const files = shown.map(drawn);
const site = await serve(build("screenshots-site"));
const { page, close } = await open({ reducedMotion: "reduce" });
await visit(page, site.url);
await loaded(page);
await keep(page, files.reverse());
await loaded(page);
await button(page, "Sample: Fox").click();
await page.getByRole("slider", { name: "Image weight" }).waitFor();
await prompt(page).fill(shown[0][1]);
await pictures(page).first().click();
await result(page).waitFor();
const notice = button(page, "Close the notice");
await notice.waitFor().then(() => notice.click());
await page.evaluate(() => { document.querySelector(".sheets").scrollTop = 0; document.activeElement.blur(); });
await page.mouse.move(0, 0);
await shoot(page, "desktop", { width: 1440, height: 900 }, "light");
// A phone hides its scroll bars.
await (await page.context().newCDPSession(page)).send("Emulation.setScrollbarsHidden", { hidden: true });
await shoot(page, "phone", { width: 390, height: 844 }, "dark");
await close();
await site.close();
