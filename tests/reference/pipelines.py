"""Latents of diffusers' pipelines on small models, for model/pipeline/pipeline_test.go.

    python tests/reference/pipelines.py                     writes tests/fixtures/pipelines/
    python tests/reference/pipelines.py --model-dir OUT     also writes the models as folders (for ./build.sh generate)

Weights come from weights.py. The fixture holds each model's configurations and keys, and for
each case its settings, its latents in float32 and the error of diffusers' own float16 run.
"""
import argparse
import json
import pathlib
import sys

import diffusers
import numpy as np
import torch
from diffusers import (AutoencoderKL, StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline, StableDiffusionPipeline,
                       UNet2DConditionModel)
from diffusers.image_processor import IPAdapterMaskProcessor
from safetensors.torch import save_file
from transformers import CLIPImageProcessor, CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModelWithProjection

sys.path.append(str(pathlib.Path(__file__).parent.parent.parent / "model/train"))
from adapter_networks import GlobalProjection
from scheduler_names import ARGUMENTS, CLASSES, FIRST
from weights import fill, tensor, uniform

OUT = pathlib.Path(__file__).parent.parent / "fixtures/pipelines"
torch.set_grad_enabled(False)
KINDS = ("global", "plus", "simple")
CROSS, PLAIN = ("CrossAttnDownBlock2D", "DownBlock2D"), ("UpBlock2D", "CrossAttnUpBlock2D")
DIM = 48
VAE = dict(block_out_channels=(8, 16, 16, 24), layers_per_block=1, norm_num_groups=4, latent_channels=4,
           down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, scaling_factor=0.3)
TEXT = dict(vocab_size=100, hidden_size=DIM, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=16,
            projection_dim=32, bos_token_id=98, eos_token_id=99, pad_token_id=99)
VISION = dict(hidden_size=40, intermediate_size=80, num_hidden_layers=3, num_attention_heads=2, image_size=35, patch_size=7, projection_dim=24)
SCHEDULER = dict(_class_name="PNDMScheduler", beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000,
                 set_alpha_to_one=False, skip_prk_steps=True, steps_offset=1, trained_betas=None, clip_sample=False)
