"""A small ControlNet and tiny LoRAs for the demo model.

    structure.py --work WORK controlnet --output FOLDER      canny edges (OpenCV's, 100 and 200), ControlNet's recipe (arXiv 2302.05543)
    structure.py --work WORK lora --style pixel --output FILE   a style, in diffusers' layout

The ControlNet begins as a copy of the UNet's first half behind convolutions of zeros, and the base stays frozen. The words
are dropped in half of the draws, so that the ControlNet learns to recognise things from their edges. A LoRA has rank 4, in all
attentions. It learns from the drawings, redrawn by the functions of STYLES.
"""
import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, ControlNetModel, StableDiffusionPipeline, UNet2DConditionModel

from adapter import noise_loss
from emoji import Emoji
from training import DEVICE, GPU, Run, autocast
from unet import Words, scheduler_of


def canny(x):
    """Pictures [B, 3, H, W] in -1..1 to their edges, uint8 [B, H, W]: what the page's Canny gives with its thresholds of 100 and 200."""
    pixels = ((x + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    return np.stack([cv2.Canny(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), 100, 200) for p in pixels])


def pixel(x):
    """Large square pixels of few colours."""
    small = F.avg_pool2d(x, 8)
    return F.interpolate(((small + 1) * 3.5).round().clamp(0, 7) / 3.5 - 1, scale_factor=8, mode="nearest")


def neon(x):
    """Contours that glow in the picture's colours on a dark ground."""
    across, down = F.pad(x[..., 1:] - x[..., :-1], (0, 1)), F.pad(x[..., 1:, :] - x[..., :-1, :], (0, 0, 0, 1))
    edge = (across.square() + down.square()).sum(1, keepdim=True).sqrt().clamp(0, 1)
    glow = F.avg_pool2d(edge, 9, 1, 4)
    colour = (x + 1) / 2
    colour = colour / colour.amax(1, keepdim=True).clamp(min=.2)
    return ((edge + .9 * glow).clamp(0, 1) * (.35 + .65 * colour) + .05).clamp(0, 1) * 2 - 1


STYLES = {"pixel": pixel, "neon": neon}


class Frozen:
    """The frozen base of a work folder."""

    def __init__(self, work, base=None):
        self.emoji, self.base = Emoji(work), base or work / "base"
        self.words, self.scheduler = Words(self.emoji, self.base), scheduler_of(self.base)
        self.vae = AutoencoderKL.from_pretrained(self.base / "vae", torch_dtype=torch.bfloat16 if GPU else torch.float32).to(DEVICE).eval()
        self.unet = UNet2DConditionModel.from_pretrained(self.base / "unet", torch_dtype=torch.float32).to(DEVICE, memory_format=torch.channels_last).eval().requires_grad_(False)
        torch.manual_seed(8)

    @torch.no_grad()
    def bank(self, passes, redraw=None, also=None):
        """Latents [P, 4, 16, 16], drawings [P], colours [P], and also(x) of each picture."""
        Z, I, C, more = [], [], [], []
        for _ in range(passes):
            for i in torch.as_tensor(self.emoji.main, device=DEVICE).split(256):
                x, c = self.emoji.pictures(i)
                x = redraw(x) if redraw else x
                Z.append(self.vae.encode(x.to(self.vae.dtype)).latent_dist.mode().float() * self.vae.config.scaling_factor), I.append(i), C.append(c)
                if also:
                    more.append(torch.from_numpy(also(x)).to(DEVICE))
        return torch.cat(Z), torch.cat(I), torch.cat(C), torch.cat(more) if more else None

    def loss(self, predict, Z, I, C, batch, says, empty):
        k = torch.randint(len(Z), (batch,), device=DEVICE)
        z = Z[k]
        h = self.words.states(self.words.captions.draw(I[k], C[k], says=says, empty=empty))
        noise, t = torch.randn_like(z), torch.randint(0, 1000, (batch,), device=DEVICE)
        x = self.scheduler.add_noise(z, noise, t).contiguous(memory_format=torch.channels_last)
        return noise_loss(self.scheduler, predict(k, x, t, h), z, noise, t, 5)


def controlnet(args):
    frozen = Frozen(args.work, args.base)
    Z, I, C, maps = frozen.bank(args.passes, also=canny)
    net = ControlNetModel.from_unet(frozen.unet, conditioning_embedding_out_channels=(16, 32, 64, 96)).requires_grad_(True).to(DEVICE, memory_format=torch.channels_last)
    run = Run(net, args.output.with_suffix(".state.pt"), args.minutes, args.learning_rate, weight_decay=.01, warm_up=100, flat=.4, ema=.998)
    unet = frozen.unet.to(run.working.dtype)

    def predict(k, x, t, h):
        dtype = unet.dtype
        cond = (maps[k][:, None].to(dtype) / 255).expand(-1, 3, -1, -1)
        with autocast():
            down, mid = run.working(x.to(dtype), t, h.to(dtype), cond, return_dict=False)
            return unet(x.to(dtype), t, h.to(dtype), down_block_additional_residuals=down, mid_block_additional_residual=mid, return_dict=False)[0]

    run.train(lambda: frozen.loss(predict, Z, I, C, args.batch, (.5, .5, .5), .5))
    run.take_average()
    net.half().save_pretrained(args.output)


def lora(args):
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict
    frozen = Frozen(args.work, args.base)
    Z, I, C, _ = frozen.bank(args.passes, redraw=STYLES[args.style])
    unet = frozen.unet
    unet.add_adapter(LoraConfig(r=args.rank, lora_alpha=args.rank, init_lora_weights="gaussian", target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    run = Run(unet, args.output.with_suffix(".state.pt"), args.minutes, args.learning_rate, weight_decay=.01, warm_up=50, flat=.3)

    def predict(_, x, t, h):
        dtype = run.working.dtype
        with autocast():
            return run.working(x.to(dtype), t, h.to(dtype), return_dict=False)[0]

    run.train(lambda: frozen.loss(predict, Z, I, C, args.batch, (.8, 1, .8), .1))
    tensors = {k: v.half().contiguous().cpu() for k, v in get_peft_model_state_dict(unet).items()}
    StableDiffusionPipeline.save_lora_weights(args.output.parent, unet_lora_layers=tensors, weight_name=args.output.name)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("what", choices=["controlnet", "lora"])
    parser.add_argument("--style", choices=list(STYLES), default="pixel")
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--passes", type=int, default=4, help="draws of each picture")
    parser.add_argument("--batch", type=int, default=256 if GPU else 16)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--base", type=Path, help="default: base in the work folder")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    args.learning_rate = args.learning_rate or {"controlnet": 5e-4, "lora": 2e-3}[args.what]
    torch.set_num_threads(args.threads), torch.manual_seed(0)
    {"controlnet": controlnet, "lora": lora}[args.what](args)


if __name__ == "__main__":
    main()
