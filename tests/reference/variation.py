"""Variations, on the small models of pipelines.py: the noise of a seed, turned towards that of another seed.

    python tests/reference/variation.py              writes tests/fixtures/variation/variation.json
    python tests/reference/variation.py --case text  prints one case, and writes nothing

diffusers has no variation seed. Its pipelines draw the noise themselves, and what they draw is turned here as
AUTOMATIC1111's web UI turns it: slerp in modules/rng.py on a picture's [4, h, w], which turns each column of each channel by
itself. The other seed draws what a picture of it would draw before its noise, too (of a start picture, the sample of the
VAE's posterior), so that a strength of 1 gives the noise of that picture. Each case has diffusers' own float16 error, and how
far its latents move if what it tests is changed (sensitivity.py).
"""
import contextlib
import pathlib
import sys

import torch

import pipelines
import sensitivity

OUT = pathlib.Path(__file__).parent.parent / "fixtures/variation"


def slerp(t, low, high, dim=1):
    """What A1111 computes of [4, h, w]. A dim of 0 turns each pixel, and None all numbers together."""
    if dim is None:
        return slerp(t, low.reshape(1, -1), high.reshape(1, -1)).view(low.shape)
    unit = lambda x: x / torch.norm(x, dim=dim, keepdim=True)
    angle = torch.acos((unit(low) * unit(high)).sum(dim, keepdim=True))
    return torch.sin((1 - t) * angle) / torch.sin(angle) * low + torch.sin(t * angle) / torch.sin(angle) * high


@contextlib.contextmanager
def varied(case):
    """Has a pipeline turn the first noise that it draws itself; the posteriors and the steps draw theirs elsewhere."""
    module = sys.modules[pipelines.CLASSES_BY_KIND[case["kind"]].__module__]
    draw = module.randn_tensor
    other = torch.Generator().manual_seed(case["variation_seed"])

    def turned(shape, generator=None, device=None, dtype=None):
        module.randn_tensor = draw
        if case["kind"]:
            torch.randn(shape, generator=other)  # for the posterior, which has the latents' shape
        noise, towards = (torch.randn(shape, generator=g)[0] for g in (generator, other))
        return slerp(case["variation_strength"], noise, towards, case.get("dim", 1))[None].to(dtype)

    module.randn_tensor = turned
    try:
        yield
    finally:
        module.randn_tensor = draw


def run(case, dtype):
    with varied(case):
        return pipelines.run(case, dtype)[0]


def cases():
    given = dict(pipelines.cases())
    base = dict(given["a_text"], steps=3, height=64, width=96, scheduler="ddim", num_images=1, variation_seed=12, variation_strength=0.4)
    yield "text", base
    yield "step noise", dict(base, height=72, width=64, scheduler="euler_a", variation_strength=0.75)
    yield "img2img", dict(base, kind="img2img", strength=0.8, steps=4, scheduler="euler")
    yield "inpainting model", dict(base, model="c", kind="inpaint", strength=0.7, steps=4, variation_strength=0.6)


def changes(case):
    yield "no variation", dict(case, variation_strength=0.0)
    yield "the other noise alone", dict(case, variation_strength=1.0)
    yield "another variation seed", dict(case, variation_seed=13)
    yield "turned by pixels", dict(case, dim=0)
    yield "turned as one", dict(case, dim=None)


if __name__ == "__main__":
    # The noise is turned on the processor, in float32 on both paths.
    sensitivity.main(OUT / "variation.json", cases(), changes, run, float32_only=("turned as one",))
