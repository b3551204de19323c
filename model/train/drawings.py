"""px.bin, 785 MB, in a few files of lossless WebP, a sixteenth of that: for a machine with a GPU that no registry can be reached from.

    drawings.py pack WORK PACK      24 sheets a file, 64 drawings a sheet, and meta.json
    drawings.py unpack PACK WORK    px.bin and meta.json as render.mjs leaves them, but for the colours under what is clear
"""
import argparse
import io
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

SIZE, ACROSS, SHEETS = 128, 8, 24  # a drawing's side, drawings along a sheet's, sheets a file
EACH = ACROSS * ACROSS


def sheet_of(drawings):
    """uint8 [64 or fewer, 128, 128, 4] as one lossless WebP."""
    sheet = np.zeros((EACH, SIZE, SIZE, 4), np.uint8)
    sheet[:len(drawings)] = np.where(drawings[..., 3:] == 0, 0, drawings)
    sheet = sheet.reshape(ACROSS, ACROSS, SIZE, SIZE, 4).swapaxes(1, 2).reshape(ACROSS * SIZE, ACROSS * SIZE, 4)
    out = io.BytesIO()
    Image.fromarray(sheet, "RGBA").save(out, "webp", lossless=True, quality=50, method=2, exact=True)
    return out.getvalue()


def drawings_of(webp):
    sheet = np.asarray(Image.open(io.BytesIO(webp)).convert("RGBA"))
    return sheet.reshape(ACROSS, SIZE, ACROSS, SIZE, 4).swapaxes(1, 2).reshape(EACH, SIZE, SIZE, 4)


def pack(work, folder):
    folder.mkdir(parents=True, exist_ok=True)
    count = len(json.loads((work / "meta.json").read_text()))
    drawings = np.memmap(work / "px.bin", np.uint8, "r", shape=(count, SIZE, SIZE, 4))
    starts = range(0, count, EACH)
    with ThreadPoolExecutor() as pool:
        sheets = list(pool.map(lambda i: sheet_of(drawings[i:i + EACH]), starts))
    for n in range(0, len(sheets), SHEETS):
        np.savez(folder / f"drawings-{n // SHEETS:02}.npz", *[np.frombuffer(s, np.uint8) for s in sheets[n:n + SHEETS]])
    shutil.copy(work / "meta.json", folder)


def unpack(folder, work):
    work.mkdir(parents=True, exist_ok=True)
    count = len(json.loads((folder / "meta.json").read_text()))
    files = sorted(folder.glob("drawings-*.npz"))
    if len(files) * SHEETS * EACH < count:
        raise SystemExit(f"{folder} has {len(files)} files of drawings, too few for the {count} that meta.json lists")
    part = work / "px.bin.part"
    with open(part, "wb") as out:
        for file in files:
            with np.load(file) as z, ThreadPoolExecutor() as pool:
                # A zip file is read by one thread.
                for some in pool.map(drawings_of, [z[f"arr_{i}"].tobytes() for i in range(len(z.files))]):
                    out.write(some[:count - out.tell() // (4 * SIZE * SIZE)].tobytes())
    shutil.copy(folder / "meta.json", work)
    part.rename(work / "px.bin")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["pack", "unpack"])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    args = parser.parse_args()
    (pack if args.what == "pack" else unpack)(args.source, args.target)


if __name__ == "__main__":
    main()
