"""The folder that ships: diffusers' layout, fp16 safetensors, adapters beside it, no more than it may weigh."""
import argparse
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

import latent_rgb

MOST = 48_000_000  # bytes: a first visit waits for all of them


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--adapters", type=Path, nargs="*", default=[])
    parser.add_argument("--text-projection", type=Path, help="judge.py's file: with it the text encoder is CLIP's whole one, and ./build.sh evaluate can judge by it")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    part = args.output.with_name(args.output.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    base, half = args.base, torch.float16
    StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(base / "vae", torch_dtype=half), unet=UNet2DConditionModel.from_pretrained(base / "unet", torch_dtype=half),
        text_encoder=CLIPTextModel.from_pretrained(base / "text_encoder", dtype=half), tokenizer=CLIPTokenizer.from_pretrained(base / "tokenizer"),
        image_encoder=CLIPVisionModelWithProjection.from_pretrained(base / "image_encoder", dtype=half),
        feature_extractor=CLIPImageProcessor.from_pretrained(base / "feature_extractor"), scheduler=DDIMScheduler.from_pretrained(base / "scheduler"),
        safety_checker=None, requires_safety_checker=False).save_pretrained(part)
    if args.text_projection:  # a key more, which StableDiffusionPipeline's CLIPTextModel passes over
        file = part / "text_encoder" / "model.safetensors"
        weights = load_file(file) | {"text_projection.weight": load_file(args.text_projection)["text_projection.weight"].half()}
        save_file(weights, file, metadata={"format": "pt"})
    for adapter in args.adapters:
        shutil.copy(adapter, part)
    for name in ("vocab.json", "merges.txt"):  # CLIP's two files; transformers would leave one of its own
        shutil.copy(base / "tokenizer" / name, part / "tokenizer")
    (part / "tokenizer" / "tokenizer.json").unlink(missing_ok=True)
    for config in part.rglob("*.json"):
        content = json.loads(config.read_text())
        if content.pop("_name_or_path", None) is not None:
            config.write_text(json.dumps(content, indent=2) + "\n")
    latent_rgb.fit(part)
    for file in part.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)
    weight = sum(f.stat().st_size for f in part.rglob("*") if f.is_file())
    if weight > MOST:
        raise SystemExit(f"{part} weighs {weight / 1e6:.1f} MB and {MOST / 1e6:.0f} may ship: take a smaller --resampler-dim")
    if args.output.exists():
        for kept in ("ATTRIBUTION.md", "ships.json"):
            shutil.copy(args.output / kept, part)
        shutil.rmtree(args.output)
    part.rename(args.output)
    print(f"{args.output}: {weight / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
