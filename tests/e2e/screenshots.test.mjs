// Looks at the page on a desktop, in the dark and on a phone, with a picture that was made here.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { PICTURE, button, draw, loaded, prompt, result, slow, small, visit } from "./hands.mjs";
import { opened, root } from "./site.mjs";

let page;

opened(async (all) => {
  ({ page } = all);
  await visit(page, all.site.url);
});

slow("screenshots: desktop, phone, dark", { timeout: PICTURE + 120_000 }, async () => {
  const shots = path.join(root, ".build/screenshots");
  fs.mkdirSync(shots, { recursive: true });
  await loaded(page);
  await button(page, "Sample: Fox").click();
  await page.getByRole("slider", { name: "Image weight" }).waitFor();
  await prompt(page).fill("on a yellow background");
  await small(page);
  await draw(page);
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
