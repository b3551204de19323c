// The JavaScript half of package loader/store. Whatever touches every byte of a download is
// done here, so that weights stay out of Go's heap. It registers globalThis.impromptLoader.
import "./hash-wasm.js"; // 4.12.0, dist/sha256.umd.min.js

const HEADERS = ["content-range", "content-length", "content-encoding", "etag", "last-modified", "x-linked-etag", "retry-after", "date"];

// If a server sends nothing for this long, or fewer than SLOWEST bytes in twice this time, the
// request is given up, because connections can die without notice.
const SLOWEST = 4096;
let stallAfter = 30_000;

// A Download is one response, read into buffers in order. It is for the bytes [from, to), or,
// if to < 0, for the whole file.
class Download {
  constructor(url, from, to, signal, method = "GET") {
    Object.assign(this, { url, from, to, method, rest: null, stalled: false, cancel: new AbortController() });
    signal.addEventListener("abort", () => this.cancel.abort(), { once: true });
    if (signal.aborted) this.cancel.abort();
  }

  // watched waits for a promise, and ends the request when it takes too long.
  async watched(promise) {
    const timer = setTimeout(() => { this.stalled = true; this.cancel.abort(); }, stallAfter);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  // open resolves to the answer and never rejects. If something failed, .failed says what.
  async open() {
    try {
      const headers = this.to < 0 ? {} : { range: `bytes=${this.from}-${this.to - 1}` };
      const response = await this.watched(fetch(this.url, { method: this.method, headers, signal: this.cancel.signal, cache: "no-store" }));
      if (this.method !== "HEAD" && (response.status === 200 || response.status === 206)) this.reader = response.body.getReader();
      else response.body?.cancel().catch(() => {});
      const said = {};
      for (const name of HEADERS) {
        const value = response.headers.get(name);
        if (value !== null) said[name] = value;
      }
      return { status: response.status, url: response.url, headers: said };
    } catch (e) {
      return { status: 0, failed: this.stalled ? "stall" : e.name === "AbortError" ? "abort" : e.message };
    }
  }

  // fill reads into buffer, starting at at, until it is full. If buffer is null, it drops the
  // bytes. It resolves to how far it came. That is less than the whole buffer if the
  // connection was cut, or if nothing more arrived, in which case .stalled is set.
  async fill(buffer, at, n, count) {
    let since = performance.now(), came = 0;
    while (at < n) {
      let chunk = this.rest;
      this.rest = null;
      if (!chunk) {
        try {
          const { done, value } = await this.watched(this.reader.read());
          if (done) return at;
          chunk = value;
        } catch {
          return at;
        }
      }
      const take = Math.min(chunk.byteLength, n - at);
      buffer?.set(take < chunk.byteLength ? chunk.subarray(0, take) : chunk, at);
      if (take < chunk.byteLength) this.rest = chunk.subarray(take);
      at += take;
      count(take);
      came += take;
      if (performance.now() - since > 2 * stallAfter) {
        if (came < SLOWEST) {
          this.stalled = true;
          return at;
        }
        since = performance.now();
        came = 0;
      }
    }
    return at;
  }

  close() {
    this.reader?.cancel().catch(() => {});
    this.cancel.abort();
  }
}

// online resolves when the browser has a network, or after the given number of milliseconds,
// to whether there is one.
function online(wait) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, wait);
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve(navigator.onLine !== false);
    }
    addEventListener("online", done);
  });
}

// half rounds a float32, given as its bits, to the nearest float16, and to the even one if two
// are equally near. As in torch, numbers beyond 65,504 become infinity.
function half(x) {
  const sign = (x >>> 16) & 0x8000, a = x & 0x7fffffff;
  if (a >= 0x47800000) return sign | (a > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (a >= 0x38800000) {
    const h = a - 0x38000000;
    return sign | ((h + 0xfff + ((h >>> 13) & 1)) >>> 13);
  }
  if (a < 0x33000000) return sign;
  const shift = 126 - (a >>> 23), m = (a & 0x7fffff) | 0x800000, rest = m & ((1 << shift) - 1), middle = 1 << (shift - 1);
  let h = m >>> shift;
  if (rest > middle || (rest === middle && h & 1)) h++;
  return sign | h;
}

// convert turns a slice into the bytes that are stored. segments holds pairs of a number of
// bytes and a type: 0 keeps them unchanged, 1 converts from F32, 2 from BF16, 3 from F64, and 4
// drops them.
function convert(bytes, segments, size) {
  const out = new Uint8Array(size);
  let from = 0, to = 0;
  for (let i = 0; i < segments.length; i += 2) {
    const n = segments[i], kind = segments[i + 1];
    const part = bytes.subarray(from, from + n);
    from += n;
    if (kind === 4) continue;
    if (kind === 0) {
      out.set(part, to);
      to += n;
      continue;
    }
    const aligned = part.byteOffset % 8 ? part.slice() : part;
    const count = n / [0, 4, 2, 8][kind];
    const target = to % 2 ? new Uint16Array(count) : new Uint16Array(out.buffer, to, count);
    if (kind === 2) {
      const source = new Uint16Array(aligned.buffer, aligned.byteOffset, count);
      for (let j = 0; j < count; j++) target[j] = half(source[j] << 16);
    } else {
      const source = kind === 1 ? new Uint32Array(aligned.buffer, aligned.byteOffset, count)
        : new Uint32Array(new Float32Array(new Float64Array(aligned.buffer, aligned.byteOffset, count)).buffer);
      for (let j = 0; j < count; j++) target[j] = half(source[j]);
    }
    if (to % 2) out.set(new Uint8Array(target.buffer), to);
    to += 2 * count;
  }
  return out;
}

// free releases the memory of an array without waiting for the garbage collection.
function free(bytes) {
  const { buffer } = bytes;
  if (buffer.transfer) buffer.transfer(0);
  else structuredClone(buffer, { transfer: [buffer] });
}

// hasher resolves to a SHA-256 that takes its bytes in pieces, either from the beginning or from
// the state that another hasher's save() returned. WebCrypto hashes only what is in memory as a
// whole. On one machine hash-wasm took 140 to 200 MB/s, @noble/hashes 83 to 112, and Go's
// crypto/sha256, compiled to WebAssembly, 27.
async function hasher(state) {
  const h = await hashwasm.createSHA256();
  return state ? h.load(state) : h.init();
}

// lock resolves to a function that releases the lock, or to null if another tab holds the lock
// and wait is false.
function lock(name, wait) {
  return new Promise((resolve, reject) => {
    navigator.locks.request(name, { ifAvailable: !wait }, (held) => {
      if (!held) return resolve(null);
      return new Promise((release) => { resolve(release); });
    }).catch(reject);
  });
}

globalThis.impromptLoader = {
  convert, free, hasher, lock, online,
  download: (url, from, to, signal, method) => new Download(url, from, to, signal, method),
  offline: () => navigator.onLine === false,
  setStall: (milliseconds) => { stallAfter = milliseconds; }, // for tests
};
