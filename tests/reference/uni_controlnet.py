"""Uni-ControlNet on a small model of pipelines.py: each network alone, and pipelines.

    python tests/reference/uni_controlnet.py FOLDER                  writes tests/fixtures/uni_controlnet/uni_controlnet.json
    python tests/reference/uni_controlnet.py FOLDER --case b_local   prints one case, and writes nothing

FOLDER is a checkout of Uni-ControlNet (github.com/ShihaoZhaoZSH/Uni-ControlNet, at 4da003c), which needs
einops and omegaconf. Its LocalAdapter and its GlobalAdapter compute, and diffusers' UNet takes what they give as
UniControlNet.apply_model hands it to its own: the tokens behind the words of both branches (of zeros
in the negative one), and the local residuals times local_control_scales.

The adapters have 32 groups in every norm and compute in float32. Here they have the small model's groups,
and its type. Weights and inputs are hashes (weights.py) of the names that loader gives to the tensors;
the fixture has these by the published names. Each case has its own float16 error, and how far its
latents move if what it tests is changed (sensitivity.py).
"""
import json
import os
import pathlib
import re
import sys

os.environ["ATTN_PRECISION"] = "fp16"  # the type of the tensors
import torch  # noqa: E402
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection  # noqa: E402

import pipelines  # noqa: E402  (which turns gradients off)
import sensitivity  # noqa: E402
from networks import LATENTS, first, given, last  # noqa: E402
from pipelines import DIM, MODELS, VISION, picture  # noqa: E402
from weights import fill, tensor  # noqa: E402

FOLDER = sys.argv.pop(1)
sys.path.insert(0, FOLDER)
import ldm.modules.diffusionmodules.openaimodel as openaimodel  # noqa: E402
import models.local_adapter as local_adapter  # noqa: E402
from ldm.modules.diffusionmodules import util  # noqa: E402
from models.global_adapter import GlobalAdapter  # noqa: E402

OUT = pathlib.Path(__file__).parent.parent / "fixtures/uni_controlnet"
MODEL, TIMESTEP, EVERY = "b", 481, 37
UNET = MODELS[MODEL]["unet"]
INJECT = (12, 16, 20, 24)
NETS = ("b/local", "b/global", "b/image_encoder")
MAPS = ("canny", "mlsd", "hed", "sketch", "openpose", "midas", "seg")

GROUPS = UNET["norm_num_groups"]
group_norm = torch.nn.GroupNorm.__init__
torch.nn.GroupNorm.__init__ = lambda self, num_groups, *a, **kw: group_norm(self, GROUPS if num_groups == 32 else num_groups, *a, **kw)
util.GroupNorm32.forward = torch.nn.GroupNorm.forward
embedding = local_adapter.timestep_embedding


def our_name(name):
    """The name that loader gives to a tensor of the local adapter."""
    if name.startswith("feature_extractor."):
        return name
    name = name.replace("time_embed.0", "time_embedding.linear_1").replace("time_embed.2", "time_embedding.linear_2").replace("input_blocks.0.0", "conv_in")
    name = re.sub(r"^zero_convs\.(\d+)\.0", r"controlnet_down_blocks.\1", name).replace("middle_block_out.0", "controlnet_mid_block")
    if m := re.match(r"input_blocks\.(\d+)\.(\d)\.(.*)", name):
        level, layer = divmod(int(m[1]) - 1, 3)
        part = "downsamplers.0.conv" if m[3].startswith("op.") else f"resnets.{layer}" if m[2] == "0" else f"attentions.{layer}"
        name = f"down_blocks.{level}.{part}." + m[3].removeprefix("op.")
    if m := re.match(r"middle_block\.(\d)\.(.*)", name):
        name = "mid_block." + ("attentions.0." if m[1] == "1" else f"resnets.{int(m[1]) // 2}.") + m[2]
    for old, new in (("in_layers.0", "norm1"), ("in_layers.2", "conv1"), ("out_layers.0", "norm2"), ("out_layers.3", "conv2"), ("emb_layers.1", "time_emb_proj"),
                     ("skip_connection", "conv_shortcut"), ("norm_in.", "norm1."), ("norm_out.", "norm2.")):
        name = name.replace(old, new)
    return name


