"""Files with the true layout, size and key names of Stable Diffusion 1.5, of h94's IP-Adapter
and of a ControlNet, but with random numbers, under .build/full (9.6 GB, never committed).

    python tests/full/weights.py            writes what is missing
    python tests/full/weights.py --layout   writes tests/fixtures/full/layout.json and controlnet.json only: keys, shapes
                                            and configurations, for the plan of memory (app/engine/memory_test.go)

diffusers and transformers make the networks from the published configurations. The files are
written as they are published: UNet, text encoder and VAE in float16, the VAE with the old
names of its attention, the image encoder in float32, the two adapters, and the ControlNet in
float16. The numbers are
normally distributed with a deviation that keeps activations near 1 (1/√fan-in), so that they
fit into float16.
"""
import argparse
import json
import math
import re
import shutil
import zlib
from pathlib import Path

import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModelWithProjection

ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / ".build" / "full"
FIXTURE = ROOT / "tests" / "fixtures" / "full" / "layout.json"
LDM = ROOT / "tests" / "fixtures" / "layout" / "sd15.tsv"

UNET = dict(sample_size=64, in_channels=4, out_channels=4, block_out_channels=(320, 640, 1280, 1280), layers_per_block=2, cross_attention_dim=768,
            attention_head_dim=8, down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",), up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3)
VAE = dict(block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
           layers_per_block=2, latent_channels=4, sample_size=512)
TEXT = dict(vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, max_position_embeddings=77,
            hidden_act="quick_gelu", projection_dim=768)
SCHEDULER = dict(_class_name="PNDMScheduler", num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", trained_betas=None,
                 clip_sample=False, set_alpha_to_one=False, skip_prk_steps=True, steps_offset=1)
# h94/IP-Adapter's models/image_encoder: OpenCLIP's ViT-H/14.
VISION = dict(hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=16, image_size=224, patch_size=14, projection_dim=1024,
              hidden_act="gelu")


def prefixed(state, prefix):
    """Published files keep a CLIP tower's keys below its name, whatever transformers does today."""
    return {k if k.startswith((prefix, "visual_projection", "text_projection")) else prefix + k: v for k, v in state.items()}


def old_attention(key):
    """SD 1.5's VAE names its attention as diffusers once did."""
    if "mid_block.attentions.0" not in key:
        return key
    for new, old in (("to_q.", "query."), ("to_k.", "key."), ("to_v.", "value."), ("to_out.0.", "proj_attn.")):
        key = key.replace(new, old)
    return key


def models(device):
    with torch.device(device):
        return {"unet": UNet2DConditionModel(**UNET), "vae": AutoencoderKL(**VAE), "text_encoder": CLIPTextModel(CLIPTextConfig(**TEXT)),
                "image_encoder": CLIPVisionModelWithProjection(CLIPVisionConfig(**VISION))}


def adapter_shapes(kind, unet):
    """h94's keys: the projection, then K' and V' of each cross-attention, numbered 1, 3, 5, …"""
    dim = UNET["cross_attention_dim"]
    if kind == "ip-adapter_sd15":
        shapes = {"image_proj.proj.weight": [4 * dim, VISION["projection_dim"]], "image_proj.proj.bias": [4 * dim]}
        shapes |= {"image_proj.norm.weight": [dim], "image_proj.norm.bias": [dim]}
    else:
        inner = 12 * 64
        shapes = {"image_proj.latents": [1, 16, dim], "image_proj.proj_in.weight": [dim, VISION["hidden_size"]], "image_proj.proj_in.bias": [dim],
                  "image_proj.proj_out.weight": [dim, dim], "image_proj.proj_out.bias": [dim], "image_proj.norm_out.weight": [dim], "image_proj.norm_out.bias": [dim]}
        for i in range(4):
            at = f"image_proj.layers.{i}"
            for n in ("norm1", "norm2"):
                shapes |= {f"{at}.0.{n}.weight": [dim], f"{at}.0.{n}.bias": [dim]}
            shapes |= {f"{at}.0.to_q.weight": [inner, dim], f"{at}.0.to_kv.weight": [2 * inner, dim], f"{at}.0.to_out.weight": [dim, inner],
                       f"{at}.1.0.weight": [dim], f"{at}.1.0.bias": [dim], f"{at}.1.1.weight": [4 * dim, dim], f"{at}.1.3.weight": [dim, 4 * dim]}
    number = 1
    # The order in which diffusers registers the blocks: down, up, mid.
    for key, v in unet.state_dict().items():
        if key.endswith("attn2.to_k.weight"):
            for n in ("k", "v"):
                shapes[f"ip_adapter.{number}.to_{n}_ip.weight"] = [v.shape[0], dim]
            number += 2
    return shapes


def layout():
    """The shapes of every file's tensors, and the type that it is published in."""
    m = models("meta")
    files = {
        "sd15/unet/diffusion_pytorch_model.fp16.safetensors": (m["unet"].state_dict(), "F16"),
        "sd15/vae/diffusion_pytorch_model.fp16.safetensors": ({old_attention(k): v for k, v in m["vae"].state_dict().items()}, "F16"),
        "sd15/text_encoder/model.fp16.safetensors": (prefixed(m["text_encoder"].state_dict(), "text_model."), "F16"),
        "ip-adapter/image_encoder/model.safetensors": (prefixed(m["image_encoder"].state_dict(), "vision_model."), "F32"),
    }
    shapes = {f: ({k: list(v.shape) for k, v in state.items() if not k.endswith("position_ids")}, t) for f, (state, t) in files.items()}
    for kind in ("ip-adapter_sd15", "ip-adapter-plus_sd15"):
        shapes[f"ip-adapter/{kind}.safetensors"] = (adapter_shapes(kind, m["unet"]), "F16")
    return shapes


def tensor(name, key, shape, dtype):
    """A tensor for that name, which is the same in every run."""
    g = torch.Generator().manual_seed(zlib.crc32(f"{name}/{key}".encode()))
    x = torch.randn(shape, generator=g)
    if len(shape) == 1 and key.endswith("weight"):
        x = 1 + 0.1 * x  # a norm's scale
    elif len(shape) == 1:
        x = 0.1 * x
    elif "controlnet_cond_embedding" in key:
        x = 1.7 * x / math.sqrt(math.prod(shape[1:]))  # convolutions with SiLU, not a table
    elif "embedding" in key and "patch" not in key or key.endswith("latents"):
        x = 0.3 * x
    else:
        x = x / math.sqrt(math.prod(shape[1:]))
    # Only float16 numbers: the store converts float32 to float16, which then changes nothing.
    return x.half().to(dtype)


def write(name, shapes, dtype):
    path = OUT / name
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {k: tensor(name, k, s, torch.float16 if dtype == "F16" else torch.float32) for k, s in shapes.items()}
    for part, n in (("text_encoder", 77), ("image_encoder", 257)):
        if part in name:
            prefix = "text_model" if part == "text_encoder" else "vision_model"
            state[f"{prefix}.embeddings.position_ids"] = torch.arange(n).unsqueeze(0)
    part = path.with_suffix(".part")
    save_file(state, part, metadata={"format": "pt"})
    part.rename(path)
    print(name, f"{path.stat().st_size / 1e9:.2f} GB", flush=True)


def vocabulary(merges):
    """CLIP's vocab.json from its merges: bytes, bytes that end a word, merges, two marks."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in printable]
    letters = [chr(b) for b in printable] + [chr(256 + i) for i in range(len(rest))]
    lines = [m for m in merges.read_text().split("\n") if m and not m.startswith("#version")]
    words = letters + [c + "</w>" for c in letters] + ["".join(m.split()) for m in lines] + ["<|startoftext|>", "<|endoftext|>"]
    return {w: i for i, w in enumerate(words)}


def small_files():
    m = models("meta")
    for part in ("unet", "vae"):
        m[part].save_config(OUT / "sd15" / part)
    for part, config in (("sd15/text_encoder", m["text_encoder"].config), ("ip-adapter/image_encoder", m["image_encoder"].config)):
        (OUT / part).mkdir(parents=True, exist_ok=True)
        config.to_json_file(OUT / part / "config.json", use_diff=False)
    (OUT / "sd15/scheduler").mkdir(parents=True, exist_ok=True)
    (OUT / "sd15/scheduler/scheduler_config.json").write_text(json.dumps(SCHEDULER))
    (OUT / "sd15/tokenizer").mkdir(parents=True, exist_ok=True)
    merges = ROOT / "web/clip/merges.txt"
    shutil.copy(merges, OUT / "sd15/tokenizer/merges.txt")
    words = vocabulary(merges)
    assert len(words) == TEXT["vocab_size"], len(words)
    (OUT / "sd15/tokenizer/vocab.json").write_text(json.dumps(words, ensure_ascii=False))
    mark = "<|endoftext|>"
    (OUT / "sd15/tokenizer/tokenizer_config.json").write_text(json.dumps(dict(model_max_length=77, bos_token="<|startoftext|>", eos_token=mark, unk_token=mark, pad_token=mark)))


def single_file():
    """The same model as communities publish theirs: one file under the original (ldm) keys, which
    tests/fixtures/layout/sd15.tsv lists beside diffusers', the VAE in float32, with what training left in it."""
    path = OUT / "sd15.safetensors"
    if path.exists():
        return
    files = {"unet": "unet/diffusion_pytorch_model", "vae": "vae/diffusion_pytorch_model", "text_encoder": "text_encoder/model"}
    networks = {n: load_file(OUT / "sd15" / f"{f}.fp16.safetensors") for n, f in files.items()}
    state = {}
    for line in LDM.read_text().splitlines():
        key, shape, network, name, _ = line.split("\t")
        shape = [int(n) for n in shape.split("x")]
        if network == "-":  # no part of the model
            state[key] = torch.ones(shape)
            continue
        x = networks[network][old_attention(name) if network == "vae" else name].reshape(shape)
        state[key] = x.float() if network == "vae" else x
    part = path.with_suffix(".part")
    save_file(state, part, metadata={"format": "pt"})
    part.rename(path)
    print(path.name, f"{path.stat().st_size / 1e9:.2f} GB", flush=True)


def controlnet_layout():
    """A ControlNet for Stable Diffusion 1.5, as lllyasviel's are published: float16."""
    with torch.device("meta"):
        net = ControlNetModel(**{k: v for k, v in UNET.items() if k not in ("sample_size", "out_channels", "up_block_types")})
    shapes = {k: list(v.shape) for k, v in sorted(net.state_dict().items())}
    config = {k: v for k, v in dict(net.config).items() if v is not None and not k.startswith("_")}
    return {"controlnet/config.json": config, "controlnet/diffusion_pytorch_model.fp16.safetensors": {"dtype": "F16", "shapes": shapes}}


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--layout", action="store_true")
    if a.parse_args().layout:
        FIXTURE.parent.mkdir(parents=True, exist_ok=True)
        files = {f: {"dtype": t, "shapes": {k: s for k, s in sorted(shapes.items())}} for f, (shapes, t) in layout().items()}
        m = models("meta")
        for part, name in (("unet", "sd15/unet"), ("vae", "sd15/vae"), ("text_encoder", "sd15/text_encoder"), ("image_encoder", "ip-adapter/image_encoder")):
            config = dict(m[part].config) if part in ("unet", "vae") else m[part].config.to_dict()
            files[name + "/config.json"] = {k: v for k, v in config.items() if v is not None and not k.startswith("_")}
        text = json.dumps(files, separators=(",", ":"))
        FIXTURE.with_name("controlnet.json").write_text(json.dumps(controlnet_layout(), separators=(",", ":")) + "\n")
        FIXTURE.write_text(re.sub(r'(],|\},|\{)"', r'\1' + "\n" + '"', text) + "\n")
        return
    small_files()
    for name, (shapes, dtype) in layout().items():
        write(name, shapes, dtype)
    config, net = controlnet_layout().items()
    write(net[0], net[1]["shapes"], net[1]["dtype"])
    (OUT / config[0]).write_text(json.dumps(config[1]))
    single_file()


if __name__ == "__main__":
    main()
