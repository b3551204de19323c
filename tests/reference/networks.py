"""Outputs of each network alone, on the models of pipelines.py.

    python tests/reference/networks.py                writes tests/fixtures/networks/networks.json
    python tests/reference/networks.py --case b/unet  prints one case, and writes nothing
    python tests/reference/networks.py --debug        also prints the UNets' outputs block by block

Configurations and keys are in tests/fixtures/pipelines/pipelines.json. Weights and inputs
are hashes (weights.py), so only outputs are stored, channels last. Each has diffusers' own
float16 error: relative L2, and the largest error relative to the largest value. An input
"x" is uniform("network/MODEL/x", i), where i counts in channels-last order.
"""
import argparse
import json
import pathlib

import torch

import pipelines
from pipelines import DIM, MODELS, VISION, adapter_state, build
from weights import uniform

OUT = pathlib.Path(__file__).parent.parent / "fixtures/networks"
IDS = [[98, 5, 17, 42, 99] + [99] * 11, [98, 7, 63] + [99] * 13]
TIMESTEPS = (981, 481, 1)
LATENTS = (9, 13)  # odd: the upsamplers are told their size
PIXELS = (40, 72)


def given(model, name, *shape, dtype):
    """An input with that shape, channels last, in dtype."""
    n = 1
    for s in shape:
        n *= s
    return torch.from_numpy(uniform(f"network/{model}/{name}", n)).float().reshape(shape).to(dtype)


def first(x):
    return x.permute(0, 3, 1, 2)


def last(x):
    return x.permute(0, 2, 3, 1) if x.dim() == 4 else x


def watch(unet):
    """Prints the norm of each block's output."""
    for name, block in [("conv_in", unet.conv_in), *[(f"down_blocks.{i}", b) for i, b in enumerate(unet.down_blocks)],
                        ("mid_block", unet.mid_block), *[(f"up_blocks.{i}", b) for i, b in enumerate(unet.up_blocks)]]:
        def show(module, args, out, name=name):
            h = out[0] if isinstance(out, tuple) else out
            print("   ", name, list(h.shape), "norm %.6g" % h.float().norm(), "first", [float("%.5g" % v) for v in last(h).flatten()[:4]])
        block.register_forward_hook(show)


def outputs(model, dtype, debug=False):
    """(name, output) of every network of a model, run in dtype."""
    parts, keys, _ = build(model)
    for p in parts.values():
        p.to(dtype)
    unet, vae, text, vision = parts["unet"], parts["vae"], parts["text_encoder"], parts["image_encoder"]
    yield "text", text(torch.tensor(IDS)).last_hidden_state

    size = VISION["image_size"]
    seen = vision(first(given(model, "pixel_values", 2, size, size, 3, dtype=dtype)), output_hidden_states=True)
    yield "image_embeds", seen.image_embeds
    yield "penultimate", seen.hidden_states[-2]

    yield "vae_encode", last(vae.encode(first(given(model, "pixels", 1, *PIXELS, 3, dtype=dtype))).latent_dist.parameters)
    yield "vae_decode", last(vae.decode(first(given(model, "latents", 1, *(p // 8 for p in PIXELS), 4, dtype=dtype))).sample)

    if debug:
        watch(unet)
    c = MODELS[model]["unet"].get("in_channels", 4)
    sample = first(given(model, "sample", 2, *LATENTS, c, dtype=dtype))
    words = given(model, "encoder_hidden_states", 2, 16, DIM, dtype=dtype)
    # One output for all timesteps, which share the conditioning as the steps of a picture do.
    yield "unet", torch.cat([last(unet(sample, t, encoder_hidden_states=words).sample) for t in TIMESTEPS])

    # diffusers' own loading code makes the projections from h94's keys.
    unet._load_ip_adapter_weights([adapter_state(model, k, keys) for k in ("global", "plus")], low_cpu_mem_usage=False)
    unet.to(dtype)
    projections = unet.encoder_hid_proj.image_projection_layers
    yield "global", projections[0](given(model, "image_embeds", 2, VISION["projection_dim"], dtype=dtype)).reshape(2, -1, DIM)
    patches = (size // VISION["patch_size"]) ** 2 + 1
    yield "plus", projections[1](given(model, "hidden_states", 2, patches, VISION["hidden_size"], dtype=dtype)).reshape(2, -1, DIM)


def layer_cases():
    """Pipelines in which λ differs by layer."""
    base = dict(dict(pipelines.cases())["a_text"])
    one = dict(kind="global", scale=0.7, images=["p1"])
    for model in ("a", "b"):
        for layers in ("style", "composition"):
            yield f"{model}_{layers}", dict(base, model=model, scheduler="ddim", adapters=[dict(one, layers=layers)])


def compare(want, half):
    d = half.float() - want
    return dict(f16_error=float(d.norm() / want.norm()), f16_max=float(d.abs().max() / want.abs().max()))


def stored(x):
    return dict(shape=list(x.shape), values=[float(f"{v:.6g}") for v in x.flatten().tolist()])


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--case", help="MODEL/NETWORK or a layer case's name: this one only, printed")
    a.add_argument("--debug", action="store_true", help="print the UNets' outputs by block")
    a = a.parse_args()
    pipelines.float32_draws()
    fixture = dict(ids=IDS, timesteps=TIMESTEPS, latents=LATENTS, pixels=PIXELS, networks={}, layers={})
    for model in MODELS:
        if a.case and a.case.split("/")[0] != model:
            continue
        for (name, want), (_, half) in zip(outputs(model, torch.float32, a.debug), outputs(model, torch.float16)):
            name = f"{model}/{name}"
            if a.case in (None, name):
                fixture["networks"][name] = compare(want, half) | stored(want)
                print(name, list(want.shape), "rms %.3g" % want.pow(2).mean().sqrt(), "float16 error %.2g" % fixture["networks"][name]["f16_error"], flush=True)
    for name, case in layer_cases():
        if a.case in (None, name):
            want, half = pipelines.run(case, torch.float32)[0], pipelines.run(case, torch.float16)[0]
            fixture["layers"][name] = case | compare(want, half) | dict(latents=stored(want)["values"])
            print(name, list(want.shape), "float16 error %.2g" % fixture["layers"][name]["f16_error"], flush=True)
    if not a.case:
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / "networks.json").write_text(json.dumps(fixture, separators=(",", ":")))


if __name__ == "__main__":
    main()
