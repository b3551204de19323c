"""Latents Z, background colours C and 64 px views V of every picture, some draws of place, mirror and background each.

The UNet, the CLIP and the adapters train on these, so that no encoder runs in their loops.
"""
import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from emoji import Emoji
from training import DEVICE, autocast


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--passes", type=int, default=4)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    emoji, rng, start = Emoji(args.work), np.random.default_rng(5), time.time()
    vae = AutoencoderKL.from_pretrained(args.work / "base" / "vae").eval().to(DEVICE, memory_format=torch.channels_last)
    shape = (args.passes, len(emoji))
    Z, C, V = np.zeros((*shape, 4, 16, 16), np.float16), np.zeros(shape, np.int8), np.zeros((*shape, 3, 64, 64), np.uint8)
    for r in range(args.passes):
        for b in range(0, len(emoji), 32):
            i = np.arange(b, min(len(emoji), b + 32))
            x, colours = emoji.pictures(i, rng, augment=r > 0)
            with autocast():
                latents = vae.encode(x.contiguous(memory_format=torch.channels_last)).latent_dist.mode().float()
            Z[r, i], C[r, i] = (latents * vae.config.scaling_factor).cpu().numpy(), colours.numpy()
            V[r, i] = ((F.avg_pool2d(x, 2) + 1) * 127.5).round().clamp(0, 255).byte().cpu().numpy()
        print(f"pass {r + 1} of {args.passes}, {(time.time() - start) / 60:.1f} min", flush=True)
    np.savez(args.work / "bank.part.npz", Z=Z, C=C, V=V)
    (args.work / "bank.part.npz").rename(args.work / "bank.npz")


if __name__ == "__main__":
    main()
