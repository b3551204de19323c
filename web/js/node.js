// Starts a Go wasm binary in Node with WebGPU from Dawn: the command line, or tests.
// Usage: node node.js PROGRAM.wasm [arguments]
//
// The caller sets IMPROMPT_WASM_EXEC to the path of Go's wasm_exec.js, and
// IMPROMPT_NODE_MODULES to the folder that holds the npm package "webgpu".
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
globalThis.require = require;
globalThis.fs = fs;
globalThis.path = path;

const webgpu = await import(pathToFileURL(path.join(process.env.IMPROMPT_NODE_MODULES, "webgpu/index.js")));
Object.assign(globalThis, webgpu.globals);
// With allow_unsafe_apis, timestamps are not rounded as coarsely as in pages.
// IMPROMPT_DAWN names further features of Dawn: vulkan_enable_f16_on_nvidia, for example.
const features = ["allow_unsafe_apis", process.env.IMPROMPT_DAWN].filter(Boolean).join(",");
const gpu = webgpu.create([`enable-dawn-features=${features}`]);
Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });

await import("./gpu.js");
require(process.env.IMPROMPT_WASM_EXEC);

// Dawn keeps the process alive as long as there is a device, so all devices are destroyed at
// the end.
const devices = new Set();
const open = impromptGPU.open;
impromptGPU.open = async (options) => {
  const state = await open(options);
  devices.add(state.device);
  return state;
};
function exit(code) {
  for (const device of devices) device.destroy();
  process.exit(code);
}

// Go has no signals on wasm. The command line sets impromptInterrupt instead.
process.on("SIGINT", () => {
  if (globalThis.impromptInterrupt) globalThis.impromptInterrupt();
  else exit(130);
});

const go = new Go();
// Counts the calls from Go into JavaScript, for generate --stats. Go's garbage collector
// makes those to finalizeRef.
globalThis.impromptCalls = 0;
for (const [name, call] of Object.entries(go.importObject.gojs)) {
  if (!name.startsWith("syscall/js.") || name.endsWith(".finalizeRef")) continue;
  go.importObject.gojs[name] = (sp) => { globalThis.impromptCalls++; call(sp); };
}
// Go accepts at most 12 KiB of arguments and environment. The command line reads its
// arguments from impromptArguments, where they may be of any length; tests have few, and read
// them from go.argv. Of the environment only what is needed is passed on.
globalThis.impromptArguments = process.argv.slice(3);
go.argv = Buffer.byteLength(process.argv.slice(2).join(" ")) < 8192 ? process.argv.slice(2) : process.argv.slice(2, 3);
go.env = { TMPDIR: os.tmpdir() };
for (const [name, value] of Object.entries(process.env)) {
  if (/^(IMPROMPT_.*|HOME|TERM|COLUMNS|NO_COLOR|TMPDIR|GO.*)$/.test(name)) go.env[name] = value;
}
go.exit = exit;
process.on("exit", (code) => {
  if (code === 0 && !go.exited) { // nothing is pending, so Go reports a deadlock
    go._pendingEvent = { id: 0 };
    go._resume();
  }
});
const { instance } = await WebAssembly.instantiate(fs.readFileSync(process.argv[2]), go.importObject);
globalThis.wasm = instance;
await go.run(instance);
