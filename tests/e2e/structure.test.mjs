// The Structure card: maps that the result follows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axeFindsNothing, button, expect, plainPNG, problems, unfold, visit } from "./hands.mjs";
import { opened } from "./site.mjs";

let site, page;

opened(async (all) => {
  ({ site, page } = all);
  await visit(page, site.url);
});

const add = (name) => page.getByLabel("Add map", { exact: true }).setInputFiles({ name, mimeType: "image/png", buffer: plainPNG(64, 64, [255, 255, 255]) });
const shown = (name) => page.getByRole("img", { name: `Map ${name}` });

test("two maps are added, weighed and removed; a reload brings them back", async () => {
  await unfold(page, "Structure");
  await add("edges.png");
  await shown("edges.png").waitFor();
  await add("pose.png");
  await shown("pose.png").waitFor();
  await expect(page.getByLabel("Add map", { exact: true }), "there is room for two").toBeHidden();
  const weight = page.getByRole("slider", { name: "Weight of the map" }).first();
  await weight.fill("0.5");
  await unfold(page, "When, and balance");
  await page.locator("#structure").getByLabel("To step, %").last().fill("60");
  await page.locator("#structure").getByLabel("More important").last().selectOption("prompt");
  await axeFindsNothing(page, "#structure");
  await page.waitForTimeout(1500); // the draft is saved
  await visit(page, site.url);
  await unfold(page, "Structure");
  await shown("pose.png").waitFor();
  await expect(page.getByRole("slider", { name: "Weight of the map" }).first()).toHaveValue("0.5");
  await expect(page.locator("#structure").getByLabel("To step, %").last()).toHaveValue("60");
  await expect(page.locator("#structure").getByLabel("More important").last()).toHaveValue("prompt");
  await button(page, "Remove map edges.png").click();
  await shown("edges.png").waitFor({ state: "detached" });
});

test("a map without a network that reads it is a problem with its remedy", async () => {
  await button(page, "Generate").click();
  await page.waitForFunction(() => document.querySelector(".composer .problem"));
  assert.match((await problems(page)).join(" "), /no network that reads maps|remove the map/);
});
