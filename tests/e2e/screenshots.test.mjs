// Takes screenshots: desktop, phone and dark, with a picture that was made here. For those in
// web/screenshots, IMPROMPT_PICTURES names a folder of PNGs that were made by ./build.sh
// generate. They fill the gallery, and the last of them is on the stage.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { PICTURE, button, draw, loaded, pictures, prompt, result, small, visit } from "./hands.mjs";
import { opened, root } from "./site.mjs";

const folder = process.env.IMPROMPT_PICTURES;
let site, page;

opened(async (all) => {
  ({ site, page } = all);
  await visit(page, site.url);
});

// keep puts pictures into the gallery's store, as the page does.
async function keep(files) {
  const pictures = files.map((f) => {
    const png = fs.readFileSync(f);
    const start = png.indexOf("imprompt\0");
    const end = png.readUInt32BE(start - 8) + start;
    return [png.toString("base64"), png.subarray(start + 13, end).toString()];
  });
  await page.evaluate(async (list) => {
    const db = await new Promise((done, fail) => {
      const request = indexedDB.open("imprompt-gallery");
      request.onsuccess = () => done(request.result);
      request.onerror = () => fail(request.error);
    });
    const txn = db.transaction("pictures", "readwrite");
    for (const [i, [png, settings]] of list.entries()) {
      txn.objectStore("pictures").add({ png: new Blob([Uint8Array.from(atob(png), (c) => c.charCodeAt(0))]), settings, inputs: {}, label: "" }, Date.now() + i);
    }
    await new Promise((done) => { txn.oncomplete = done; });
    db.close();
  }, pictures);
  await page.reload();
  await page.waitForFunction((n) => document.querySelectorAll(".gallery figure").length === n, files.length);
}

test("screenshots: desktop, phone, dark", { timeout: PICTURE + 120_000 }, async () => {
  const shots = path.join(root, ".build/screenshots");
  fs.mkdirSync(shots, { recursive: true });
  await loaded(page);
  if (folder) {
    await keep(fs.readdirSync(folder).filter((f) => f.endsWith(".png")).sort().map((f) => path.join(folder, f)));
    await loaded(page);
    await pictures(page).first().click();
    await button(page, "Use these settings").click();
  } else {
    await button(page, "Sample: Fox").click();
    await page.getByRole("slider", { name: "Image weight" }).waitFor();
    await prompt(page).fill("on a yellow background");
    await small(page);
    await draw(page);
  }
  await result(page).waitFor();
  const notice = button(page, "Close the notice");
  if (await notice.isVisible()) await notice.click();
  await page.evaluate(() => { for (const d of document.querySelectorAll("details")) d.open = false; document.querySelector(".sheets").scrollTop = 0; document.activeElement.blur(); });
  await page.mouse.move(0, 0);
  for (const [name, viewport, colorScheme] of [["desktop", { width: 1280, height: 900 }, "light"], ["dark", { width: 1280, height: 900 }, "dark"], ["phone", { width: 360, height: 740 }, "light"]]) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => scrollTo(0, 0));
    await page.waitForTimeout(500);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth ? [] :
      [...document.body.querySelectorAll("*")].filter((e) => !e.closest(".actions, details:not([open]) > :not(summary)") && e.getBoundingClientRect().right > innerWidth).map((e) => `${e.tagName}.${e.className}`));
    assert.deepEqual(wide, [], `${name}: what is wider than the window`);
    await page.screenshot({ path: path.join(shots, `${name}.png`) });
  }
});
