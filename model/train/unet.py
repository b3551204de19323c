"""The UNet, SD1.5's architecture made small; noise loss with min-SNR weights, prompts dropped in one draw of ten.

Goes on from its state, else from base/unet where there is one (with its optimizer begun anew), else from nothing.
With --styles and --output it makes another base of this one, on some styles alone: what a community's fine-tuned
model is to Stable Diffusion, and an adapter must work on it untrained (paper, 4.3).
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from adapter import noise_loss
from emoji import Emoji
from training import DEVICE, Run, autocast, token_ids


def new_unet():
    return UNet2DConditionModel(
        sample_size=16, block_out_channels=(80, 160, 240), layers_per_block=1, attention_head_dim=4, cross_attention_dim=160, norm_num_groups=16,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=66)
    parser.add_argument("--batch", type=int, default=512 if DEVICE == "cuda" else 64)
    parser.add_argument("--learning-rate", type=float, default=8e-4)
    parser.add_argument("--warm-up", type=int, default=200, help="steps of rising rate")
    parser.add_argument("--ema", type=float, default=.999, help="decay of the weights' average, which is what is written")
    parser.add_argument("--flat", type=float, default=.6, help="share of the run after which the rate begins to fall")
    parser.add_argument("--everyday", type=float, default=0, help="share of the draws that come from emoji.EVERYDAY alone")
    parser.add_argument("--styles", nargs="+", help="train on these alone")
    parser.add_argument("--output", type=Path, help="default: base/unet in the work folder")
    parser.add_argument("--compile", action="store_true", help="two minutes and a half to compile, then 1.4 times as fast on a CPU")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads), torch.manual_seed(0)
    base = args.work / "base"
    output = args.output or base / "unet"
    emoji, bank = Emoji(args.work), np.load(args.work / "bank.npz")
    latents, colours = torch.from_numpy(bank["Z"]).to(DEVICE), bank["C"]
    styles = tuple(args.styles) if args.styles else None
    tokenizer = CLIPTokenizer.from_pretrained(base / "tokenizer")
    text = CLIPTextModel.from_pretrained(base / "text_encoder", dtype=torch.float32).to(DEVICE).eval().requires_grad_(False)
    unet = UNet2DConditionModel.from_pretrained(base / "unet", torch_dtype=torch.float32) if (base / "unet").exists() else new_unet()
    unet = unet.to(DEVICE, memory_format=torch.channels_last).train()
    forward = torch.compile(unet) if args.compile else unet
    scheduler = DDIMScheduler(beta_start=.00085, beta_end=.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    scheduler.save_pretrained(base / "scheduler")

    run = Run(unet, args.work / f"{output.name}.state.pt", args.minutes, args.learning_rate, weight_decay=.01, warm_up=args.warm_up, flat=args.flat, ema=args.ema)
    for step in run:
        rng = np.random.default_rng((1, step))
        i, r = emoji.draw(rng, args.batch, args.everyday, styles), rng.integers(0, len(latents), args.batch)
        z = latents[r, i].float()
        # Beside an image prompt people write only what is to change ("on a red background"): the name is left out at times.
        prompts = [emoji.caption(k, colours[q, k], rng, says=(.8, .85, .8)) if rng.random() > .1 else "" for q, k in zip(r, i)]
        ids = token_ids(tokenizer, prompts).to(DEVICE)
        noise, t = torch.randn_like(z), torch.randint(0, 1000, (args.batch,), device=DEVICE)
        x = scheduler.add_noise(z, noise, t).contiguous(memory_format=torch.channels_last)
        with autocast():
            with torch.no_grad():
                h = text(ids).last_hidden_state
            out = forward(x, t, h, return_dict=False)[0]
        run.learn(noise_loss(scheduler, out, z, noise, t, gamma=5))
    run.take_average()
    (unet.half() if args.output else unet).save_pretrained(output)  # another base is as it would ship, in float16


if __name__ == "__main__":
    main()
