"""ControlNets on the small models of pipelines.py: each network alone, and diffusers' three
ControlNet pipelines.

    python tests/reference/controlnet.py                 writes tests/fixtures/controlnet/controlnet.json
    python tests/reference/controlnet.py --case a_text   prints one case, and writes nothing

Weights and inputs are hashes (weights.py), so only configurations, keys and results are stored.
Each case has diffusers' own float16 error, and how far its latents move if what it tests is
changed (sensitivity.py): the scale halved, another map, the network left out, another balance.
"""
import functools
import pathlib

import torch
from diffusers import (ControlNetModel, StableDiffusionControlNetImg2ImgPipeline, StableDiffusionControlNetInpaintPipeline,
                       StableDiffusionControlNetPipeline)

import pipelines  # which turns gradients off
import sensitivity
from networks import LATENTS, first, given, last
from pipelines import DIM, MODELS, picture, repainted
from weights import fill

OUT = pathlib.Path(__file__).parent.parent / "fixtures/controlnet"
CLASSES = {"": StableDiffusionControlNetPipeline, "img2img": StableDiffusionControlNetImg2ImgPipeline, "inpaint": StableDiffusionControlNetInpaintPipeline}
TIMESTEP = 481
EVERY = 37  # of a network's results, which are too many to store

SMALL = dict(conditioning_embedding_out_channels=(8, 12, 16, 24))
NETS = {  # by model and name: what differs from the model's UNet
    "a/edges": SMALL,
    "a/depth": dict(conditioning_embedding_out_channels=(4, 8, 12, 20)),
    "a/shuffle": dict(SMALL, global_pool_conditions=True),
    "a/six": dict(conditioning_channels=6, conditioning_embedding_out_channels=(8, 12)),  # half the size
    "b/edges": dict(SMALL, controlnet_conditioning_channel_order="bgr"),
    "c/edges": dict(SMALL, in_channels=4),
}
SHARED = ("block_out_channels", "layers_per_block", "attention_head_dim", "cross_attention_dim", "norm_num_groups", "down_block_types",
          "use_linear_projection")


def network(name):
    """A ControlNet and the shapes of its keys."""
    model = name.split("/")[0]
    shared = {k: v for k, v in MODELS[model]["unet"].items() if k in SHARED}
    net = ControlNetModel(**(shared | NETS[name])).eval()
    return net, fill(net, f"{model}/controlnet {name.split('/')[1]}/")


def control_map(c, h, w):
    """A map in 0..1, mostly 0 and 1. For an inpaint ControlNet the pixels that are repainted are -1."""
    m = (0.5 + 1.5 * picture(c["map"], h, w)).clamp(0, 1)
    return torch.where(repainted(h, w) > 0.5, -1.0, m) if c.get("repaint") else m


def run(case, dtype, prepare=None):
    nets, maps, balance = [], [], case.get("balance", "balanced")
    for c in case["controlnets"]:
        net, _ = network(case["model"] + "/" + c["net"])
        net.to(dtype)
        if balance in ("prompt", "control"):
            # sd-webui-controlnet's modes: weights that fall in both branches, or one branch alone.
            net.forward = functools.partial(forward, net.forward, balance == "prompt")
        nets.append(net)
        maps.append(control_map(c, case["height"], case["width"]).to(dtype))
    many = len(nets) > 1
    one = lambda values: values if many else values[0]
    arguments = dict(controlnet_conditioning_scale=one([float(c["scale"]) for c in case["controlnets"]]), guess_mode=balance in ("guess", "control"),
                     control_guidance_start=one([c.get("start", 0.0) for c in case["controlnets"]]),
                     control_guidance_end=one([c.get("end", 1.0) for c in case["controlnets"]]))
    arguments["control_image" if case["kind"] else "image"] = one(maps)
    return pipelines.run(case, dtype, CLASSES, dict(controlnet=one(nets)), arguments, prepare=prepare)[0]


