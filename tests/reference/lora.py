"""What LoRAs of every layout make of weights, and of pictures, for app/engine/lora_js_test.go.

    pip install peft==0.21.2 lycoris-lora==4.1.3
    python tests/reference/lora.py      writes tests/fixtures/lora/

The LoRAs change the small model "a" of pipelines.py. Their numbers come from weights.py, by the
names of their tensors, so that the fixture has only names and shapes. A layout that diffusers
reads is loaded and fused by diffusers with PEFT, and the result must equal the product by hand to
2e-6. The others are computed by LyCORIS: a module's forward is given unit vectors, which show the
weight that it applies. What neither reads (names in the original layout, a PEFT file as it is,
biases) is merged by hand, and so are some text encoders' LoRAs whose names still have text_model:
diffusers 0.42 loses those with transformers 5.

Of every changed weight the fixture has some numbers, and how far the change moves the weight,
which has to be 20 times the tolerance.
"""
import json
import pathlib
import tempfile

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

import pipelines
from weights import tensor

OUT = pathlib.Path(__file__).parent.parent / "fixtures/lora"
MODEL, TOLERANCE, SAMPLES = "a", 2e-6, 40
torch.set_grad_enabled(False)

D = "down_blocks.0.attentions.0.transformer_blocks.0."
Q, K2, OUT0, FF = D + "attn1.to_q", D + "attn2.to_k", D + "attn1.to_out.0", D + "ff.net.0.proj"
PROJ, CONV, NORM = "down_blocks.0.attentions.0.proj_in", "down_blocks.0.resnets.0.conv1", D + "norm1"
TEXT, MLP = "text_model.encoder.layers.0.self_attn.q_proj", "text_model.encoder.layers.1.mlp.fc1"
LINEAR = (Q, K2, OUT0, FF)


def flat(module):
    """kohya's name for a module."""
    return ("lora_te_" if module.startswith("text_model") else "lora_unet_") + module.replace(".", "_")


def shape_of(model, module):
    return list((model["text"] if module.startswith("text_model") else model["unet"])[module + ".weight"].shape)


def pair(shape, rank):
    """The shapes of down and up."""
    kernel = shape[2:]
    return [rank, shape[1], *kernel], [shape[0], rank, *([1] * len(kernel))]


