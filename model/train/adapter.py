"""Trains an image prompt adapter on a frozen base, as the paper does (arXiv 2308.06721, 4.1.2), through Accelerate.

    accelerate launch adapter.py --base stable-diffusion-v1-5/stable-diffusion-v1-5 --image-encoder <CLIP vision> \\
        --data pictures/ --adapter plus --resampler-dim 768 --steps 1000000 --output ip-adapter-plus.safetensors

--base is any SD1.5-shaped model in diffusers' layout, --data a folder with metadata.jsonl. (ours.py trains the demo model's
adapters, from the work folder that run.sh makes.) AdamW, 1e-4, weight decay 0.01; text, image and both dropped in 0.05 of the
draws each. Taken up again from --state where it is there.
"""
import argparse
import math
import time
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch.utils.data import DataLoader
from transformers import CLIPImageProcessor, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from adapter_data import Folder
from adapter_networks import Adapter, projection_for
from training import BFLOAT16, token_ids

MOST_STEPS = 10 ** 9  # where --minutes is the limit


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--base", required=True, help="the base model, a folder or a name on the Hugging Face hub")
    p.add_argument("--image-encoder", help="its CLIP vision model; default: the base's image_encoder")
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--adapter", choices=["global", "plus", "simple"], default="global")
    p.add_argument("--tokens", type=int, help="default: 16 for plus, else 4")
    p.add_argument("--resampler-dim", type=int, help="default: the base's cross_attention_dim")
    p.add_argument("--output", type=Path, required=True)
    p.add_argument("--state", type=Path, help="weights, averages, optimizer and step; default: beside the output")
    p.add_argument("--warm-start", type=Path, help="an adapter's file to begin from, align.py's for example")
    p.add_argument("--keep", type=float, default=0,
                   help="share of the warm start in the weights that are written: near the best of both (arXiv 2109.01903, WiSE-FT)")
    limit = p.add_mutually_exclusive_group(required=True)
    limit.add_argument("--steps", type=int)
    limit.add_argument("--minutes", type=float, help="of training, counted over all that --state has seen")
    p.add_argument("--batch", type=int, default=8, help="for each process")
    p.add_argument("--size", type=int, default=512, help="side of a folder's pictures")
    p.add_argument("--learning-rate", type=float, default=1e-4)
    p.add_argument("--warm-up", type=int, default=0, help="steps of rising rate")
    p.add_argument("--cosine", action="store_true", help="let the rate fall to 2 % over the run")
    p.add_argument("--weight-decay", type=float, default=.01)
    p.add_argument("--drop-text", type=float, default=.05)
    p.add_argument("--drop-image", type=float, default=.05)
    p.add_argument("--drop-both", type=float, default=.05)
    p.add_argument("--min-snr", type=float, default=0, help="gamma of min-SNR weighting (arXiv 2303.09556); 0: none, as the paper")
    p.add_argument("--ema", type=float, default=.999, help="decay of the weights' average, which is what is written")
    p.add_argument("--mixed-precision", choices=["no", "fp16", "bf16"],
                   default="bf16" if torch.cuda.is_available() or BFLOAT16 else "no")
    p.add_argument("--workers", type=int, default=0)
    p.add_argument("--threads", type=int, help="of a CPU")
    p.add_argument("--save-every", type=float, default=3, help="minutes")
    p.add_argument("--seed", type=int, default=0)
    args = p.parse_args()
    if args.keep and not args.warm_start:
        p.error("--keep is a share of the warm start: give --warm-start its file")
    args.state = args.state or args.output.with_suffix(".state.pt")
    return args


class Denoiser(torch.nn.Module):
    """UNet and adapter as one module, so that Accelerate can spread it over devices."""

    def __init__(self, unet, adapter):
        super().__init__()
        self.unet, self.adapter = unet, adapter

    def forward(self, x, t, text, image):
        context = torch.cat([text, self.adapter.image_proj(image).to(text.dtype)], 1)
        return self.unet(x, t, context, return_dict=False)[0]


