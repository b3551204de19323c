// The Structure card: maps that the result follows, and what makes them.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { PATIENCE, PICTURE, axeFindsNothing, button, draw, drop, expect, plainPNG, result, small, unfold, visit } from "./hands.mjs";
import { opened, root } from "./site.mjs";

const fox = fs.readFileSync(path.join(root, "web/samples/fox.png"));
const white = plainPNG(64, 64, [255, 255, 255]);
let site, studio, page;

opened(async (all) => {
  ({ site, studio, page } = all);
  await visit(page, site.url);
});

const add = (name, buffer = white) => page.getByLabel("Add map", { exact: true }).setInputFiles({ name, mimeType: "image/png", buffer });
// paste pastes a file where the keyboard is.
const paste = (name, buffer) => page.evaluate(([called, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], called, { type: "image/png" }));
  (document.activeElement ?? window).dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}, [name, buffer.toString("base64")]);
const follows = () => structure().getByLabel("What the result follows");
const shown = (name) => page.getByRole("img", { name: `Map ${name}` });
const structure = () => page.locator("#structure");
const kind = () => structure().getByLabel("How the map is made");

// figure draws a person, as a PNG in base64.
const figure = () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 192, height: 192 });
  const c = canvas.getContext("2d");
  c.fillStyle = "#c8c8c8";
  c.fillRect(0, 0, 192, 192);
  c.lineCap = "round";
  for (const [x, y, toX, toY, radius, colour] of [[96, 62, 96, 112, 17, "#285aa0"], [84, 60, 70, 84, 6, "#285aa0"], [70, 84, 62, 106, 5, "#e0ac8c"], [108, 60, 124, 84, 6, "#285aa0"],
    [124, 84, 134, 106, 5, "#e0ac8c"], [88, 112, 84, 146, 8, "#32323c"], [84, 146, 82, 178, 7, "#32323c"], [104, 112, 108, 146, 8, "#32323c"], [108, 146, 110, 178, 7, "#32323c"],
    [96, 28, 96, 36, 12, "#e0ac8c"], [91, 28, 91, 29, 2, "#141414"], [101, 28, 101, 29, 2, "#141414"]]) {
    c.strokeStyle = colour;
    c.lineWidth = 2 * radius;
    c.beginPath();
    c.moveTo(x, y);
    c.lineTo(toX, toY);
    c.stroke();
  }
  return canvas.toDataURL("image/png").split(",")[1];
};

// whiteOf returns how much of a canvas is white.
const whiteOf = (canvas) => canvas.evaluate((c) => {
  const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
  let white = 0;
  for (let i = 0; i < data.length; i += 4) white += data[i] === 255;
  return white * 4 / data.length;
});
// whiter waits until the share of a map that is white is between two bounds.
const whiter = (name, from, to) => expect(async () => {
  const white = await whiteOf(shown(name));
  assert.ok(white > from && white < to, `${white} of the map is white`);
}).toPass({ intervals: [100], timeout: 30_000 * PATIENCE });

test("maps are added, weighed and removed; a reload brings them back", async () => {
  await unfold(page, "Structure");
  await add("edges.png");
  await shown("edges.png").waitFor();
  await add("pose.png");
  await shown("pose.png").waitFor();
  await structure().locator("summary").first().focus();
  for (const name of ["pasted.png", "look.png"]) {
    await paste(name, white);
    await shown(name).waitFor();
  }
  await expect(page.getByLabel("Add map", { exact: true }), "there is room for four").toBeHidden();
  await follows().last().selectOption({ label: "The picture itself (reference-only, no download)" });
  await page.getByRole("img", { name: "Picture look.png" }).waitFor();
  await structure().getByRole("slider", { name: "Style fidelity" }).fill("0.8");
  await structure().getByLabel("What to take over").selectOption("both");
  await expect(page.getByRole("slider", { name: "Weight of the map" }), "a picture without weights has none").toHaveCount(3);
  await button(page, "Remove map pasted.png").click();
  await shown("pasted.png").waitFor({ state: "detached" });
  const weight = page.getByRole("slider", { name: "Weight of the map" }).first();
  await weight.fill("0.5");
  await structure().locator("summary", { hasText: "More options" }).nth(1).click();
  await structure().getByLabel("To step, %").nth(1).fill("60");
  await structure().getByLabel("More important").nth(1).selectOption("prompt");
  await axeFindsNothing(page, "#structure");
  await page.waitForTimeout(1500); // the draft is saved
  await visit(page, site.url);
  await unfold(page, "Structure");
  await shown("pose.png").waitFor();
  await expect(page.getByRole("slider", { name: "Weight of the map" }).first()).toHaveValue("0.5");
  await expect(structure().getByLabel("To step, %").nth(1)).toHaveValue("60");
  await expect(structure().getByLabel("More important").nth(1)).toHaveValue("prompt");
  await expect(structure().getByRole("slider", { name: "Style fidelity" })).toHaveValue("0.8");
  await expect(structure().getByLabel("What to take over")).toHaveValue("both");
  await button(page, "Remove map look.png").click();
  await button(page, "Remove map edges.png").click();
  await shown("edges.png").waitFor({ state: "detached" });
  await button(page, "Remove map pose.png").click();
});

