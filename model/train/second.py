"""A second judge: another image encoder, so that an adapter is not judged by its own eyes alone.

A small convolutional network, trained apart from the CLIP and without any words: of many pictures it is to find the one
that another crop, turn, light, blur and noise was made of. Backgrounds and the place of things count, as they do for an
image prompt. Held-out names are left out. Writes second.safetensors.
"""
import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from emoji import Emoji
from training import DEVICE, Run


class Second(torch.nn.Module):
    """Pictures [B, 3, 64, 64] in -1..1 to embeddings of length one [B, 128]."""

    def __init__(self, widths=(32, 64, 128, 192)):
        super().__init__()
        layers, before = [], 3
        for width in widths:
            layers += [torch.nn.Conv2d(before, width, 3, 2, 1), torch.nn.GroupNorm(8, width), torch.nn.GELU()]
            before = width
        self.layers = torch.nn.Sequential(*layers, torch.nn.Conv2d(before, before, 3, 1, 1), torch.nn.GELU(), torch.nn.Flatten())
        self.out = torch.nn.Linear(before * 4 * 4, 128)

    def forward(self, x):
        return F.normalize(self.out(self.layers(x)), dim=-1)


def altered(x):
    """Another look at pictures [B, 3, 64, 64]: crop, turn, light, contrast, blur, noise."""
    n, uniform = len(x), lambda low, high: torch.empty(len(x), device=x.device).uniform_(low, high)
    scale, turn = uniform(.75, 1.1), uniform(-.25, .25)
    affine = torch.stack([torch.stack([scale * turn.cos(), -scale * turn.sin(), uniform(-.12, .12)], 1),
                          torch.stack([scale * turn.sin(), scale * turn.cos(), uniform(-.12, .12)], 1)], 1)
    x = F.grid_sample(x, F.affine_grid(affine, x.shape, align_corners=False), mode="bilinear", padding_mode="border", align_corners=False)
    x = x * uniform(.75, 1.25)[:, None, None, None] + uniform(-.15, .15)[:, None, None, None]
    soft = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2, mode="bilinear", align_corners=False)
    x = torch.lerp(x, soft, uniform(0, 1)[:, None, None, None])
    return x + uniform(0, .12)[:, None, None, None] * torch.randn_like(x)


def read(work):
    judge = Second()
    judge.load_state_dict(load_file(work / "second.safetensors"))
    return judge.to(DEVICE).eval().requires_grad_(False)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--batch", type=int, default=192)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads), torch.manual_seed(3)
    emoji, judge = Emoji(args.work), Second().to(DEVICE)
    run = Run(judge, args.work / "second.state.pt", args.minutes, rate=1e-3, weight_decay=.05, warm_up=50, flat=.3, ema=.99)

    def loss_of():
        i = emoji.draw(args.batch, others=1)
        x = F.avg_pool2d(emoji.pictures(i)[0], 2)
        one, two = (run.working(altered(x).to(run.working.out.weight.dtype)).float() for _ in range(2))
        logits, own = one @ two.T / .1, torch.arange(len(i), device=DEVICE)
        logits = logits.masked_fill((i[:, None] == i[None]) & (own[:, None] != own[None]), -1e4)  # a drawing may have come twice
        return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2

    run.train(loss_of)
    run.take_average()
    with torch.no_grad():
        x = F.avg_pool2d(emoji.pictures(emoji.held, augment=False)[0], 2)
        found = (judge.eval()(x) @ judge(altered(x)).T).argmax(1).cpu() == torch.arange(len(x))
    print(f"held-out pictures found again among {len(x)}: {found.float().mean():.3f}")
    save_file({k: v.contiguous().cpu() for k, v in judge.state_dict().items()}, args.work / "second.safetensors")


if __name__ == "__main__":
    main()
