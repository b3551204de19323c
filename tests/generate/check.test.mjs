// The check of the visitor's GPU: what web/js/check_report.js makes of the output of the unit tests.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { Report } from "../../web/js/check_report.js";

const root = path.join(import.meta.dirname, "../..");
const reportOf = (total, ...parts) => {
  const r = new Report({ vendor: "acme" }, total, "Chrome 150");
  for (const p of parts) r.take(p);
  return r;
};

const passed = `=== RUN   TestConv2d
=== RUN   TestConv2d/f16
=== RUN   TestConv2d/f16/3x3
=== ATTR  TestConv2d/f16/3x3 error 0.0002 0.0004
=== RUN   TestConv2d/f16/5x5
=== ATTR  TestConv2d/f16/5x5 error 0.0003 0.0012
    conv2d_test.go:10: this is only said
=== RUN   TestConv2d/f32
=== ATTR  TestConv2d/f32 error 1e-07 2e-06
--- PASS: TestConv2d (1.50s)
    --- PASS: TestConv2d/f16 (1.00s)
    --- PASS: TestConv2d/f32 (0.50s)
=== RUN   TestAdd
=== RUN   TestAdd/whole/f16
=== ATTR  TestAdd/whole/f16 error 0 0.0005
--- PASS: TestAdd (0.25s)
=== RUN   TestBenchmark
=== ATTR  TestBenchmark paces {"memory":1e-11}
=== ATTR  TestBenchmark trials {"Kernels": "auto,conv=early"}
--- PASS: TestBenchmark (0.25s)
PASS
`;

test("all tests pass; what they print comes in parts", () => {
  for (const cut of [0, 10, 100, 333]) {
    const r = reportOf(3, passed.slice(0, cut), passed.slice(cut));
    assert.deepEqual(r.progress().fraction, 1);
    const { summary, different, problem, report } = r.end(0);
    assert.equal(summary, "2 operations were compared with plain Go, and none differs.");
    assert.deepEqual([different, problem, report.stopped, report.browser, report.adapter], [[], "", false, "Chrome 150", { vendor: "acme" }]);
    assert.deepEqual([report.paces, report.trials], [{ memory: 1e-11 }, { Kernels: "auto,conv=early" }]);
    assert.deepEqual(report.tests[0], { operation: "conv2d", path: "f16", error: 0.0002, tolerance: 0.0004, compared: 2, seconds: 1, failed: false });
    assert.equal(report.tests.length, 3);
  }
});

test("what differs is named", () => {
  const { different, summary, report } = reportOf(3, `=== RUN   TestLayerNorm
=== RUN   TestLayerNorm/f16
=== ATTR  TestLayerNorm/f16 error 0.5 0.0004
    helpers_test.go:99: [3 20]: relative error 0.5, at most 0.0004 allowed
--- FAIL: TestLayerNorm (0.10s)
    --- FAIL: TestLayerNorm/f16 (0.10s)
=== RUN   TestSelfAttention
=== RUN   TestSelfAttention/f32
    helpers_test.go:85: number 3 of 8 is NaN
--- FAIL: TestSelfAttention (0.10s)
    --- FAIL: TestSelfAttention/f32 (0.10s)
=== RUN   TestAdd
--- PASS: TestAdd (0.25s)
FAIL
`).end(1);
  assert.deepEqual(different, ["layer norm f16: an error of 0.5, where 0.0004 is tolerated", "self attention f32: helpers_test.go:85: number 3 of 8 is NaN"]);
  assert.match(summary, /attach the report to an issue/);
  assert.deepEqual(report.tests.find((t) => t.operation === "self attention" && t.path).messages, ["helpers_test.go:85: number 3 of 8 is NaN"]);
});

test("a check that breaks off or is stopped says so", () => {
  assert.equal(reportOf(3, "=== RUN   TestAdd\npanic: the device is lost\n").end(2).problem, "The check ended early: panic: the device is lost");
  const stopped = reportOf(3, passed.slice(0, passed.indexOf("=== RUN   TestAdd")));
  assert.deepEqual(stopped.progress(), { text: "Test 2 of 3: conv2d f32", fraction: 1 / 3 });
  assert.equal(stopped.end().summary, "1 operation was compared with plain Go before the check was stopped, and none differs.");
});

test("on lavapipe, both numeric paths and the benchmark are in the report", { timeout: 240_000 }, () => {
  const printed = execFileSync("go", ["test", "-exec", path.join(root, "tests/runner/node"), "./gpu/", "-count=1", "-run", "^(TestLayerNorm|TestBenchmark)$", "-v"],
    { cwd: root, encoding: "utf8", env: { ...process.env, GOOS: "js", GOARCH: "wasm", IMPROMPT_BACKEND: "card" } });
  const { summary, report } = reportOf(2, printed).end(0);
  assert.equal(summary, "1 operation was compared with plain Go, and none differs.");
  assert.deepEqual(report.tests.map((t) => `${t.operation} ${t.path}`), ["layer norm f16", "layer norm f32", "layer norm f32-weights-f32"]);
  assert.ok(report.tests.every((t) => t.compared === 4 && t.error > 0 && t.error <= t.tolerance), JSON.stringify(report.tests));
  assert.ok(Object.values(report.paces).every((p) => p > 0) && report.paces.memory, JSON.stringify(report.paces));
});
