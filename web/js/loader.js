// The bytes' half of package loader/store: what touches every byte of a download is
// done here, so that weights stay out of Go's heap. Registers globalThis.impromptLoader.

function etagOf(response) {
  return response.headers.get("etag") || response.headers.get("last-modified") || "";
}

// Content-Range's total, or NaN where the server does not let pages read it.
function total(response) {
  const m = /\/(\d+)$/.exec(response.headers.get("content-range") || "");
  return m ? Number(m[1]) : NaN;
}

function outcome(response, more) {
  return { status: response.status, etag: etagOf(response), retryAfter: Number(response.headers.get("retry-after")) || 0, ...more };
}

// probe asks for the first byte: is the file there, may it be read in ranges, how
// large is it. It never rejects: what failed is in .failed.
async function probe(url, signal) {
  try {
    const response = await fetch(url, { headers: { range: "bytes=0-0" }, signal, cache: "no-store" });
    let size = response.status === 206 ? total(response) : Number(response.headers.get("content-length") ?? NaN);
    response.body?.cancel().catch(() => {});
    if (response.status === 206 && !(size >= 0)) {
      const head = await fetch(url, { method: "HEAD", signal, cache: "no-store" });
      size = Number(head.headers.get("content-length") ?? NaN);
    }
    return outcome(response, { size: size >= 0 ? size : -1 });
  } catch (e) {
    return { status: 0, failed: e.name === "AbortError" ? "abort" : e.message };
  }
}

// A Download is one response, read into buffers in order. With to < 0 it is the whole
// file from its start, of a server that has no ranges.
class Download {
  constructor(url, from, to, signal) { Object.assign(this, { url, from, to, signal, rest: null }); }

  async open() {
    try {
      const headers = this.to < 0 ? {} : { range: `bytes=${this.from}-${this.to - 1}` };
      const response = await fetch(this.url, { headers, signal: this.signal, cache: "no-store" });
      if (response.status !== 200 && response.status !== 206) response.body?.cancel().catch(() => {});
      else this.reader = response.body.getReader();
      const start = /bytes (\d+)-/.exec(response.headers.get("content-range") || "");
      return outcome(response, { size: total(response) >= 0 ? total(response) : -1, start: start ? Number(start[1]) : -1 });
    } catch (e) {
      return { status: 0, failed: e.name === "AbortError" ? "abort" : e.message };
    }
  }

  // fill reads into buffer from at on until it is full; with buffer null it drops n
  // bytes. It resolves to how far it came, less than all when the connection was cut.
  async fill(buffer, at, n, count) {
    while (at < n) {
      let chunk = this.rest;
      this.rest = null;
      if (!chunk) {
        try {
          const { done, value } = await this.reader.read();
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
    }
    return at;
  }

  close() { this.reader?.cancel().catch(() => {}); }
}

// half rounds a float32, as its bits, to the nearest float16, to even when two are as
// near; beyond 65,504 to infinity, as torch does.
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

// convert turns a slice into what is stored. segments: pairs of bytes and kind, 0 as
// it is, 1 from F32, 2 from BF16.
function convert(bytes, segments, size) {
  const out = new Uint8Array(size);
  let from = 0, to = 0;
  for (let i = 0; i < segments.length; i += 2) {
    const n = segments[i], kind = segments[i + 1];
    const part = bytes.subarray(from, from + n);
    from += n;
    if (kind === 0) {
      out.set(part, to);
      to += n;
      continue;
    }
    const aligned = part.byteOffset % 4 ? part.slice() : part;
    const count = kind === 1 ? n / 4 : n / 2;
    const target = to % 2 ? new Uint16Array(count) : new Uint16Array(out.buffer, to, count);
    if (kind === 1) {
      const source = new Uint32Array(aligned.buffer, aligned.byteOffset, count);
      for (let j = 0; j < count; j++) target[j] = half(source[j]);
    } else {
      const source = new Uint16Array(aligned.buffer, aligned.byteOffset, count);
      for (let j = 0; j < count; j++) target[j] = half(source[j] << 16);
    }
    if (to % 2) out.set(new Uint8Array(target.buffer), to);
    to += 2 * count;
  }
  return out;
}

// free gives the memory of an array back before anyone collects garbage.
function free(bytes) {
  const { buffer } = bytes;
  if (buffer.transfer) buffer.transfer(0);
  else structuredClone(buffer, { transfer: [buffer] });
}

// lock resolves to a function that gives the lock back, or to null when another tab
// has it and wait is false.
function lock(name, wait) {
  return new Promise((resolve, reject) => {
    navigator.locks.request(name, { ifAvailable: !wait }, (held) => {
      if (!held) return resolve(null);
      return new Promise((release) => { resolve(release); });
    }).catch(reject);
  });
}

globalThis.impromptLoader = {
  probe, convert, free, lock,
  download: (url, from, to, signal) => new Download(url, from, to, signal),
};
