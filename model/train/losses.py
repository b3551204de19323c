"""Noise losses (min-SNR weights) of UNets and adapters, on pictures and noise that are the same for all of them.

    losses.py --work WORK base/unet other/unet            with captions
    losses.py --work WORK base/unet --adapters a.safetensors b.safetensors

The pictures: all held-out ones, as many trained ones, and as many of the everyday names. An adapter gets two lines: by
the picture alone (λ 1), and beside the caption (λ 0.6; a simple one has no λ).
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer, CLIPVisionConfig

from adapter import noise_loss
from adapter_networks import Adapter, kind_of, projection_for
from emoji import Emoji
from features import kept
from training import DEVICE, autocast, token_ids


class Losses:
    def __init__(self, work, repeats, batch):
        self.base, self.emoji, bank = work / "base", Emoji(work), np.load(work / "bank.npz")
        self.repeats, self.batch, self.colours = repeats, batch, bank["C"]
        self.latents = torch.from_numpy(bank["Z"])
        self.scheduler = DDIMScheduler.from_pretrained(self.base / "scheduler")
        self.tokenizer = CLIPTokenizer.from_pretrained(self.base / "tokenizer")
        self.text = CLIPTextModel.from_pretrained(self.base / "text_encoder", dtype=torch.float32).to(DEVICE).eval()
        rng, n = np.random.default_rng(77), len(self.emoji.held)
        self.sets = {"held out": self.emoji.held, "trained": rng.choice(self.emoji.main, n, replace=False), "everyday": rng.choice(self.emoji.pool()[0].cpu().numpy(), n, replace=False)}

    @torch.no_grad()
    def of(self, unet, words=True, image=None):
        """The mean loss of each set. image gives an adapter's tokens for views r of pictures i."""
        means = {}
        for name, pictures in self.sets.items():
            generator, rng, total = torch.Generator().manual_seed(5), np.random.default_rng(6), 0
            for _ in range(self.repeats):
                for i in np.split(pictures, range(self.batch, len(pictures), self.batch)):
                    r = rng.integers(0, 2, len(i))  # the views whose features are kept
                    z = self.latents[r, i].float()
                    captions = [self.emoji.full_caption(k, self.colours[q, k]) for q, k in zip(r, i)]
                    noise, t = torch.randn(z.shape, generator=generator), torch.randint(0, 1000, (len(i),), generator=generator)
                    ids = token_ids(self.tokenizer, captions if words else [""] * len(i)).to(DEVICE)
                    noisy = self.scheduler.add_noise(z, noise, t).to(DEVICE, memory_format=torch.channels_last)
                    with autocast():
                        context = self.text(ids).last_hidden_state
                        if image:
                            context = torch.cat([context, image(r, i).to(context.dtype)], 1)
                        out = unet(noisy, t.to(DEVICE), context, return_dict=False)[0]
                    total += noise_loss(self.scheduler, out.cpu(), z, noise, t, gamma=5).item() * len(i)
            means[name] = total / (self.repeats * len(pictures))
        return means


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("unets", type=Path, nargs="+")
    parser.add_argument("--adapters", type=Path, nargs="*", default=[], help="on the first UNet")
    parser.add_argument("--resampler-dim", type=int, default=192)
    parser.add_argument("--repeats", type=int, default=4, help="draws of noise for each picture")
    parser.add_argument("--batch", type=int, default=58)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    losses = Losses(args.work, args.repeats, args.batch)

    def tell(name, means):
        print(f"{name:60}" + ", ".join(f"{k} {v:.4f}" for k, v in means.items()), flush=True)

    load = lambda folder: UNet2DConditionModel.from_pretrained(folder, torch_dtype=torch.float32).to(DEVICE, memory_format=torch.channels_last).eval()
    for folder in args.unets:
        tell(str(folder), losses.of(load(folder)))
    for file in args.adapters:
        kind, unet = kind_of(file), load(args.unets[0])
        images = kept(args.work, kind)
        adapter = Adapter(unet, projection_for(kind, CLIPVisionConfig.from_pretrained(losses.base / "image_encoder"), unet.config.cross_attention_dim, args.resampler_dim), kind)
        adapter.load(file)
        adapter.to(DEVICE).requires_grad_(False)
        tokens = lambda r, i: adapter.image_proj(torch.from_numpy(images[r, i].astype(np.float32)).to(DEVICE))
        tell(f"{file}, picture", losses.of(unet, words=False, image=tokens))
        for layer in adapter.ip_adapter.values():
            layer.scale = .6
        tell(f"{file}, both", losses.of(unet, image=tokens))


if __name__ == "__main__":
    main()