def forward(real, falling, *args, guess_mode=False, **kw):
    return real(*args, guess_mode=falling, **kw)


def cases():
    base = dict(dict(pipelines.cases())["a_text"], steps=3, height=64, width=96)
    adapter = dict(kind="global", scale=0.6, images=["p1"])
    edges = dict(net="edges", scale=1.0, map="c1")
    depth = dict(net="depth", scale=0.8, map="c2")
    yield "a_text", dict(base, controlnets=[edges])
    yield "a_image_prompt", dict(base, controlnets=[edges], adapters=[adapter], scheduler="euler_a")
    yield "a_guidance_1", dict(base, guidance=1.0, controlnets=[edges])
    yield "a_steps", dict(base, steps=5, controlnets=[dict(edges, scale=2.0, start=0.2, end=0.8)])
    yield "a_guess", dict(base, guidance=4.0, controlnets=[edges], balance="guess")
    yield "a_guess_guidance_1", dict(base, guidance=1.0, controlnets=[edges], balance="guess")
    yield "a_prompt", dict(base, controlnets=[edges], balance="prompt")
    yield "a_control", dict(base, guidance=3.0, controlnets=[edges], balance="control")
    yield "a_two", dict(base, controlnets=[edges, depth], adapters=[adapter])
    yield "a_two_guess", dict(base, guidance=4.0, controlnets=[edges, depth], balance="guess")
    yield "a_shuffle", dict(base, guidance=3.0, controlnets=[dict(net="shuffle", scale=1.0, map="c1")])
    yield "a_img2img", dict(base, kind="img2img", strength=0.8, steps=5, controlnets=[edges], adapters=[adapter], scheduler="euler_a", num_images=2)
    yield "a_inpaint", dict(base, kind="inpaint", strength=1.0, controlnets=[dict(edges, repaint=True)])
    yield "a_odd", dict(base, height=72, width=104, controlnets=[edges])
    yield "b_text", dict(base, model="b", controlnets=[edges], scheduler="dpmpp_2m", steps=4)
    yield "c_inpaint", dict(base, model="c", kind="inpaint", strength=1.0, controlnets=[dict(edges, repaint=True)])


def changes(case):
    """(name, case) with what is tested changed, one thing at a time."""
    for i, c in enumerate(case["controlnets"]):
        other = lambda **kw: dict(case, controlnets=case["controlnets"][:i] + [dict(c, **kw)] + case["controlnets"][i + 1:])
        yield f"out {i}", other(scale=0.0)
        if "start" not in c:
            yield f"halved {i}", other(scale=c["scale"] / 2)
            yield f"another map {i}", other(map="another")
        else:
            yield f"all steps {i}", other(start=0.0, end=1.0)
        if c.get("repaint"):
            yield f"no repainted pixels {i}", other(repaint=False)
    if "balance" in case:
        yield "balanced", dict(case, balance="balanced")


def network_case(name, dtype):
    """All residuals of a network alone, one after the other."""
    model = name.split("/")[0]
    net, _ = network(name)
    net.to(dtype)
    factor = 2 ** (len(net.config.conditioning_embedding_out_channels) - 1)
    x = first(given(model, "controlnet sample", 2, *LATENTS, net.config.in_channels, dtype=dtype))
    words = given(model, "encoder_hidden_states", 2, 16, DIM, dtype=dtype)
    hint = first(given(model, "map", 1, LATENTS[0] * factor, LATENTS[1] * factor, net.config.conditioning_channels, dtype=dtype))
    down, mid = net(x, TIMESTEP, words, hint.repeat(2, 1, 1, 1), return_dict=False)
    return torch.cat([last(r).flatten() for r in (*down, mid)])


def main():
    others = lambda: dict(timestep=TIMESTEP, every=EVERY) | sensitivity.nets(NETS, network, network_case, EVERY, alone=("a/edges", "a/six", "b/edges"))
    sensitivity.main(OUT / "controlnet.json", cases(), changes, run, others)


if __name__ == "__main__":
    main()