test("a map is made from a picture, looked at, painted on and kept", async () => {
  await structure().evaluate((card, bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], "fox.png", { type: "image/png" }));
    card.querySelector(".offer").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  }, [...fox]);
  await shown("fox.png").waitFor();
  const madeBy = (text) => expect(shown("fox.png")).toHaveAttribute("title", text);
  await madeBy("Made by canny"); // as suits the network that ships
  await kind().selectOption("none");
  await madeBy("The picture itself");
  await kind().selectOption("invert");
  await madeBy("Made by invert");
  await expect(structure().getByLabel("Low threshold")).toHaveCount(0);
  await kind().selectOption("canny");
  await structure().getByLabel("Low threshold").fill("1000");
  await structure().getByLabel("High threshold").fill("1000");
  await madeBy("Made by canny:low_threshold=1000,high_threshold=1000");
  await whiter("fox.png", -1, 0.01);
  await kind().selectOption("scribble");
  await kind().selectOption("canny");
  await madeBy("Made by canny");
  await whiter("fox.png", 0.01, 0.3);
  await button(page, "Paint on the map").click();
  const painter = page.getByRole("img", { name: "Paint on the map" });
  await expect(painter).toBeFocused();
  await axeFindsNothing(page, ".room");
  const before = await whiteOf(shown("fox.png"));
  await painter.press("ArrowDown");
  await painter.press("Space");
  await whiter("fox.png", before + 0.001, 1);
  const tools = page.getByRole("group", { name: "Paint on the map" });
  await button(tools, "Undo").click();
  await whiter("fox.png", before - 0.0001, before + 0.0001);
  await expect(button(tools, "Undo"), "the map itself stays").toBeDisabled();
  await painter.press("Space");
  await whiter("fox.png", before + 0.001, 1);

  await button(structure(), "Show over the picture").click();
  const over = page.getByRole("img", { name: "The map fox.png" });
  await expect(async () => assert.ok((await whiteOf(over)) > 0.005)).toPass({ intervals: [100], timeout: 30_000 * PATIENCE });
  await button(structure(), "Show over the picture").click();
  await over.waitFor({ state: "detached" });

  const [file] = await Promise.all([page.waitForEvent("download"), button(structure(), "Download the map").click()]);
  assert.equal(file.suggestedFilename(), "fox-map.png");
  assert.equal(fs.readFileSync(await file.path()).subarray(1, 4).toString(), "PNG");

  await page.waitForTimeout(1500); // the draft is saved
  await visit(page, site.url);
  await unfold(page, "Structure");
  await expect(kind()).toHaveValue("canny");
  await whiter("fox.png", before + 0.001, 1);
  await button(page, "Remove map fox.png").click();
});

