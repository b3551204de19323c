// The worker that checks the visitor's GPU. It runs the unit tests of package gpu, which are a
// program of their own (check.wasm) and are loaded only for this. It tells the page how far they
// are, in CheckProgress of app/protocol, and at the end what was found, in CheckOver. Any message of
// the page stops it.
import "./guard.js";
import "./gpu.js";
import "./wasm_exec.js";
import { Report } from "./check_report.js";

const here = new URL(import.meta.url);
const tell = (type, body) => postMessage({ text: JSON.stringify({ id: 0, type, body }) });

let hear = () => {}; // takes what a program prints
const decoder = new TextDecoder();
globalThis.fs.writeSync = (_, bytes) => { hear(decoder.decode(bytes, { stream: true })); return bytes.length; };

// run runs the tests with an option and resolves to the program's exit code.
async function run(module, option) {
  const go = new Go();
  let code = 0;
  go.argv = ["check", option];
  go.env = { IMPROMPT_BACKEND: "card" };
  go.exit = (c) => { code = c; };
  const instance = await WebAssembly.instantiate(module, go.importObject);
  globalThis.wasm = instance; // cogentcore/webgpu writes buffers from its memory
  await go.run(instance);
  return code;
}

// copy copies an object whose properties are getters of its prototype.
const copy = (o) => Object.fromEntries(Object.keys(Object.getPrototypeOf(o)).filter((k) => typeof o[k] !== "function").map((k) => [k, o[k]]));

try {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("WebGPU found no GPU that it may use");
  const response = await fetch(new URL(`../check.wasm${here.search}`, here));
  if (!response.ok) throw new Error(`the check could not be loaded (${response.status}): is there a network?`);
  const module = await WebAssembly.compile(await response.arrayBuffer());
  let names = "";
  hear = (text) => { names += text; };
  await run(module, "-test.list=.");
  const about = { ...copy(adapter.info), features: [...adapter.features].sort(), limits: copy(adapter.limits) };
  const report = new Report(about, names.match(/^Test/gm).length, navigator.userAgent);
  let later;
  hear = (text) => {
    report.take(text);
    later ??= setTimeout(() => { later = undefined; tell("check-progress", report.progress()); }, 100);
  };
  const end = (code) => {
    clearTimeout(later);
    hear = () => {};
    const { report: file, ...found } = report.end(code);
    tell("check-over", { ...found, report: JSON.stringify(file, null, 2) });
  };
  addEventListener("message", () => end());
  end(await run(module, "-test.v"));
} catch (e) {
  tell("ended", { message: e.message });
}
