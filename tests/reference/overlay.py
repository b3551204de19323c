"""Writes fixtures/imageproc/overlay.json: checksums of what diffusers' VaeImageProcessor makes of a start picture of
other proportions than the result, and of apply_overlay, which puts the original pixels back.
"""

import json
import pathlib

import diffusers
import numpy as np
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

from patterns import crc, pattern

out = pathlib.Path(__file__).parent.parent / "fixtures" / "imageproc" / "overlay.json"
processor = VaeImageProcessor(vae_scale_factor=8)

resize = []
for w, h, tw, th in [(64, 48, 64, 64), (48, 64, 64, 64), (50, 70, 96, 64), (300, 200, 64, 128), (64, 64, 128, 128), (40, 3, 64, 64), (64, 2, 64, 64), (101, 77, 72, 56)]:
    for channels in (1, 3):
        stretched = np.array(processor.resize(pattern(w, h, channels, True), th, tw, "default"), dtype=int)
        for mode in ("default", "crop", "fill"):
            m = np.array(processor.resize(pattern(w, h, channels, True), th, tw, mode).convert("L" if channels == 1 else "RGB"))
            moved = int(abs(m - stretched).max())
            # Where the proportions are equal, so are the three.
            assert mode == "default" or w * th == h * tw or moved >= 20, (mode, w, h, moved)
            resize.append({"from": [w, h, channels], "to": [tw, th], "mode": mode, "crc": crc(m), "moved": moved})

original, made = pattern(64, 48, 3, False), pattern(64, 48, 3, True)
mask = np.zeros((48, 64), np.uint8)
mask[10:30, 20:50] = 255
m = np.array(processor.apply_overlay(Image.fromarray(mask), original, made))
moved = int(abs(m.astype(int) - np.array(made)).max())
assert moved >= 20, moved
overlay = {"size": [64, 48], "part": [20, 10, 50, 30], "crc": crc(m), "moved": moved}

out.write_text(json.dumps({"diffusers": diffusers.__version__, "resize": resize, "overlay": overlay}, indent=None) + "\n")
