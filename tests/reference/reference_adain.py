"""A reference picture with AdaIN on the small models of pipelines.py.

    python tests/reference/reference_adain.py                 writes tests/fixtures/reference_only/adain.json
    python tests/reference/reference_adain.py --case a_adain  prints one case, and writes nothing

The computation is that of diffusers' examples/community/stable_diffusion_reference.py with
reference_adain, and with reference_attn or without it, put into the standard pipelines as
reference_only.py puts it: the results of the blocks whose gn_weight is at most gn_auto_machine_weight
(1.0) get the means and the deviations that they had for the reference.
"""
import torch

import reference_only  # which turns gradients off
import sensitivity
from pipelines import cases as pipeline_cases
from reference_only import OUT

EPS = 1e-6


def adapted_modules(unet):
    """The modules whose results are changed: every layer of the deeper blocks, and the mid block."""
    yield unet.mid_block
    n = len(unet.down_blocks)
    for w, (down, up) in enumerate(zip(unet.down_blocks, unet.up_blocks)):
        for block, weight in ((down, 1 - w / n), (up, w / n)):
            if 2 * weight <= 1:
                yield from getattr(block, "attentions", None) or block.resnets


def adapt(state, on):
    """A hook that keeps a module's statistics, or gives them to its next result."""
    kept = {}

    def hook(module, args, out):
        x = out[0] if isinstance(out, tuple) else out
        var, mean = torch.var_mean(x, dim=(2, 3), keepdim=True, correction=0)
        if state.mode == "write":
            kept[module] = var, mean
            return None
        if state.off or not on:
            return None
        var_ref, mean_ref = kept.pop(module)
        deviation = lambda v: torch.maximum(v, torch.zeros_like(v) + EPS) ** 0.5
        changed = (x - mean) / deviation(var) * deviation(var_ref) + mean_ref
        controlled = changed.clone()
        if state.guided and state.fidelity > 0:
            half = x.shape[0] // 2  # the unconditional entries come first
            controlled[:half] = x[:half]
        x = state.fidelity * controlled + (1 - state.fidelity) * changed
        return (x, *out[1:]) if isinstance(out, tuple) else x
    return hook


def run(case, dtype):
    r = case["reference"]

    class Plain(reference_only.Reference):
        """Without reference_attn the self-attentions are the model's own."""

        def __call__(self, attn, hidden_states, encoder_hidden_states=None, **kw):
            return super(reference_only.Reference, self).__call__(attn, hidden_states, **kw)

    def prepare(pipe, state):
        for module in adapted_modules(pipe.unet):
            module.register_forward_hook(adapt(state, r["adain"]))
    return reference_only.run(case, dtype, prepare, None if r["attention"] else Plain)


def cases():
    base = dict(dict(pipeline_cases())["a_text"], steps=3, guidance=4.0)
    reference = dict(image="r1", fidelity=0.5, attention=True, adain=True)
    yield "a_adain", dict(base, reference=dict(reference, attention=False))
    yield "a_both", dict(base, reference=dict(reference, fidelity=0.25), adapters=[dict(kind="global", scale=0.6, images=["p1"])], scheduler="euler_a")
    yield "a_guidance_1", dict(base, guidance=1.0, reference=reference)
    yield "b_adain", dict(base, model="b", height=72, width=104, reference=dict(reference, fidelity=1.0, attention=False))


def changes(case):
    other = lambda **kw: dict(case, reference=dict(case["reference"], **kw))
    yield "out", other(off=True)
    yield "without AdaIN", other(adain=False)
    if case["reference"]["attention"] and case["guidance"] > 1:
        yield "without attention", other(attention=False)
    if case["guidance"] > 1:
        yield "another fidelity", other(fidelity=0.0 if case["reference"]["fidelity"] == 1 else 1.0)


if __name__ == "__main__":
    sensitivity.main(OUT / "adain.json", cases(), changes, run)