class Encoders:
    """The frozen encoders that turn a batch of draws into latents, the words' and the picture's hidden states."""

    def __init__(self, args, device, dtype):
        load = lambda cls, part, **kw: cls.from_pretrained(args.base, subfolder=part, **kw)
        frozen = lambda m: m.to(device, dtype).eval().requires_grad_(False)
        self.kind, self.device, self.dtype = args.adapter, device, dtype
        self.tokenizer = load(CLIPTokenizer, "tokenizer")
        self.text = frozen(load(CLIPTextModel, "text_encoder", dtype=torch.float32))
        self.vae = frozen(load(AutoencoderKL, "vae", torch_dtype=torch.float32))
        self.vision = frozen(CLIPVisionModelWithProjection.from_pretrained(args.image_encoder, dtype=torch.float32) if args.image_encoder
                             else load(CLIPVisionModelWithProjection, "image_encoder", dtype=torch.float32))
        side = self.vision.config.image_size
        self.image_processor = CLIPImageProcessor(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
        # "No picture" is what diffusers gives the unconditional half: an embedding of zeros, or for Plus the
        # hidden states of a picture of zeros (IPAdapterMixin.encode_image).
        self.nothing = self._see(torch.zeros(1, 3, side, side)) * (1 if self.kind == "plus" else 0)

    @torch.no_grad()
    def _see(self, pixels):
        out = self.vision(pixels.to(self.device, self.dtype), output_hidden_states=True)
        return out.hidden_states[-2] if self.kind == "plus" else out.image_embeds

    @torch.no_grad()
    def __call__(self, batch, no_text, no_image):
        latents = self.vae.encode(batch["pixels"].to(self.device, self.dtype)).latent_dist.sample().float() * self.vae.config.scaling_factor
        image = self._see(batch["clip_pixels"])
        prompts = ["" if dropped else t for t, dropped in zip(batch["text"], no_text.tolist())]
        ids = token_ids(self.tokenizer, prompts)
        mask = no_image.to(self.device).view(-1, *[1] * (image.dim() - 1))
        return latents, self.text(ids.to(self.device)).last_hidden_state, torch.where(mask, self.nothing, image)


def noise_loss(scheduler, out, latents, noise, t, gamma):
    """Mean squared error of what the base predicts (noise or velocity), weighted by min-SNR where gamma is given."""
    velocity = scheduler.config.prediction_type == "v_prediction"
    target = scheduler.get_velocity(latents, noise, t) if velocity else noise
    loss = (out.float() - target).square().mean((1, 2, 3))
    if gamma:
        alphas = scheduler.alphas_cumprod.to(t.device)[t]
        snr = alphas / (1 - alphas)
        loss = loss * snr.clamp(max=gamma) / (snr + 1 if velocity else snr)
    return loss.mean()


def main():
    args = arguments()
    if args.threads:
        torch.set_num_threads(args.threads)
    accelerator = Accelerator(mixed_precision=args.mixed_precision)
    set_seed(args.seed, device_specific=True)
    dtype = {"no": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[args.mixed_precision]
    encoders = Encoders(args, accelerator.device, dtype)
    unet = UNet2DConditionModel.from_pretrained(args.base, subfolder="unet", torch_dtype=torch.float32).requires_grad_(False).eval()
    unet = unet.to(memory_format=torch.channels_last)
    scheduler = DDIMScheduler.from_pretrained(args.base, subfolder="scheduler")
    projection = projection_for(args.adapter, encoders.vision.config, unet.config.cross_attention_dim, args.resampler_dim, args.tokens)
    adapter = Adapter(unet, projection, args.adapter)
    unet.to(accelerator.device, dtype)  # before the adapter is made float32 again: it sits among the processors
    adapter.to(accelerator.device, torch.float32).requires_grad_(True)
    if args.warm_start:
        adapter.load(args.warm_start)
    optimizer = torch.optim.AdamW(adapter.parameters(), args.learning_rate, weight_decay=args.weight_decay)
    begun = {k: v.detach().clone() for k, v in adapter.state_dict().items()}
    average = {k: v.clone() for k, v in begun.items()}
    step, elapsed = 0, 0.0
    if args.state.exists():
        state = torch.load(args.state, map_location=accelerator.device, weights_only=True)
        adapter.load_state_dict(state["adapter"]), optimizer.load_state_dict(state["optimizer"])
        average, step, elapsed = state["average"], state["step"], state["elapsed"]
        accelerator.print(f"goes on from step {step}")

    per_step = args.batch * accelerator.num_processes
    stream = (args.seed, step * per_step, min(args.steps or MOST_STEPS, MOST_STEPS) * per_step)
    data = Folder(args.data, args.size, encoders.image_processor, *stream)
    loader = DataLoader(data, args.batch, num_workers=args.workers)
    model, optimizer, loader = accelerator.prepare(Denoiser(unet, adapter), optimizer, loader)

    def save():
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            part = args.state.with_suffix(".part")
            torch.save({"adapter": adapter.state_dict(), "optimizer": optimizer.state_dict(), "average": average, "step": step, "elapsed": elapsed}, part)
            part.rename(args.state)
            now = {k: v.clone() for k, v in adapter.state_dict().items()}
            adapter.load_state_dict({k: v.lerp(begun[k], args.keep) for k, v in average.items()})
            adapter.save(args.output), adapter.load_state_dict(now)

    last_save, last_log, mean = elapsed, time.time(), None
    start = time.time() - elapsed
    for batch in loader:
        done = elapsed / (60 * args.minutes) if args.minutes else step / args.steps
        if done >= 1:
            break
        rate = args.learning_rate * min(1, (step + 1) / max(1, args.warm_up))
        if args.cosine:
            rate *= max(.02, .5 * (1 + math.cos(math.pi * done)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        chance = batch["chance"].cpu()
        both = chance < args.drop_both
        no_image = both | (chance > 1 - args.drop_image)
        no_text = both | ((chance >= args.drop_both) & (chance < args.drop_both + args.drop_text))

        latents, text, image = encoders(batch, no_text, no_image)
        noise = torch.randn_like(latents)
        t = torch.randint(0, scheduler.config.num_train_timesteps, (len(latents),), device=latents.device)
        noisy = scheduler.add_noise(latents, noise, t).to(dtype).contiguous(memory_format=torch.channels_last)
        loss = noise_loss(scheduler, model(noisy, t, text, image), latents, noise, t, args.min_snr)
        optimizer.zero_grad()
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(adapter.parameters(), 1.0)
        optimizer.step()
        step, elapsed = step + 1, time.time() - start
        decay = min(args.ema, (step + 1) / (step + 10))
        with torch.no_grad():
            for k, v in adapter.state_dict().items():
                average[k].lerp_(v, 1 - decay)
        mean = loss.item() if mean is None else .98 * mean + .02 * loss.item()
        if step % 25 == 0:
            accelerator.print(f"step {step}, {elapsed / 60:.1f} min, loss {mean:.4f}, {25 * per_step / (time.time() - last_log):.0f} pictures/s", flush=True)
            last_log = time.time()
        if elapsed - last_save > 60 * args.save_every:
            save()
            last_save = elapsed
    save()
    accelerator.end_training()


if __name__ == "__main__":
    main()
