// The pose that MoveNet finds, for model/imageproc/pose.
//
//     npm install --prefix FOLDER @tensorflow/tfjs@4.22.0
//     node tests/reference/pose.mjs FOLDER     writes tests/fixtures/pose/movenet.json
//
// TensorFlow.js runs the graph of @vladmandic/human (./build.sh setup installs it) on the processor: on a picture without a pattern, and
// on drawn figures. Each case has the joints, some numbers of the four results before them, and how far the joints move when the
// picture is mirrored; one that moves by less than 20 times the tolerance is refused.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");
const tf = createRequire(path.resolve(process.argv[2], "x.js"))("@tensorflow/tfjs");
const models = path.join(root, "node_modules/@vladmandic/human/models");
const SIDE = 192, TOLERANCE = 1e-3;
const call = "StatefulPartitionedCall/";
const results = { heatmaps: "kpt_heatmap_0/conv2d_5/BiasAdd", centres: "center_0/conv2d_4/BiasAdd", regression: "kpt_regress_0/conv2d_6/BiasAdd", offsets: "kpt_offset_0/conv2d_7/BiasAdd" };
const EVERY = 997; // of the results' numbers is stored

// A figure is capsules (x, y, x, y, radius) in colours, which the Go test draws in the same way.
const figure = (dx, arm) => [
  { from: [96 + dx, 62], to: [96 + dx, 112], radius: 17, colour: [40, 90, 160] }, // the body
  { from: [84 + dx, 60], to: [70 + dx, 84], radius: 6, colour: [40, 90, 160] },
  { from: [70 + dx, 84], to: [62 + dx, 84 + arm], radius: 5, colour: [224, 172, 140] },
  { from: [108 + dx, 60], to: [124 + dx, 84], radius: 6, colour: [40, 90, 160] },
  { from: [124 + dx, 84], to: [134 + dx, 106], radius: 5, colour: [224, 172, 140] },
  { from: [88 + dx, 112], to: [84 + dx, 146], radius: 8, colour: [50, 50, 60] },
  { from: [84 + dx, 146], to: [82 + dx, 178], radius: 7, colour: [50, 50, 60] },
  { from: [104 + dx, 112], to: [108 + dx, 146], radius: 8, colour: [50, 50, 60] },
  { from: [108 + dx, 146], to: [110 + dx, 178], radius: 7, colour: [50, 50, 60] },
  { from: [96 + dx, 28], to: [96 + dx, 36], radius: 12, colour: [224, 172, 140] }, // the head
  { from: [91 + dx, 28], to: [91 + dx, 29], radius: 2, colour: [20, 20, 20] },
  { from: [101 + dx, 28], to: [101 + dx, 29], radius: 2, colour: [20, 20, 20] },
];

function draw(capsules) {
  const pixels = new Int32Array(SIDE * SIDE * 3).fill(200);
  for (const { from: [ax, ay], to: [bx, by], radius, colour } of capsules)
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++) {
        const along = Math.min(Math.max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2), 0), 1);
        if ((x - ax - along * (bx - ax)) ** 2 + (y - ay - along * (by - ay)) ** 2 <= radius * radius) pixels.set(colour, (y * SIDE + x) * 3);
      }
  return pixels;
}

const cases = {
  "no pattern": { picture: Int32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => i * i % 1009 % 256) },
  "a figure": { figure: figure(0, 22) },
  "a figure at the side, with an arm up": { figure: figure(24, -30) },
};

async function run(model, picture) {
  const x = tf.tensor(picture, [1, SIDE, SIDE, 3], "int32");
  const names = Object.values(results).map((name) => call + name);
  const [joints, ...rest] = await model.executeAsync(x, ["Identity", ...names]);
  const out = { joints: [...joints.dataSync()] };
  Object.keys(results).forEach((name, i) => { out[name] = rest[i].dataSync(); });
  return out;
}

const mirrored = (picture) => Int32Array.from(picture, (_, i) => picture[(Math.floor(i / (3 * SIDE)) * SIDE + SIDE - 1 - Math.floor(i / 3) % SIDE) * 3 + i % 3]);

await tf.setBackend("cpu");
const graph = JSON.parse(fs.readFileSync(path.join(models, "movenet-lightning.json")));
const bytes = fs.readFileSync(path.join(models, "movenet-lightning.bin"));
const model = await tf.loadGraphModel(tf.io.fromMemory({
  modelTopology: graph.modelTopology, weightSpecs: graph.weightsManifest[0].weights, weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) }));
const fixture = { tolerance: TOLERANCE, every: EVERY, cases: {} };
for (const [name, { picture, figure }] of Object.entries(cases)) {
  const pixels = picture ?? draw(figure);
  const [here, other] = [await run(model, pixels), await run(model, mirrored(pixels))];
  const moves = Math.max(...here.joints.map((v, i) => Math.abs(v - other.joints[i])));
  assert.ok(moves > 20 * TOLERANCE, `${name} moves by ${moves}`);
  const out = { figure, moves, joints: here.joints, sum: pixels.reduce((a, b) => a + b, 0) };
  for (const r of Object.keys(results)) out[r] = [...here[r]].filter((_, i) => i % EVERY === 0);
  fixture.cases[name] = out;
  console.log(name, moves, here.joints.map((v) => v.toFixed(3)).join(" "));
}
fs.mkdirSync(path.join(root, "fixtures/pose"), { recursive: true });
fs.writeFileSync(path.join(root, "fixtures/pose/movenet.json"), JSON.stringify(fixture));
