"""How nearly pictures follow a ControlNet's map, on names that were never trained on, and how a LoRA changes pictures.

    follow.py --work WORK --model MODEL --output FILE.json --sheet FILE.webp

The map is a held-out drawing's Canny edges, with the page's thresholds. F1 compares the edges of what was drawn with those of the map,
where an edge within a pixel counts as found. It is measured for words, for the picture of another drawing as the image prompt, and for
neither, with the ControlNet at weight 0 and 1. It is also measured for the drawing that was only encoded and decoded, which is the
upper limit, and for the same pictures with another drawing's map, which shows what chance gives. For each LoRA, which is named by its
style, MEASURES says what is measured, without it and at weight 0 and 1.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import ControlNetModel, DPMSolverMultistepScheduler, StableDiffusionControlNetPipeline, StableDiffusionPipeline

from emoji import COLOURS, Emoji
from evaluate import as_image, mean_and_spread
from look import sheet
from structure import DUOTONE, canny
from training import DEVICE, autocast

SHOWN = 10  # columns of the sheet
THINGS = "fox, panda, octopus, sunflower, cactus, pizza, rocket, house, guitar, crown, penguin, rainbow".split(", ")


def dark(x):
    """[B], of pictures in -1..1: the share of pixels whose brightest channel is below a fifth."""
    return (x.amax(1) < -.6).float().mean((1, 2))


def off_ramp(x):
    """[B]: how far pixels are from the nearest of duotone's colours, root mean square, of 255."""
    navy, coral, cream = torch.tensor(DUOTONE).float()
    at = torch.linspace(0, 1, 17)[:, None]
    ramp = torch.cat([navy + at * (coral - navy), coral + at * (cream - coral)])
    flat = ((x + 1) * 127.5).permute(0, 2, 3, 1).flatten(1, 2)
    return torch.cdist(flat, ramp.expand(len(x), -1, -1)).amin(2).square().mean(1).sqrt()


MEASURES = {"neon": ("share of dark pixels", dark), "duotone": ("distance from its colours", off_ramp)}


def f1(edges, wanted):
    """[B] of edge maps [B, H, W], uint8: harmonic mean of precision and recall, within a pixel."""
    drawn, mapped = (torch.from_numpy(e > 0).float()[:, None] for e in (edges, wanted))
    near = lambda e: F.max_pool2d(e, 3, 1, 1)
    precision = (drawn * near(mapped)).sum((1, 2, 3)) / drawn.sum((1, 2, 3)).clamp(min=1)
    recall = (mapped * near(drawn)).sum((1, 2, 3)) / mapped.sum((1, 2, 3)).clamp(min=1)
    return 2 * precision * recall / (precision + recall).clamp(min=1e-6)


