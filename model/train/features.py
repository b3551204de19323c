"""How the image encoder is shown pictures, and what it says of them."""
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from training import DEVICE, autocast, on_device

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # OpenAI CLIP's preprocessing


def pixel_values(x):
    """Pictures [B, 3, 128, 128] in -1..1 as the image encoder takes them: 64 px, as it was trained."""
    return ((F.avg_pool2d(x, 2) + 1) / 2 - on_device(MEAN)[:, None, None]) / on_device(STD)[:, None, None]


def kept(work, kind):
    """What a kind of adapter is given of every picture: hidden states for plus, else embeddings; [R, N, ...], left on disk."""
    return np.load(Path(work) / ("hidden.npy" if kind == "plus" else "embeds.npy"), mmap_mode="r")


class ImagePrompts:
    """What a kind of adapter is given of every picture, and of none, on DEVICE."""

    def __init__(self, work, kind):
        self.pictures = torch.from_numpy(np.array(kept(work, kind))).to(DEVICE)
        # "No picture" is what diffusers gives the unconditional half: an embedding of zeros, or for Plus the hidden states of a picture of zeros.
        self.nothing = torch.from_numpy(np.load(Path(work) / "dropped_hidden.npy")).to(DEVICE) if kind == "plus" else torch.zeros(self.pictures.shape[2:], device=DEVICE)

    def __len__(self):
        return len(self.pictures)

    def of(self, views, drawings, dropped):
        """[B, ...], with nothing where dropped says so."""
        image = self.pictures[views, drawings]
        return torch.where(dropped.view(-1, *[1] * (image.dim() - 1)), self.nothing.to(image.dtype), image)


@torch.no_grad()
def encode(vision, pixels):
    with autocast():
        out = vision(pixels, output_hidden_states=True)
    return out.image_embeds.float(), out.hidden_states[-2].float()
