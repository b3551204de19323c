"""Sheets for the eye: everyday names in words alone, and image prompts with and without words, a row for each model.

    look.py --work WORK --models web/model other/model --output FOLDER

The seed is one and the same for all, and no picture is chosen: words.png has 24 names, prompts.png 12 pictures (half of
everyday names, half held out) alone at λ 1 and beside "on a ... background" at λ 0.6, by either adapter.
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline
from PIL import Image

from emoji import COLOURS, Emoji, on_background
from evaluate import as_image
from training import DEVICE, autocast

NAMES = ("fox, cat, dog, lion, panda, penguin, owl, octopus, butterfly, sunflower, cactus, rose, red apple, banana, pizza, hamburger, house, rocket, "
         "automobile, guitar, snowman, rainbow, crown, smiling face with sunglasses").split(", ")
PROMPTS = [("3d", "fox"), ("noto", "cactus"), ("flat", "octopus"), ("noto", "strawberry"), ("3d", "rocket"), ("flat", "sunflower")]
ADAPTERS = ("ip-adapter", "ip-adapter-plus")
SIDE = 128  # of a picture


def sheet(rows, across):
    """Rows of pictures, cut where they are longer than across: each row's first part, then each row's second."""
    cut = [row[k:k + across] for k in range(0, len(rows[0]), across) for row in rows]
    out = Image.new("RGB", (across * SIDE, len(cut) * SIDE), "white")
    for y, row in enumerate(cut):
        for x, picture in enumerate(row):
            out.paste(picture, (x * SIDE, y * SIDE))
    return out


@torch.no_grad()
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--models", type=Path, nargs="+", required=True)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--guidance", type=float, default=5)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--words-only", action="store_true")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    args.output.mkdir(parents=True, exist_ok=True)

    def load(model):
        pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32, safety_checker=None)
        pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
        pipe.to(DEVICE).set_progress_bar_config(disable=True)
        return pipe

    def made(pipe, words, **extra):
        noise = torch.randn(len(words), 4, 16, 16, generator=torch.Generator().manual_seed(args.seed))
        with autocast():
            return pipe(words, latents=noise.to(DEVICE), num_inference_steps=args.steps, guidance_scale=args.guidance, **extra).images

    words = [f"3d emoji of {name}" for name in NAMES]
    sheet([made(load(m), words) for m in args.models], 12).save(args.output / "words.png", optimize=True)
    if args.words_only:
        return

    emoji, rng = Emoji(args.work), np.random.default_rng(4)
    where = {(m["style"], m["name"]): i for i, m in enumerate(emoji.meta)}
    chosen = [where[p] for p in PROMPTS if p in where] + list(rng.choice(emoji.held, min(len(PROMPTS), len(emoji.held)), replace=False))
    colours = rng.integers(1, len(COLOURS), len(chosen))
    prompts = [as_image(emoji.pictures([i], augment=False, colour=COLOURS[c])[0][0]) for i, c in zip(chosen, colours)]
    rows = [prompts]
    for adapter in ADAPTERS:
        for scale, texts in ((1.0, [""] * len(chosen)), (.6, [on_background((c + 5) % 11 + 1) for c in colours])):
            for model in args.models:
                pipe = load(model)
                pipe.load_ip_adapter(str(model), subfolder="", weight_name=f"{adapter}.safetensors", image_encoder_folder=None)
                pipe.set_ip_adapter_scale(scale)
                pixels = pipe.feature_extractor(prompts, return_tensors="pt").pixel_values
                seen, nothing = pipe.encode_image(pixels, DEVICE, 1, output_hidden_states=adapter.endswith("plus"))
                embeds = [torch.cat([nothing[:, None], seen[:, None]])]
                pipe.prepare_ip_adapter_image_embeds = lambda *_, embeds=embeds, **__: embeds  # each prompt its own picture (evaluate.py)
                rows.append(made(pipe, texts, ip_adapter_image_embeds=embeds))
    sheet(rows, len(chosen)).save(args.output / "prompts.png", optimize=True)


if __name__ == "__main__":
    main()
