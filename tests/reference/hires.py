"""A second pass in a larger size ("hires fix") on the small models of pipelines.py, for model/pipeline/hires_test.go.

    python tests/reference/hires.py                writes tests/fixtures/hires/hires.json
    python tests/reference/hires.py --case latent  prints one case, and writes nothing

StableDiffusionPipeline draws the first pass. torch enlarges its latents, as A1111's web UI does for the upscalers
whose names begin with Latent. StableDiffusionImg2ImgPipeline takes them as its image, with a new generator of the
same seed, and runs the second pass. Each case has diffusers' own float16 error, and how far its latents move if what
it tests is changed (sensitivity.py). enlarge holds what torch makes of latents alone.
"""
import pathlib

import torch

import pipelines
import sensitivity
from networks import given

OUT = pathlib.Path(__file__).parent.parent / "fixtures/hires"
MODES = {"Latent": "bilinear", "Latent (bicubic)": "bicubic", "Latent (nearest-exact)": "nearest-exact"}


def enlarged(latents, case):
    size = [int(n * case["hires_scale"]) // 8 for n in (case["height"], case["width"])]
    return torch.nn.functional.interpolate(latents, size=size, mode=MODES[case["hires_upscaler"]], antialias=False)


def run(case, dtype):
    first = pipelines.run(case, dtype)[0].to(dtype)
    larger = enlarged(first, case)
    second = dict(case, kind="img2img", height=8 * larger.shape[2], width=8 * larger.shape[3], strength=case["hires_strength"],
                  steps=case["hires_steps"], seed=case["seed"] + case.get("other_noise", 0))
    picture = pipelines.picture
    pipelines.picture = lambda name, h, w: larger if name == "init" else picture(name, h, w)
    out = pipelines.run(second, dtype)[0]
    pipelines.picture = picture
    return out


def cases():
    given = dict(pipelines.cases())
    base = dict(given["a_text"], steps=3, height=64, width=48, num_images=1, hires_scale=1.5, hires_strength=0.7, hires_steps=5)
    adapters = [dict(kind="plus", scale=0.8, images=["one"])]
    yield "latent", dict(base, model="b", scheduler="euler_a", hires_upscaler="Latent", adapters=adapters)
    yield "bicubic", dict(base, model="b", scheduler="dpmpp_2m", hires_scale=1.3, hires_upscaler="Latent (bicubic)")


def changes(case):
    yield "other noise", dict(case, other_noise=1)
    yield "another upscaler", dict(case, hires_upscaler="Latent" if case["hires_upscaler"] != "Latent" else "Latent (nearest-exact)")
    yield "another strength", dict(case, hires_strength=0.4)


def alone():
    """Latents [4, 5, 6], enlarged to 7 × 10 by every upscaler."""
    x = given("a", "enlarge", 4, 5, 6, dtype=torch.float32)
    return dict(enlarge={name: sensitivity.numbers(torch.nn.functional.interpolate(x[None], size=(7, 10), mode=mode)) for name, mode in MODES.items()})


if __name__ == "__main__":
    sensitivity.main(OUT / "hires.json", cases(), changes, run, alone, float32_only=("another upscaler",))
