"""Image prompts in tiles and kept embeddings, for model/imageproc and model/pipeline/adapters_test.go.

    python tests/reference/tiled.py FOLDER     writes tests/fixtures/adapters/tiled.json

FOLDER is a checkout of ComfyUI_IPAdapter_plus (github.com/cubiq/ComfyUI_IPAdapter_plus), whose own
lines cut the pictures and make the masks. In the pipelines every tile has a softmax and a mask of
its own, as diffusers' pictures with masks have, with that project's interpolation. The embeddings
are what diffusers' prepare_ip_adapter_image_embeds returns.
"""
import json
import math
import pathlib
import sys

import diffusers
import torch
import torch.nn.functional as F
import torchvision.transforms.v2 as T
from diffusers.image_processor import IPAdapterMaskProcessor
from PIL import Image

import pipelines
from adapters import cut
from sensitivity import measured, numbers

OUT = pathlib.Path(__file__).parent.parent / "fixtures/adapters"
SIZES = [(90, 40), (37, 100), (61, 50), (300, 50), (128, 128)]  # width and height
PLACES = [(8, 8), (5, 11)]


def picture(width, height):
    """Numbers from 0 to 255 without a pattern, [height, width, 3]."""
    return (torch.arange(width * height * 3) ** 2 % 1009 % 256).float().reshape(height, width, 3)


def tiles(folder, width, height):
    """The tiles and their masks, by the lines of apply_tiled."""
    text = (folder / "IPAdapterPlus.py").read_text()
    names = dict(torch=torch, T=T, Image=Image, math=math, image=picture(width, height)[None] / 255, attn_mask=None, sharpening=0)
    exec(cut(text, "        tile_size = 256", "        # 3. Apply the ipadapter to each group of tiles"), names)
    return names["tiles"], names["masks"]


def measure(tile):
    """Some of a tile's pixels, and their sum."""
    flat = (tile * 255).round().int().flatten()
    return dict(sum=int(flat.sum()), pixels=flat[::9973].tolist())


def place(mask, h, w):
    return F.interpolate(mask[:, None], size=(h, w), mode="bilinear")[0, 0]


def tilings(folder):
    for width, height in SIZES:
        cut_out, masks = tiles(folder, width, height)
        yield dict(width=width, height=height, tiles=[measure(t) for t in cut_out],
                   places=[[dict(h=h, w=w, values=numbers(place(m, h, w))) for h, w in PLACES] for m in masks])


def run(folder, case, dtype):
    """A case whose adapter's pictures are the tiles of a picture of its "frame"."""
    a = case["adapters"][0]
    if "frame" not in a:
        return pipelines.run(case, dtype)[0]
    masks = tiles(folder, *a["frame"])[1]
    assert len(masks) == len(a["images"])

    def downsample(mask, batch, queries, dims):
        # It is called for each picture in turn, with its mask.
        i = downsample.calls % len(masks)
        downsample.calls += 1
        h = int(case["height"] / 8 / math.sqrt(case["height"] * case["width"] / 64 / queries))  # as ipadapter_attention finds it
        h += int(queries % h != 0)
        return place(masks[i], h, queries // h).flatten().view(1, -1, 1).repeat(batch, 1, dims)
    downsample.calls = 0
    real = IPAdapterMaskProcessor.downsample
    IPAdapterMaskProcessor.downsample = staticmethod(lambda mask, batch, queries, dims: downsample(mask, batch, queries, dims).to(dtype))
    try:
        return pipelines.run(dict(case, adapters=[dict(a, mask=[0, case["width"]])]), dtype)[0]
    finally:
        IPAdapterMaskProcessor.downsample = real


def cases():
    base = dict(dict(pipelines.cases())["a_text"], model="b", steps=2, height=64, width=64)
    yield "tiled_global", dict(base, adapters=[dict(kind="global", scale=1.0, images=["p1", "p3"], frame=[50, 30])])
    yield "tiled_plus", dict(base, width=96, adapters=[dict(kind="plus", scale=1.0, images=["p2", "p4", "p5"], frame=[37, 100])])
    yield "tiled_full", dict(base, adapters=[dict(kind="full", scale=1.0, images=["p1", "p2", "p3", "p4"], frame=[61, 50])])


def kept():
    """What diffusers makes of pictures with guidance, in float32: the negative embeddings and then the pictures'."""
    parts, keys, _ = pipelines.build("b")
    pipe = diffusers.StableDiffusionPipeline(vae=parts["vae"], text_encoder=parts["text_encoder"], tokenizer=None, unet=parts["unet"], safety_checker=None,
                                             scheduler=diffusers.DDIMScheduler(), feature_extractor=None, image_encoder=parts["image_encoder"], requires_safety_checker=False)
    pipe.load_ip_adapter([pipelines.adapter_state("b", "global", keys)], subfolder=None, weight_name=[None], image_encoder_folder=None, low_cpu_mem_usage=False)
    size = pipelines.VISION["image_size"]
    pixels = torch.cat([pipelines.picture(p, size, size) for p in ("p1", "p3")])
    embeds, = pipe.prepare_ip_adapter_image_embeds([pixels], None, "cpu", 1, True)
    return dict(shape=list(embeds.shape), values=numbers(embeds))


def main():
    pipelines.float32_draws()
    pipelines.KINDS += ("full",)
    folder = pathlib.Path(sys.argv[1])
    fixture = dict(tilings=list(tilings(folder)), cases={}, embeds=kept())
    for name, case in cases():
        without = dict(case, adapters=[{k: v for k, v in case["adapters"][0].items() if k != "frame"}])
        want, half, other = run(folder, case, torch.float32), run(folder, case, torch.float16), run(folder, without, torch.float32)
        fixture["cases"][name] = case | dict(latents=numbers(want), **measured(name, want, half, other))
    base = dict(dict(pipelines.cases())["a_text"], model="b", steps=2, height=64, width=64, adapters=[dict(kind="global", scale=1.0, images=["p1", "p3"])])
    want, half, other = (pipelines.run(c, t)[0] for c, t in ((base, torch.float32), (base, torch.float16), (dict(base, adapters=[dict(base["adapters"][0], images=["p2"])]), torch.float32)))
    fixture["cases"]["kept"] = base | dict(latents=numbers(want), **measured("kept", want, half, other))
    (OUT / "tiled.json").write_text(json.dumps(fixture, separators=(",", ":")))


if __name__ == "__main__":
    main()
