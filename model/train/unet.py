"""The UNet, SD1.5's architecture made small; noise loss with min-SNR weights, prompts dropped in one draw of ten.

Goes on from its state, else from base/unet where there is one (with its optimizer begun anew), else from nothing.
With --styles and --output it makes another base of this one, on some styles alone: what a community's fine-tuned
model is to Stable Diffusion, and an adapter must work on it untrained (paper, 4.3).
"""
import argparse
import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from adapter import noise_loss
from captions import Captions
from emoji import Emoji
from training import DEVICE, GPU, Run, autocast


def new_unet():
    return UNet2DConditionModel(
        sample_size=16, block_out_channels=(96, 160, 208), layers_per_block=1, attention_head_dim=4, cross_attention_dim=160, norm_num_groups=16,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"))


def scheduler_of(base, prediction="v_prediction"):
    """Reads base/scheduler, or makes it where there is none. What a training step needs of it is on DEVICE."""
    if (base / "scheduler").exists():
        scheduler = DDIMScheduler.from_pretrained(base / "scheduler")
    else:
        scheduler = DDIMScheduler(beta_start=.00085, beta_end=.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False, steps_offset=1, prediction_type=prediction)
        scheduler.save_pretrained(base / "scheduler")
    scheduler.alphas_cumprod = scheduler.alphas_cumprod.to(DEVICE)
    return scheduler


class Words:
    """The captions of the work folder's pictures, and what the text encoder makes of them."""

    def __init__(self, emoji, base, trigger=None):
        self.captions = Captions(emoji, CLIPTokenizer.from_pretrained(base / "tokenizer"), trigger)
        self.text = CLIPTextModel.from_pretrained(base / "text_encoder", dtype=torch.float32).to(DEVICE).eval().requires_grad_(False)
        if GPU:
            self.captions.keep_states(self.text)

    def states(self, index):
        return self.captions.states(index, self.text)


@torch.no_grad()
def told_apart(unet, scheduler, words, latents, colours, pictures, repeats=8):
    """The error of x0 with min-SNR weights, by which both predictions can be compared: of early, middle and late times, and of all."""
    torch.manual_seed(77)
    picked = torch.as_tensor(pictures, device=DEVICE).repeat(repeats)
    r = torch.randint(len(latents), (len(picked),), device=DEVICE)
    z, noise = latents[r, picked].float(), torch.randn(len(picked), *latents.shape[2:], device=DEVICE)
    t = (torch.arange(len(picked), device=DEVICE) * 1000 // len(picked))[torch.randperm(len(picked), device=DEVICE)]
    h = words.states(words.captions.full(picked, colours[r, picked].long()))
    losses = []
    for part in torch.arange(len(picked), device=DEVICE).split(256):
        x = scheduler.add_noise(z[part], noise[part], t[part])
        with autocast():
            out = unet(x, t[part], h[part].float(), return_dict=False)[0].float()
        a = scheduler.alphas_cumprod[t[part]][:, None, None, None]
        x0 = a.sqrt() * x - (1 - a).sqrt() * out if scheduler.config.prediction_type == "v_prediction" else (x - (1 - a).sqrt() * out) / a.sqrt()
        losses.append((x0 - z[part]).square().mean((1, 2, 3)) * (a / (1 - a)).clamp(max=5).flatten())
    loss = torch.cat(losses)
    thirds = [loss[(t >= 1000 * k // 3) & (t < 1000 * (k + 1) // 3)].mean().item() for k in range(3)]
    return ", ".join(f"{v:.4f}" for v in (*thirds, loss.mean().item()))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=66)
    parser.add_argument("--batch", type=int, default=512 if GPU else 64)
    parser.add_argument("--learning-rate", type=float, default=1e-3 if GPU else 8e-4)
    parser.add_argument("--warm-up", type=int, default=200, help="steps of rising rate")
    parser.add_argument("--ema", type=float, default=.999, help="decay of the weights' average, which is what is written")
    parser.add_argument("--flat", type=float, default=.6, help="share of the run after which the rate begins to fall")
    parser.add_argument("--everyday", type=float, default=.25, help="share of the draws that come from emoji.EVERYDAY alone")
    parser.add_argument("--others", type=float, default=.35, help="share of the draws that come from all drawings")
    parser.add_argument("--styles", nargs="+", help="train on these alone")
    parser.add_argument("--prediction", choices=["v_prediction", "epsilon"], default="v_prediction", help="of a new base")
    parser.add_argument("--output", type=Path, help="default: base/unet in the work folder")
    parser.add_argument("--compile", action="store_true", help="minutes to compile, then 1.4 times as fast on a CPU")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads), torch.manual_seed(0)
    base = args.work / "base"
    output = args.output or base / "unet"
    emoji = Emoji(args.work)
    bank = np.load(args.work / "bank.npz")
    latents, colours = torch.from_numpy(bank["Z"]).to(DEVICE), torch.from_numpy(bank["C"]).to(DEVICE)
    styles = tuple(args.styles) if args.styles else None
    words, scheduler = Words(emoji, base), scheduler_of(base, args.prediction)
    unet = UNet2DConditionModel.from_pretrained(base / "unet", torch_dtype=torch.float32) if (base / "unet").exists() else new_unet()
    unet = unet.to(DEVICE, memory_format=torch.channels_last).train()
    run = Run(unet, args.work / f"{output.name}.state.pt", args.minutes, args.learning_rate, weight_decay=.01, warm_up=args.warm_up, flat=args.flat, ema=args.ema)
    forward = torch.compile(run.working) if args.compile else run.working
    dtype = run.working.dtype

    def loss_of():
        i = emoji.draw(args.batch, args.everyday, args.others, styles)
        r = torch.randint(len(latents), (args.batch,), device=DEVICE)
        z = latents[r, i].float()
        # Beside an image prompt people write only what is to change ("on a red background"): the name is left out at times.
        h = words.states(words.captions.draw(i, colours[r, i].long(), says=(.8, .85, .8), empty=.1))
        noise, t = torch.randn_like(z), torch.randint(0, 1000, (args.batch,), device=DEVICE)
        x = scheduler.add_noise(z, noise, t).contiguous(memory_format=torch.channels_last)
        with autocast():
            out = forward(x.to(dtype), t, h.to(dtype), return_dict=False)[0]
        return noise_loss(scheduler, out, z, noise, t, gamma=5)

    run.train(loss_of)
    run.take_average()
    part = output.with_name(output.name + ".part")  # a run that is cut off leaves no half folder
    (unet.half() if args.output else unet).save_pretrained(part)  # another base is as it would ship, in float16
    shutil.rmtree(output, ignore_errors=True)
    part.rename(output)
    unet.float()
    for name, pictures in (("held out", emoji.held), ("everyday", emoji.pool()[0].cpu().numpy()[::4])):
        print(f"{name}: weighted error of x0, times 0-332, -666, -999, all: {told_apart(unet.eval(), scheduler, words, latents, colours, pictures)}", flush=True)


if __name__ == "__main__":
    main()
