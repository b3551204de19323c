// Nothing is lost: what is composed and under way outlives the page, and what was replaced or deleted comes back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PICTURE, button, draw, expect, gallery, loaded, pictures, prompt, set, small, spin, unfold, visit } from "./hands.mjs";
import { opened } from "./site.mjs";

let site, studio, page;

opened(async (all) => {
  ({ site, studio, page } = all);
  await visit(page, site.url);
});

const note = (text) => page.locator(".notice", { hasText: text });
const weight = () => page.getByRole("slider", { name: "Image weight" });

test("what is composed outlives a reload", async () => {
  await small(page, { Steps: 3, Seed: 42 });
  await prompt(page).fill("a fox in the snow");
  await button(page, "Sample: Octopus").click();
  await weight().fill("0.35");
  await button(page, "Sample: Moon").click();
  await weight().nth(1).waitFor();
  await page.getByRole("img", { name: "Image prompt octopus.png" }).waitFor();
  await page.waitForTimeout(1500); // the pictures are stored
  await prompt(page).fill("a fox in the rain"); // at once, as the page goes
  await page.reload();
  await page.getByRole("img", { name: "Image prompt crescent-moon.png" }).waitFor();
  await expect(prompt(page)).toHaveValue("a fox in the rain");
  await expect(weight().nth(0)).toHaveValue("0.35");
  await unfold(page, "Settings");
  for (const [name, value] of [["Width", "64"], ["Steps", "3"], ["Seed", "42"]]) await expect(spin(page, name), name).toHaveValue(value);
});

test("another tab has a composer of its own", async () => {
  const other = await studio.context.newPage();
  await visit(other, site.url);
  await other.waitForTimeout(500);
  await expect(prompt(other)).toHaveValue("");
  await other.close();
  await page.reload();
  await weight().nth(1).waitFor();
  await expect(prompt(page)).toHaveValue("a fox in the rain");
});

test("a picture under way asks before the page goes, and is begun again; Escape in a text field does not stop it", { timeout: 2 * PICTURE }, async () => {
  await loaded(page);
  await set(page, { Steps: 150 });
  await prompt(page).click(); // a browser asks only after the visitor has done something
  await button(page, "Generate").click();
  await page.getByText(/^Step \d+ of 150/).waitFor({ timeout: PICTURE });
  let asked = "";
  page.once("dialog", (d) => { asked = d.type(); d.accept(); });
  await page.reload();
  assert.equal(asked, "beforeunload");
  await note("it was begun again").waitFor();
  await page.getByText(/^Step \d+ of 150/).waitFor({ timeout: PICTURE });
  await prompt(page).press("Escape");
  await page.waitForTimeout(300);
  await expect(button(page, "Stop")).toBeVisible();
  await page.getByRole("heading", { name: "Imprompt" }).click();
  await page.keyboard.press("Escape");
  await button(page, "Generate").waitFor();
});

test("a sample on the stage replaces what is composed, and Ctrl+Z brings it back", { timeout: PICTURE }, async () => {
  await page.reload();
  await weight().nth(1).waitFor();
  await button(page, "This cactus, on a pink background").click();
  await note("took the place").waitFor();
  await button(page, "Stop").click({ timeout: PICTURE });
  await expect(prompt(page)).toHaveValue("cactus on a pink background");
  await page.getByRole("heading", { name: "Imprompt" }).click();
  await page.keyboard.press("Control+z");
  await page.getByRole("img", { name: "Image prompt octopus.png" }).waitFor();
  await expect(prompt(page)).toHaveValue("a fox in the rain");
  await expect(weight()).toHaveCount(2);
  // In a text field Ctrl+Z is the field's own.
  await button(page, "Clear").click();
  await note("were cleared").waitFor();
  await prompt(page).press("Control+z");
  await expect(weight()).toHaveCount(0);
  await note("were cleared").getByRole("button", { name: "Undo" }).click();
  await weight().nth(1).waitFor();
});

test("a deleted picture comes back; the galleries of two tabs follow each other", { timeout: 2 * PICTURE }, async () => {
  const other = await studio.context.newPage();
  await visit(other, site.url);
  const count = (p, n) => p.waitForFunction((n) => document.querySelectorAll(".gallery figure").length === n, n);
  await loaded(page);
  await set(page, { Steps: 2 });
  await draw(page);
  await count(other, 1);
  await pictures(page).getByTitle("Delete").click({ force: true });
  await note("was deleted").waitFor();
  await count(page, 0);
  await count(other, 0);
  await note("was deleted").getByRole("button", { name: "Undo" }).click();
  await count(page, 1);
  await count(other, 1);
  await pictures(other).getByTitle("Delete").click({ force: true });
  await count(page, 0);
  await other.close();
  await page.reload();
  await gallery(page).getByText("What you make is kept here").waitFor();
});

test("a press outside of what floats closes it, and does nothing else", async () => {
  await weight().nth(1).waitFor();
  await button(page, "Models").click();
  const drawer = page.getByRole("region", { name: "Models", exact: true });
  await drawer.waitFor();
  await button(page, "Remove octopus.png").click();
  await drawer.waitFor({ state: "hidden" });
  await expect(weight()).toHaveCount(2);
  await page.getByText("About this GPU").click();
  await button(page, "Remove octopus.png").click();
  assert.equal(await page.locator("#about").evaluate((d) => d.open), false);
  await expect(weight()).toHaveCount(2);
});

test("no error went unseen", () => assert.deepEqual(studio.faults, []));
