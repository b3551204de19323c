// Files as torch.save writes them: a zip archive of data.pkl and an entry for each tensor, whose data
// begins at a multiple of 64 bytes (torch/serialization.py, _save). The files in tests/fixtures/pickles
// are torch's own.

const STORAGES = { F32: "FloatStorage", F16: "HalfStorage", BF16: "BFloat16Storage", I64: "LongStorage", F64: "DoubleStorage", U8: "ByteStorage" };

const ascii = (text) => Buffer.from(text, "latin1");

function int(n) {
  const b = Buffer.alloc(5);
  b[0] = 0x4a; // BININT
  b.writeInt32LE(n, 1);
  return b;
}

function text(s) {
  const bytes = Buffer.from(s), size = Buffer.alloc(5);
  size[0] = 0x58; // BINUNICODE
  size.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([size, bytes]);
}

// tuple is MARK, the values, TUPLE.
const tuple = (...values) => Buffer.concat([ascii("("), ...values, ascii("t")]);

function pickled(value, storages) {
  if (typeof value === "string") return text(value);
  if (typeof value === "number") return int(value);
  if (!value.bytes) {
    const items = Object.entries(value).flatMap(([k, v]) => [text(k), pickled(v, storages)]);
    return Buffer.concat([ascii("}("), ...items, ascii("u")]);
  }
  const { dtype, shape, bytes } = value, key = String(storages.length);
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  storages.push(bytes);
  const count = shape.reduce((a, b) => a * b, 1);
  const storage = Buffer.concat([tuple(text("storage"), ascii(`ctorch\n${STORAGES[dtype]}\n`), text(key), text("cpu"), int(count)), ascii("Q")]);
  return Buffer.concat([ascii("ctorch._utils\n_rebuild_tensor_v2\n"),
    tuple(storage, int(0), tuple(...shape.map(int)), tuple(...strides.map(int)), ascii("\x89"), ascii("ccollections\nOrderedDict\n)R")), ascii("R")]);
}

// torchFile pickles nested objects, whose leaves are texts, whole numbers, and tensors { dtype, shape, bytes }.
export function torchFile(value) {
  const storages = [];
  const entries = [["archive/data.pkl", Buffer.concat([ascii("\x80\x02"), pickled(value, storages), ascii(".")])], ["archive/byteorder", ascii("little")]];
  storages.forEach((b, i) => entries.push([`archive/data/${i}`, b]));
  entries.push(["archive/version", ascii("3\n")]);
  const parts = [], directory = [];
  let at = 0;
  for (const [name, bytes] of entries) {
    const extra = 4 + (64 - ((at + 30 + name.length + 4) % 64)) % 64;
    const local = Buffer.alloc(30 + name.length + extra);
    local.write("PK\x03\x04", "latin1");
    local.writeUInt16LE(0x808, 6); // the sizes come after the data
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(extra, 28);
    local.write(name, 30);
    local.write("FB", 30 + name.length);
    local.writeUInt16LE(extra - 4, 32 + name.length);
    const after = Buffer.alloc(16);
    after.write("PK\x07\x08", "latin1");
    after.writeUInt32LE(bytes.length, 8);
    after.writeUInt32LE(bytes.length, 12);
    const central = Buffer.alloc(46 + name.length);
    central.write("PK\x01\x02", "latin1");
    central.writeUInt16LE(0x808, 8);
    central.writeUInt32LE(bytes.length, 20);
    central.writeUInt32LE(bytes.length, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(at, 42);
    central.write(name, 46);
    directory.push(central);
    parts.push(local, bytes, after);
    at += local.length + bytes.length + after.length;
  }
  const list = Buffer.concat(directory), end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, list, end]);
}
