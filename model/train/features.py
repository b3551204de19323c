"""What the image encoder says of every picture in the bank, once, so that it need not run in a training loop.

Writes embeds.npy [R, N, P] and hidden.npy [R, N, T, D] (the penultimate hidden states) and
dropped_hidden.npy [T, D], the hidden states of a picture of zeros, which stand for "no picture".
"""
import argparse
import time
from pathlib import Path

import numpy as np
import torch
from transformers import CLIPVisionModelWithProjection

from training import DEVICE, autocast

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]  # OpenAI CLIP's preprocessing
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]


def pixel_values(views):
    """uint8 views [B, 3, 64, 64] as the image encoder takes them."""
    return (torch.from_numpy(views).float() / 255 - MEAN) / STD


def kept(work, kind):
    """What a kind of adapter is given of every picture: hidden states for plus, else embeddings; [R, N, ...], left on disk."""
    return np.load(Path(work) / ("hidden.npy" if kind == "plus" else "embeds.npy"), mmap_mode="r")


@torch.no_grad()
def encode(vision, pixels):
    with autocast():
        out = vision(pixels, output_hidden_states=True)
    return out.image_embeds.float(), out.hidden_states[-2].float()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--base", type=Path, required=True, help="a folder with image_encoder/ in diffusers' layout")
    parser.add_argument("--passes", type=int, default=2, help="how many of the bank's draws of each picture to take")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    vision = CLIPVisionModelWithProjection.from_pretrained(args.base / "image_encoder", dtype=torch.float32).eval().to(DEVICE)
    views = np.load(args.work / "bank.npz")["V"][:args.passes]
    passes, n = views.shape[:2]
    _, dropped = encode(vision, torch.zeros(1, *views.shape[2:], device=DEVICE))
    np.save(args.work / "dropped_hidden.npy", dropped[0].cpu().numpy())
    embeds = np.lib.format.open_memmap(args.work / "embeds.npy.part", "w+", np.float32, (passes, n, vision.config.projection_dim))
    hidden = np.lib.format.open_memmap(args.work / "hidden.npy.part", "w+", np.float16, (passes, n, *dropped.shape[1:]))
    start = time.time()
    for r in range(passes):
        for b in range(0, n, 256):
            e, h = encode(vision, pixel_values(views[r, b:b + 256]).to(DEVICE))
            embeds[r, b:b + 256], hidden[r, b:b + 256] = e.cpu().numpy(), h.cpu().numpy()
        print(f"pass {r + 1} of {passes}, {(time.time() - start) / 60:.1f} min", flush=True)
    embeds.flush(), hidden.flush()
    for name in ("embeds", "hidden"):
        (args.work / f"{name}.npy.part").rename(args.work / f"{name}.npy")


if __name__ == "__main__":
    main()
