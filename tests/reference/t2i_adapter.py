"""T2I-Adapters on the small models of pipelines.py: each network alone, and pipelines.

    python tests/reference/t2i_adapter.py                 writes tests/fixtures/t2i_adapter/t2i_adapter.json
    python tests/reference/t2i_adapter.py --case a_full   prints one case, and writes nothing

diffusers' StableDiffusionAdapterPipeline takes no image prompt and no start picture, and works in
all steps. Where a case asks for more, the other pipelines run with a UNet that is given the
adapter's features.

Weights and inputs are hashes (weights.py). Each case has diffusers' own float16 error, and how
far its latents move if what it tests is changed (sensitivity.py).
"""
import pathlib

import torch
from diffusers import MultiAdapter, StableDiffusionAdapterPipeline, T2IAdapter

import pipelines  # which turns gradients off
import sensitivity
from networks import LATENTS, first, given, last
from pipelines import picture
from weights import fill

OUT = pathlib.Path(__file__).parent.parent / "fixtures/t2i_adapter"
EVERY = 17  # of a network's results, which are too many to store
FULL = dict(adapter_type="full_adapter", channels=(40, 80, 160), downscale_factor=8)
NETS = {
    "a/sketch": dict(FULL, in_channels=1, num_res_blocks=2),
    "a/colour": dict(FULL, in_channels=3, num_res_blocks=1),
    "b/depth": dict(FULL, channels=(20, 40, 80, 160), in_channels=3, num_res_blocks=2),
    # Its last two features have the same number of channels, as those of Stable Diffusion 1.5.
    "a/light": dict(adapter_type="light_adapter", channels=(40, 80), in_channels=3, num_res_blocks=2, downscale_factor=8),
}


def network(name):
    """An adapter and the shapes of its keys."""
    model, net = name.split("/")
    adapter = T2IAdapter(**NETS[name]).eval()
    return adapter, fill(adapter, f"{model}/t2i {net}/")


def adapter_map(c, h, w, channels):
    return (0.5 + 1.5 * picture(c["map"], h, w)).clamp(0, 1)[:, :channels]


def run(case, dtype):
    adapters = [network(case["model"] + "/" + c["net"])[0].to(dtype) for c in case["t2i_adapters"]]
    maps = [adapter_map(c, case["height"], case["width"], a.config.in_channels).to(dtype) for c, a in zip(case["t2i_adapters"], adapters)]
    scales = [float(c["scale"]) for c in case["t2i_adapters"]]
    start, end = (case["t2i_adapters"][0].get(k, v) for k, v in (("start", 0.0), ("end", 1.0)))
    if case["kind"] == "" and not case["adapters"] and (start, end) == (0, 1):
        many = len(adapters) > 1
        arguments = dict(image=maps if many else maps[0], adapter_conditioning_scale=scales if many else scales[0])
        return pipelines.run(case, dtype, {"": adapter_pipeline}, dict(adapter=MultiAdapter(adapters) if many else adapters[0]), arguments)[0]

    features = None
    for adapter, m, scale in zip(adapters, maps, scales):
        own = [scale * f for f in adapter(m)]
        features = own if features is None else [a + b for a, b in zip(features, own)]

    def prepare(pipe):
        forward, calls = pipe.unet.forward, [0]

        def steered(sample, *args, **kw):
            calls[0] += 1  # one in each step
            if (calls[0] - 1) / case["steps"] < start or calls[0] / case["steps"] > end:  # as control_guidance_start and _end
                return forward(sample, *args, **kw)
            return forward(sample, *args, down_intrablock_additional_residuals=[f.repeat(sample.shape[0], 1, 1, 1) for f in features], **kw)
        pipe.unet.forward = steered
    return pipelines.run(case, dtype, prepare=prepare)[0]


def adapter_pipeline(image_encoder, **kw):
    """The pipeline, which has no image encoder."""
    return StableDiffusionAdapterPipeline(**kw)


def cases():
    base = dict(dict(pipelines.cases())["a_text"], steps=3)
    sketch = dict(net="sketch", scale=1.0, map="t1")
    colour = dict(net="colour", scale=1.2, map="t2")
    yield "a_full", dict(base, t2i_adapters=[sketch])
    yield "a_two", dict(base, t2i_adapters=[dict(sketch, scale=0.9), colour])
    yield "a_steps", dict(base, steps=4, t2i_adapters=[dict(colour, scale=5.0, start=0.25, end=0.75)])
    yield "a_image_prompt", dict(base, height=72, width=104, t2i_adapters=[sketch], adapters=[dict(kind="global", scale=0.6, images=["p1"])], scheduler="euler_a")
    yield "b_img2img", dict(base, model="b", kind="img2img", strength=0.8, steps=4, t2i_adapters=[dict(net="depth", scale=2.5, map="t1")])


def changes(case):
    for i, c in enumerate(case["t2i_adapters"]):
        other = lambda **kw: dict(case, t2i_adapters=case["t2i_adapters"][:i] + [dict(c, **kw)] + case["t2i_adapters"][i + 1:])
        yield f"out {i}", other(scale=0.0)
        if "end" in c:
            yield f"all steps {i}", other(start=0.0, end=1.0)
        else:
            yield f"halved {i}", other(scale=c["scale"] / 2)
            yield f"another map {i}", other(map="another")


def network_case(name, dtype):
    """All features of a network alone, one after the other."""
    adapter, _ = network(name)
    adapter.to(dtype)
    x = first(given(name.split("/")[0], "map", 1, LATENTS[0] * 8, LATENTS[1] * 8, adapter.config.in_channels, dtype=dtype))
    return torch.cat([last(f).flatten() for f in adapter(x)])


def main():
    sensitivity.main(OUT / "t2i_adapter.json", cases(), changes, run, lambda: dict(every=EVERY) | sensitivity.nets(NETS, network, network_case, EVERY))


if __name__ == "__main__":
    main()
