"""A small ControlNet and tiny LoRAs for the demo model.

    structure.py --work WORK controlnet --output FOLDER      canny edges (OpenCV's, 100 and 200), ControlNet's recipe (arXiv 2302.05543)
    structure.py --work WORK lora --style neon --output FILE   a style, in diffusers' layout

The ControlNet begins as a copy of the UNet's first half behind convolutions of zeros, and the base stays frozen. The words
are dropped in 0.7 of the draws, so that the ControlNet learns to recognise things from their edges. A LoRA has rank 4 in all
transformers. It learns from the drawings, redrawn by the functions of STYLES, and from captions that call it: "3d emoji of fox, neon".
"""
import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

from adapter import noise_loss
from emoji import Emoji
from training import DEVICE, GPU, Run, autocast, on_device
from unet import Words, scheduler_of


def canny(x):
    """Pictures [B, 3, H, W] in -1..1 to their edges, uint8 [B, H, W]: what --preprocessor canny gives with its thresholds of 100 and 200."""
    pixels = ((x + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return np.stack([cv2.Canny(p, 100, 200) for p in pixels])


def duotone(x):
    """The greys alone, from navy over coral to cream."""
    grey = ((x + 1) / 2 * torch.tensor([.299, .587, .114], device=x.device)[:, None, None]).sum(1, keepdim=True)
    at = (2 * grey).clamp(0, 2)
    ramp = on_device(DUOTONE).float()[:, :, None, None] / 127.5 - 1
    lower = at < 1
    return torch.where(lower, ramp[0] + at * (ramp[1] - ramp[0]), ramp[1] + (at - 1) * (ramp[2] - ramp[1]))


def neon(x):
    """Contours that glow in the picture's colours on a dark ground."""
    across, down = F.pad(x[..., 1:] - x[..., :-1], (0, 1)), F.pad(x[..., 1:, :] - x[..., :-1, :], (0, 0, 0, 1))
    edge = F.max_pool2d((across.square() + down.square()).sum(1, keepdim=True).sqrt().clamp(0, 1), 3, 1, 1)
    edge = F.avg_pool2d(edge, 3, 1, 1)
    glow = F.avg_pool2d(edge, 9, 1, 4)
    colour = F.max_pool2d((x + 1) / 2, 5, 1, 2)
    colour = (colour - .5 * colour.amin(1, keepdim=True)) / colour.amax(1, keepdim=True).clamp(min=.2)
    return ((1.3 * edge + .8 * glow).clamp(0, 1) * (.15 + .85 * colour) + .05).clamp(0, 1) * 2 - 1


DUOTONE = ((30, 36, 92), (236, 94, 84), (255, 236, 204))
STYLES = {"duotone": duotone, "neon": neon}
TITLES = {"duotone": "Navy, coral and cream", "neon": "Neon contours"}
# All linear layers of the transformers, and the convolutions before and behind them.
TRANSFORMERS = ["proj_in", "to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_out"]


class Frozen:
    """The frozen base of a work folder."""

    def __init__(self, work, base=None, trigger=None):
        self.emoji, self.base, self.trigger = Emoji(work), base or work / "base", trigger
        self.words, self.scheduler = Words(self.emoji, self.base, trigger), scheduler_of(self.base)
        self.vae = AutoencoderKL.from_pretrained(self.base / "vae", torch_dtype=torch.bfloat16 if GPU else torch.float32).to(DEVICE).eval()
        self.unet = UNet2DConditionModel.from_pretrained(self.base / "unet", torch_dtype=torch.float32).to(DEVICE, memory_format=torch.channels_last).eval().requires_grad_(False)

    @torch.no_grad()
    def bank(self, path, pictures, everyday, others, redraw=None, also=None):
        """Latents [P, 4, 16, 16], drawings [P], colours [P], and also(x) of P pictures. They are kept in the file path, for a run that goes on."""
        if path.exists():
            return torch.load(path, map_location=DEVICE, weights_only=True)
        torch.manual_seed(8)
        Z, I, C, more = [], [], [], []
        for i in self.emoji.draw(pictures, everyday, others).split(256 if GPU else 32):
            # A style has a ground of its own, and no colour that a thing might not stand out from.
            x, c = self.emoji.pictures(i, colour="white" if redraw else None)
            x = redraw(x) if redraw else x
            Z.append(self.vae.encode(x.to(self.vae.dtype)).latent_dist.mode().float() * self.vae.config.scaling_factor), I.append(i), C.append(c)
            if also:
                more.append(torch.from_numpy(also(x)).to(DEVICE))
        found = torch.cat(Z), torch.cat(I), torch.cat(C), torch.cat(more) if more else None
        torch.save(found, path)
        return found

    def loss(self, predict, Z, I, C, batch, says, empty, early=False):
        """The noise loss of a batch: with min-SNR weights or, with early, so that early steps, in which a picture gets its structure, count as much as late ones."""
        k = torch.randint(len(Z), (batch,), device=DEVICE)
        z = Z[k]
        said = self.words.captions.draw(I[k], C[k], says=says, empty=empty)
        h = self.words.states(self.words.captions.call(said, .8) if self.trigger else said)
        noise, t = torch.randn_like(z), (1000 * torch.rand(batch, device=DEVICE) ** (.6 if early else 1)).long()
        x = self.scheduler.add_noise(z, noise, t).contiguous(memory_format=torch.channels_last)
        out = predict(k, x, t, h)
        if not early:
            return noise_loss(self.scheduler, out, z, noise, t, 5)
        velocity = self.scheduler.config.prediction_type == "v_prediction"
        target = self.scheduler.get_velocity(z, noise, t) if velocity else noise
        a = self.scheduler.alphas_cumprod[t]
        weight = a.sqrt() if velocity else ((1 - a) / a).sqrt().clamp(max=8)
        return ((out.float() - target).square().mean((1, 2, 3)) * weight).mean()


def refuse_above(most, file):
    """Visitors of the page wait for these files."""
    if file.stat().st_size > most:
        raise SystemExit(f"{file} has {file.stat().st_size} bytes, and {most} may ship")


@torch.no_grad()
def new_controlnet(unet, maps=None):
    """A copy of the UNet's first half. Of its mid block it keeps the first resnet alone: the rest is a third of all weights, and sees a picture of 4 × 4.

    The embedding of maps begins with weights that keep some maps' values at a standard deviation of 1 through all its layers. With
    torch's own, all maps give nearly the same, and 300 steps of 8 teach nothing. So only the convolutions behind the copy begin as zeros.
    """
    whole = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(16, 32, 64, 96))
    net = ControlNetModel.from_config({**whole.config, "mid_block_type": "UNetMidBlock2D"})
    left = net.load_state_dict(whole.state_dict(), strict=False)
    assert not left.missing_keys, left.missing_keys
    if maps is not None:
        embedding = net.controlnet_cond_embedding
        x = (maps[:, None].float() / 255).expand(-1, 3, -1, -1).cpu()
        for conv in (embedding.conv_in, *embedding.blocks, embedding.conv_out):
            torch.nn.init.orthogonal_(conv.weight)
            conv.bias.zero_()
            y = conv(x)
            mean = y.mean((0, 2, 3))
            scale = (.3 if conv is embedding.conv_out else 1) / (y - mean[:, None, None]).std()
            conv.weight *= scale
            conv.bias.copy_(-mean * scale)
            x = F.silu(conv(x))
    return net.requires_grad_(True).to(DEVICE, memory_format=torch.channels_last)


def controlnet(args):
    frozen = Frozen(args.work, args.base)
    Z, I, C, maps = frozen.bank(args.output.with_suffix(".bank.pt"), args.pictures, args.everyday, args.others, also=canny)
    torch.manual_seed(0)
    net = new_controlnet(frozen.unet, maps[:64])
    new = [p for m in (net.controlnet_cond_embedding, net.controlnet_down_blocks, net.controlnet_mid_block) for p in m.parameters()]
    run = Run(net, args.output.with_suffix(".state.pt"), args.minutes, args.learning_rate, weight_decay=.01, warm_up=30, flat=.5, ema=.99, faster=new)
    torch.manual_seed(run.step)
    unet = frozen.unet.to(run.working.dtype)
    control, base = (torch.compile(m) if args.compile else m for m in (run.working, unet))

    def predict(k, x, t, h):
        dtype = unet.dtype
        cond = (maps[k][:, None].to(dtype) / 255)
        # Lines as a hand draws them are thicker than Canny's.
        thick = torch.rand(len(k), 1, 1, 1, device=DEVICE) < args.thick
        cond = torch.where(thick, F.max_pool2d(cond, 3, 1, 1), cond).expand(-1, 3, -1, -1)
        with autocast():
            down, mid = control(x.to(dtype), t, h.to(dtype), cond, return_dict=False)
            return base(x.to(dtype), t, h.to(dtype), down_block_additional_residuals=down, mid_block_additional_residual=mid, return_dict=False)[0]

    run.train(lambda: frozen.loss(predict, Z, I, C, args.batch, (.5, .5, .5), .7, early=True))
    run.take_average()
    net.half().save_pretrained(args.output)
    refuse_above(12_000_000, args.output / "diffusion_pytorch_model.safetensors")


def lora(args):
    frozen = Frozen(args.work, args.base, args.style)
    Z, I, C, _ = frozen.bank(args.output.with_suffix(".bank.pt"), args.pictures, args.everyday, args.others, redraw=STYLES[args.style])
    unet = frozen.unet
    unet.add_adapter(LoraConfig(r=args.rank, lora_alpha=args.rank, init_lora_weights="gaussian", target_modules=TRANSFORMERS))
    run = Run(unet, args.output.with_suffix(".state.pt"), args.minutes, args.learning_rate, weight_decay=.01, warm_up=20, flat=.3)
    torch.manual_seed(run.step)

    def predict(_, x, t, h):
        dtype = run.working.dtype
        with autocast():
            return run.working(x.to(dtype), t, h.to(dtype), return_dict=False)[0]

    run.train(lambda: frozen.loss(predict, Z, I, C, args.batch, (.8, 1, 0), .3, early=True))
    tensors = {f"unet.{k}": v.half().contiguous().cpu() for k, v in get_peft_model_state_dict(unet).items()}
    save_file(tensors, args.output, metadata={"format": "pt", "modelspec.title": TITLES[args.style], "modelspec.trigger_phrase": args.style})
    refuse_above(300_000, args.output)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("what", choices=["controlnet", "lora"])
    parser.add_argument("--style", choices=list(STYLES), default="neon")
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--pictures", type=int, default=24576 if GPU else 13312, help="how many are drawn, before training begins")
    parser.add_argument("--everyday", type=float, default=0., help="share of them that comes from emoji.EVERYDAY alone")
    parser.add_argument("--others", type=float, default=0., help="share of them that comes from all drawings")
    parser.add_argument("--thick", type=float, default=.2, help="share of the maps whose lines are three pixels wide")
    parser.add_argument("--batch", type=int, default=256 if GPU else 8)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--base", type=Path, help="default: base in the work folder")
    parser.add_argument("--compile", action="store_true", help="a minute to compile, then faster on a CPU")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    args.learning_rate = args.learning_rate or {"controlnet": 5e-4, "lora": 3e-3}[args.what]
    torch.set_num_threads(args.threads), torch.manual_seed(0)
    {"controlnet": controlnet, "lora": lora}[args.what](args)


if __name__ == "__main__":
    main()
