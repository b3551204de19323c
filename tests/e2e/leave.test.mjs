// Nothing leaves the page: the browser refuses whatever a script tries, both on a host that
// sends the site's headers and on one that sends none.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { button, slow, visit } from "./hands.mjs";
import { build, open, serve } from "./site.mjs";

let dir, elsewhere, there, came = [];
before(async () => {
  dir = build();
  // This server answers everyone, so that only the browser can stop a request.
  elsewhere = http.createServer((request, response) => {
    came.push(request.url);
    response.writeHead(200, { "access-control-allow-origin": "*", "content-type": "text/javascript" });
    response.end("export default 1;");
  });
  await new Promise((done) => elsewhere.listen(0, "127.0.0.1", done));
  there = `http://127.0.0.1:${elsewhere.address().port}`;
});
after(() => { elsewhere?.closeAllConnections(); elsewhere?.close(); });

// attempts tries every way that a script has to send something to a server. Each attempt ends
// or is given two seconds. The server knows what arrived.
async function attempts(there) {
  const ended = (event, target) => new Promise((done) => { for (const e of event) target[`on${e}`] = done; });
  const page = globalThis.document;
  const frame = () => {
    const f = page.createElement("iframe");
    page.body.append(f);
    return f.contentWindow;
  };
  const put = (tag, fields) => {
    const e = Object.assign(page.createElement(tag), fields);
    page.body.append(e);
    return ended(["load", "error"], e);
  };
  const ways = {
    fetch: () => fetch(`${there}/fetch`, { method: "POST", body: "x", mode: "no-cors" }),
    XMLHttpRequest: () => {
      const x = new XMLHttpRequest();
      x.open("POST", `${there}/xhr`);
      x.send("x");
      return ended(["loadend"], x);
    },
    EventSource: () => ended(["open", "error"], new EventSource(`${there}/events`)),
    WebSocket: () => ended(["open", "error"], new WebSocket(`${there.replace("http", "ws")}/socket`)),
    WebTransport: () => new WebTransport(`${there.replace("http:", "https:")}/transport`).ready,
    import: () => import(`${there}/import.js`),
    worker: () => ended(["message", "error"], new Worker(`${there}/worker.js`)),
    // A worker with another kind of address must not be allowed more than the page.
    "worker of a blob": () => ended(["message", "error"], new Worker(URL.createObjectURL(new Blob([`fetch("${there}/blob").finally(() => postMessage(1));`])))),
    "worker of the site": () => ended(["message", "error"], new Worker(new URL("/studio/web/js/gpu.js", self.origin), { type: "module" })),
    ...(page ? {
      sendBeacon: () => navigator.sendBeacon(`${there}/beacon`, "x"),
      "a frame's fetch": () => frame().fetch(`${there}/frame`, { mode: "no-cors" }),
      "a frame's XMLHttpRequest": () => {
        const x = new (frame().XMLHttpRequest)();
        x.open("GET", `${there}/framexhr`);
        x.send();
        return ended(["loadend"], x);
      },
      "a frame's sendBeacon": () => frame().navigator.sendBeacon(`${there}/framebeacon`, "x"),
      frame: () => put("iframe", { src: `${there}/iframe` }),
      "a document in a frame": () => put("iframe", { srcdoc: `<img src="${there}/srcdoc">` }),
      image: () => put("img", { src: `${there}/image` }),
      style: () => put("link", { rel: "stylesheet", href: `${there}/style.css` }),
      prefetch: () => put("link", { rel: "prefetch", href: `${there}/prefetch` }),
      script: () => put("script", { src: `${there}/script.js` }),
      object: () => put("object", { data: `${there}/object` }),
      video: () => put("video", { src: `${there}/video` }),
      form: () => {
        const f = page.createElement("form");
        Object.assign(f, { action: `${there}/form`, method: "post", target: "_blank" });
        page.body.append(f);
        f.submit();
      },
      ping: () => {
        const a = page.createElement("a");
        Object.assign(a, { href: "#", ping: `${there}/ping` });
        page.body.append(a);
        a.click();
      },
      WebRTC: () => new RTCPeerConnection(),
    } : {
      importScripts: () => importScripts(`${there}/scripts.js`),
    }),
  };
  const made = [];
  for (const [name, way] of Object.entries(ways)) {
    try {
      await Promise.race([way(), new Promise((done) => setTimeout(done, 2000))]);
      if (name === "WebRTC") made.push(name);
    } catch {
      // Refused at once.
    }
  }
  await new Promise((done) => setTimeout(done, 500));
  return made;
}

// A host without headers leaves it to the policy in the page and in the workers' own files.
for (const [headers, run] of [[true, slow], [false, test]]) {
  run(`nothing leaves the page or the engine, on a host ${headers ? "with" : "without"} headers`, { timeout: 240_000 }, async () => {
    const site = await serve(dir, { headers });
    const studio = await open();
    try {
      const { page } = studio;
      await visit(page, site.url);
      came = [];
      assert.deepEqual(await page.evaluate(attempts, there), []);
      const engine = page.workers().find((w) => w.url().endsWith("/worker.js"));
      assert.ok(engine, "the engine's worker runs");
      assert.deepEqual(await engine.evaluate(attempts, there), []);
      assert.deepEqual(came, [], "these arrived elsewhere");
    } finally {
      await studio.close();
      await site.close();
    }
  });

  run(`the library asks nobody who was not chosen, on a host ${headers ? "with" : "without"} headers`, { timeout: 120_000 }, async () => {
    const site = await serve(dir, { headers });
    const studio = await open();
    try {
      const { page } = studio;
      await visit(page, site.url);
      const started = page.waitForEvent("worker", (w) => /library\.js/.test(w.url()));
      await button(page, "Models").click();
      const library = await started;
      await page.getByRole("region", { name: "Catalogue" }).waitFor();
      came = [];
      const tried = await library.evaluate(async (there) => {
        const ways = {
          fetch: () => fetch(`${there}/fetch`),
          XMLHttpRequest: () => new XMLHttpRequest(), WebSocket: () => new WebSocket("wss://x"), EventSource: () => new EventSource("https://x"), Worker: () => new Worker("data:,"),
        };
        const open = [];
        for (const [name, way] of Object.entries(ways)) {
          try {
            await way();
            open.push(name);
          } catch {
            // Refused.
          }
        }
        return open;
      }, there);
      assert.deepEqual(tried, []);
      assert.deepEqual(came, []);
    } finally {
      await studio.close();
      await site.close();
    }
  });
}

test("the page does not run inside another page", { timeout: 60_000 }, async () => {
  for (const headers of [true, false]) {
    const site = await serve(dir, { headers });
    const around = http.createServer((_, response) => { response.writeHead(200, { "content-type": "text/html" }); response.end(`<iframe src="${site.url}"></iframe>`); });
    await new Promise((done) => around.listen(0, "127.0.0.1", done));
    const studio = await open();
    try {
      await studio.page.goto(`http://127.0.0.1:${around.address().port}/`);
      const frame = studio.page.frames()[1];
      if (headers) assert.match(frame.url(), /^chrome-error:/);
      else await frame.getByText("Imprompt does not run inside another page").waitFor();
    } finally {
      await studio.close();
      around.closeAllConnections();
      around.close();
      await site.close();
    }
  }
});