def pixels(images):
    """[B, 3, H, W] in -1..1"""
    return torch.from_numpy(np.stack([np.asarray(i) for i in images])).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--controlnet", type=Path, help="default: controlnet in the model's folder")
    parser.add_argument("--loras", type=Path, nargs="*", default=[], help="files named by their style")
    parser.add_argument("--ways", nargs="+", default=["words", "nothing", "picture"], help="of asking; picture is that of another drawing, at scale 0.6")
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--guidance", type=float, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    emoji, rng = Emoji(args.work), np.random.default_rng(7)
    count = min(args.count, len(emoji.held))
    chosen, colours = rng.choice(emoji.held, count, replace=False), rng.integers(1, len(COLOURS), count)
    drawings = torch.cat([emoji.pictures([i], augment=False, colour=COLOURS[c])[0] for i, c in zip(chosen, colours)])
    captions = [emoji.full_caption(i, c) for i, c in zip(chosen, colours)]
    wanted = canny(drawings)
    maps = (torch.from_numpy(wanted).float() / 255)[:, None].expand(-1, 3, -1, -1)

    pipe = StableDiffusionPipeline.from_pretrained(args.model, torch_dtype=torch.float32, safety_checker=None)
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    pipe.to(DEVICE).set_progress_bar_config(disable=True)
    table = {"pictures": count, "seeds": args.seeds, "steps": args.steps, "guidance": args.guidance}
    rows = []

    def generate(pipe, words, seed, prompts=None, at=slice(None), **extra):
        made, n = [], len(words)
        for b in range(0, n, 16):
            part = slice(b, b + 16)
            more = {}
            if prompts:
                seen, nothing = pipe.encode_image(pipe.feature_extractor(prompts[part], return_tensors="pt").pixel_values, DEVICE, 1)
                # As in evaluate.py: diffusers would repeat every picture for each of the prompts.
                pipe.prepare_ip_adapter_image_embeds = lambda *_, e=[torch.cat([nothing[:, None], seen[:, None]])], **__: e
                more["ip_adapter_image_embeds"] = [seen[:, None]]
            if "image" in extra:
                more |= {"image": extra["image"][part].to(DEVICE), "controlnet_conditioning_scale": extra["scale"]}
            noise = torch.randn(n, 4, 16, 16, generator=torch.Generator().manual_seed(seed))[part]
            with autocast():
                made += pipe(words[part], latents=noise.to(DEVICE), num_inference_steps=args.steps, guidance_scale=args.guidance, **more).images
        return made

    for path in args.loras:
        style = path.stem
        what, measure = MEASURES[style]
        words, entry = [f"3d emoji of {thing}, {style}" for thing in THINGS], {}
        for scale in (None, 0, 1):
            if scale is not None:
                pipe.load_lora_weights(str(path.parent), weight_name=path.name, adapter_name=style)
                pipe.set_adapters([style], [scale])
            runs = [generate(pipe, words, seed) for seed in range(args.seeds)]
            entry["without it" if scale is None else f"weight {scale}"] = mean_and_spread([measure(pixels(r)) for r in runs])
            if scale is not None:
                pipe.unload_lora_weights()
            if scale != 0:
                rows.append(runs[0][:SHOWN])
        table[f"{style}: {what}"] = entry
        print(style, entry, flush=True)

    if (args.controlnet or args.model / "controlnet").exists():
        net = ControlNetModel.from_pretrained(args.controlnet or args.model / "controlnet", torch_dtype=torch.float32)
        pipe = StableDiffusionControlNetPipeline(**pipe.components, controlnet=net.to(DEVICE), requires_safety_checker=False)
        pipe.set_progress_bar_config(disable=True)
        again = pipe.vae.decode(pipe.vae.encode(drawings.to(DEVICE)).latent_dist.mode()).sample
        table["encoded and decoded"] = mean_and_spread([f1(canny(again), wanted)])
        originals = [as_image(x) for x in drawings]
        other = originals[-1:] + originals[:-1]  # another drawing, as the image prompt
        rows += [originals[:SHOWN], [as_image(m * 2 - 1) for m in maps[:SHOWN]]]
        ways = {"words": (captions, None), "nothing": ([""] * count, None), "picture": ([""] * count, other)}
        for name in args.ways:
            words, prompts = ways[name]
            if prompts:
                pipe.load_ip_adapter(str(args.model), subfolder="", weight_name="ip-adapter.safetensors", image_encoder_folder=None)
                pipe.set_ip_adapter_scale(.6)
            for scale in (0.0, 1.0):
                runs = [generate(pipe, words, seed, prompts, image=maps, scale=scale) for seed in range(args.seeds)]
                edges = [canny(pixels(r)) for r in runs]
                table[f"{name}, weight {scale:g}"] = {"F1": mean_and_spread([f1(e, wanted) for e in edges]), "another's map": mean_and_spread([f1(e, np.roll(wanted, 1, 0)) for e in edges])}
                print(name, scale, table[f"{name}, weight {scale:g}"], flush=True)
                rows.append(runs[0][:SHOWN])
                args.output.write_text(json.dumps(table, indent=1) + "\n")
    args.output.write_text(json.dumps(table, indent=1) + "\n")
    if args.sheet:
        sheet(rows, SHOWN).save(args.sheet, quality=82, method=6)


if __name__ == "__main__":
    main()
