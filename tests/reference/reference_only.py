"""Reference-only on the small models of pipelines.py: another picture, as noisy as the sample, whose
self-attention inputs the sample's self-attentions read, too.

    python tests/reference/reference_only.py                 writes tests/fixtures/reference_only/reference_only.json
    python tests/reference/reference_only.py --case a_text   prints one case, and writes nothing

The computation is that of diffusers' examples/community/stable_diffusion_reference.py with
reference_attn and without reference_adain, put into the standard pipelines: before each call of
the UNet, the reference's noise is drawn and the UNet is run on it. Each case has diffusers' own
float16 error, and how far its latents move if what it tests is changed (sensitivity.py).
"""
import pathlib

import torch
from diffusers.models.attention_processor import AttnProcessor

import pipelines  # which turns gradients off
import sensitivity
from pipelines import picture

OUT = pathlib.Path(__file__).parent.parent / "fixtures/reference_only"


class State:
    """What the processors share: whether they write or read, and how."""

    def __init__(self, fidelity, guided, off):
        self.mode, self.fidelity, self.guided, self.off = "read", fidelity, guided, off


class Reference(AttnProcessor):
    def __init__(self, state):
        self.state, self.bank = state, None

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, **kw):
        s = self.state
        plain = lambda h: super(Reference, self).__call__(attn, h, **kw)
        if s.mode == "write":
            self.bank = hidden_states
            return plain(hidden_states)
        if s.off:
            return plain(hidden_states)
        both = super().__call__(attn, hidden_states, torch.cat([hidden_states, self.bank], 1), **kw)
        if not s.guided or s.fidelity == 0:
            return both
        controlled = both.clone()
        half = hidden_states.shape[0] // 2  # the unconditional entries come first
        controlled[:half] = plain(hidden_states[:half])
        return s.fidelity * controlled + (1 - s.fidelity) * both


def run(case, dtype, more=None, processor=None):
    """The latents of a case. more changes the pipeline further, and processor stands in for Reference (reference_adain.py)."""
    r = case["reference"]
    state = State(r["fidelity"], case["guidance"] > 1, r.get("off", False))

    def prepare(pipe):
        if more:
            more(pipe, state)
        pipe.unet.set_attn_processor({n: (processor or Reference)(state) if n.endswith("attn1.processor") else p for n, p in pipe.unet.attn_processors.items()})
        forward, prepare_latents, now = pipe.unet.forward, pipe.prepare_latents, {}

        def seen(*args, **kw):
            now["generator"], now["count"] = args[6], case["num_images"]  # in all pipelines
            return prepare_latents(*args, **kw)

        def steered(sample, t, *args, **kw):
            if "latents" not in now:
                pixels = picture(r["image"], case["height"], case["width"]).to(dtype).repeat(now["count"], 1, 1, 1)
                now["latents"] = pipe.vae.encode(pixels).latent_dist.sample(generator=now["generator"]) * pipe.vae.config.scaling_factor
            noise = torch.randn(now["latents"].shape, generator=now["generator"], dtype=dtype)
            x = pipe.scheduler.add_noise(now["latents"], noise, t.reshape(1))
            x = pipe.scheduler.scale_model_input(torch.cat([x] * 2) if state.guided else x, t)
            state.mode = "write"
            forward(x, t, *args, **kw)
            state.mode = "read"
            return forward(sample, t, *args, **kw)
        pipe.unet.forward, pipe.prepare_latents = steered, seen
    return pipelines.run(case, dtype, prepare=prepare)[0]


def cases():
    base = dict(dict(pipelines.cases())["a_text"], steps=3)
    yield "a_text", dict(base, reference=dict(image="r1", fidelity=0.5))
    yield "a_prompt", dict(base, reference=dict(image="r1", fidelity=0.0), scheduler="euler_a")
    yield "a_control", dict(base, guidance=4.0, reference=dict(image="r1", fidelity=1.0), num_images=2)
    # The last steps of many, in which the picture counts more than the noise that it is mixed with.
    yield "a_img2img", dict(base, kind="img2img", steps=12, strength=0.25, reference=dict(image="r1", fidelity=0.5))


def changes(case):
    r = case["reference"]
    yield "out", dict(case, reference=dict(r, off=True))
    if case["kind"] == "img2img":
        yield "another picture", dict(case, reference=dict(r, image="another"))
    else:
        yield "another fidelity", dict(case, reference=dict(r, fidelity=1.0 if r["fidelity"] < 1 else 0.0))


def main():
    # The picture is read and noised by the same code on both numeric paths.
    sensitivity.main(OUT / "reference_only.json", cases(), changes, run, float32_only=("another picture",))


if __name__ == "__main__":
    main()