MODELS = {
    # heads of 20, 40 and 80; 5, 10 and 20 channels per group; convolutions as projections
    "a": dict(unet=dict(sample_size=8, block_out_channels=(40, 80, 160), layers_per_block=1, attention_head_dim=2, cross_attention_dim=DIM, norm_num_groups=8,
                        down_block_types=("CrossAttnDownBlock2D",) * 2 + ("DownBlock2D",), up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 2),
              vae=VAE, text=dict(TEXT, hidden_act="quick_gelu"), vision=dict(VISION, hidden_act="gelu"), scheduler=SCHEDULER),
    # four levels of two layers, heads of 20, 40, 80 and 160, linear projections, v-prediction
    "b": dict(unet=dict(sample_size=8, block_out_channels=(20, 40, 80, 160), layers_per_block=2, attention_head_dim=1, cross_attention_dim=DIM, norm_num_groups=4,
                        use_linear_projection=True, down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
                        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3),
              vae=dict(VAE, layers_per_block=2), text=dict(TEXT, hidden_act="gelu", num_attention_heads=3), vision=dict(VISION, hidden_act="quick_gelu"),
              scheduler=dict(SCHEDULER, prediction_type="v_prediction", timestep_spacing="trailing")),
    # an inpainting model of nine channels
    "c": dict(unet=dict(sample_size=8, in_channels=9, block_out_channels=(40, 80), layers_per_block=1, attention_head_dim=(2, 4), cross_attention_dim=DIM, norm_num_groups=4,
                        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D")),
              vae=VAE, text=dict(TEXT, hidden_act="quick_gelu"), vision=dict(VISION, hidden_act="gelu"), scheduler=SCHEDULER),
}


def adapter_shapes(unet, kind):
    """The keys of an adapter in h94's form, for this UNet."""
    shapes = {}
    if kind == "full":
        hidden = VISION["hidden_size"]
        for name, o, i in (("0", hidden, hidden), ("2", DIM, hidden)):
            shapes |= {f"image_proj.proj.{name}.weight": [o, i], f"image_proj.proj.{name}.bias": [o]}
        shapes |= {"image_proj.proj.3.weight": [DIM], "image_proj.proj.3.bias": [DIM]}
    elif kind == "plus":
        hidden, inner = 40, 128
        shapes["image_proj.latents"] = [1, 5, hidden]
        for name, o, i in (("proj_in", hidden, VISION["hidden_size"]), ("proj_out", DIM, hidden)):
            shapes |= {f"image_proj.{name}.weight": [o, i], f"image_proj.{name}.bias": [o]}
        shapes |= {"image_proj.norm_out.weight": [DIM], "image_proj.norm_out.bias": [DIM]}
        for n in range(4):  # diffusers assumes four layers
            p = f"image_proj.layers.{n}."
            for norm in ("0.norm1", "0.norm2", "1.0"):
                shapes |= {p + norm + ".weight": [hidden], p + norm + ".bias": [hidden]}
            shapes |= {p + "0.to_q.weight": [inner, hidden], p + "0.to_kv.weight": [2 * inner, hidden], p + "0.to_out.weight": [hidden, inner],
                       p + "1.1.weight": [4 * hidden, hidden], p + "1.3.weight": [hidden, 4 * hidden]}
    else:
        shapes |= {"image_proj.proj.weight": [4 * DIM, VISION["projection_dim"]], "image_proj.proj.bias": [4 * DIM],
                   "image_proj.norm.weight": [DIM], "image_proj.norm.bias": [DIM]}
    if kind == "simple":
        return shapes
    state = unet.state_dict()
    number = 1
    for name in unet.attn_processors:
        if name.endswith("attn2.processor"):
            channels = state[name.replace("processor", "to_k.weight")].shape[0]
            for kind in "kv":
                shapes[f"ip_adapter.{number}.to_{kind}_ip.weight"] = [channels, DIM]
            number += 2
    return shapes


def build(name):
    m = MODELS[name]
    parts = dict(unet=UNet2DConditionModel(**m["unet"]), vae=AutoencoderKL(**m["vae"]), text_encoder=CLIPTextModel(CLIPTextConfig(**m["text"])),
                 image_encoder=CLIPVisionModelWithProjection(CLIPVisionConfig(**m["vision"])))
    keys = {k: fill(v.eval(), f"{name}/{k}/") for k, v in parts.items()}
    keys["text_encoder"] = {k if k.startswith("text_model.") else "text_model." + k: v for k, v in keys["text_encoder"].items()}
    # transformers drops the prefix in memory, but files have it. The hashed names are those in files.
    text = parts["text_encoder"]
    text.load_state_dict({k: tensor(f"{name}/text_encoder/" + (k if k.startswith("text_model.") else "text_model." + k), list(v.shape)) if v.dtype.is_floating_point else v
                          for k, v in text.state_dict().items()})
    for kind in KINDS:
        keys[kind] = adapter_shapes(parts["unet"], kind)
    configs = dict(unet=json.loads(parts["unet"].to_json_string()), vae=json.loads(parts["vae"].to_json_string()),
                   text_encoder=text.config.to_dict(), image_encoder=parts["image_encoder"].config.to_dict(), scheduler=m["scheduler"])
    return parts, keys, configs


def adapter_state(name, kind, keys):
    state = {"image_proj": {}, "ip_adapter": {}}
    for key, shape in keys[kind].items():
        part, rest = key.split(".", 1)
        state[part][rest] = tensor(f"{name}/{kind}/{key}", shape)
    return state


def simple_tokens(pipe, case, adapter, keys):
    """A simple adapter's tokens [1, T, D] without pictures and with them, by the module that model/train trains.
    The paper's simple adapter appends them to the words' hidden states; the base's K and V read both."""
    projection = GlobalProjection(VISION["projection_dim"], DIM)
    projection.load_state_dict(adapter_state(case["model"], "simple", keys)["image_proj"])
    projection.to(pipe.dtype)
    size = VISION["image_size"]
    pixels = torch.cat([picture(p, size, size) for p in adapter["images"]]).to(pipe.dtype)
    embeds, nothing = pipe.encode_image(pixels, "cpu", 1, False)
    return projection(nothing).reshape(1, -1, DIM), projection(embeds).reshape(1, -1, DIM)


def picture(name, h, w):
    """[1, 3, h, w] in -1..1, with a hashed colour for each square of 4 × 4 pixels."""
    small = torch.from_numpy(uniform(name, 3 * (h // 4 + 1) * (w // 4 + 1)).astype(np.float32)).view(1, 3, h // 4 + 1, w // 4 + 1)
    return small.repeat_interleave(4, 2).repeat_interleave(4, 3)[:, :, :h, :w].contiguous()


# IPAdapter_plus's combine_embeds: one embedding of several.
COMBINE = {
    "add": lambda x: x.sum(0, keepdim=True),
    "subtract": lambda x: (x[0] - x[1:].mean(0))[None],
    "average": lambda x: x.mean(0, keepdim=True),
    "norm-average": lambda x: (x / x.norm(dim=0, keepdim=True)).mean(0, keepdim=True),
}


def layer_scale(unet, a):
    """An adapter's λ as set_ip_adapter_scale takes it: a number, or by block for what
    "style" and "composition" mean (layers not named there get 0)."""
    layers, scale = a.get("layers", "all"), a["scale"]
    if layers == "all":
        return scale
    down = [i for i, t in enumerate(unet.config.down_block_types) if t.startswith("CrossAttn")]
    deepest = down[-1]
    across = len(unet.config.up_block_types) - 1 - deepest
    if layers == "composition":
        count = len(unet.down_blocks[deepest].attentions)
        return {"down": {f"block_{deepest}": [scale / 4] + [scale] * (count - 1)}}
    out = {"down": {}, "mid": scale, "up": {}}
    for i in down[:-1]:
        out["down"][f"block_{i}"] = [scale] * len(unet.down_blocks[i].attentions)
    for i, t in enumerate(unet.config.up_block_types):
        if t.startswith("CrossAttn") and i != across:
            out["up"][f"block_{i}"] = [scale] * len(unet.up_blocks[i].attentions)
    return out


CLASSES_BY_KIND = {"": StableDiffusionPipeline, "img2img": StableDiffusionImg2ImgPipeline, "inpaint": StableDiffusionInpaintPipeline}


def repainted(h, w):
    """The mask of an inpainting case, [1, 1, h, w]."""
    mask = torch.zeros(1, 1, h, w)
    mask[..., h // 4: h * 3 // 4, w // 3:] = 1
    return mask


def run(case, dtype, classes=CLASSES_BY_KIND, components={}, arguments={}, prepare=None):
    """The latents of a case. classes are the pipelines by kind, which take more components and
    arguments where something else than an adapter steers them. prepare changes the pipeline."""
    name = case["model"]
    parts, keys, _ = build(name)
    h, w, steps, guidance = case["height"], case["width"], case["steps"], case["guidance"]
    config = MODELS[name]["scheduler"]
    cls = case["scheduler"] or "pndm"
    scheduler = getattr(diffusers, CLASSES[cls]).from_config(config, **ARGUMENTS[cls])
    pipe = classes[case["kind"]](vae=parts["vae"], text_encoder=parts["text_encoder"], tokenizer=None, unet=parts["unet"], scheduler=scheduler, safety_checker=None,
                feature_extractor=None, image_encoder=parts["image_encoder"], requires_safety_checker=False, **components)
    pipe.set_progress_bar_config(disable=True)
    kwargs = {}
    adapters = [a for a in case["adapters"] if a["kind"] != "simple"]
    if adapters:
        pipe.load_ip_adapter([adapter_state(name, a["kind"], keys) for a in adapters], subfolder=None, weight_name=[None] * len(adapters),
                             image_encoder_folder=None, low_cpu_mem_usage=False)
    pipe.to(dtype=dtype)
    if prepare:
        prepare(pipe)
    if adapters:
        pipe.set_ip_adapter_scale([layer_scale(pipe.unet, a) for a in adapters])
        embeds, masks = [], []
        size = VISION["image_size"]
        for a in adapters:
            pixels = torch.cat([picture(p, size, size) for p in a["images"]]).to(dtype)
            states = a["kind"] in ("plus", "full")
            embed, negative = pipe.encode_image(pixels, "cpu", 1, states)
            if "combine" in a:
                embed, negative = COMBINE[a["combine"]](embed), negative[:1]
            if "negative" in a:
                negative = pipe.encode_image(picture(a["negative"], size, size).to(dtype), "cpu", 1, states)[0].expand_as(embed)
            embed, negative = embed[None], negative[None]
            embeds.append(torch.cat([negative, embed]) if guidance > 1 else embed)
            mask = torch.ones(1, 1 if "combine" in a else len(a["images"]), h, w)
            if a.get("mask"):
                x0, x1 = a["mask"]
                mask[...] = 0
                mask[..., x0:x1] = 1
            masks.append(mask)
        kwargs["ip_adapter_image_embeds"] = embeds
        if any(a.get("mask") for a in adapters):
            kwargs["cross_attention_kwargs"] = dict(ip_adapter_masks=masks)
        total = steps if case["kind"] == "" else max(1, min(int(steps * case["strength"]), steps))

        def set_scales(i):
            pipe.set_ip_adapter_scale([0.0 if i / total < a.get("start", 0) or (i + 1) / total > a.get("end", 1) else a["scale"] for a in adapters])

        def callback(p, i, t, kw):
            set_scales(i + 1)
            return {}
        if any("start" in a or "end" in a for a in adapters):
            set_scales(0)
            kwargs["callback_on_step_end"] = callback
    embed = lambda ids: pipe.text_encoder(torch.tensor([ids]))[0]
    words, negative_words = embed(case["ids"]), embed(case["negative_ids"])
    for a in case["adapters"]:
        if a["kind"] == "simple":
            without, tokens = simple_tokens(pipe, case, a, keys)
            words, negative_words = torch.cat([words, tokens], 1), torch.cat([negative_words, without], 1)
    kwargs["prompt_embeds"] = words
    if guidance > 1:
        kwargs["negative_prompt_embeds"] = negative_words
    if case["kind"]:
        kwargs["image"] = picture("init", h, w).to(dtype)
        kwargs["strength"] = case["strength"]
    if case["kind"] == "inpaint":
        kwargs["mask_image"] = repainted(h, w)
    if case["kind"] != "img2img":
        kwargs |= dict(height=h, width=w)
    if "eta" in case:
        kwargs["eta"] = case["eta"]
    # For a float16 run diffusers draws noise in float16, which gives other numbers. To compare, the
    # generator's draws are made in float32 and rounded.
    g = torch.Generator().manual_seed(case["seed"])
    out = pipe(num_inference_steps=steps, guidance_scale=guidance, generator=g, output_type="latent", num_images_per_prompt=case["num_images"], **kwargs, **arguments)
    return out.images.float(), pipe


def float32_draws():
    """Makes randn draw in float32 and then convert, whatever type is requested."""
    real = torch.randn

    def randn(*args, dtype=None, **kw):
        x = real(*args, dtype=torch.float32, **kw)
        return x if dtype is None else x.to(dtype)
    torch.randn = randn


def cases():
    base = dict(model="a", kind="", scheduler="ddim", steps=5, guidance=7.5, height=64, width=96, seed=1, num_images=1, adapters=[],
                ids=[98, 5, 17, 42, 99] + [99] * 11, negative_ids=[98, 7] + [99] * 14, strength=1.0)
    one = dict(kind="global", scale=0.6, images=["p1"])
    plus = dict(kind="plus", scale=0.8, images=["p2"])
    empty = [98] + [99] * 15
    for s in FIRST:
        yield f"a_{s}", dict(base, scheduler=s, adapters=[one], seed=2)
    yield "a_text", base
    yield "a_zero", dict(base, adapters=[dict(one, scale=0.0)])
    yield "a_one_image_only", dict(base, adapters=[dict(one, scale=1.0)], ids=empty)
    yield "a_guidance_1", dict(base, guidance=1.0, adapters=[one])
    yield "a_odd", dict(base, height=72, width=104, adapters=[one], num_images=2, scheduler="euler_a")
    yield "a_plus", dict(base, adapters=[plus])
    yield "a_two_images", dict(base, adapters=[dict(one, images=["p1", "p3"]), dict(plus, images=["p2", "p4", "p5"])])
    yield "a_masks", dict(base, adapters=[dict(one, mask=[0, 48]), dict(plus, mask=[48, 96], images=["p2", "p4"])])
    simple = dict(kind="simple", scale=1.0, images=["p1"])
    yield "a_simple", dict(base, adapters=[simple])
    yield "a_simple_guidance_1", dict(base, guidance=1.0, adapters=[dict(simple, images=["p1", "p3"])])
    yield "a_simple_and_plus", dict(base, adapters=[plus, dict(simple, images=["p1", "p3"]), dict(simple, images=["p4"])], scheduler="euler_a")
    yield "b_simple", dict(base, model="b", adapters=[simple], scheduler="unipc")
    yield "a_start_end", dict(base, adapters=[dict(one, start=0.2, end=0.7)], steps=10, scheduler="dpmpp_2m")
    yield "a_img2img", dict(base, kind="img2img", strength=0.6, steps=8, adapters=[one], scheduler="unipc")
    yield "a_img2img_euler_a", dict(base, kind="img2img", strength=0.8, steps=6, scheduler="euler_a", num_images=2)
    yield "a_inpaint", dict(base, kind="inpaint", strength=1.0, adapters=[one], scheduler="euler_a")
    yield "a_inpaint_part", dict(base, kind="inpaint", strength=0.7, steps=7, scheduler="pndm")
    yield "b_v_prediction", dict(base, model="b", adapters=[one], scheduler="dpmpp_2m_karras")
    yield "b_odd_pndm", dict(base, model="b", height=72, width=88, scheduler="", adapters=[plus])
    yield "c_inpaint", dict(base, model="c", kind="inpaint", adapters=[one], scheduler="euler")
    yield "c_inpaint_part", dict(base, model="c", kind="inpaint", strength=0.5, steps=8, scheduler="euler_a")


SYMBOLS = "abcdefghijklmnopqrstuvwxyz0123456789,.'"
MERGES = ("t h", "th e</w>", "a n", "an d</w>", "o n</w>", "f o", "fo x</w>", "b l", "bl u", "blu e</w>", "r e", "re d</w>", "c a", "ca t</w>",
          "i n", "in g</w>", "o r", "e r</w>", "s h", "p i")


def write_tokenizer(folder, text):
    """A vocabulary in CLIP's form: letters, letters at a word's end, merges, start and end."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = [*SYMBOLS, *(s + "</w>" for s in SYMBOLS), *(m.replace(" ", "") for m in MERGES), "<|startoftext|>", "<|endoftext|>"]
    assert len(tokens) == text["vocab_size"]
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *MERGES]) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(
        tokenizer_class="CLIPTokenizer", model_max_length=text["max_position_embeddings"], bos_token="<|startoftext|>", eos_token="<|endoftext|>",
        pad_token="<|endoftext|>", unk_token="<|endoftext|>")))


def write_folder(name, folder):
    """A model as it is published: everything that StableDiffusionPipeline.from_pretrained
    and ./build.sh generate --model read, and both adapters."""
    parts, keys, configs = build(name)
    for k, part in parts.items():
        part.half().save_pretrained(folder / k, safe_serialization=True)
    for sub, file, content in (("scheduler", "scheduler_config.json", configs["scheduler"]), (".", "model_index.json", dict(
            _class_name="StableDiffusionPipeline", _diffusers_version=diffusers.__version__, requires_safety_checker=False, safety_checker=[None, None],
            feature_extractor=["transformers", "CLIPImageProcessor"], image_encoder=["transformers", "CLIPVisionModelWithProjection"],
            scheduler=["diffusers", configs["scheduler"]["_class_name"]], text_encoder=["transformers", "CLIPTextModel"],
            tokenizer=["transformers", "CLIPTokenizer"], unet=["diffusers", "UNet2DConditionModel"], vae=["diffusers", "AutoencoderKL"]))):
        (folder / sub).mkdir(parents=True, exist_ok=True)
        (folder / sub / file).write_text(json.dumps(content, indent=1))
    write_tokenizer(folder / "tokenizer", MODELS[name]["text"])
    size = MODELS[name]["vision"]["image_size"]
    CLIPImageProcessor(size={"shortest_edge": size}, crop_size={"height": size, "width": size}).save_pretrained(folder / "feature_extractor")
    for kind in KINDS:
        save_file({k: tensor(f"{name}/{kind}/{k}", s).half() for k, s in keys[kind].items()}, folder / f"ip-adapter-{kind}.safetensors")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--model-dir", type=pathlib.Path, help="write the models' folders here, too")
    a.add_argument("--case", help="this case only, printed")
    a = a.parse_args()
    float32_draws()
    OUT.mkdir(parents=True, exist_ok=True)
    chosen = [(n, c) for n, c in cases() if not a.case or n == a.case]
    fixture = dict(diffusers=diffusers.__version__, torch=torch.__version__, models={}, cases={})
    for name in MODELS:
        _, keys, configs = build(name)
        fixture["models"][name] = dict(keys=keys, configs=configs)
        if a.model_dir:
            write_folder(name, a.model_dir / name)
    for name, case in chosen:
        want, _ = run(case, torch.float32)
        half, _ = run(case, torch.float16)
        error = float((half - want).norm() / want.norm())
        case = dict(case, latents=[float(f"{v:.6g}") for v in want.flatten().tolist()], shape=list(want.shape), f16_error=error)
        print(name, list(want.shape), "norm %.3g" % want.norm(), "float16 error %.2g" % error, flush=True)
        fixture["cases"][name] = case
    if not a.case:
        (OUT / "pipelines.json").write_text(json.dumps(fixture, separators=(",", ":")))


if __name__ == "__main__":
    main()
