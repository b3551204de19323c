"""Complete pictures from files, for tests/generate: a small model in diffusers' layout, prompts
as text, pictures and masks as PNG, and the latents that diffusers makes from them.

    python tests/reference/generate.py      writes tests/fixtures/generate/

Nothing is prepared by hand: diffusers loads the folder with from_pretrained and
load_ip_adapter, and its own tokenizer and image processors read the words and pictures.
"""
import json
import pathlib
import shutil

import diffusers
import numpy as np
import torch
from diffusers.image_processor import IPAdapterMaskProcessor
from diffusers.utils import load_image

import pipelines
from scheduler_names import ARGUMENTS, CLASSES
from weights import uniform

OUT = pathlib.Path(__file__).parent.parent / "fixtures/generate"
torch.set_grad_enabled(False)
pipelines.MODELS["generate"] = dict(
    unet=dict(sample_size=8, block_out_channels=(12, 24), layers_per_block=1, attention_head_dim=3, cross_attention_dim=pipelines.DIM, norm_num_groups=4,
              down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D")),
    vae=dict(pipelines.VAE, block_out_channels=(8, 8, 8, 16)), text=dict(pipelines.TEXT, hidden_act="quick_gelu"),
    vision=dict(pipelines.VISION, hidden_act="gelu"), scheduler=pipelines.SCHEDULER)

GLOBAL, PLUS = "ip-adapter-global.safetensors", "ip-adapter-plus.safetensors"
CASES = {
    # Every argument as on the command line; the sizes are the model's and the start picture's.
    "words_and_picture": dict(prompt="The fox and a RED cat, on 2 blue things", negative="the dog's red", steps=4, seed=7, guidance=7.5,
                              height=64, width=96, adapters=[dict(weights=GLOBAL, images=["wide.png"], scale=0.6)]),
    "img2img_two_adapters": dict(prompt="cat " * 20, negative="", steps=5, seed=11, guidance=4.0, init="start.png", strength=0.7, scheduler="dpmpp_2m_karras",
                                 adapters=[dict(weights=GLOBAL, images=["wide.png", "tall.png"], scale=0.5), dict(weights=PLUS, images=["tall.png"], scale=0.8)]),
    "inpaint_masked_adapter": dict(prompt="", negative="", steps=4, seed=3, guidance=7.5, init="start.png", strength=1.0, mask="mask.png", scheduler="euler_a",
                                   adapters=[dict(weights=PLUS, images=["wide.png"], scale=1.0, mask="left.png")]),
}


def draw(name, height, width):
    """A smooth picture with some noise in it."""
    from PIL import Image
    y, x = np.mgrid[:height, :width]
    noise = uniform(name, height * width * 3).reshape(height, width, 3) * 12
    ramps = np.stack([255 * x / width, 255 * y / height, 255 * ((x // 8 + y // 8) % 2)], -1)
    Image.fromarray(np.clip(ramps * 0.9 + noise + 12, 0, 255).astype(np.uint8)).save(OUT / name, optimize=True)


def pictures():
    from PIL import Image
    draw("wide.png", 40, 60)
    draw("tall.png", 71, 36)
    draw("start.png", 64, 96)
    mask = np.zeros((64, 96), np.uint8)
    mask[16:48, 30:] = 255
    Image.fromarray(mask).save(OUT / "mask.png", optimize=True)
    left = np.zeros((64, 96), np.uint8)
    left[:, :50] = 255
    Image.fromarray(left).save(OUT / "left.png", optimize=True)


def flags(c):
    """The case as ./build.sh generate takes it; @ marks a file of this folder."""
    f = ["--model", "@model", "--prompt", c["prompt"], "--negative-prompt", c["negative"], "--num-inference-steps", c["steps"], "--seed", c["seed"],
         "--guidance-scale", c["guidance"]]
    for flag, key in (("--height", "height"), ("--width", "width"), ("--scheduler", "scheduler"), ("--strength", "strength")):
        f += [flag, c[key]] if key in c else []
    for flag, key in (("--init-image", "init"), ("--mask", "mask")):
        f += [flag, "@" + c[key]] if key in c else []
    for a in c["adapters"]:
        f += ["--ip-adapter", "@model/" + a["weights"], "--image-encoder", "@model/image_encoder", "--image", *("@" + i for i in a["images"]),
              "--ip-adapter-scale", a["scale"]]
        f += ["--ip-adapter-mask", "@" + a["mask"]] if "mask" in a else []
    return [str(x) for x in f]


def run(c, dtype):
    kind = "StableDiffusionInpaintPipeline" if "mask" in c else "StableDiffusionImg2ImgPipeline" if "init" in c else "StableDiffusionPipeline"
    pipe = getattr(diffusers, kind).from_pretrained(OUT / "model", torch_dtype=dtype)
    pipe.set_progress_bar_config(disable=True)
    if "scheduler" in c:
        pipe.scheduler = getattr(diffusers, CLASSES[c["scheduler"]]).from_config(
            pipe.scheduler.config, **ARGUMENTS[c["scheduler"]])
    adapters = c["adapters"]
    pipe.load_ip_adapter([str(OUT / "model")] * len(adapters), subfolder=[""] * len(adapters), weight_name=[a["weights"] for a in adapters],
                         image_encoder_folder=None, low_cpu_mem_usage=False)
    pipe.to(dtype=dtype)
    pipe.set_ip_adapter_scale([a["scale"] for a in adapters])
    picture = lambda n: load_image(str(OUT / n))
    kwargs = {}
    if "init" in c:
        kwargs = dict(image=picture(c["init"]), strength=c["strength"])
    size = dict(height=c.get("height", 64), width=c.get("width", 96))
    if "mask" in c:
        kwargs |= dict(mask_image=picture(c["mask"]))
    if kind != "StableDiffusionImg2ImgPipeline":
        kwargs |= size
    if any("mask" in a for a in adapters):
        masks = [IPAdapterMaskProcessor().preprocess([picture(a["mask"]).convert("L")], **size).reshape(1, 1, size["height"], size["width"]) for a in adapters]
        kwargs |= dict(cross_attention_kwargs=dict(ip_adapter_masks=masks))
    out = pipe(prompt=c["prompt"], negative_prompt=c["negative"], num_inference_steps=c["steps"], guidance_scale=c["guidance"],
               generator=torch.Generator().manual_seed(c["seed"]), output_type="latent",
               ip_adapter_image=[[picture(i) for i in a["images"]] for a in adapters], **kwargs)
    return out.images.float()


def main():
    pipelines.float32_draws()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    pipelines.write_folder("generate", OUT / "model")
    pictures()
    fixture = {}
    for name, c in CASES.items():
        want, half = run(c, torch.float32), run(c, torch.float16)
        error = float((half - want).norm() / want.norm())
        fixture[name] = dict(flags=flags(c), shape=list(want.shape), f16_error=error, latents=[float(f"{v:.6g}") for v in want.flatten().tolist()])
        print(name, list(want.shape), "norm %.3g" % want.norm(), "float16 error %.2g" % error, flush=True)
    (OUT / "generate.json").write_text(json.dumps(fixture, separators=(",", ":")))
    print("%d bytes" % sum(p.stat().st_size for p in OUT.rglob("*") if p.is_file()))


if __name__ == "__main__":
    main()
