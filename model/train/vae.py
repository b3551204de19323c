"""The autoencoder, f = 8, 4 channels; the weights' average is kept.

If it learns from pixels alone, it blurs what it cannot know. So, as with latent diffusion's own autoencoders, its pictures must
also look alike to the image encoder (clip.py runs before), and real to a discriminator of patches. The discriminator's own
layers also tell how a patch differs (feature matching, arXiv 1711.11585).

With --decoder the decoder alone goes on: latents stay what they were, and with them the UNet and the adapters.
"""
import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from PIL import Image
from torch.nn.utils.parametrizations import spectral_norm
from transformers import CLIPVisionModelWithProjection

from emoji import Emoji
from features import pixel_values
from training import DEVICE, GPU, Run, autocast, optimizer_of

SHOWN = ("fox", "house", "cat face", "owl", "castle", "robot", "kangaroo", "snake", "ladder", "spouting whale", "ginger root", "last quarter moon with face")


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
        self.vision = CLIPVisionModelWithProjection.from_pretrained(image_encoder, dtype=torch.bfloat16 if GPU else torch.float32).eval().requires_grad_(False)

    def states(self, x):
        hidden = self.vision(pixel_values(x).to(self.vision.dtype), output_hidden_states=True).hidden_states[1:]
        return [F.layer_norm(h.float(), h.shape[-1:]) for h in hidden]

    def forward(self, y, x):
        with torch.no_grad():
            wanted = self.states(x)
        return sum((a - b).square().mean() for a, b in zip(self.states(y), wanted)) / len(wanted)


class Discriminator(torch.nn.Module):
    """A figure for each patch of some 30 pixels: real where it is above 0."""

    def __init__(self, width=48):
        super().__init__()
        conv = lambda i, o, stride: spectral_norm(torch.nn.Conv2d(i, o, 4, stride, 1))
        self.layers = torch.nn.ModuleList([conv(3, width, 2), conv(width, 2 * width, 2), conv(2 * width, 4 * width, 2), conv(4 * width, 1, 1)])

    def forward(self, x):
        """The figures, and what the layers before them give."""
        seen = []
        for layer in self.layers[:-1]:
            x = F.leaky_relu(layer(x), .2)
            seen.append(x)
        return self.layers[-1](x).float(), seen


def new_vae():
    return AutoencoderKL(
        block_out_channels=(16, 48, 96, 160), layers_per_block=1, norm_num_groups=8, latent_channels=4, sample_size=128,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)


