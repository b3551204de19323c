// Makes a report of what the unit tests of package gpu print: go test -v, with an attribute
// "error ERROR TOLERANCE" for each result that was compared with plain Go.
export class Report {
  tests = new Map(); // by operation and numeric path
  over = 0; // tests that are over
  lines = []; // the last ones
  #rest = "";
  #at;

  // adapter is the GPU's info, features and limits; total is the number of tests.
  constructor(adapter, total, browser) { Object.assign(this, { adapter, total, browser }); }

  // take takes what was printed since the last time.
  take(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop();
    for (const line of lines) this.#take(line);
  }

  #take(line) {
    const words = line.trim().split(/\s+/);
    if (words[0] === "===" && words.length >= 3) {
      this.#at = this.#test(words[2]);
      if (words[1] === "ATTR") this.#attribute(words[3], words.slice(4));
    } else if (words[0] === "---" && words.length >= 4) {
      const t = this.#test(words[2]), depth = words[2].split("/").length - 1;
      if (depth === 0) this.over++;
      if (depth === 0 || depth === 1 && t.path) t.seconds += parseFloat(words[3].slice(1)) || 0;
      t.failed ||= words[1] === "FAIL:";
    } else if (words[0]) {
      for (const list of [this.lines, this.#at?.messages ?? []]) {
        list.push(line.trim());
        if (list.length > 6) list.shift();
      }
    }
  }

  // test is what a test's name tells of, as in TestConv2d/f16/3x3 or TestAdd/whole/f16.
  #test(name) {
    const parts = name.split("/");
    const operation = parts[0].slice("Test".length).replace(/(?!^)(?=[A-Z])/g, " ").toLowerCase();
    const path = parts.find((p) => ["f16", "f32", "f32-weights-f32"].includes(p)) ?? "";
    const key = `${operation} ${path}`.trim();
    if (!this.tests.has(key)) this.tests.set(key, { operation, path, error: 0, tolerance: 0, compared: 0, seconds: 0, failed: false, messages: [] });
    return this.tests.get(key);
  }

  #attribute(key, value) {
    const t = this.#at;
    if (key === "error") {
      const [error, tolerance] = value.map(Number);
      // Kept is the largest error in relation to its tolerance.
      if (t.compared++ === 0 || error * t.tolerance > t.error * tolerance) Object.assign(t, { error, tolerance });
    } else if (key === "paces" || key === "trials") {
      this[key] = JSON.parse(value.join(" "));
    }
  }

  // progress says how far the tests are.
  progress() {
    const at = this.#at ? `: ${this.#at.operation} ${this.#at.path}`.trimEnd() : "";
    return { text: `Test ${Math.min(this.over + 1, this.total)} of ${this.total}${at}`, fraction: this.over / this.total };
  }

  // end returns what was found, in words, and the file to attach to an issue. Nothing in it says who
  // the visitor is or what was drawn. code is the exit code of the tests, or undefined if they were
  // stopped.
  end(code) {
    const { adapter, browser, paces, trials } = this, stopped = code === undefined;
    const all = [...this.tests.values()].filter((t) => t.compared > 0 || t.failed);
    const different = [];
    for (const t of all) {
      if (!t.failed || !t.path && all.some((o) => o.operation === t.operation && o.path && o.failed)) continue;
      const name = `${t.operation} ${t.path}`.trim();
      if (t.error > t.tolerance) different.push(`${name}: an error of ${t.error}, where ${t.tolerance} is tolerated`);
      else different.push([name, ...t.messages.slice(-1)].join(": "));
    }
    const problem = code && this.over < this.total ? `The check ended early: ${this.lines.join(" ")}` : "";
    const count = new Set(all.filter((t) => t.compared > 0).map((t) => t.operation)).size;
    let summary = `${count} ${count === 1 ? "operation was" : "operations were"} compared with plain Go${stopped ? " before the check was stopped" : ""}`;
    summary += different.length || problem ? ". If something is wrong here, please attach the report to an issue." : ", and none differs.";
    const tests = all.map(({ messages, ...t }) => t.failed ? { ...t, messages } : t);
    return { summary, different, problem, report: { summary, different, problem, stopped, browser, adapter, tests, paces, trials } };
  }
}
