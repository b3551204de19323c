"""The autoencoder, f = 8, 4 channels: L1, L2 and the differences of neighbouring pixels; the weights' average is kept."""
import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from emoji import Emoji
from training import DEVICE, Run, autocast


def differences(x):
    return torch.cat([(x[..., 1:, :] - x[..., :-1, :]).flatten(), (x[..., 1:] - x[..., :-1]).flatten()])


def psnr(a, b):
    return 10 * np.log10(4 / (a - b).square().mean().item())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=42)
    parser.add_argument("--batch", type=int, default=64 if DEVICE == "cuda" else 16)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads), torch.manual_seed(0)
    emoji = Emoji(args.work)
    model = AutoencoderKL(
        block_out_channels=(16, 32, 64, 128), layers_per_block=1, norm_num_groups=8, latent_channels=4, sample_size=128,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4).to(DEVICE, memory_format=torch.channels_last)
    run = Run(model, args.work / "vae.state.pt", args.minutes, rate=1e-3, weight_decay=1e-4, warm_up=50, flat=.5, ema=.998)
    for step in run:
        rng = np.random.default_rng((0, step))
        x, _ = emoji.pictures(rng.choice(emoji.train, args.batch), rng)
        x = x.contiguous(memory_format=torch.channels_last)
        with autocast():
            latent = model.encode(x).latent_dist
            y = model.decode(latent.sample()).sample
        y = y.float()
        loss = (y - x).abs().mean() + .5 * (y - x).square().mean() + .5 * (differences(y) - differences(x)).abs().mean()
        run.learn(loss + 1e-5 * latent.kl().mean() / args.batch)

    run.take_average()
    model.eval()
    rng, latents, quality = np.random.default_rng(1), [], []
    with torch.no_grad():
        for _ in range(8):
            x, _ = emoji.pictures(rng.choice(emoji.held, 16), rng, augment=False)
            latents.append(model.encode(x).latent_dist.mode())
            quality.append(psnr(model.decode(latents[-1]).sample, x))
    model.register_to_config(scaling_factor=1 / torch.cat(latents).std().item())
    model.save_pretrained(args.work / "base" / "vae")
    print(f"held-out PSNR {np.mean(quality):.2f} dB, scaling factor {model.config.scaling_factor:.4f}")


if __name__ == "__main__":
    main()
