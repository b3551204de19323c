"""One UNet with an adapter in two forms: as a checkpoint that the engine reads, and as ONNX
for onnxruntime-web. ./build.sh bench runs this script:

    python tests/reference/onnx_unet.py --out .build/bench/small --levels 2 --layers 1 --latents 16 --batch 2

OUT gets
    unet/, ip-adapter.safetensors   float16 weights (weights.py), in diffusers' and h94's key names
    unet.f32.onnx, unet.f16.onnx    diffusers' own network with these weights, traced
    bench.json, *.bin               float32 inputs, and torch's results in float32

The inputs and outputs of the ONNX networks are float32, whatever type they compute in.
Attention is written as ONNX Runtime's own operator (com.microsoft.MultiHeadAttention), which
is faster there. --plain leaves it as diffusers' separate matrix products and softmax.
"""
import argparse
import json
import pathlib
import warnings

import numpy as np
import onnx
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file

from weights import fill, tensor, uniform

CHANNELS = (320, 640, 1280, 1280)  # SD 1.5's levels; only the last is without cross-attention
DIM, TEXT, IMAGE = 768, 77, 4      # cross_attention_dim, tokens of the words, tokens of the picture
SCALE = 0.6
ONE_FILE = 1500 << 20              # protobuf is limited to 2 GiB, so larger networks keep their weights in a separate file


class MultiHeadAttention(torch.autograd.Function):
    """softmax(q·kᵗ/√d)·v for heads that are side by side: [B, T, heads · d]."""

    @staticmethod
    def forward(ctx, q, k, v, heads):
        split = lambda x: x.unflatten(-1, (heads, -1)).transpose(1, 2)
        return torch.nn.functional.scaled_dot_product_attention(split(q), split(k), split(v)).transpose(1, 2).flatten(2)

    @staticmethod
    def symbolic(g, q, k, v, heads):
        return g.op("com.microsoft::MultiHeadAttention", q, k, v, num_heads_i=heads).setType(q.type())


class Plain:
    """The same in single operations, as an export of diffusers' own AttnProcessor gives it."""

    @staticmethod
    def apply(q, k, v, heads):
        split = lambda x: x.unflatten(-1, (heads, -1)).transpose(1, 2)
        q, k, v = split(q), split(k), split(v)
        scores = (q @ k.transpose(-1, -2)) * q.shape[-1] ** -0.5
        return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


class Processor(torch.nn.Module):
    """diffusers' AttnProcessor and IPAdapterAttnProcessor, with attend for the product."""

    def __init__(self, attend, to_k_ip=None, to_v_ip=None):
        super().__init__()
        self.attend, self.to_k_ip, self.to_v_ip = attend, to_k_ip, to_v_ip

    def __call__(self, attn, x, encoder_hidden_states=None, **_):
        words, picture = encoder_hidden_states if encoder_hidden_states is not None else (x, None)
        q = attn.to_q(x)
        h = self.attend.apply(q, attn.to_k(words), attn.to_v(words), attn.heads)
        if picture is not None:
            h = h + SCALE * self.attend.apply(q, self.to_k_ip(picture[0]), self.to_v_ip(picture[0]), attn.heads)
        return attn.to_out[0](h)


class Step(torch.nn.Module):
    """The network that is exported: the noise prediction of one step. The adapter's tokens are
    already projected, as in the engine."""

    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, words, picture):
        d = self.unet.dtype
        return self.unet(sample.to(d), timestep, encoder_hidden_states=words.to(d),
                         added_cond_kwargs=dict(image_embeds=[picture.to(d)])).sample.float()


class AsItIs(torch.nn.Module):
    def forward(self, image_embeds):
        return image_embeds


def config(levels, layers, latents):
    cross = [True] * levels if levels < 4 else [True] * 3 + [False]
    return dict(sample_size=latents, block_out_channels=CHANNELS[:levels], layers_per_block=layers, attention_head_dim=8, cross_attention_dim=DIM,
                norm_num_groups=32, down_block_types=["CrossAttnDownBlock2D" if c else "DownBlock2D" for c in cross],
                up_block_types=["CrossAttnUpBlock2D" if c else "UpBlock2D" for c in reversed(cross)])


def adapter_weights(unet):
    """The adapter's keys, as published, and its layers by processor name. The projection
    is not used, and is of the smallest size."""
    state = {"image_proj.proj.weight": [IMAGE * DIM, 4], "image_proj.proj.bias": [IMAGE * DIM], "image_proj.norm.weight": [DIM], "image_proj.norm.bias": [DIM]}
    at, number = {}, 1
    weights = unet.state_dict()
    for name in unet.attn_processors:
        if name.endswith("attn2.processor"):
            channels = weights[name.replace("processor", "to_k.weight")].shape[0]
            at[name] = number
            for kind in "kv":
                state[f"ip_adapter.{number}.to_{kind}_ip.weight"] = [channels, DIM]
            number += 2
    return {k: tensor("bench/ip-adapter/" + k, s) for k, s in state.items()}, at


