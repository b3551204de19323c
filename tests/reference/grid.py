"""Pictures that are cut into overlapping tiles and put together again, for model/imageproc/grid_test.go.

    python tests/reference/grid.py     writes tests/fixtures/imageproc/grid.json

The tiles are laid as AUTOMATIC1111's script "SD upscale" lays them, and PIL pastes them with a mask that fades in over
the overlap. Each tile has numbers of its own, as if it had been drawn again.
"""
import hashlib
import json
import math
import pathlib

import numpy as np
from PIL import Image

OUT = pathlib.Path(__file__).parent.parent / "fixtures/imageproc"


def starts(pixels, tile, overlap):
    count = math.ceil((pixels - overlap) / (tile - overlap))
    step = (pixels - tile) / (count - 1) if count > 1 else 0
    return [min(int(i * step), pixels - tile) for i in range(count)]


def ramp(overlap):
    return (np.arange(overlap, dtype=np.float32) * 255 / overlap).astype(np.uint8)


def drawn(x, y, w, h):
    v = [(7 * x + 13 * y + 5 * i + 11 * (i // (3 * w)) + 3 * x * i) % 256 for i in range(3 * w * h)]
    return Image.fromarray(np.array(v, np.uint8).reshape(h, w, 3))


def combined(width, height, tile, overlap):
    w, h = min(tile, width), min(tile, height)
    whole = Image.new("RGB", (width, height))
    places = []
    for y in starts(height, h, overlap):
        row = Image.new("RGB", (width, h))
        for x in starts(width, w, overlap):
            places.append([x, y])
            mask = np.full((h, w), 255, np.uint8)
            if x:
                mask[:, :overlap] = ramp(overlap)
            row.paste(drawn(x, y, w, h), (x, 0), Image.fromarray(mask))
        mask = np.full((h, width), 255, np.uint8)
        if y:
            mask[:overlap] = ramp(overlap)[:, None]
        whole.paste(row, (0, y), Image.fromarray(mask))
    return places, whole


def main():
    cases = []
    for size in ((40, 32, 16, 6), (50, 24, 24, 8), (17, 33, 16, 5), (12, 30, 16, 4)):
        places, whole = combined(*size)
        cases.append(dict(size=size, places=places, sha256=hashlib.sha256(whole.tobytes()).hexdigest()))
    (OUT / "grid.json").write_text(json.dumps(cases, separators=(",", ":")))


if __name__ == "__main__":
    main()
