"""Latents and background colours of every picture, some draws of place, mirror and background each, and what the image encoder says of them.

The UNet and the adapters train on these, so that no encoder runs in their loops. Writes bank.npz: latents Z [R, N, 4, 16, 16] and
colours C [R, N]; of the first of these draws embeds.npy [V, N, P] and hidden.npy [V, N, T, D] (the penultimate hidden states); and
dropped_hidden.npy [T, D], the hidden states of a picture of zeros, which stand for "no picture".
"""
import argparse
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from transformers import CLIPVisionModelWithProjection

from emoji import Emoji
from features import encode, pixel_values
from training import DEVICE, GPU


@torch.no_grad()
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--passes", type=int, default=8, help="draws of each picture")
    parser.add_argument("--views", type=int, default=3, help="of these, how many the image encoder sees")
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads), torch.manual_seed(5)
    emoji, start, batch = Emoji(args.work), time.time(), 512 if GPU else 32
    base, dtype = args.work / "base", torch.bfloat16 if GPU else torch.float32
    vae = AutoencoderKL.from_pretrained(base / "vae", torch_dtype=dtype).eval().to(DEVICE, memory_format=torch.channels_last)
    vision = CLIPVisionModelWithProjection.from_pretrained(base / "image_encoder", dtype=torch.float32).eval().to(DEVICE)
    side, config, n = vision.config.image_size, vision.config, len(emoji)
    Z, C = np.zeros((args.passes, n, 4, 16, 16), np.float16), np.zeros((args.passes, n), np.int8)
    _, dropped = encode(vision, torch.zeros(1, 3, side, side, device=DEVICE))
    np.save(args.work / "dropped_hidden.npy", dropped[0].cpu().numpy())
    embeds = np.lib.format.open_memmap(args.work / "embeds.npy.part", "w+", np.float32, (args.views, n, config.projection_dim))
    hidden = np.lib.format.open_memmap(args.work / "hidden.npy.part", "w+", np.float16, (args.views, n, *dropped.shape[1:]))
    for r in range(args.passes):
        for b in range(0, n, batch):
            i = slice(b, min(n, b + batch))
            x, colours = emoji.pictures(np.arange(i.start, i.stop), augment=r > 0)
            latents = vae.encode(x.to(dtype).contiguous(memory_format=torch.channels_last)).latent_dist.mode()
            Z[r, i], C[r, i] = (latents.float() * vae.config.scaling_factor).half().cpu().numpy(), colours.cpu().numpy()
            if r < args.views:
                e, h = encode(vision, pixel_values(x))
                embeds[r, i], hidden[r, i] = e.cpu().numpy(), h.half().cpu().numpy()
        print(f"pass {r + 1} of {args.passes}, {(time.time() - start) / 60:.2f} min", flush=True)
    embeds.flush(), hidden.flush()
    for name in ("embeds", "hidden"):
        (args.work / f"{name}.npy.part").rename(args.work / f"{name}.npy")
    np.savez(args.work / "bank.part.npz", Z=Z, C=C)
    (args.work / "bank.part.npz").rename(args.work / "bank.npz")


if __name__ == "__main__":
    main()