@torch.no_grad()
def held_out(model, emoji):
    """PSNR in dB and edge correlation of pictures that were never trained on, and the deviation of their latents."""
    torch.manual_seed(1)
    latents, quality, sharp = [], [], []
    for part in np.array_split(emoji.held, max(1, len(emoji.held) // 16)):
        x, _ = emoji.pictures(part, augment=False)
        latents.append(model.encode(x).latent_dist.mode())
        y = model.decode(latents[-1]).sample
        quality.append(psnr(y, x)), sharp.append(edge_correlation(y, x))
    return np.mean(quality), np.mean(sharp), torch.cat(latents).std().item()


@torch.no_grad()
def save_sheet(model, emoji, path):
    """Pictures, and what comes back of them once encoded and decoded; half of the names are held out."""
    torch.manual_seed(2)
    where = {}
    for i, m in enumerate(emoji.meta):
        where.setdefault(m["name"], i)
    x, _ = emoji.pictures([where[n] for n in SHOWN if n in where] or emoji.held[:12], augment=False)
    both = torch.cat([x, model.decode(model.encode(x).latent_dist.mode()).sample], 2)
    pixels = ((both + 1) * 127.5).round().clamp(0, 255).byte().permute(2, 0, 3, 1).flatten(1, 2)
    Image.fromarray(pixels.cpu().numpy()).save(path)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=42)
    parser.add_argument("--batch", type=int, default=96 if GPU else 16)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--decoder", action="store_true", help="train base/vae's decoder alone")
    parser.add_argument("--go-on", action="store_true", help="begin with base/vae, encoder and decoder")
    parser.add_argument("--everyday", type=float, default=.15, help="share of the draws that come from emoji.EVERYDAY alone")
    parser.add_argument("--others", type=float, default=.5, help="share of the draws that come from all drawings")
    parser.add_argument("--image-encoder", type=Path, help="default: base/image_encoder in the work folder")
    parser.add_argument("--perceptual", type=float, default=.1, help="weight of the image encoder's hidden states")
    parser.add_argument("--adversarial", type=float, default=.03, help="weight of the discriminator")
    parser.add_argument("--matching", type=float, default=.3, help="weight of the differences in the discriminator's layers")
    parser.add_argument("--begin", type=float, default=.2, help="share of the run after which those two begin, to grow over as much again")
    parser.add_argument("--flat", type=float, default=.5)
    parser.add_argument("--ema", type=float, default=.998)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sheet", type=Path, help="a picture of what comes back of twelve drawings")
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads), torch.manual_seed(0)
    emoji, output = Emoji(args.work), args.work / "base" / "vae"
    model = (AutoencoderKL.from_pretrained(output, torch_dtype=torch.float32) if args.decoder or args.go_on else new_vae()).to(DEVICE, memory_format=torch.channels_last)
    if args.decoder or args.go_on:
        print("held out: PSNR {:.2f} dB, edges' correlation {:.3f} before".format(*held_out(model, emoji)[:2]), flush=True)
    if args.decoder:
        model.encoder.requires_grad_(False), model.quant_conv.requires_grad_(False)
    run = Run(model, args.work / f"{'decoder' if args.decoder else 'vae'}.state.pt", args.minutes, args.learning_rate, weight_decay=1e-4, warm_up=100, flat=args.flat, ema=args.ema)
    working = run.working
    perceptual = Perceptual(args.image_encoder or args.work / "base" / "image_encoder").to(DEVICE) if args.perceptual else None
    discriminator = Discriminator().to(DEVICE, memory_format=torch.channels_last) if args.adversarial else None
    if discriminator:
        judging = optimizer_of(discriminator.parameters(), 4e-4, betas=(.5, .9))

    def loss_of():
        x, _ = emoji.pictures(emoji.draw(args.batch, args.everyday, args.others))
        x = x.contiguous(memory_format=torch.channels_last)
        latent = working.encode(x.to(working.dtype)).latent_dist
        mean, logvar = latent.mean.float(), latent.logvar.float()
        z = mean + (.5 * logvar).exp() * torch.randn_like(mean)
        y = working.decode(z.to(working.dtype)).sample.float()
        loss = (y - x).abs().mean() + .5 * (y - x).square().mean() + .5 * (differences(y) - differences(x)).abs().mean()
        if perceptual:
            loss = loss + args.perceptual * perceptual(y, x)
        if discriminator:
            ramp = ((run.done - args.begin) / max(args.begin, 1e-3)).clamp(0, 1)
            discriminator.requires_grad_(True)
            with autocast():
                doubt = F.relu(1 - discriminator(x)[0]).mean() + F.relu(1 + discriminator(y.detach())[0]).mean()
            judging.zero_grad(), doubt.backward(), judging.step()
            discriminator.requires_grad_(False)
            with autocast():
                taken, seen = discriminator(y)
                with torch.no_grad():
                    wanted = discriminator(x)[1]
            far = sum((a.float() - b.float()).abs().mean() / b.float().abs().mean() for a, b in zip(seen, wanted)) / len(seen)
            loss = loss + ramp * (args.matching * far - args.adversarial * taken.mean())
        if not args.decoder:
            loss = loss + 1e-7 * (mean.square() + logvar.exp() - 1 - logvar).sum((1, 2, 3)).mean()
        return loss

    run.train(loss_of)
    run.take_average()
    model.requires_grad_(True)
    quality, sharp, deviation = held_out(model.eval(), emoji)
    if not args.decoder:
        model.register_to_config(scaling_factor=1 / deviation)
    model.save_pretrained(output)
    if args.sheet:
        save_sheet(model, emoji, args.sheet)
    print(f"held out: PSNR {quality:.2f} dB, edges' correlation {sharp:.3f}; scaling factor {model.config.scaling_factor:.4f}", flush=True)


if __name__ == "__main__":
    main()
