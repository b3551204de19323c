"""CLIP-I and CLIP-T, as the paper's 4.2.1 defines them, on names that were never trained on.

CLIP-I: the cosine of the image embeddings of what is made and of the image prompt. CLIP-T: of the embeddings
of what is made and of the caption. The judge is the model's own small CLIP: good for comparing one adapter
with another, not with figures by other CLIPs. With second.py's judge in the work folder there is a figure more, "second":
as CLIP-I, by an encoder that no adapter was trained with. Writes a JSON table, and a sheet: a row for each way of asking.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline
from PIL import Image
from safetensors.torch import load_file

import second
from adapter_networks import kind_of, projection_for
from emoji import COLOURS, Emoji
from judge import pooled_text
from training import DEVICE, autocast


class Judge:
    def __init__(self, pipe, model, work):
        self.vision, self.process, self.model = pipe.image_encoder, pipe.feature_extractor, model
        self.projection = load_file(work / "judge.safetensors")["text_projection.weight"].float()
        self.second = second.read(work) if (work / "second.safetensors").exists() else None

    def pictures(self, images):
        return F.normalize(self.vision(self.process(images, return_tensors="pt").pixel_values.to(DEVICE)).image_embeds, dim=-1).cpu()

    def again(self, images):
        """The second judge's embeddings."""
        pixels = torch.from_numpy(np.stack([np.asarray(i) for i in images])).permute(0, 3, 1, 2).float() / 127.5 - 1
        return self.second(F.avg_pool2d(pixels, 2).to(DEVICE)).cpu()

    def captions(self, captions):
        return F.normalize(pooled_text(self.model, captions) @ self.projection.T, dim=-1)


def as_image(x):
    return Image.fromarray(((x + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy())


def mean_and_spread(values):
    """Mean over pictures and seeds, and the standard deviation of the seeds' means."""
    means = [v.mean().item() for v in values]
    return {"mean": round(float(np.mean(means)), 4), "spread": round(float(np.std(means)), 4)}


@torch.no_grad()
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--adapter", type=Path, help="its file; without one, words only")
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--scales", type=float, nargs="+", default=[.6], help="of picture and words together")
    parser.add_argument("--guidance", type=float, default=5)
    parser.add_argument("--skip-text", action="store_true")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    pipe = StableDiffusionPipeline.from_pretrained(args.model, torch_dtype=torch.float32, safety_checker=None)
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    pipe.to(DEVICE).set_progress_bar_config(disable=True)
    simple = None
    if args.adapter and kind_of(args.adapter) == "simple":  # its tokens are appended to the words', which needs nothing of diffusers
        simple = projection_for("simple", pipe.image_encoder.config, pipe.unet.config.cross_attention_dim).to(DEVICE)
        simple.load_state_dict({k.removeprefix("image_proj."): v for k, v in load_file(args.adapter).items()})
    elif args.adapter:
        pipe.load_ip_adapter(str(args.adapter.parent), subfolder="", weight_name=args.adapter.name, image_encoder_folder=None)
    emoji, rng = Emoji(args.work), np.random.default_rng(7)
    args.count = min(args.count, len(emoji.held))
    judge = Judge(pipe, args.model, args.work)

    chosen = rng.choice(emoji.held, args.count, replace=False)
    colours = rng.integers(1, len(COLOURS), args.count)
    prompts = [as_image(emoji.pictures([i], augment=False, colour=COLOURS[c])[0][0]) for i, c in zip(chosen, colours)]
    captions = [emoji.full_caption(i, c) for i, c in zip(chosen, colours)]
    elsewhere = [f"on a {COLOURS[(c + 5) % 11 + 1]} background" for c in colours]
    wanted, own, other = judge.pictures(prompts), judge.captions(captions), judge.captions(elsewhere)

    def generate(words, scale, seed):
        if args.adapter and not simple:
            pipe.set_ip_adapter_scale(scale)
        made = []
        for b in range(0, args.count, 16):
            extra = {}
            asked = dict(prompt=words[b:b + 16])
            if args.adapter and (scale or not simple):
                pixels = pipe.feature_extractor(prompts[b:b + 16], return_tensors="pt").pixel_values
                seen, nothing = pipe.encode_image(pixels, DEVICE, 1, output_hidden_states=plus)
                if simple:
                    said = pipe.encode_prompt(words[b:b + 16], DEVICE, 1, True)
                    asked = {k: torch.cat([s, simple(e)], 1) for k, s, e in zip(("prompt_embeds", "negative_prompt_embeds"), said, (seen, nothing))}
                else:
                    embeds = [torch.cat([nothing[:, None], seen[:, None]])]
                    # Given several prompts, diffusers repeats every picture for each of them, and the attention's reshape
                    # then folds all the batch's pictures into one context, without an error. Here each prompt has its own.
                    pipe.prepare_ip_adapter_image_embeds = lambda *_, embeds=embeds, **__: embeds
                    extra = {"ip_adapter_image_embeds": embeds}
            n = len(prompts[b:b + 16])
            noise = torch.randn(n, 4, 16, 16, generator=torch.Generator().manual_seed(1000 * seed + b))
            with autocast():
                made += pipe(**asked, latents=noise.to(DEVICE), num_inference_steps=args.steps, guidance_scale=args.guidance, **extra).images
        return made

    plus = bool(args.adapter) and "image_proj.latents" in load_file(args.adapter)
    ways = {} if args.skip_text else {"words": (captions, 0.0)}
    if args.adapter:
        ways["picture, scale 1"] = ([""] * args.count, 1.0)
        for s in args.scales:
            ways[f"both, scale {s}"] = (captions, s)
            ways[f"picture and another background, scale {s}"] = (elsewhere, s)
    table = {"model": args.model.name, "adapter": args.adapter and args.adapter.name, "pictures": args.count, "seeds": args.seeds, "steps": args.steps, "guidance": args.guidance,
             "the pictures themselves": {"CLIP-T": round((wanted * own).sum(1).mean().item(), 4)},
             "another's picture": {"CLIP-I": round((wanted * wanted.roll(1, 0)).sum(1).mean().item(), 4), "CLIP-T": round((wanted * own.roll(1, 0)).sum(1).mean().item(), 4)}}
    rows = [prompts]
    for name, (words, scale) in ways.items():
        runs = [generate(words, scale, seed) for seed in range(args.seeds)]
        seen = [judge.pictures(r) for r in runs]
        table[name] = {"CLIP-I": mean_and_spread([(s * wanted).sum(1) for s in seen]),
                       "CLIP-T": mean_and_spread([(s * own).sum(1) for s in seen]),
                       "CLIP-T, another background": mean_and_spread([(s * other).sum(1) for s in seen])}
        if judge.second:
            again = judge.again(prompts)
            table[name]["second"] = mean_and_spread([(judge.again(r) * again).sum(1) for r in runs])
        rows.append(runs[0])
        print(name, {k: v["mean"] for k, v in table[name].items()}, flush=True)
        args.output.write_text(json.dumps(table, indent=1) + "\n")
    if args.sheet:
        across = min(12, args.count)
        sheet = Image.new("RGB", (across * 128, len(rows) * 128))
        for y, row in enumerate(rows):
            for x in range(across):
                sheet.paste(row[x], (x * 128, y * 128))
        sheet.save(args.sheet)


if __name__ == "__main__":
    main()
