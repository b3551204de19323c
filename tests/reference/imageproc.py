"""Writes fixtures/imageproc: small picture files with what PIL decodes them to,
and checksums of what PIL, transformers and diffusers compute.

Most pictures are not stored: pattern() in patterns.py makes them, and so does the Go test.
"""

import base64
import io
import json
import pathlib

import diffusers
import numpy as np
import PIL
import torch
import transformers
from diffusers.image_processor import IPAdapterMaskProcessor, VaeImageProcessor
from diffusers.utils import load_image
from PIL import Image
from transformers import CLIPImageProcessor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from patterns import crc, pattern

out = pathlib.Path(__file__).parent.parent / "fixtures" / "imageproc"
out.mkdir(parents=True, exist_ok=True)


def floats(x):
    return base64.b64encode(np.ascontiguousarray(x, dtype="<f4").tobytes()).decode()


FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}
SIZES = [(64, 48, 32, 24), (37, 23, 64, 64), (100, 75, 33, 51), (5, 7, 40, 3), (1, 1, 9, 8), (300, 200, 8, 8), (64, 48, 64, 20), (64, 48, 20, 48), (200, 3, 7, 200), (30, 30, 20, 10), (46, 46, 31, 9), (19, 76, 10, 53), (224, 225, 224, 224)]

resize = []
for name, value in FILTERS.items():
    for w, h, tw, th in SIZES:
        for c in (1, 3):
            for noise in (True, False):
                m = pattern(w, h, c, noise).resize((tw, th), resample=value)
                resize.append({"filter": value, "from": [w, h, c], "noise": noise, "to": [tw, th], "crc": crc(np.array(m))})

grey = [{"size": [w, h], "crc": crc(np.array(pattern(w, h, 3).convert("L")))} for w, h in [(64, 48), (256, 256)]]

