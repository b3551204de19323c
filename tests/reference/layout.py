"""Key names and shapes of single-file checkpoints, and what diffusers makes of them.

Writes tests/fixtures/layout/*.tsv. Each line is for one tensor of the file in the original
(ldm) layout: its key, its shape, the network it belongs to, its key in diffusers' layout
and its shape there. The last three are "-" for tensors that diffusers drops. The
configurations that the weights must lead to are beside them as .json. controlnet.tsv is a
ControlNet in one file.

The ldm keys are made from the keys of diffusers' own model by undoing its naming. Then
diffusers' own conversion (loaders/single_file_utils.py) is run on them. If its result is
not exactly the model's state_dict, nothing is written.
"""
import json
import re
from pathlib import Path

import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_controlnet_checkpoint, convert_ldm_clip_checkpoint, convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from transformers import CLIPTextConfig, CLIPTextModel

OUT = Path(__file__).parent.parent / "fixtures" / "layout"

UNET = dict(sample_size=64, in_channels=4, out_channels=4, block_out_channels=(320, 640, 1280, 1280), layers_per_block=2, cross_attention_dim=768,
            down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",), up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3)
VAE = dict(block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
           layers_per_block=2, latent_channels=4)
TEXT = dict(vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, max_position_embeddings=77)
CASES = {
    "sd15": (UNET, VAE, TEXT),
    "inpainting": ({**UNET, "in_channels": 9}, VAE, TEXT),
    "small": (
        dict(sample_size=64, in_channels=4, out_channels=4, block_out_channels=(64, 128, 192), layers_per_block=1, cross_attention_dim=128,
             down_block_types=("CrossAttnDownBlock2D",) * 2 + ("DownBlock2D",), up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 2),
        dict(block_out_channels=(32, 64, 64), down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
             layers_per_block=1, latent_channels=4),
        dict(vocab_size=1000, hidden_size=128, intermediate_size=256, num_hidden_layers=3, num_attention_heads=2, max_position_embeddings=77),
    ),
}


def swap(key, pairs):
    for a, b in pairs:
        key = key.replace(a, b)
    return key


def unet_to_ldm(key, layers, up_has_attention):
    resnet = [("norm1.", "in_layers.0."), ("conv1.", "in_layers.2."), ("norm2.", "out_layers.0."), ("conv2.", "out_layers.3."),
              ("time_emb_proj.", "emb_layers.1."), ("conv_shortcut.", "skip_connection.")]
    outer = {"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2", "conv_in": "input_blocks.0.0",
             "conv_norm_out": "out.0", "conv_out": "out.2"}
    for a, b in outer.items():
        if key.startswith(a + "."):
            return b + key[len(a):]
    if m := re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", key):
        return f"middle_block.{2 * int(m[2])}.{swap(m[3], resnet)}" if m[1] == "resnets" else f"middle_block.1.{m[3]}"
    side, level, kind, i, rest = re.match(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.*)", key).groups()
    level, i = int(level), int(i)
    if side == "down":
        n = 1 + level * (layers + 1)
        if kind == "downsamplers":
            return f"input_blocks.{n + layers}.0.{rest.replace('conv', 'op')}"
        return f"input_blocks.{n + i}.0.{swap(rest, resnet)}" if kind == "resnets" else f"input_blocks.{n + i}.1.{rest}"
    n = level * (layers + 1)
    if kind == "upsamplers":
        return f"output_blocks.{n + layers}.{2 if up_has_attention[level] else 1}.{rest}"
    return f"output_blocks.{n + i}.0.{swap(rest, resnet)}" if kind == "resnets" else f"output_blocks.{n + i}.1.{rest}"


def vae_to_ldm(key, levels):
    key = swap(key, [("conv_norm_out", "norm_out"), ("conv_shortcut", "nin_shortcut")])
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", key)
    key = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", key)
    key = re.sub(r"up_blocks\.(\d)\.resnets", lambda m: f"up.{levels - 1 - int(m[1])}.block", key)
    key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", key)
    key = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", key)
    if "mid_block.attentions.0" in key:
        key = swap(key.replace("mid_block.attentions.0", "mid.attn_1"),
                   [("group_norm", "norm"), ("to_out.0", "proj_out"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v")])
    return key


def text(d):
    return "x".join(map(str, d.shape)) or "1"


def make(name, unet, vae, clip):
    with torch.device("meta"):
        models = {"unet": UNet2DConditionModel(**unet), "vae": AutoencoderKL(**vae), "text_encoder": CLIPTextModel(CLIPTextConfig(**clip))}
    want = {k: m.state_dict() for k, m in models.items()}
    # Published files keep the text model under text_model., whatever transformers does today.
    if not any(k.startswith("text_model.") for k in want["text_encoder"]):
        want["text_encoder"] = {"text_model." + k: v for k, v in want["text_encoder"].items()}
    want["text_encoder"] = {k: v for k, v in want["text_encoder"].items() if not k.endswith("position_ids")}

    levels, layers = len(vae["block_out_channels"]), unet["layers_per_block"]
    attention = ["CrossAttn" in t for t in unet["up_block_types"]]
    file, owner = {}, {}

    def put(key, component, new, tensor):
        assert key not in file, key
        file[key], owner[key] = tensor, (component, new)

    for k, v in want["unet"].items():
        put("model.diffusion_model." + unet_to_ldm(k, layers, attention), "unet", k, v)
    for k, v in want["vae"].items():
        old = vae_to_ldm(k, levels)
        if ".mid.attn_1." in old and v.ndim == 2:
            v = v[:, :, None, None]
        put("first_stage_model." + old, "vae", k, v)
    for k, v in want["text_encoder"].items():
        put("cond_stage_model.transformer." + k, "text_encoder", k, v)

    got = {"unet": convert_ldm_unet_checkpoint(dict(file), models["unet"].config),
           "vae": convert_ldm_vae_checkpoint(dict(file), models["vae"].config),
           "text_encoder": convert_ldm_clip_checkpoint(dict(file))}
    for component in want:
        a, b = ({k: tuple(v.shape) for k, v in d[component].items()} for d in (want, got))
        assert a == b, (component, sorted(set(a.items()) ^ set(b.items()))[:8])

    meta = torch.device("meta")
    extras = {"cond_stage_model.transformer.text_model.embeddings.position_ids": torch.empty(1, 77, device=meta), "betas": torch.empty(1000, device=meta),
              "alphas_cumprod": torch.empty(1000, device=meta), "model_ema.decay": torch.empty((), device=meta),
              "model_ema.num_updates": torch.empty((), device=meta), "model_ema.diffusion_modelinput_blocks00weight": torch.empty(4, device=meta),
              "first_stage_model.loss.logvar": torch.empty((), device=meta)}
    OUT.mkdir(parents=True, exist_ok=True)
    with open(OUT / f"{name}.tsv", "w") as f:
        for key in sorted(file):
            component, new = owner[key]
            f.write("\t".join([key, text(file[key]), component, new, text(got[component][new])]) + "\n")
        for key, v in extras.items():
            f.write("\t".join([key, text(v), "-", "-", "-"]) + "\n")
    fields = {"unet": ["in_channels", "out_channels", "block_out_channels", "layers_per_block", "cross_attention_dim", "down_block_types", "up_block_types",
                       "attention_head_dim", "norm_num_groups", "norm_eps", "act_fn", "use_linear_projection", "flip_sin_to_cos", "freq_shift"],
              "vae": ["block_out_channels", "layers_per_block", "latent_channels", "down_block_types", "up_block_types", "norm_num_groups", "scaling_factor"],
              "text_encoder": ["vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings",
                               "hidden_act", "layer_norm_eps"]}
    configs = {c: {k: getattr(models[c].config, k) for k in ks} for c, ks in fields.items()}
    (OUT / f"{name}.json").write_text(json.dumps(configs, indent=1, sort_keys=True) + "\n")
    print(name, len(file), "tensors")


def controlnet_to_ldm(key, layers, last):
    """last is the last layer of input_hint_block, every second of which is an activation."""
    for a, b in (("controlnet_cond_embedding.conv_in", "input_hint_block.0"), ("controlnet_cond_embedding.conv_out", f"input_hint_block.{last}"),
                 ("controlnet_mid_block", "middle_block_out.0")):
        if key.startswith(a + "."):
            return b + key[len(a):]
    if m := re.match(r"controlnet_cond_embedding\.blocks\.(\d+)\.(.*)", key):
        return f"input_hint_block.{2 * int(m[1]) + 2}.{m[2]}"
    if m := re.match(r"controlnet_down_blocks\.(\d+)\.(.*)", key):
        return f"zero_convs.{m[1]}.0.{m[2]}"
    return unet_to_ldm(key, layers, [])


def make_controlnet():
    config = {k: v for k, v in CASES["small"][0].items() if k not in ("sample_size", "out_channels", "up_block_types")}
    with torch.device("meta"):
        net = ControlNetModel(**config, conditioning_embedding_out_channels=(16, 32, 96, 256))
    want = net.state_dict()
    file = {"control_model." + controlnet_to_ldm(k, config["layers_per_block"], 14): (k, v) for k, v in want.items()}
    got = convert_controlnet_checkpoint({k: v for k, (_, v) in file.items()}, net.config)
    a, b = ({k: tuple(v.shape) for k, v in d.items()} for d in (want, got))
    assert a == b, sorted(set(a.items()) ^ set(b.items()))[:8]
    with open(OUT / "controlnet.tsv", "w") as f:
        for key in sorted(file):
            new, v = file[key]
            f.write("\t".join([key, text(v), "controlnet", new, text(v)]) + "\n")
    print("controlnet", len(file), "tensors")


if __name__ == "__main__":
    for name, case in CASES.items():
        make(name, *case)
    make_controlnet()
