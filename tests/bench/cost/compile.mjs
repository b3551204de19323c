// WGSL to SPIR-V by Tint (Dawn, as in Chrome), and SPIR-V to a driver's machine code.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { lavapipe } from "./families.mjs";

const here = import.meta.dirname;
const self = fileURLToPath(import.meta.url);

// As a program: compiles a shader with Dawn, which prints the SPIR-V that it made.
if (process.argv[1] === self) {
  const { create, globals } = await import(pathToFileURL(createRequire(path.join(here, "../../x.js")).resolve("webgpu")));
  Object.assign(globalThis, globals);
  const gpu = create(["enable-dawn-features=allow_unsafe_apis,dump_shaders"]);
  const adapter = await gpu.requestAdapter();
  const device = await adapter.requestDevice({ requiredFeatures: ["shader-f16", "subgroups"], requiredLimits: { maxStorageBuffersPerShaderStage: adapter.limits.maxStorageBuffersPerShaderStage } });
  const module = device.createShaderModule({ code: fs.readFileSync(process.argv[2], "utf8") });
  const awake = setInterval(() => gpu, 1); // Dawn alone does not keep Node's event loop alive
  try {
    await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
  } catch (e) {
    console.error(e.message);
    process.exit(1);
  }
  clearInterval(awake);
  process.exit(0);
}

const tmp = fs.mkdtempSync(path.join(os.tmpdir(), "cost-"));
process.on("exit", () => fs.rmSync(tmp, { recursive: true, force: true }));

function run(command, args, env = {}) {
  const r = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 28, env: { ...process.env, XDG_RUNTIME_DIR: tmp, MESA_SHADER_CACHE_DISABLE: "1", ...env } });
  if (r.status !== 0) throw new Error(`${path.basename(command)} failed (${r.status ?? r.signal}): ${String(r.stderr || r.error).trim().slice(-600)}`);
  return r.stdout + r.stderr;
}

// spirv compiles a WGSL file. It returns what pipeline takes.
export function spirv(file) {
  const log = run(process.execPath, ["--no-warnings", self, file], { VK_DRIVER_FILES: lavapipe });
  // spirv-as of Debian does not know the extension for maximal reconvergence.
  const assembly = log.slice(log.lastIndexOf("; SPIR-V")).split("\n").filter((l) => /^(;|\s|%|$)/.test(l) || /^\s*Op/.test(l)).filter((l) => !/maximal_reconvergence|MaximallyReconverges/.test(l)).join("\n");
  const out = path.join(tmp, path.basename(file));
  fs.writeFileSync(out + ".spvasm", assembly);
  run("spirv-as", ["--target-env", "vulkan1.3", out + ".spvasm", "-o", out + ".spv"]);
  const places = {};
  for (const [, id, what, value] of assembly.matchAll(/OpDecorate (%\S+) (DescriptorSet|Binding) (\d+)/g)) (places[id] ??= {})[what] = value;
  const bindings = Object.entries(places).map(([id, v]) => {
    const kind = new RegExp(`\\s${id.replace(/[$.*+?^{}()|[\]\\]/g, "\\$&")} = OpVariable \\S+ (\\w+)`).exec(assembly)?.[1];
    return `${v.DescriptorSet}:${v.Binding}:${kind === "Uniform" ? "u" : "s"}`;
  });
  return [out + ".spv", /OpEntryPoint GLCompute \S+ "([^"]+)"/.exec(assembly)[1], /OpVariable \S+ PushConstant/.test(assembly) ? "128" : "0", ...bindings];
}

let tool;
// pipeline compiles SPIR-V with a family's driver, and returns what the driver prints: its
// statistics and its machine code.
export function pipeline(arguments_, { env, command = [] }) {
  if (!tool) {
    tool = path.join(tmp, "pipeline_stats");
    run("gcc", ["-O1", "-w", path.join(here, "pipeline_stats.c"), "-lvulkan", "-o", tool]);
  }
  const [program, ...rest] = [...command, tool, ...arguments_];
  return run(program, rest, env);
}