def set_processors(unet, adapter, at, attend):
    def linear(key):
        w = adapter[key]
        layer = torch.nn.Linear(w.shape[1], w.shape[0], bias=False)
        layer.weight = torch.nn.Parameter(w)
        return layer
    unet.set_attn_processor({name: Processor(attend, *[linear(f"ip_adapter.{at[name]}.to_{kind}_ip.weight") for kind in "kv"])
                             if name in at else Processor(attend) for name in unet.attn_processors})
    unet.encoder_hid_proj = AsItIs()
    unet.config.encoder_hid_dim_type = "ip_image_proj"


def diffusers_own(unet, adapter, args):
    """The prediction of diffusers' unchanged code, with its own adapter loader."""
    state = dict(image_proj={}, ip_adapter={})
    for k, v in adapter.items():
        part, rest = k.split(".", 1)
        state[part][rest] = v
    unet._load_ip_adapter_weights([state], low_cpu_mem_usage=False)
    unet.encoder_hid_proj = AsItIs()
    for p in unet.attn_processors.values():
        if hasattr(p, "scale"):
            p.scale = [SCALE]
    sample, timestep, words, picture = args
    return unet(sample, timestep, encoder_hidden_states=words, added_cond_kwargs=dict(image_embeds=[picture[:, None]])).sample


def export(step, args, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is marked as deprecated, but it keeps custom operators
        torch.onnx.export(step, args, str(path), opset_version=18, dynamo=False, custom_opsets={"com.microsoft": 1},
                          input_names=["sample", "timestep", "words", "picture"], output_names=["prediction"])
    size = path.stat().st_size
    beside = [p for p in path.parent.iterdir() if p.suffix not in (".onnx", ".bin", ".json", ".safetensors", ".data") and p.is_file()]
    if size > ONE_FILE or beside:  # beyond 2 GiB the exporter itself writes one file per tensor
        m = onnx.load(str(path))
        for p in beside:
            p.unlink()
        onnx.save(m, str(path), save_as_external_data=True, all_tensors_to_one_file=True, location=path.name + ".data")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--out", type=pathlib.Path, required=True)
    a.add_argument("--levels", type=int, default=2, help="of SD 1.5's four, from the top")
    a.add_argument("--layers", type=int, default=1, help="a block; SD 1.5 has 2")
    a.add_argument("--latents", type=int, default=16, help="height and width; 64 is a picture of 512")
    a.add_argument("--batch", type=int, default=2, help="2 is a step with classifier-free guidance")
    a.add_argument("--plain", action="store_true", help="attention in single operations")
    a = a.parse_args()
    torch.set_grad_enabled(False)
    out = a.out
    (out / "unet").mkdir(parents=True, exist_ok=True)

    unet = UNet2DConditionModel(**config(a.levels, a.layers, a.latents)).eval()
    fill(unet, "bench/unet/")
    own = unet.state_dict()
    (out / "unet/config.json").write_text(unet.to_json_string())
    adapter, at = adapter_weights(unet)
    save_file({k: v.half() for k, v in own.items()}, out / "unet/diffusion_pytorch_model.safetensors")
    save_file({k: v.half() for k, v in adapter.items()}, out / "ip-adapter.safetensors")

    shapes = dict(sample=[a.batch, 4, a.latents, a.latents], words=[a.batch, TEXT, DIM], picture=[a.batch, IMAGE, DIM])
    inputs = {k: torch.from_numpy(uniform("bench/" + k, int(np.prod(s))).astype(np.float32)).view(s) * 1.7 for k, s in shapes.items()}
    args = (inputs["sample"], torch.tensor([500.0]), inputs["words"], inputs["picture"])
    want = diffusers_own(unet, adapter, args)

    set_processors(unet, adapter, at, Plain if a.plain else MultiHeadAttention)
    step = Step(unet)
    error = lambda x: float((x.float() - want).norm() / want.norm())
    rewritten = error(step(*args))
    assert rewritten < 1e-5, f"the network as it is exported differs from diffusers' by {rewritten}"
    export(step, args, out / "unet.f32.onnx")
    unet.half()
    f16 = error(step(*args))
    export(step, args, out / "unet.f16.onnx")

    for k, v in inputs.items():
        (out / (k + ".bin")).write_bytes(v.numpy().tobytes())
    (out / "prediction.bin").write_bytes(want.numpy().tobytes())
    # Written last, because its presence means that the folder is complete.
    (out / "bench.json").write_text(json.dumps(dict(
        levels=a.levels, layers=a.layers, batch=a.batch, latents=a.latents, scale=SCALE, timestep=500, tokens=IMAGE, plain=a.plain,
        parameters=sum(v.numel() for v in own.values()), shapes=shapes | dict(prediction=list(want.shape)), f16_error=f16)))
    print(f"{out}: {sum(v.numel() for v in own.values()) / 1e6:.0f} M parameters, float16 error of diffusers {f16:.2g}, norm {want.norm():.4g}")


if __name__ == "__main__":
    main()