def network(name):
    """A network and the shapes of its tensors."""
    net = name.split("/")[1]
    if net == "global":
        m = GlobalAdapter(DIM).eval()
        m.config = {}
        return m, fill(m, f"{MODEL}/uni {net}/")
    if net == "image_encoder":
        m = CLIPVisionModelWithProjection(CLIPVisionConfig(**dict(VISION, projection_dim=DIM, hidden_act="quick_gelu"))).eval()
        m.config_kept = m.config
        return m, fill(m, f"{MODEL}/uni {net}/")
    base = UNET["block_out_channels"]
    m = local_adapter.LocalAdapter(in_channels=4, model_channels=base[0], local_channels=21, inject_channels=INJECT, inject_layers=[1, 4, 7, 10], num_res_blocks=2,
                                   attention_resolutions=[4, 2, 1], channel_mult=[c // base[0] for c in base], num_heads=UNET["attention_head_dim"],
                                   use_spatial_transformer=True, transformer_depth=1, context_dim=DIM, legacy=False, use_linear_in_transformer=True).eval()
    m.config = {}
    shapes = {k: list(v.shape) for k, v in m.state_dict().items()}
    m.load_state_dict({k: tensor(f"{MODEL}/uni {net}/{our_name(k)}", s) for k, s in shapes.items()})
    return m, {our_name(k): s for k, s in shapes.items()}


def local(adapter, x, t, words, maps):
    """The local adapter's residuals, the mid block's last."""
    adapter.dtype = x.dtype
    local_adapter.timestep_embedding = lambda *a, **kw: embedding(*a, **kw).to(x.dtype)
    return adapter(x, t.expand(x.shape[0]), words, maps.to(x.dtype).expand(x.shape[0], -1, -1, -1))


def local_maps(c, h, w):
    """All maps in 0..1, one behind the other; those that are missing are zeros."""
    return torch.cat([(0.5 + 1.5 * picture(c["maps"][m], h, w)).clamp(0, 1) if m in c["maps"] else torch.zeros(1, 3, h, w) for m in MAPS], 1)


def run(case, dtype):
    u = case["uni"]

    def prepare(pipe):
        forward = pipe.unet.forward
        tokens = None
        if "strength" in u:
            embeds = torch.zeros(1, DIM, dtype=dtype)
            if u.get("image"):
                size = VISION["image_size"]
                embeds = network("b/image_encoder")[0].to(dtype)(picture(u["image"], size, size).to(dtype)).image_embeds
            adapter = network("b/global")[0].to(dtype)
            tokens = u["strength"] * torch.cat([adapter(torch.zeros_like(embeds)), adapter(embeds)])
        nets = [network("b/local")[0].to(dtype)] if "scale" in u else []

        def steered(sample, t, encoder_hidden_states, **kw):
            words, residuals = encoder_hidden_states, {}
            if u.get("out"):
                return forward(sample, t, encoder_hidden_states=words, **kw)
            if tokens is not None:
                n = words.shape[0]
                behind = torch.cat([tokens[:1].expand(n // 2, -1, -1), tokens[1:].expand(n // 2, -1, -1)]) if case["guidance"] > 1 else tokens[1:].expand(n, -1, -1)
                words = torch.cat([words, behind], 1)
            for net in nets:
                *down, mid = [u["scale"] * r for r in local(net, sample, t, encoder_hidden_states if u.get("apart") else words, local_maps(u, case["height"], case["width"]))]
                residuals = dict(down_block_additional_residuals=down, mid_block_additional_residual=mid)
            return forward(sample, t, encoder_hidden_states=words, **residuals, **kw)
        pipe.unet.forward = steered
    return pipelines.run(case, dtype, prepare=prepare)[0]


def cases():
    base = dict(dict(pipelines.cases())["a_text"], model="b", steps=3, guidance=4.0)
    maps = dict(canny="u1", midas="u2")
    yield "b_local", dict(base, guidance=3.0, uni=dict(maps=dict(maps, hed="u4", seg="u5"), scale=1.5))
    yield "b_global", dict(base, uni=dict(image="u3", strength=1.2))
    yield "b_uni", dict(base, height=72, width=104, uni=dict(maps=maps, scale=1.6, image="u3", strength=1.0), adapters=[dict(kind="global", scale=0.6, images=["p1"])])
    yield "b_no_picture", dict(base, guidance=1.0, uni=dict(maps=dict(seg="u2"), scale=1.5, strength=1.0))


def changes(case):
    u = case["uni"]
    other = lambda **kw: dict(case, uni=dict(u, **kw))
    yield "out", other(out=True)
    if "scale" in u:
        yield "local halved", other(scale=u["scale"] / 2)
        yield "other maps", other(maps={m: "another " + m for m in u["maps"]})
        yield "a map for another", other(maps=dict(zip(("mlsd", "sketch", "openpose", "canny"), u["maps"].values())))
    if u.get("image"):
        yield "another picture", other(image="another")
        yield "global halved", other(strength=u["strength"] / 2)
    if "scale" in u and "strength" in u:
        yield "the local adapter without the tokens", other(apart=True)


def network_case(name, dtype):
    if name != "b/local":
        return network(name)[0].to(dtype)(given(MODEL, "embeds", 2, DIM, dtype=dtype))
    x = first(given(MODEL, "controlnet sample", 2, *LATENTS, 4, dtype=dtype))
    words = given(MODEL, "encoder_hidden_states", 2, 16, DIM, dtype=dtype)
    maps = first(given(MODEL, "map", 1, LATENTS[0] * 8, LATENTS[1] * 8, 21, dtype=dtype))
    return torch.cat([last(r).flatten() for r in local(network(name)[0].to(dtype), x, torch.tensor([TIMESTEP]), words, maps)])


def others():
    nets, outputs = {}, {}
    for name in NETS:
        net, keys = network(name)
        config = json.loads(net.config_kept.to_json_string()) if name == "b/image_encoder" else {}
        nets[name] = dict(config=config, keys=keys)
        if name != "b/image_encoder":
            want, half = network_case(name, torch.float32).flatten(), network_case(name, torch.float16).flatten()
            outputs[name] = sensitivity.compare(want, half) | dict(values=sensitivity.numbers(want[::EVERY]))
            print(name, len(want), "float16 error %.2g" % outputs[name]["f16_error"], flush=True)
    names = {"local_adapter." + k: "local_adapter." + our_name(k) for k in network("b/local")[0].state_dict()}
    return dict(timestep=TIMESTEP, every=EVERY, nets=nets, networks=outputs, names=names)


if __name__ == "__main__":
    sensitivity.main(OUT / "uni_controlnet.json", cases(), changes, run, others)
