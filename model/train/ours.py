"""The adapters of the demo model, by the paper's training as in adapter.py, with all that a step needs in memory.

The base is frozen. Text, image and both are dropped in 0.05 of the draws each. K' and V' begin as copies of K and V, or from
the file that --warm-start names, for example align.py's. adapter.py reads pictures from files; here a step draws latents, captions
and the image encoder's outputs from the bank (bank.py), and on a GPU it is one CUDA graph.
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPVisionConfig

from adapter import noise_loss
from adapter_networks import Adapter, projection_for
from captions import SUFFIXES
from emoji import Emoji
from features import ImagePrompts
from training import DEVICE, GPU, Run, autocast
from unet import Words, scheduler_of


class Draws:
    """Batches of the bank for an adapter: latents, the words' hidden states, and what stands for the image prompt."""

    def __init__(self, work, kind, batch, everyday, others):
        self.emoji, self.batch, self.shares = Emoji(work), batch, (everyday, others)
        self.words, self.images = Words(self.emoji, work / "base"), ImagePrompts(work, kind)
        bank = np.load(work / "bank.npz")
        views = len(self.images)
        self.latents, self.colours = torch.from_numpy(bank["Z"][:views]).to(DEVICE), torch.from_numpy(bank["C"][:views]).to(DEVICE).long()

    def __call__(self, drop=.05):
        i, chance, n = self.emoji.draw(self.batch, *self.shares), torch.rand(self.batch, device=DEVICE), self.batch
        shown, other = torch.randint(len(self.images), (2, n), device=DEVICE)
        # Captions of the web's pictures, which the paper trains on, say a part of what is seen; ours could say all of it,
        # and would leave the image prompt nothing to add.
        said = self.words.captions.draw(i, self.colours[shown, i], says=(.5, .5, .5))
        # As in the paper the image prompt is the target itself; but where the words name the background, it may be another
        # view of the same drawing, so that words keep their say about background and place.
        prompted = torch.where((said % len(SUFFIXES) > 0) & (torch.rand(n, device=DEVICE) < .35), other, shown)
        said = torch.where(chance < 2 * drop, 0, said)
        no_image = (chance < drop) | (chance > 1 - drop)
        return self.latents[shown, i].float(), self.words.states(said), self.images.of(prompted, i, no_image)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--adapter", choices=["global", "plus", "simple"], default="global")
    parser.add_argument("--resampler-dim", type=int, default=192)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--batch", type=int, default=512 if GPU else 32)
    parser.add_argument("--learning-rate", type=float, default=5e-4 if GPU else 5e-5)
    parser.add_argument("--warm-up", type=int, default=100, help="steps of rising rate")
    parser.add_argument("--warm-start", type=Path, help="an adapter's file to begin from")
    parser.add_argument("--base", type=Path, help="default: base in the work folder")
    parser.add_argument("--everyday", type=float, default=.2)
    parser.add_argument("--others", type=float, default=.5)
    parser.add_argument("--min-snr", type=float, default=5)
    parser.add_argument("--flat", type=float, default=.4)
    parser.add_argument("--ema", type=float, default=.998)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads), torch.manual_seed(0)
    base = args.base or args.work / "base"
    draws, scheduler = Draws(args.work, args.adapter, args.batch, args.everyday, args.others), scheduler_of(base)
    unet = UNet2DConditionModel.from_pretrained(base / "unet", torch_dtype=torch.float32).to(DEVICE, memory_format=torch.channels_last).eval().requires_grad_(False)
    adapter = Adapter(unet, projection_for(args.adapter, CLIPVisionConfig.from_pretrained(base / "image_encoder"), unet.config.cross_attention_dim, args.resampler_dim), args.adapter)
    adapter.to(DEVICE).requires_grad_(True)
    if args.warm_start:
        adapter.load(args.warm_start)
    run = Run(adapter, args.output.with_suffix(".state.pt"), args.minutes, args.learning_rate, weight_decay=.01, warm_up=args.warm_up, flat=args.flat, ema=args.ema)
    working = run.working
    working.attach(unet)
    if GPU:
        unet.bfloat16()
    dtype = unet.dtype

    def loss_of():
        z, h, image = draws()
        noise, t = torch.randn_like(z), torch.randint(0, scheduler.config.num_train_timesteps, (len(z),), device=DEVICE)
        x = scheduler.add_noise(z, noise, t).to(dtype).contiguous(memory_format=torch.channels_last)
        with autocast():
            out = unet(x, t, torch.cat([h.to(dtype), working.image_proj(image.to(dtype)).to(dtype)], 1), return_dict=False)[0]
        return noise_loss(scheduler, out, z, noise, t, args.min_snr)

    run.train(loss_of)
    run.take_average()
    adapter.save(args.output)


if __name__ == "__main__":
    main()