test("a pose is found in a picture of a person", async () => {
  await add("person.png", Buffer.from(await page.evaluate(figure), "base64"));
  await shown("person.png").waitFor();
  const fetched = () => site.requests.filter((path) => path.includes("/web/pose/")).length;
  assert.equal(fetched(), 0, "the network is fetched before a pose is wanted");
  await kind().selectOption("openpose");
  await expect(shown("person.png")).toHaveAttribute("title", "Made by openpose");
  assert.equal(fetched(), 2);
  await structure().getByLabel("Least certainty of a joint").fill("1");
  await structure().getByRole("alert").filter({ hasText: "nobody was found" }).waitFor();
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), button(structure(), "Choose another").click()]);
  await chooser.setFiles({ name: "person.png", mimeType: "image/png", buffer: Buffer.from(await page.evaluate(figure), "base64") });
  await structure().getByLabel("Least certainty of a joint").fill("0.25");
  await expect(shown("person.png")).toHaveAttribute("title", "Made by openpose:least_score=0.25");
  await expect(async () => {
    const colours = await shown("person.png").evaluate((c) => [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]);
    const has = (r, g, b) => colours.some((_, i) => i % 4 === 0 && colours[i] === r && colours[i + 1] === g && colours[i + 2] === b);
    assert.ok(has(170, 255, 0) && has(255, 255, 0) && has(0, 0, 255), "the elbows and a foot");
  }).toPass({ intervals: [100], timeout: 30_000 * PATIENCE });
  await button(page, "Remove map person.png").click();
  await shown("person.png").waitFor({ state: "detached" });
});

test("a network that makes maps is offered where it is missing, and makes them once it is here", async () => {
  await unfold(page, "Structure");
  await add("fox.png", fox);
  await shown("fox.png").waitFor();
  await kind().selectOption("hed");
  await structure().getByText("HED needs 29.4 MB, once.").waitFor();
  await button(structure(), "Download HED").waitFor();
  await axeFindsNothing(page, "#structure");
  // A small one of the same kind, from the disk.
  await drop(page, ["hed.pth", fs.readFileSync(path.join(root, "tests/fixtures/preprocessors/hed.pth")), ""]);
  await button(page, "Keep a copy in the browser hed.pth").click();
  await button(page, "Delete hed.pth").waitFor();
  await button(page, "Close models").click();
  await unfold(page, "Structure");
  await expect(shown("fox.png")).toHaveAttribute("title", "Made by hed", { timeout: 60_000 * PATIENCE });
  await structure().getByLabel("As a scribble").check();
  await expect(shown("fox.png")).toHaveAttribute("title", "Made by hed:scribble=1", { timeout: 60_000 * PATIENCE });
  await button(page, "Remove map fox.png").click();
  await shown("fox.png").waitFor({ state: "detached" });
});

test("the camera gives a still, or says why there is none", async () => {
  const session = await studio.context.newCDPSession(page);
  const permit = (setting) => session.send("Browser.setPermission", { permission: { name: "camera" }, setting, origin: new URL(site.url).origin });
  await permit("denied");
  await button(page, "Camera").click();
  await expect(structure().getByRole("alert").last()).toHaveText(/does not allow this page to use the camera. Allow it/);
  await permit("granted");
  await button(page, "Camera").click();
  await expect(async () => assert.ok(await page.locator("#camera").evaluate((v) => v.videoWidth > 0))).toPass({ intervals: [100], timeout: 30_000 * PATIENCE });
  await button(page, "Take the picture").click();
  await shown("camera.png").waitFor();
  await page.locator("#camera").waitFor({ state: "detached" });
  await button(page, "Remove map camera.png").click();
  await shown("camera.png").waitFor({ state: "detached" });
  await page.waitForFunction(() => !Object.values(localStorage).some((draft) => draft.includes("camera.png"))); // nor does a reload bring it back
});

test("a picture is made from the fox and its scribble, without a network", { timeout: 2 * PICTURE }, async () => {
  await page.evaluate(() => navigator.serviceWorker.ready);
  await visit(page, site.url); // from now on the service worker stores what is fetched
  await unfold(page, "Structure");
  await page.waitForFunction(async () => {
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      if ((await cache.keys()).some((r) => r.url.includes("controlnet/diffusion_pytorch_model.safetensors"))) return true;
    }
    return false;
  });
  await studio.context.setOffline(true);
  await add("fox.png", fox);
  await kind().selectOption("scribble");
  await whiter("fox.png", 0.05, 0.95);
  await button(page, "Sample: Fox").click();
  await page.getByRole("slider", { name: "Image weight" }).waitFor();
  await small(page);
  await draw(page);
  await result(page).waitFor();
  await button(page, "Use as map").click();
  await shown("result-7.png").waitFor();
  await page.getByText("The next result will follow the map of this picture.").waitFor();
  await studio.context.setOffline(false);
  assert.deepEqual(studio.faults, []);
  assert.deepEqual(studio.elsewhere, []);
});
