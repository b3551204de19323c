"""The model that ships with its own ControlNet, a LoRA and an image prompt, for tests/generate.

    python tests/reference/shipped.py      writes tests/fixtures/shipped/: a map, and the latents that diffusers makes

It has to run again whenever weights in web/model change.
"""
import json
import pathlib

import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline
from diffusers.utils import load_image
from PIL import Image, ImageDraw

import pipelines  # which turns gradients off
import sensitivity

ROOT = pathlib.Path(__file__).parent.parent.parent
OUT, MODEL = ROOT / "tests/fixtures/shipped", ROOT / "web/model"
UP = "@../../../"  # from OUT
CASES = {
    "the_first_minute": dict(prompt="neon emoji of house", negative="", steps=3, seed=4, guidance=5.0, map="house.png", scale=1.0, lora="neon", lora_scale=0.8,
                             image="web/samples/cactus.png", image_scale=0.5),
}


def scribble():
    """A house as a hand draws it, white on black."""
    m = Image.new("RGB", (128, 128))
    d = ImageDraw.Draw(m)
    d.line([(24, 62), (64, 22), (104, 62)], "white", 2)
    d.line([(34, 54), (34, 108), (94, 108), (94, 54)], "white", 2)
    d.line([(54, 108), (54, 78), (74, 78), (74, 108)], "white", 2)
    m.save(OUT / "house.png", optimize=True)
    m.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(OUT / "upside-down.png", optimize=True)


def flags(c):
    """The case as ./build.sh generate takes it; @ marks a path from OUT. The model, its ControlNet and its adapter are those that ship."""
    f = ["--prompt", c["prompt"], "--negative-prompt", c["negative"], "--num-inference-steps", c["steps"], "--seed", c["seed"], "--guidance-scale", c["guidance"],
         "--height", 128, "--width", 128, "--control-image", "@" + c["map"], "--controlnet-conditioning-scale", c["scale"],
         "--lora", f"{UP}web/model/{c['lora']}.safetensors", "--lora-scale", c["lora_scale"], "--image", UP + c["image"], "--ip-adapter-scale", c["image_scale"]]
    return [str(x) for x in f]


def run(c, dtype):
    net = ControlNetModel.from_pretrained(MODEL / "controlnet", torch_dtype=dtype)
    pipe = StableDiffusionControlNetPipeline.from_pretrained(MODEL, controlnet=net, torch_dtype=dtype)
    pipe.set_progress_bar_config(disable=True)
    pipe.load_ip_adapter(str(MODEL), subfolder="", weight_name="ip-adapter.safetensors", image_encoder_folder=None, low_cpu_mem_usage=False)
    pipe.load_lora_weights(str(MODEL), weight_name=c["lora"] + ".safetensors", adapter_name="style")
    pipe.set_adapters(["style"], [c["lora_scale"]])
    pipe.set_ip_adapter_scale(c["image_scale"])
    pipe.to(dtype=dtype)
    return pipe(c["prompt"], negative_prompt=c["negative"], image=load_image(str(OUT / c["map"])), controlnet_conditioning_scale=c["scale"], height=128, width=128,
                num_inference_steps=c["steps"], guidance_scale=c["guidance"], ip_adapter_image=load_image(str(ROOT / c["image"])),
                generator=torch.Generator().manual_seed(c["seed"]), output_type="latent").images.float()


def changes(c):
    yield "no ControlNet", dict(c, scale=0.0)
    yield "half its weight", dict(c, scale=c["scale"] / 2)
    yield "another map", dict(c, map="upside-down.png")
    yield "no LoRA", dict(c, lora_scale=0.0)
    yield "no image prompt", dict(c, image_scale=0.0)


def main():
    pipelines.float32_draws()
    OUT.mkdir(parents=True, exist_ok=True)
    scribble()
    fixture = {}
    for name, c in CASES.items():
        want, half = run(c, torch.float32), run(c, torch.float16)
        error = sensitivity.distance(half, want)
        moves = {what: sensitivity.number(sensitivity.distance(run(o, torch.float32), want)) for what, o in changes(c)}
        print(name, list(want.shape), "float16 error %.2g" % error, "moves", moves, flush=True)
        if min(moves.values()) < sensitivity.least(error):
            raise SystemExit(f"{name} tests nothing")
        fixture[name] = dict(flags=flags(c), shape=list(want.shape), f16_error=error, moves=moves, latents=sensitivity.numbers(want))
    (OUT / "shipped.json").write_text(json.dumps(fixture, separators=(",", ":")))
    (OUT / "upside-down.png").unlink()


if __name__ == "__main__":
    main()
