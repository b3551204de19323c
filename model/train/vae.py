"""The autoencoder, f = 8, 4 channels: L1, L2 and the differences of neighbouring pixels; the weights' average is kept.

With --decoder the decoder alone goes on: latents stay what they were, and with them the UNet and the adapters.
"""
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


def new_vae():
    return AutoencoderKL(
        block_out_channels=(16, 32, 64, 128), layers_per_block=1, norm_num_groups=8, latent_channels=4, sample_size=128,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)


@torch.no_grad()
def held_out(model, emoji):
    """PSNR in dB of pictures that were never trained on, and the deviation of their latents."""
    rng, latents, quality = np.random.default_rng(1), [], []
    for _ in range(8):
        x, _ = emoji.pictures(rng.choice(emoji.held, 16), rng, augment=False)
        latents.append(model.encode(x).latent_dist.mode())
        quality.append(psnr(model.decode(latents[-1]).sample, x))
    return np.mean(quality), torch.cat(latents).std().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=42)
    parser.add_argument("--batch", type=int, default=64 if DEVICE == "cuda" else 16)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--decoder", action="store_true", help="train base/vae's decoder alone")
    parser.add_argument("--everyday", type=float, default=0, help="share of the draws that come from emoji.EVERYDAY alone")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads), torch.manual_seed(0)
    emoji, output = Emoji(args.work), args.work / "base" / "vae"
    model = (AutoencoderKL.from_pretrained(output, torch_dtype=torch.float32) if args.decoder else new_vae()).to(DEVICE, memory_format=torch.channels_last)
    trained = torch.nn.ModuleList([model.post_quant_conv, model.decoder]) if args.decoder else model
    run = Run(trained, args.work / f"{'decoder' if args.decoder else 'vae'}.state.pt", args.minutes, args.learning_rate, weight_decay=1e-4, warm_up=50, flat=.5, ema=.998)
    if args.decoder:
        print(f"held-out PSNR {held_out(model, emoji)[0]:.2f} dB before", flush=True)
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
        run.learn(loss if args.decoder else loss + 1e-5 * latent.kl().mean() / args.batch)

    run.take_average()
    quality, deviation = held_out(model.eval(), emoji)
    if not args.decoder:
        model.register_to_config(scaling_factor=1 / deviation)
    model.save_pretrained(output)
    print(f"held-out PSNR {quality:.2f} dB, scaling factor {model.config.scaling_factor:.4f}")


if __name__ == "__main__":
    main()
