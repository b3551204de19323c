"""Writes fixtures/maps/reference.json: checksums of the maps that OpenCV, controlnet_aux and sd-webui-controlnet make from
pictures. Needs opencv-python-headless 5.0.0.93.

The functions below do what theirs do with an array; the comments name them. scene() and pattern() draw the pictures, and
so does the Go test. Every case stores how many samples change when what it tests is changed.
"""

import json
import pathlib

import cv2
import numpy as np

from patterns import crc, pattern

out = pathlib.Path(__file__).parent.parent / "fixtures" / "maps" / "reference.json"
cv2.setNumThreads(1)
# Intel's library, which is part of OpenCV's packages for x86, rounds some enlargements in another way.
cv2.ipp.setUseIPP(False)


def scene(width, height, channels):
    """Overlapping discs on a slope of grey, with a little noise."""
    y, x, c = np.meshgrid(*(np.arange(n, dtype=np.int64) for n in (height, width, channels)), indexing="ij")
    v = 40 + x * 90 // width + y * 60 // height + c * 9
    for i, (cx, cy, r, level) in enumerate([(30, 35, 22, 90), (62, 40, 30, -55), (48, 75, 18, 120), (80, 82, 12, 60), (15, 85, 9, -40)]):
        inside = (x * 100 - cx * width) ** 2 * height * height + (y * 100 - cy * height) ** 2 * width * width < (r * width * height) ** 2
        v = np.where(inside, v + level + (c - 1) * 20 * (i % 3), v)
    v = v + (((x * 374761393 + y * 668265263 + c * 2246822519) >> 13) & 7)
    v = v.clip(0, 255).astype(np.uint8)
    return v if channels > 1 else v[:, :, 0]


def canny(m, low=100, high=200, l2=False):
    return cv2.Canny(m, low, high, L2gradient=l2)


def scribble(m, low=100, high=200):
    """What HEDdetector does with scribble=True after nms, to the lines that Canny finds."""
    v = cv2.GaussianBlur(canny(m, low, high), (0, 0), 3.0)
    v[v > 4] = 255
    v[v < 255] = 0
    return v


def softedge(m, low=100, high=200, sigma=2.0):
    return cv2.convertScaleAbs(cv2.GaussianBlur(canny(m, low, high), (0, 0), sigma), alpha=5)


def tile(m, rate=2.0):
    """tile_resample."""
    h, w = m.shape[:2]
    return cv2.resize(m, (int(float(w) / rate), int(float(h) / rate)), interpolation=cv2.INTER_AREA)


def make_noise_disk(h, w, f):
    noise = np.random.uniform(low=0, high=1, size=((h // f) + 2, (w // f) + 2, 1))
    noise = cv2.resize(noise, (w + 2 * f, h + 2 * f), interpolation=cv2.INTER_CUBIC)
    noise = noise[f : f + h, f : f + w]
    noise -= np.min(noise)
    noise /= np.max(noise)
    return noise[:, :, None]


def shuffle(m, seed=7, f=256):
    """ContentShuffleDetector, without its resizing."""
    np.random.seed(seed)
    h, w = m.shape[:2]
    x = make_noise_disk(h, w, f) * float(w - 1)
    y = make_noise_disk(h, w, f) * float(h - 1)
    return cv2.remap(m, np.concatenate([x, y], axis=2).astype(np.float32), None, cv2.INTER_LINEAR)


def recolor(value, gamma):
    return ((value.astype(np.float32) / 255.0) ** gamma * 255.0).clip(0, 255).astype(np.uint8)


def recolor_luminance(m, gamma=1.0):
    return recolor(cv2.cvtColor(m, cv2.COLOR_BGR2LAB)[:, :, 0], gamma)


def recolor_intensity(m, gamma=1.0):
    return recolor(cv2.cvtColor(m, cv2.COLOR_BGR2HSV)[:, :, 2], gamma)


def color(m, square=64):
    """apply_color (t2ia_color_grid), without its resizing."""
    h, w = m.shape[:2]
    small = cv2.resize(m, (max(1, w // square), max(1, h // square)), interpolation=cv2.INTER_CUBIC)
    return cv2.resize(small, (w, h), interpolation=cv2.INTER_NEAREST)


def invert(m, of=255):
    return of - m


SIZES = [(64, 48), (97, 131), (31, 22), (128, 128), (5, 9)]
LARGE = [(192, 128), (200, 150), (131, 259)]
cases = []


def case(name, function, options, other, sizes, channels=(1, 3), pictures=("scene",)):
    """A map of each picture, which has to change when it is made with other options."""
    for picture in pictures:
        for w, h in sizes:
            for c in channels:
                m = scene(w, h, c) if picture == "scene" else np.array(pattern(w, h, c, picture == "noise"))
                got = function(m, **options)
                moved = int((got != function(m, **other)).sum()) if got.shape == function(m, **other).shape else got.size
                few = w * h < 100
                if moved < 20 and not few:
                    raise SystemExit(f"{name} {options} of {picture} {w} × {h} × {c} tests nothing: {moved} samples move")
                if moved or few:
                    cases.append({"map": name, "options": list(map(float, options.values())), "picture": picture, "size": [w, h, c],
                                  "shape": list(got.shape[1::-1]), "crc": crc(got), "moved": moved})


EDGES = [dict(low=100, high=200, l2=False), dict(low=40, high=90, l2=False), dict(low=200, high=60, l2=False), dict(low=60, high=180.5, l2=True), dict(low=0, high=30, l2=True)]
for options in EDGES:
    case("canny", canny, options, options | dict(low=options["low"] + 900, high=options["high"] + 900), SIZES, pictures=("scene", "noise"))
case("canny", canny, dict(low=60, high=120, l2=False), dict(low=60, high=120, l2=True), [(97, 131), (128, 128)])
case("scribble", scribble, dict(low=100, high=200), dict(low=300, high=700), SIZES)
case("softedge", softedge, dict(low=100, high=200), dict(low=300, high=700), SIZES)
for rate in (1.1, 1.7, 2, 3, 4.3, 8):
    case("tile", tile, dict(rate=rate), dict(rate=rate * 0.8), [(64, 48), (97, 131), (128, 128)])
for seed, f in ((7, 256), (0, 64), (4294967295, 17)):
    case("shuffle", shuffle, dict(seed=seed, f=f), dict(seed=(seed + 1) % 2**32, f=f), SIZES)
for gamma in (1.0, 0.45, 1.8):
    case("recolor_luminance", recolor_luminance, dict(gamma=gamma), dict(gamma=gamma * 1.1), SIZES, channels=(3,), pictures=("scene", "noise"))
    case("recolor_intensity", recolor_intensity, dict(gamma=gamma), dict(gamma=gamma * 1.1), SIZES, channels=(3,), pictures=("scene", "noise"))
case("color", color, {}, dict(square=8), SIZES + LARGE, channels=(3,), pictures=("scene", "noise"))
case("invert", invert, {}, dict(of=254), [(64, 48), (31, 22)])

out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps({"opencv": cv2.__version__, "cases": cases}, separators=(",", ":")) + "\n")
print(len(cases), "cases,", out.stat().st_size, "bytes")
