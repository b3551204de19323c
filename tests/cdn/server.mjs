// A CDN that misbehaves on request. It serves named buffers with Range, ETag and CORS as a
// model hub does. Each field of `fault` breaks one of these habits.
import fs from "node:fs";
import http from "node:http";
import zlib from "node:zlib";

// room resolves when a response accepts more bytes, or has been closed.
function room(response) {
  return new Promise((resolve) => {
    const done = () => { response.off("drain", done); response.off("close", done); resolve(); };
    response.on("drain", done);
    response.on("close", done);
  });
}

export async function startCDN() {
  const cdn = {
    files: new Map(), // path → { bytes, etag }
    fault: {},
    requests: [], // { method, path, range, status, sent }
    bytes: 0, // sent in all
  };
  const server = http.createServer(async (request, response) => {
    const f = cdn.fault;
    const { pathname: path, searchParams } = new URL(request.url, "http://cdn");
    const entry = { method: request.method, path, query: request.url.split("?")[1] ?? "", range: request.headers.range, status: 0, sent: 0 };
    cdn.requests.push(entry);
    const head = (status, headers = {}) => {
      entry.status = status;
      const cors = f.noCors ? {} : { "access-control-allow-origin": "*", "access-control-expose-headers": f.expose ?? "ETag, Content-Range, Content-Encoding, Date, Retry-After, Accept-Ranges, X-Linked-ETag" };
      response.writeHead(status, { ...cors, ...headers });
    };
    if (f.silent && f.silent-- > 0) return; // no answer, and no end
    if (request.method === "OPTIONS") { head(204, { "access-control-allow-headers": "range" }); return response.end(); }
    if (f.status && (f.statusTimes === undefined || f.statusTimes-- > 0)) {
      head(f.status, f.retryAfter ? { "retry-after": String(f.retryAfter) } : {});
      return response.end("no");
    }
    // An error answer has a body, and the body has a length.
    if (f.noHEAD && request.method === "HEAD") { head(403, { "content-length": 243, "content-type": "text/html" }); return response.end(); }
    // A signed link, valid for one signature.
    if (f.signature && searchParams.get("X-Amz-Signature") !== f.signature) { head(403); return response.end("<Error><Code>AccessDenied</Code></Error>"); }
    if (f.elsewhere && !path.startsWith("/bytes/")) { head(302, { location: f.elsewhere + "/bytes" + path }); return response.end(); }
    // A hub answers with a redirect to the server that has the file.
    if (f.redirect && !path.startsWith("/bytes/")) { head(302, { location: "/bytes" + path }); return response.end(); }
    const file = cdn.files.get(path.replace(/^\/bytes/, ""));
    if (!file) { head(404); return response.end("not found"); }
    let { bytes, etag } = file;
    if (f.changeAfter !== undefined && f.changeAfter-- <= 0) { bytes = f.changed; etag = '"changed"'; }
    if (f.wrong) { bytes = Buffer.from(bytes); bytes[bytes.length - 5] ^= 0xff; }
    if (f.etags) etag = f.etags[cdn.requests.length % f.etags.length];
    if (f.silently !== undefined && f.silently-- <= 0) bytes = f.changed;
    let from = 0, to = bytes.length;
    const range = !f.noRange && /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const headers = { ...(f.noETag || !etag ? {} : { etag }), ...(f.modified ? { "last-modified": f.modified } : {}), ...(f.linked ? { "x-linked-etag": `"${f.linked}"` } : {}), "content-type": "application/octet-stream" };
    if (range) {
      from = Number(range[1]);
      to = range[2] ? Math.min(to, Number(range[2]) + 1) : to;
      if (from >= bytes.length) { head(416, { "content-range": `bytes */${bytes.length}` }); return response.end(); }
      if (f.huge) { head(206, { ...headers, "content-range": `bytes ${from}-${to - 1}/${f.huge}`, "content-length": to - from }); return response.end(Buffer.alloc(to - from, "{")); }
      if (f.encoding) { head(206, { ...headers, "content-encoding": f.encoding, "content-range": `bytes ${from}-${to - 1}/${bytes.length}` }); return response.end(zlib.gzipSync(bytes.subarray(from, to))); }
      if (f.fromZero) [from, to] = [0, to - from]; // the range asked for is not the range sent
      head(206, { ...headers, ...(f.noContentRange ? {} : { "content-range": `bytes ${from}-${to - 1}/${bytes.length}` }), "content-length": to - from });
    } else {
      head(200, { ...headers, ...(f.encoding ? { "content-encoding": f.encoding } : { "content-length": to }) });
    }
    if (request.method === "HEAD") return response.end();
    // cut: the connection dies after a number of bytes, and the next connections after others.
    const cut = f.cuts?.length && to - from > 16 ? f.cuts.shift() : Infinity;
    for (let at = from; at < to;) {
      const n = Math.min(to - at, f.chunk ?? 65536, cut - (at - from));
      if (n <= 0) {
        if (at > from) await new Promise((r) => setTimeout(r, 20)); // so that what was sent arrives
        return response.destroy();
      }
      // stall: nothing more comes after a number of bytes, and the connection stays open.
      if (f.stalls?.length && to - from > 16 && at - from >= f.stalls[0]) { f.stalls.shift(); return; }
      if (response.destroyed) return;
      const drained = response.write(bytes.subarray(at, at + n));
      at += n;
      entry.sent += n;
      cdn.bytes += n;
      if (f.slow && to - from > 16) await new Promise((r) => setTimeout(r, f.slow));
      else if (!drained) await room(response);
    }
    response.end();
  });
  server.on("clientError", () => {});
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  cdn.url = `http://127.0.0.1:${server.address().port}`;
  cdn.add = (path, bytes, etag = '"v1"') => { cdn.files.set(path, { bytes, etag }); return cdn.url + path; };
  // A file too large for a buffer is read as it is sent.
  cdn.addFile = (path, name) => {
    const fd = fs.openSync(name), length = fs.fstatSync(fd).size;
    const subarray = (from, to) => { const part = Buffer.allocUnsafe(to - from); fs.readSync(fd, part, 0, to - from, from); return part; };
    return cdn.add(path, { length, subarray });
  };
  cdn.reset = () => { cdn.fault = {}; cdn.requests = []; cdn.bytes = 0; };
  cdn.close = () => { server.closeAllConnections(); server.close(); };
  return cdn;
}
