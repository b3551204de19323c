// A small model with random weights in both layouts that models are published in, made
// from tests/fixtures/layout/small.tsv, whose names diffusers itself has mapped: a
// folder as diffusers writes it, and one file in the original (ldm) names. The numbers
// are the same, of mixed types as in community files, so that both must draw the same.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const TOKENS = 49408; // CLIP's own vocabulary, which single files are read with

// half cuts a float32 of moderate size to float16.
function half(bits) {
  const exponent = ((bits >>> 23) & 255) - 112;
  return exponent <= 0 ? 0 : ((bits >>> 16) & 0x8000) | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}

// numbers are what a tensor of that name and shape holds, as bytes of a type.
function numbers(name, shape, dtype) {
  const count = shape.reduce((a, b) => a * b, 1), fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
  let x = 2166136261;
  for (const c of name) x = Math.imul(x ^ c.charCodeAt(0), 16777619);
  const scale = shape.length === 1 ? 0.1 : name.includes("embedding") ? 0.5 : Math.sqrt(3 / fanIn);
  const middle = shape.length === 1 && name.endsWith(".weight") ? 1 : 0;
  const f32 = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    x ^= x << 13; x ^= x >>> 17; x ^= x << 5;
    f32[i] = middle + scale * (x / 2 ** 31);
  }
  const bits = new Uint32Array(f32.buffer);
  if (dtype === "F32") return Buffer.from(f32.buffer);
  return Buffer.from(new Uint16Array(count).map((_, i) => (dtype === "BF16" ? bits[i] >>> 16 : half(bits[i]))).buffer);
}

export function safetensors(tensors, metadata) {
  const header = metadata ? { __metadata__: metadata } : {};
  let at = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  let text = JSON.stringify(header);
  text += " ".repeat((8 - (text.length % 8)) % 8);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, Buffer.from(text), ...tensors.map((t) => t.bytes)]);
}

// vocabulary is CLIP's vocab.json by the rule that made it.
function vocabulary(merges) {
  const printable = (b) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  const bytes = [...Array(256).keys()];
  const first = bytes.filter(printable).concat(bytes.filter((b) => !printable(b)).map((_, i) => 256 + i)).map((b) => String.fromCodePoint(b));
  const joined = merges.trim().split("\n").slice(1).map((line) => line.split(" ").join(""));
  const tokens = [...first, ...first.map((t) => t + "</w>"), ...joined, "<|startoftext|>", "<|endoftext|>"];
  return JSON.stringify(Object.fromEntries(tokens.map((t, i) => [t, i])));
}

const dtypes = { unet: "F16", vae: "F32", text_encoder: "BF16" };

// smallModel returns the folder, { path: Buffer }, the single file, and the single file's tensors.
// channels: 9 for an inpainting model. shards: the UNet in two files and their list. vae: false for a
// single file without a VAE.
export function smallModel({ channels = 4, shards = false, vae = true } = {}) {
  const text = (name) => fs.readFileSync(path.join(root, "tests/fixtures/layout", name), "utf8");
  const networks = { unet: [], vae: [], text_encoder: [] }, single = [];
  for (const line of text("small.tsv").trim().split("\n")) {
    const [old, oldShape, network, name, newShape] = line.split("\t");
    const shapeOf = (s) => s.split("x").map(Number);
    const fix = (shape) => {
      if (name === "conv_in.weight" && network === "unet") shape[1] = channels;
      if (name.endsWith("token_embedding.weight")) shape[0] = TOKENS;
      return shape;
    };
    if (network === "-") {
      if (!old.endsWith("position_ids") && !oldShape.includes("x")) single.push({ name: old, dtype: "F32", shape: shapeOf(oldShape), bytes: numbers(old, shapeOf(oldShape), "F32") });
      continue;
    }
    const shape = fix(shapeOf(newShape)), dtype = dtypes[network], bytes = numbers(network + name, shape, dtype);
    networks[network].push({ name, dtype, shape, bytes });
    if (vae || network !== "vae") single.push({ name: old, dtype, shape: fix(shapeOf(oldShape)), bytes });
  }
  const config = JSON.parse(text("small.json"));
  Object.assign(config.unet, { in_channels: channels, sample_size: 16 });
  Object.assign(config.text_encoder, { vocab_size: TOKENS, projection_dim: 128, bos_token_id: 0, eos_token_id: 2, pad_token_id: 1 });
  const merges = fs.readFileSync(path.join(root, "web/clip/merges.txt"), "utf8");
  const folder = {
    "model_index.json": "{}",
    "unet/config.json": JSON.stringify(config.unet), "vae/config.json": JSON.stringify({ ...config.vae, in_channels: 3, out_channels: 3, act_fn: "silu" }),
    "text_encoder/config.json": JSON.stringify(config.text_encoder),
    "scheduler/scheduler_config.json": JSON.stringify({ _class_name: "PNDMScheduler", beta_end: 0.012, beta_schedule: "scaled_linear", beta_start: 0.00085,
      clip_sample: false, num_train_timesteps: 1000, prediction_type: "epsilon", set_alpha_to_one: false, skip_prk_steps: true, steps_offset: 1, trained_betas: null }),
    "tokenizer/merges.txt": merges, "tokenizer/vocab.json": vocabulary(merges),
    "tokenizer/tokenizer_config.json": JSON.stringify({ model_max_length: 77, bos_token: "<|startoftext|>", eos_token: "<|endoftext|>", unk_token: "<|endoftext|>", pad_token: "<|endoftext|>" }),
    "vae/diffusion_pytorch_model.safetensors": safetensors(networks.vae),
    "text_encoder/model.safetensors": safetensors(networks.text_encoder),
  };
  if (shards) {
    const parts = [networks.unet.slice(0, 100), networks.unet.slice(100)], map = {};
    parts.forEach((part, i) => {
      const name = `diffusion_pytorch_model-0000${i + 1}-of-00002.safetensors`;
      folder[`unet/${name}`] = safetensors(part);
      for (const t of part) map[t.name] = name;
    });
    folder["unet/diffusion_pytorch_model.safetensors.index.json"] = JSON.stringify({ metadata: {}, weight_map: map });
  } else {
    folder["unet/diffusion_pytorch_model.fp16.safetensors"] = safetensors(networks.unet);
  }
  return { folder: Object.fromEntries(Object.entries(folder).map(([k, v]) => [k, Buffer.from(v)])), single: safetensors(single), tensors: single };
}

// writeFolder puts a model's folder on the disk.
export function writeFolder(dir, folder) {
  for (const [name, bytes] of Object.entries(folder)) {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    fs.writeFileSync(path.join(dir, name), bytes);
  }
}
