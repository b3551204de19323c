"""Tiled decoding and encoding (AutoencoderKL's and AutoencoderTiny's enable_tiling) on small models, for model/pipeline/coder_test.go.

    python tests/reference/vae_tiling.py     writes tests/fixtures/vae_tiling/vae_tiling.json

Each case has diffusers' own float16 error, and how far its result moves without tiles, and with tiles that
are laid side by side without being blended. The last tiles are smaller than the others, in both directions.
"""
import pathlib

import torch

import pipelines
import sensitivity
import tiny_vae
from networks import first, given, last

OUT = pathlib.Path(__file__).parent.parent / "fixtures/vae_tiling"
TINY_TILE = 16  # latents; its own, 64, would need large pictures


def tiled(vae, x, method, tile_sample, factor):
    """The whole of a tiled result without blending: of each tile, what lies before the next one."""
    decode = method == "decode"
    tile = tile_sample // 8 if decode else tile_sample
    step = int(tile * (1 - factor))
    scale = (lambda n: n * 8) if decode else (lambda n: n // 8)
    rows = []
    for i in range(0, x.shape[2], step):
        row = []
        for j in range(0, x.shape[3], step):
            part = x[:, :, i:i + tile, j:j + tile]
            row.append(half(vae, part, method)[:, :, :scale(step), :scale(step)])
        rows.append(torch.cat(row, 3))
    return torch.cat(rows, 2)


def half(vae, x, method):
    """What a half makes of a tile or, with tiling, of the whole."""
    tiling, vae.use_tiling = vae.use_tiling, False
    out = whole(vae, x, method)
    vae.use_tiling = tiling
    return out


def whole(vae, x, method):
    if method == "decode":
        return vae.decode(x).sample
    out = vae.encode(x)
    return out.latents if hasattr(out, "latents") else out.latent_dist.parameters


def run(case, dtype):
    """[H, W, C]"""
    h, w = case["size"]
    if case["vae"] == "tiny":
        vae = tiny_vae.build(dtype)[0]
        vae.tile_latent_min_size, vae.tile_sample_min_size = TINY_TILE, 8 * TINY_TILE
    else:
        vae = pipelines.build(case["vae"])[0]["vae"].to(dtype)
    shape = (1, h // 8, w // 8, 4) if case["method"] == "decode" else (1, h, w, 3)
    x = first(given(case["vae"], case["method"], *shape, dtype=dtype))
    if case["tiling"] == "not blended":
        return last(tiled(vae, x, case["method"], vae.tile_sample_min_size, vae.tile_overlap_factor)).float()
    if case["tiling"]:
        vae.enable_tiling()
    return last(whole(vae, x, case["method"])).float()


def cases():
    for method in ("decode", "encode"):
        yield method, dict(vae="a", method=method, size=(56, 40), tiling=True, every=5 if method == "decode" else 1)
        yield "tiny " + method, dict(vae="tiny", method=method, size=(144, 120), tiling=True, every=37 if method == "decode" else 1)


def changes(case):
    yield "no tiles", dict(case, tiling=False)
    yield "not blended", dict(case, tiling="not blended")


def some(case, dtype):
    return run(case, dtype).flatten()[::case["every"]]


if __name__ == "__main__":
    sensitivity.main(OUT / "vae_tiling.json", cases(), changes, some, lambda: dict(tiny_tile=TINY_TILE))