def layouts(model):
    """Every case: the LoRA's tensors by name (a shape, or a number), what of it belongs to which
    module, and how it is computed."""

    def low_rank(name, names, modules, rank=4, alpha=None, by="diffusers", **more):
        tensors, parts = {}, {}
        for m in modules:
            down, up, prefix = *pair(shape_of(model, m), rank), names(m)
            d, u = (prefix + s for s in more.get("ends", (".lora_down.weight", ".lora_up.weight")))
            tensors |= {d: down, u: up}
            parts[m] = dict(down=d, up=u)
            if alpha is not None:
                parts[m]["alpha"] = alpha
                if more.get("alpha_tensor", True):
                    tensors[prefix + ".alpha"] = float(alpha)
        return name, dict(tensors=tensors, parts=parts, by=by, rank=rank, dtype=more.get("dtype", "F16"), metadata=more.get("metadata"),
                          scale=more.get("scale", 0.7))

    everything = (*LINEAR, PROJ, TEXT, MLP)
    dotted = lambda m: ("text_encoder." if m.startswith("text_model") else "unet.") + m
    yield low_rank("kohya", flat, (*everything, CONV), alpha=2)
    yield low_rank("kohya without alpha", flat, everything, dtype="BF16")
    yield low_rank("kohya in the original layout", lambda m: {
        Q: "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q", PROJ: "lora_unet_input_blocks_1_1_proj_in", CONV: "lora_unet_input_blocks_1_0_in_layers_2",
        "mid_block.attentions.0.proj_out": "lora_unet_middle_block_1_proj_out", "up_blocks.2.resnets.1.time_emb_proj": "lora_unet_output_blocks_5_0_emb_layers_1",
        "conv_out": "lora_unet_out_2", "time_embedding.linear_1": "lora_unet_time_embed_0", "down_blocks.0.downsamplers.0.conv": "lora_unet_input_blocks_2_0_op",
    }[m], (Q, PROJ, CONV, "mid_block.attentions.0.proj_out", "up_blocks.2.resnets.1.time_emb_proj", "conv_out", "time_embedding.linear_1",
           "down_blocks.0.downsamplers.0.conv"), alpha=3, by="hand", dtype="F32")
    peft = (".lora_A.weight", ".lora_B.weight")
    yield low_rank("PEFT's names", dotted, (*everything, CONV), ends=peft)
    adapter = {f"{n}.{k}": v for n in ("unet", "text_encoder") for k, v in dict(r=4, lora_alpha=10, target_modules=["to_q"] if n == "unet" else ["q_proj"]).items()}
    yield low_rank("PEFT's configuration in the metadata", dotted, (Q, TEXT), alpha=10, alpha_tensor=False, ends=peft,
                   metadata=dict(lora_adapter_metadata=json.dumps(adapter)))
    yield low_rank("PEFT's own file", lambda m: "base_model.model." + m, LINEAR, ends=peft, by="hand")
    yield low_rank("diffusers' layers", dotted, LINEAR, ends=(".lora.down.weight", ".lora.up.weight"))
    yield low_rank("diffusers' text encoder", dotted, (TEXT, MLP), ends=(".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"))
    processor = lambda m: m.replace(".attn1.to_out.0", ".attn1.processor.to_out").replace(".attn1.", ".attn1.processor.").replace(".processor.processor.", ".processor.").replace(".attn2.", ".attn2.processor.")
    ends = ("_lora.down.weight", "_lora.up.weight")
    yield low_rank("diffusers' attention processors", lambda m: "unet." + processor(m), (Q, K2, OUT0), ends=ends)
    yield low_rank("diffusers' attention processors alone", processor, (Q, K2, OUT0), ends=ends, by="hand")

    def lycoris(name, module_parts, scale=0.7, **more):
        """module_parts: by module, its parts with shapes or numbers."""
        tensors = {f"{flat(m)}.{k}": v for m, parts in module_parts.items() for k, v in parts.items()}
        return name, dict(tensors=tensors, parts={m: list(p) for m, p in module_parts.items()}, by="lycoris", dtype="F16", metadata=None, scale=scale, **more)

    def locon(m, mid=False, alpha=2.0, **more):
        o, i, *k = shape_of(model, m)
        if mid:
            return {"lora_down.weight": [4, i, 1, 1], "lora_mid.weight": [4, 4, *k], "lora_up.weight": [o, 4, 1, 1], "alpha": alpha, **more}
        down, up = pair([o, i, *k], 4)
        return {"lora_down.weight": down, "lora_up.weight": up, "alpha": alpha, **more}

    def loha(m, tucker=False, **more):
        o, i, *k = shape_of(model, m)
        if tucker:
            w = {f"hada_w{n}_{s}": [3, size] for n in "12" for s, size in (("a", o), ("b", i))} | {f"hada_t{n}": [3, 3, *k] for n in "12"}
        else:
            w = {f"hada_w{n}_{s}": size for n in "12" for s, size in (("a", [o, 3]), ("b", [3, i * int(np.prod(k))]))}
        return {**w, "alpha": 2.0, **more}

    def lokr(m, form, **more):
        o, i, *k = shape_of(model, m)
        a, b = (4, o // 4), (4, i // 4)
        rank = 1 if form == "both" else 2  # LyCORIS divides the left matrix only for a rank below half its size
        w = {"lokr_w1": [a[0], b[0]]} if form != "both" else {"lokr_w1_a": [a[0], rank], "lokr_w1_b": [rank, b[0]]}
        if form == "whole":
            w["lokr_w2"] = [a[1], b[1], *k]
        elif form == "tucker":
            w |= {"lokr_w2_a": [2, a[1]], "lokr_w2_b": [2, b[1]], "lokr_t2": [2, 2, *k]}
        else:
            w |= {"lokr_w2_a": [a[1], rank], "lokr_w2_b": [rank, b[1] * int(np.prod(k))]}
        return {**w, "alpha": 3.0, **more}

    yield lycoris("LoCon with a middle", {CONV: locon(CONV, mid=True), PROJ: locon(PROJ), TEXT: locon(TEXT)})
    yield lycoris("LoHa", {Q: loha(Q), PROJ: loha(PROJ), CONV: loha(CONV), MLP: loha(MLP)})
    yield lycoris("LoHa with Tucker", {CONV: loha(CONV, tucker=True)})
    yield lycoris("LoKr", {Q: lokr(Q, "pair"), CONV: lokr(CONV, "pair"), TEXT: lokr(TEXT, "both")})
    yield lycoris("LoKr of whole matrices", {FF: lokr(FF, "whole"), CONV: lokr(CONV, "whole")})
    yield lycoris("LoKr with Tucker", {CONV: lokr(CONV, "tucker")})
    o = lambda m: [shape_of(model, m)[0]] + [1] * (len(shape_of(model, m)) - 1)
    i = lambda m: [1, shape_of(model, m)[1]] + [1] * (len(shape_of(model, m)) - 2)
    for strength in (1.0, 0.6):
        yield lycoris(f"DoRA by output at {strength}", {Q: locon(Q, dora_scale=o(Q)), CONV: locon(CONV, dora_scale=o(CONV)), TEXT: loha(TEXT, dora_scale=o(TEXT))}, scale=strength)
        yield lycoris(f"DoRA by input at {strength}", {K2: locon(K2, dora_scale=i(K2)), CONV: locon(CONV, dora_scale=i(CONV)), FF: lokr(FF, "pair", dora_scale=i(FF))}, scale=strength,
                      on_input=True)
    yield lycoris("differences", {Q: {"diff": shape_of(model, Q)}, CONV: {"diff": shape_of(model, CONV), "diff_b": [shape_of(model, CONV)[0]]},
                                  NORM: {"w_norm": [40], "b_norm": [40]}}, scale=-0.5)
    # PEFT's DoRA, which diffusers reads; at the strength 1 all agree.
    name, case = low_rank("PEFT's DoRA", dotted, (Q, TEXT), ends=peft, scale=1)
    for m, parts in case["parts"].items():
        parts["magnitude"] = dotted(m) + ".lora_magnitude_vector.weight"
        case["tensors"][parts["magnitude"]] = [shape_of(model, m)[0]]
    yield name, case


def state_of(name, case):
    """The LoRA's tensors, as its file stores them."""
    types = dict(F16=torch.float16, F32=torch.float32, BF16=torch.bfloat16)
    state = {}
    for key, shape in case["tensors"].items():
        v = torch.tensor(shape) if isinstance(shape, float) else tensor(f"lora/{name}/{key}", shape)
        state[key] = v.to(types[case["dtype"]])
    return state


def by_hand(state, case, model):
    merged = {}
    for m, parts in case["parts"].items():
        down, up = state[parts["down"]].double(), state[parts["up"]].double()
        base = weight_of(model, m).double()
        scale = parts.get("alpha", case["rank"]) / case["rank"]
        w = base + (1 if "magnitude" in parts else case["scale"]) * scale * (up.flatten(1) @ down.flatten(1)).reshape(base.shape)
        if "magnitude" in parts:
            w *= state[parts["magnitude"]].double()[:, None] / w.norm(dim=1, keepdim=True)
        merged[m + ".weight"] = w
    return merged


def weight_of(model, m, part="weight"):
    return (model["text"] if m.startswith("text_model") else model["unet"])[f"{m}.{part}"]


def by_diffusers(state, case, folder):
    parts, keys, configs = pipelines.build(MODEL)
    pipe = StableDiffusionPipeline(vae=parts["vae"], text_encoder=parts["text_encoder"], tokenizer=None, unet=parts["unet"],
                                   scheduler=pipelines.diffusers.DDIMScheduler.from_config(configs["scheduler"]), safety_checker=None, feature_extractor=None,
                                   image_encoder=None, requires_safety_checker=False)
    save_file(state, folder / "lora.safetensors", metadata=case["metadata"])
    pipe.load_lora_weights(folder, weight_name="lora.safetensors")
    pipe.fuse_lora(lora_scale=case["scale"])
    pipe.unload_lora_weights()
    text = {k if k.startswith("text_model.") else "text_model." + k: v for k, v in pipe.text_encoder.state_dict().items()}
    unet = pipe.unet.state_dict()
    return {m + ".weight": (text if m.startswith("text_model") else unet)[m + ".weight"].double() for m in case["parts"]}


def by_lycoris(state, case, model):
    """The weights that LyCORIS's modules apply, by their forward."""
    from lycoris.modules.full import FullModule
    from lycoris.modules.locon import LoConModule
    from lycoris.modules.loha import LohaModule
    from lycoris.modules.lokr import LokrModule
    from lycoris.modules.norms import NormModule
    merged = {}
    for m, parts in case["parts"].items():
        w, p = weight_of(model, m), {k: state[f"{flat(m)}.{k}"].float() for k in parts}
        bias = weight_of(model, m, "bias") if any(k in p for k in ("diff_b", "b_norm")) else None
        if "w_norm" in p:
            layer = torch.nn.LayerNorm(len(w), eps=0)
            layer.weight.data, layer.bias.data = w.clone(), bias.clone()
            module = NormModule("x", layer, case["scale"])
            module.w_norm.data, module.b_norm.data = p["w_norm"], p["b_norm"]
            module.eval()
            # The layer makes ±1 of a vector of ±1.
            x = torch.ones(len(w))
            x[::2] = -1
            plus, minus = module(x), module(-x)
            merged[m + ".weight"], merged[m + ".bias"] = (plus - minus) / 2 * x, (plus + minus) / 2
            continue
        if w.dim() == 2:
            layer = torch.nn.Linear(w.shape[1], w.shape[0], bias=bias is not None)
        else:
            layer = torch.nn.Conv2d(w.shape[1], w.shape[0], w.shape[2], bias=bias is not None)
        layer.weight.data = w.clone()
        if bias is not None:
            layer.bias.data = bias.clone()
        common = dict(multiplier=case["scale"], weight_decompose="dora_scale" in p, wd_on_out=not case.get("on_input"), alpha=float(p.get("alpha", 1)))
        if "diff" in p:
            module = FullModule("x", layer, case["scale"])
            module.weight.data = p["diff"].clone()
            if bias is not None:
                module.bias.data = p["diff_b"].clone()
        elif "lora_up.weight" in p:
            module = LoConModule("x", layer, lora_dim=p["lora_down.weight"].shape[0], use_tucker="lora_mid.weight" in p, **common)
        elif "hada_w1_a" in p:
            module = LohaModule("x", layer, lora_dim=p["hada_w1_b"].shape[0], use_tucker="hada_t1" in p, **common)
        else:
            module = LokrModule("x", layer, lora_dim=p["lokr_w2_b"].shape[0] if "lokr_w2_b" in p else 2, factor=4, use_tucker="lokr_t2" in p, decompose_both="lokr_w1_a" in p, full_matrix="lokr_w2" in p, **common)
        if "diff" not in p:
            own = dict(module.named_parameters())
            for k, v in p.items():
                if k != "alpha":
                    assert own[k].shape == v.shape, (m, k, own[k].shape, v.shape)
                    own[k].data.copy_(v)
        module.eval()
        if "diff" in p:
            # A FullModule holds the sum, and its own difference from the original is what is scaled.
            module.apply_to()
        seen = lambda x: layer(x) if "diff" in p else module(x)
        nothing = seen(torch.zeros(1, w.shape[1], *(2 * k - 1 for k in w.shape[2:])))
        if w.dim() == 2:
            applied = (seen(torch.eye(w.shape[1])) - nothing).T
        else:
            k = w.shape[2]
            x = torch.zeros(w.shape[1], w.shape[1], 2 * k - 1, 2 * k - 1)
            for c in range(w.shape[1]):
                x[c, c, k - 1, k - 1] = 1
            applied = (seen(x) - nothing).transpose(0, 1).flip(2, 3)
        merged[m + ".weight"] = applied
        if bias is not None:
            merged[m + ".bias"] = nothing.flatten(1)[0][:: nothing[0, 0].numel()] if w.dim() == 4 else nothing[0]
    return {k: v.double() for k, v in merged.items()}


def distance(a, b):
    return float((a - b).norm() / b.norm())


def numbers(v):
    return [float(f"{x:.8g}") for x in v]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    parts, keys, _ = pipelines.build(MODEL)
    model = dict(unet=parts["unet"].state_dict(), text={k if k.startswith("text_model.") else "text_model." + k: v for k, v in parts["text_encoder"].state_dict().items()})
    fixture, merges = dict(model=MODEL, tolerance=TOLERANCE, cases={}), {}
    for name, case in layouts(model):
        state = state_of(name, case)
        if case["by"] == "lycoris":
            merged = by_lycoris(state, case, model)
        else:
            merged = by_hand(state, case, model)
            if case["by"] == "diffusers":
                with tempfile.TemporaryDirectory() as folder:
                    theirs = by_diffusers(state, case, pathlib.Path(folder))
                for k, v in theirs.items():
                    m, part = k.rsplit(".", 1)
                    if m.startswith("text_model") and distance(v, weight_of(model, m, part).double()) < TOLERANCE:
                        print(f"{name}: diffusers does not load {k}")
                        theirs[k] = merged[k]
                        continue
                    assert distance(v, merged[k]) <= TOLERANCE, (name, k, distance(v, merged[k]))
                merged = theirs
        moved, out = {}, {}
        for k, v in merged.items():
            m, part = k.rsplit(".", 1)
            base = weight_of(model, m, part).double()
            moved[k] = distance(v, base)
            assert moved[k] >= 20 * TOLERANCE, f"{name}: {k} moves by only {moved[k]:.2g}"
            values = v.flatten()
            every = max(1, len(values) // SAMPLES | 1)
            out[k] = dict(norm=float(f"{values.norm():.10g}"), every=every, values=numbers(values[::every]))
        print(f"{name}: {case['by']}, moves by {min(moved.values()):.2g} at least", flush=True)
        fixture["cases"][name] = dict(by=case["by"], dtype=case["dtype"], scale=case["scale"], metadata=case["metadata"], tensors=case["tensors"], merged=out,
                                      sensitivity=float(f"{min(moved.values()):.3g}"))
        merges[name] = merged
    fixture["pictures"] = pictures(model, merges, fixture["cases"])
    (OUT / "lora.json").write_text(json.dumps(fixture, separators=(",", ":")))


def pictures(model, merges, cases):
    """Whole pipelines with several LoRAs: the differences that they make to the weights, added up."""
    base = dict(dict(pipelines.cases())["a_text"], steps=2)
    real = pipelines.build
    out = {}
    for name, loras in {"kohya, with its text encoder": ["kohya"], "three": ["kohya", "LoHa", "differences"]}.items():
        changed = {}
        for lora in loras:
            for k, v in merges[lora].items():
                m, part = k.rsplit(".", 1)
                b = weight_of(model, m, part).double()
                changed[k] = changed.get(k, b) + v - b

        def build(n):
            parts, keys, configs = real(n)
            for part, net in (("text_encoder", parts["text_encoder"]), ("unet", parts["unet"])):
                state = net.state_dict()
                for k, v in changed.items():
                    if k.startswith("text_model.") == (part == "text_encoder"):
                        own = k if k in state else k.removeprefix("text_model.")
                        state[own] = v.float()
                net.load_state_dict(state)
            return parts, keys, configs
        pipelines.build = build
        want, _ = pipelines.run(base, torch.float32)
        half, _ = pipelines.run(base, torch.float16)
        pipelines.build = real
        without, _ = pipelines.run(base, torch.float32)
        error, moved = distance(half, want), distance(without, want)
        assert moved >= 20 * max(1e-3, 2 * error), f"{name}: moves by only {moved:.2g}, the float16 error is {error:.2g}"
        print(f"{name}: without the LoRAs it moves by {moved:.2g}, the float16 error is {error:.2g}", flush=True)
        out[name] = dict(loras=loras, latents=[float(f"{v:.6g}") for v in want.flatten().tolist()], f16_error=error, sensitivity=moved,
                         **{k: base[k] for k in ("ids", "negative_ids", "scheduler", "steps", "guidance", "height", "width", "seed")})
    return out


if __name__ == "__main__":
    pipelines.float32_draws()
    main()