CONFIGS = [
    None,
    {"crop_size": 224, "size": 224, "do_center_crop": True, "do_normalize": True, "do_resize": True, "feature_extractor_type": "CLIPFeatureExtractor", "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3},
    {"size": {"shortest_edge": 64}, "crop_size": {"height": 64, "width": 64}, "rescale_factor": 0.00392156862745098},
    {"size": {"height": 40, "width": 56}, "crop_size": {"height": 33, "width": 47}, "resample": 2, "image_mean": 0.5, "image_std": 0.25},
    {"do_resize": False, "crop_size": {"height": 90, "width": 30}, "do_normalize": False},
    {"size": {"shortest_edge": 20}, "crop_size": {"height": 31, "width": 28}, "resample": 1, "do_rescale": False},
    {"do_center_crop": False, "size": {"shortest_edge": 32}, "rescale_factor": 0.01, "resample": 0},
]
clip = []
for config in CONFIGS:
    for torchvision in (False, True):
        if torchvision and config and config.get("resample", 3) not in (2, 3):
            continue
        p = (CLIPImageProcessor if torchvision else CLIPImageProcessorPil)(**(config or {}))
        for w, h in [(64, 48), (37, 101), (225, 300), (80, 80)]:
            x = p(pattern(w, h, 3), return_tensors="pt").pixel_values[0].permute(1, 2, 0).numpy()
            clip.append({"config": config, "torchvision": torchvision, "size": [w, h], "shape": list(x.shape[:2]), "crc": crc(x.astype("<f4")), "sum": float(x.astype(np.float64).sum())})

vae = []
p = VaeImageProcessor(vae_scale_factor=8)
for w, h, tw, th in [(64, 48, None, None), (101, 77, None, None), (50, 70, 64, 96), (300, 200, 128, 64)]:
    x = p.preprocess(pattern(w, h, 3), height=th, width=tw)[0].permute(1, 2, 0).numpy()
    vae.append({"size": [w, h], "to": [tw or 0, th or 0], "shape": list(x.shape[:2]), "crc": crc(x)})

g = torch.Generator().manual_seed(1)
x = torch.rand((1, 3, 9, 11), generator=g) * 3 - 1.5
m = p.postprocess(x, output_type="pil")[0]
post = {"shape": [9, 11], "values": floats(x[0].permute(1, 2, 0).numpy()), "crc": crc(np.array(m))}

masks = []
p = VaeImageProcessor(vae_scale_factor=8, do_normalize=False, do_binarize=True, do_convert_grayscale=True)
for w, h, c, noise, tw, th in [(64, 48, 3, False, 64, 48), (100, 75, 3, True, 64, 96), (33, 33, 1, False, 128, 64), (200, 160, 1, True, 72, 88)]:
    x = p.preprocess(pattern(w, h, c, noise), height=th, width=tw)
    y = torch.nn.functional.interpolate(x, size=(th // 8, tw // 8))
    z = torch.nn.functional.interpolate(x, size=(7, 5))
    masks.append({"size": [w, h, c], "noise": noise, "to": [tw, th], "crc": crc(x.numpy()), "latent": crc(y.numpy()), "odd": crc(z.numpy()), "ones": int(x.sum())})

ip = []
p = IPAdapterMaskProcessor()
for w, h, tw, th, queries in [
    (64, 64, 64, 64, [64, 16, 4, 1]), (100, 75, 128, 192, [384, 96, 24, 6]), (90, 60, 200, 136, [425, 104, 28, 6]), (40, 40, 64, 64, [60, 7]),
    (33, 50, 512, 512, [4096, 1024, 256, 64]),
]:
    x = p.preprocess(pattern(w, h, 1, False), height=th, width=tw)
    for q in queries:
        y = p.downsample(x[0], 1, q, 1)[0, :, 0].numpy()
        entry = {"size": [w, h], "to": [tw, th], "queries": q}
        # Long results keep a checksum of their sum and every 37th value.
        ip.append(entry | {"every": 37 if q > 500 else 1, "values": floats(y[:: 37 if q > 500 else 1])})

# Files. Lossless ones must decode to the checksum, and JPEG and WebP to a
# picture close to PIL's.
files = []


def save(name, image, lossy=False, **options):
    image.save(out / name, **options)
    m = load_image(str(out / name))
    entry = {"name": name, "size": list(m.size)}
    if lossy:
        m.save(out / ("pil-" + name + ".png"), optimize=True)
        entry["near"] = "pil-" + name + ".png"
    else:
        entry["crc"] = crc(np.array(m))
    files.append(entry)


rgb = pattern(31, 22, 3)
alpha = Image.merge("RGBA", (*rgb.split(), pattern(31, 22, 1)))
clear = Image.merge("RGBA", (*rgb.split(), Image.new("L", rgb.size, 0)))
save("rgb.png", rgb)
save("alpha.png", alpha)
save("transparent.png", clear)
save("grey.png", rgb.convert("L"))
save("grey-alpha.png", alpha.convert("LA"))
save("palette.png", rgb.quantize(40))
save("palette-transparent.png", rgb.quantize(40), transparency=3)
save("bilevel.png", rgb.convert("1"))
# When PIL converts 16-bit grey to RGB, it clips at 255, which makes it white.
# What is wanted is the upper half of each sample, which is what PIL takes of colour.
sixteen = np.array(rgb.convert("L")).astype(np.uint16) * 256 + 100
save("sixteen.png", Image.fromarray(sixteen))
files[-1]["crc"] = crc(np.repeat((sixteen >> 8).astype(np.uint8)[..., None], 3, axis=2))
save("palette.gif", rgb.quantize(40))
save("animated.gif", rgb.quantize(40), save_all=True, append_images=[rgb.quantize(10)], duration=100)
save("lossless.webp", rgb, lossless=True)
save("lossless-alpha.webp", alpha, lossless=True, exact=True)

exif = Image.Exif()
for o in range(1, 9):
    exif[0x0112] = o
    save(f"turned-{o}.png", pattern(5, 3, 3), exif=exif)
exif[0x0112] = 6
smooth = Image.fromarray(np.array(pattern(24, 18, 3, False)) // 2 + 60).resize((47, 35), Image.BICUBIC)
save("turned.jpg", smooth, True, exif=exif, quality=95)
exif[0x0112] = 8
save("turned.webp", rgb, lossless=True, exif=exif)
for name, sampling in [("444", 0), ("422", 1), ("420", 2)]:
    save(f"{name}.jpg", smooth, True, subsampling=sampling, quality=92)
save("progressive.jpg", smooth, True, progressive=True, quality=92)
save("grey.jpg", smooth.convert("L"), True, quality=92)
save("cmyk.jpg", smooth.convert("CMYK"), True, quality=95)
save("lossy.webp", smooth, True, quality=90)
save("lossy-odd.webp", smooth.crop((0, 0, 30, 34)), True, quality=60)
save("lossy-alpha.webp", Image.merge("RGBA", (*smooth.split(), smooth.convert("L"))), True, quality=90)
save("smallest.jpg", smooth.crop((0, 0, 1, 1)), True, subsampling=2, quality=92)

(out / "reference.json").write_text(json.dumps({
    "pillow": PIL.__version__, "transformers": transformers.__version__, "diffusers": diffusers.__version__,
    "resize": resize, "grey": grey, "clip": clip, "vae": vae, "post": post, "masks": masks, "ip": ip, "files": files,
}, separators=(",", ":")))
