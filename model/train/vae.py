"""The autoencoder, f = 8, 4 channels: L1, L2 and the differences of neighbouring pixels; the weights' average is kept.

With --decoder the decoder alone goes on: latents stay what they were, and with them the UNet and the adapters. Learning
from pixels alone, it blurs what it cannot know. So, as latent diffusion's own autoencoders, it is then also to give what the
image encoder sees alike (clip.py goes before), and what a discriminator of patches takes for real.
"""
import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch.nn.utils.parametrizations import spectral_norm
from transformers import CLIPVisionModelWithProjection

from emoji import Emoji
from features import MEAN, STD
from training import DEVICE, Run, autocast


def differences(x):
    return torch.cat([(x[..., 1:, :] - x[..., :-1, :]).flatten(), (x[..., 1:] - x[..., :-1]).flatten()])


def psnr(a, b):
    return 10 * np.log10(4 / (a - b).square().mean().item())


def edges(x):
    """[B, 3, H, W] → how steep each picture is at each place [B, H', W'], by central differences of its grey."""
    grey = x.mean(1)
    across, down = grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2], grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1]
    return (across.square() + down.square()).sqrt()


def edge_correlation(a, b):
    """Mean over the pictures. Blur and ringing both lower it, where the edges' mean steepness is raised by ringing."""
    a, b = (e.flatten(1) - e.flatten(1).mean(1, keepdim=True) for e in (edges(a), edges(b)))
    return F.cosine_similarity(a, b).mean().item()


class Perceptual(torch.nn.Module):
    """How differently the image encoder sees two pictures: the squares of its layer-normed hidden states' differences."""

    def __init__(self, image_encoder):
        super().__init__()
        self.vision = CLIPVisionModelWithProjection.from_pretrained(image_encoder, dtype=torch.float32).eval().requires_grad_(False)

    def states(self, x):
        pixels = ((F.avg_pool2d(x, 2) + 1) / 2 - MEAN.to(x)) / STD.to(x)
        return [F.layer_norm(h, h.shape[-1:]) for h in self.vision(pixels, output_hidden_states=True).hidden_states[1:]]

    def forward(self, y, x):
        with torch.no_grad():
            wanted = self.states(x)
        return sum((a - b).square().mean() for a, b in zip(self.states(y), wanted)) / len(wanted)


def new_discriminator(width=32):
    """A figure for each patch of some 30 pixels: real where it is above 0."""
    conv = lambda i, o, stride: spectral_norm(torch.nn.Conv2d(i, o, 4, stride, 1))
    leaky = torch.nn.LeakyReLU(.2)
    return torch.nn.Sequential(conv(3, width, 2), leaky, conv(width, 2 * width, 2), leaky, conv(2 * width, 4 * width, 2), leaky, conv(4 * width, 1, 1))


def new_vae():
    return AutoencoderKL(
        block_out_channels=(16, 32, 64, 128), layers_per_block=1, norm_num_groups=8, latent_channels=4, sample_size=128,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)


@torch.no_grad()
def held_out(model, emoji):
    """PSNR in dB and edge correlation of pictures that were never trained on, and the deviation of their latents."""
    rng, latents, quality, sharp = np.random.default_rng(1), [], [], []
    for _ in range(8):
        x, _ = emoji.pictures(rng.choice(emoji.held, 16), rng, augment=False)
        latents.append(model.encode(x).latent_dist.mode())
        y = model.decode(latents[-1]).sample
        quality.append(psnr(y, x)), sharp.append(edge_correlation(y, x))
    return np.mean(quality), np.mean(sharp), torch.cat(latents).std().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=42)
    parser.add_argument("--batch", type=int, default=64 if DEVICE == "cuda" else 16)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--decoder", action="store_true", help="train base/vae's decoder alone")
    parser.add_argument("--everyday", type=float, default=0, help="share of the draws that come from emoji.EVERYDAY alone")
    parser.add_argument("--perceptual", type=float, default=0, help="weight of the image encoder's hidden states")
    parser.add_argument("--adversarial", type=float, default=0, help="weight of the discriminator, from nothing over its first 200 steps")
    parser.add_argument("--ema", type=float, default=.998)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads), torch.manual_seed(0)
    emoji, output = Emoji(args.work), args.work / "base" / "vae"
    model = (AutoencoderKL.from_pretrained(output, torch_dtype=torch.float32) if args.decoder else new_vae()).to(DEVICE, memory_format=torch.channels_last)
    trained = torch.nn.ModuleList([model.post_quant_conv, model.decoder]) if args.decoder else model
    run = Run(trained, args.work / f"{'decoder' if args.decoder else 'vae'}.state.pt", args.minutes, args.learning_rate, weight_decay=1e-4, warm_up=50, flat=.5, ema=args.ema)
    perceptual = Perceptual(args.work / "base" / "image_encoder").to(DEVICE) if args.perceptual else None
    discriminator = new_discriminator().to(DEVICE) if args.adversarial else None
    if discriminator:
        judging = torch.optim.AdamW(discriminator.parameters(), 4e-4, betas=(.5, .9))
    if args.decoder:
        print("held out: PSNR {:.2f} dB, edges' correlation {:.3f} before".format(*held_out(model, emoji)[:2]), flush=True)
    begun = run.step
    for step in run:
        rng = np.random.default_rng((0, step))
        x, _ = emoji.pictures(emoji.draw(rng, args.batch, args.everyday), rng)
        x = x.contiguous(memory_format=torch.channels_last)
        with autocast():
            with torch.set_grad_enabled(not args.decoder):
                latent = model.encode(x).latent_dist
            y = model.decode(latent.sample()).sample
        y = y.float()
        loss = (y - x).abs().mean() + .5 * (y - x).square().mean() + .5 * (differences(y) - differences(x)).abs().mean()
        if perceptual:
            loss = loss + args.perceptual * perceptual(y, x)
        if discriminator:
            discriminator.requires_grad_(True)
            doubt = F.relu(1 - discriminator(x)).mean() + F.relu(1 + discriminator(y.detach())).mean()
            judging.zero_grad(), doubt.backward(), judging.step()
            discriminator.requires_grad_(False)
            loss = loss - args.adversarial * min(1, (step - begun) / 200) * discriminator(y).mean()
        run.learn(loss if args.decoder else loss + 1e-5 * latent.kl().mean() / args.batch)

    run.take_average()
    quality, sharp, deviation = held_out(model.eval(), emoji)
    if not args.decoder:
        model.register_to_config(scaling_factor=1 / deviation)
    model.save_pretrained(output)
    print(f"held out: PSNR {quality:.2f} dB, edges' correlation {sharp:.3f}; scaling factor {model.config.scaling_factor:.4f}")


if __name__ == "__main__":
    main()
