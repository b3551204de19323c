"""Latents of whole pipelines in a few steps, for model/pipeline/fast_test.go.

    python tests/reference/fast.py     writes tests/fixtures/fast/fast.json

The models are those of pipelines.py and one more, whose UNet takes the guidance as an embedding
(time_cond_proj_dim), as a fully distilled LCM does. Each case stores how far its latents move
when what it tests is changed: another scheduler, another eta, another guidance.
"""
import json
import pathlib

import diffusers
import torch

import pipelines
from pipelines import MODELS, build, float32_draws, run
from sensitivity import measured, numbers

OUT = pathlib.Path(__file__).parent.parent / "fixtures/fast"

_a = MODELS["a"]
MODELS["lcm"] = dict(_a, unet=dict(_a["unet"], time_cond_proj_dim=32), scheduler=dict(
    _a["scheduler"], _class_name="LCMScheduler", original_inference_steps=50, timestep_scaling=10.0))


def cases():
    """Name, case, and what is changed to see how far the latents move."""
    base = dict(dict(pipelines.cases())["a_text"], steps=4, height=64, width=64, guidance=1.5)
    yield "tcd", dict(base, scheduler="tcd", eta=0.3, num_images=2), dict(eta=0.0)
    yield "tcd_img2img", dict(base, scheduler="tcd", eta=1.0, kind="img2img", strength=0.6, steps=5), dict(eta=0.3)
    yield "ddim_eta", dict(base, scheduler="ddim_trailing", eta=0.5), dict(eta=0.0)
    yield "ddim_trailing", dict(base, scheduler="ddim_trailing", guidance=1.0, steps=2), dict(scheduler="ddim")
    yield "dpmpp_2m_sde", dict(base, scheduler="dpmpp_2m_sde"), dict(scheduler="dpmpp_2m")
    yield "euler_sgm_uniform", dict(base, scheduler="euler_sgm_uniform"), dict(scheduler="euler")
    yield "lcm_guidance", dict(base, model="lcm", scheduler="lcm", guidance=8.0), dict(guidance=4.0)
    yield "lcm_guidance_1", dict(base, model="lcm", scheduler="lcm", guidance=1.0), dict(guidance=1.5)


def main():
    float32_draws()
    OUT.mkdir(parents=True, exist_ok=True)
    _, keys, configs = build("lcm")
    fixture = dict(diffusers=diffusers.__version__, models=dict(lcm=dict(keys=keys, configs=configs)), cases={})
    for name, case, change in cases():
        want, half, other = run(case, torch.float32)[0], run(case, torch.float16)[0], run(case | change, torch.float32)[0]
        fixture["cases"][name] = case | dict(latents=numbers(want), shape=list(want.shape), **measured(name, want, half, other))
    (OUT / "fast.json").write_text(json.dumps(fixture, separators=(",", ":")))


if __name__ == "__main__":
    main()
