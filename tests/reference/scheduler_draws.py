"""What diffusers' pipelines draw with torch.randn, in order, for model/scheduler's PlanDraws.

    python tests/reference/scheduler_draws.py      writes tests/fixtures/scheduler/draws.json and draws_fast.json

The three pipelines run on the smallest models that they accept, with a torch.randn that
records its callers.
"""
import functools
import json
import logging
import pathlib
import sys
import warnings

import diffusers
import torch
from diffusers import AutoencoderKL, StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline, StableDiffusionPipeline, UNet2DConditionModel

from scheduler_names import ARGUMENTS, CLASSES, ETA, FIRST

OUT = pathlib.Path(__file__).parent.parent / "fixtures/scheduler"
CONFIG = dict(_class_name="PNDMScheduler", beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000,
              set_alpha_to_one=False, skip_prk_steps=True, steps_offset=1, trained_betas=None, clip_sample=False)
HEIGHT, WIDTH, STEPS = 8, 16, 5
PIPELINES = dict(text2img=StableDiffusionPipeline, img2img=StableDiffusionImg2ImgPipeline, inpaint=StableDiffusionInpaintPipeline,
                 inpaint9=StableDiffusionInpaintPipeline)
torch.set_grad_enabled(False)
UNETS = {c: UNet2DConditionModel(sample_size=64, in_channels=c, block_out_channels=(8, 8), layers_per_block=1, attention_head_dim=2, cross_attention_dim=8, norm_num_groups=4,
                                 down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D")) for c in (4, 9)}
VAE = AutoencoderKL(block_out_channels=(8, 8), layers_per_block=1, norm_num_groups=4, down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2)
randn = torch.randn


def name_of_draw():
    """The purpose of a draw, from the functions on the call stack."""
    names, frame = [], sys._getframe(2)
    while frame:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    if "prepare_mask_latents" in names:
        return "masked_image_latents"
    if "prepare_latents" in names:
        return "image_latents" if "retrieve_latents" in names else "noise"
    if "step" in names:
        return "step"
    raise RuntimeError(f"torch.randn was called from {names}")


def run(kind, name, images, strength, eta, guidance):
    pipe = PIPELINES[kind](vae=VAE, text_encoder=None, tokenizer=None, unet=UNETS[9 if kind == "inpaint9" else 4], safety_checker=None, feature_extractor=None,
                           requires_safety_checker=False, scheduler=getattr(diffusers, CLASSES[name]).from_config(CONFIG, **ARGUMENTS[name]))
    pipe.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(1)
    draws, steps = [], [-1]
    step = pipe.scheduler.step

    @functools.wraps(step)  # keeps the signature, from which a pipeline sees which arguments a scheduler accepts
    def counted(*args, **kwargs):
        steps[0] += 1
        return step(*args, **kwargs)

    def noted(*size, **kwargs):
        assert kwargs["generator"] is generator
        what = name_of_draw()
        draws.append(dict(name=what, step=steps[0] if what == "step" else 0, shape=list(size[0])))
        return randn(*size, **kwargs)

    kwargs = dict(prompt_embeds=randn(1, 3, 8), negative_prompt_embeds=randn(1, 3, 8))
    if kind != "text2img":
        kwargs |= dict(image=randn(1, 3, HEIGHT, WIDTH).clamp(-1, 1), strength=strength)
    if kind.startswith("inpaint"):
        kwargs["mask_image"] = (randn(1, 1, HEIGHT, WIDTH) > 0).float()
    if kind != "img2img":
        kwargs |= dict(height=HEIGHT, width=WIDTH)
    pipe.scheduler.step, torch.randn = counted, noted
    try:
        # output_type np: the decoder runs, too.
        pipe(num_inference_steps=STEPS, guidance_scale=guidance, generator=generator, num_images_per_prompt=images, eta=eta, output_type="np", **kwargs)
    finally:
        torch.randn = randn
    return dict(kind=kind, scheduler=name, steps=STEPS, images=images, strength=strength, eta=eta, latents=[4, HEIGHT // 2, WIDTH // 2], draws=draws)


def write(file, kinds, names):
    cases = []
    for kind in kinds:
        for name in names:
            for images, strength, guidance in [(1, 1.0, 7.5), (3, 1.0, 1.0)] + ([] if kind == "text2img" else [(1, 0.6, 1.0), (2, 0.6, 7.5)]):
                for eta in (0.0, 0.5) if name in ETA else (0.0,):
                    cases.append(run(kind, name, images, strength, eta, guidance))
    out = OUT / file
    out.write_text(json.dumps(dict(diffusers=diffusers.__version__, config=json.dumps(CONFIG), cases=cases), separators=(",", ":")))
    print(file, len(cases), "cases,", out.stat().st_size, "bytes, diffusers", diffusers.__version__)


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    write("draws.json", PIPELINES, FIRST)
    write("draws_fast.json", ("text2img", "img2img", "inpaint"), [n for n in CLASSES if n not in FIRST])


if __name__ == "__main__":
    main()
