"""Computes the outputs of the full-size networks of weights.py with torch, into .build/full/reference.

    python tests/full/reference.py [text] [vision] [unet] [controlnet] [vae]

Writes NAME.npy, float32 and channels last, for model/pipeline/full_js_test.go, and errors.json
with the error of float16 against float32, as a GPU computes it: with sums in float32, and with
the weights and every module's input and output rounded to float16. (A CPU's own float16 is a
hundred times slower.) Inputs are hashes (tests/reference/weights.py), in channels-last order.
"""
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModelWithProjection

sys.path.insert(0, str(Path(__file__).parent.parent / "reference"))
from weights import uniform  # noqa: E402  (the reference's, not the one beside this file)

import importlib.util  # noqa: E402

spec = importlib.util.spec_from_file_location("full_weights", Path(__file__).parent / "weights.py")
full = importlib.util.module_from_spec(spec)
spec.loader.exec_module(full)

OUT = full.OUT / "reference"
# "a fox", padded as the tokenizer pads.
IDS = [[49406, 320, 3240] + [49407] * 74]
LAMBDA = 0.6
TIMESTEP = 481


def given(name, *shape):
    n = int(np.prod(shape))
    return torch.from_numpy(uniform(f"full/{name}", n)).float().reshape(shape)


def first(x):
    return x.permute(0, 3, 1, 2).contiguous()


def last(x):
    return x.permute(0, 2, 3, 1).contiguous() if x.dim() == 4 else x


def weights(name, prefix=""):
    state = {k: v.float() for k, v in load_file(full.OUT / name).items() if not k.endswith("position_ids")}
    return {k.removeprefix(prefix): v for k, v in state.items()}


def fill(module, state):
    """Loads a published file, whatever prefix transformers gives its towers today."""
    want = module.state_dict()
    for prefix in ("", "text_model.", "vision_model."):
        if set(want) - {k for k in want if k.endswith("position_ids")} == {k.removeprefix(prefix) for k in state}:
            module.load_state_dict({k.removeprefix(prefix): v for k, v in state.items()}, strict=False)
            return module.eval()
    raise SystemExit(f"keys differ: {sorted(set(want) ^ set(state))[:6]}")


def halved(x):
    if torch.is_tensor(x):
        return x.half().float() if x.is_floating_point() else x
    if isinstance(x, (tuple, list)):
        return type(x)(halved(y) for y in x)
    return x


@torch.no_grad()
def round_layers(module):
    """The weights are those of float16, and every module's input and output pass through it, a block's as a layer's:
    between blocks lies what they add to, which float16 rounds, too."""
    for p in module.parameters():
        p.copy_(p.half().float())
    handles = []
    for m in module.modules():
        handles.append(m.register_forward_pre_hook(lambda _, args: halved(args)))
        handles.append(m.register_forward_hook(lambda _, args, out: halved(out)))
    return handles


def text():
    m = fill(CLIPTextModel(CLIPTextConfig(**full.TEXT)), weights("sd15/text_encoder/model.fp16.safetensors"))
    return m, {"text": lambda: m(torch.tensor(IDS)).last_hidden_state}


def vision():
    m = CLIPVisionModelWithProjection(CLIPVisionConfig(**full.VISION))
    m = fill(m, weights("ip-adapter/image_encoder/model.safetensors"))
    pixels = first(given("pixel_values", 1, 224, 224, 3))
    seen = {}

    def both():
        out = m(pixels, output_hidden_states=True)
        seen["penultimate"] = out.hidden_states[-2]
        return out.image_embeds
    return m, {"image_embeds": both, "penultimate": lambda: seen["penultimate"]}


def vae():
    m = AutoencoderKL(**full.VAE)
    state = {}
    for k, v in weights("sd15/vae/diffusion_pytorch_model.fp16.safetensors").items():
        for new, old in (("to_q.", "query."), ("to_k.", "key."), ("to_v.", "value."), ("to_out.0.", "proj_attn.")):
            k = k.replace(old, new) if "mid_block.attentions.0" in k else k
        state[k] = v
    m = fill(m, state)
    return m, {"vae_decode": lambda: m.decode(first(given("latents", 1, 64, 64, 4))).sample}


def unet():
    m = fill(UNet2DConditionModel(**full.UNET), weights("sd15/unet/diffusion_pytorch_model.fp16.safetensors"))
    state = {"image_proj": {}, "ip_adapter": {}}
    for k, v in weights("ip-adapter/ip-adapter_sd15.safetensors").items():
        part, rest = k.split(".", 1)
        state[part][rest] = v
    m._load_ip_adapter_weights([state], low_cpu_mem_usage=False)
    m.eval()
    for p in m.attn_processors.values():
        if hasattr(p, "scale"):
            p.scale = [LAMBDA]
    sample, words = first(given("sample", 1, 64, 64, 4)), given("encoder_hidden_states", 1, 77, 768)
    embeds = given("image_embeds", 1, 1, 1024)
    return m, {"unet": lambda: m(sample, TIMESTEP, encoder_hidden_states=words, added_cond_kwargs={"image_embeds": [embeds]}).sample}


def controlnet():
    """A step of the UNet with a ControlNet at 512 × 512."""
    unet = fill(UNet2DConditionModel(**full.UNET), weights("sd15/unet/diffusion_pytorch_model.fp16.safetensors"))
    config, _ = full.controlnet_layout().values()
    net = fill(ControlNetModel(**config), weights("controlnet/diffusion_pytorch_model.fp16.safetensors"))
    sample, words = first(given("sample", 1, 64, 64, 4)), given("encoder_hidden_states", 1, 77, 768)
    hint = first(given("map", 1, 512, 512, 3))

    def step(scale=LAMBDA):
        down, mid = net(sample, TIMESTEP, words, hint, conditioning_scale=scale, return_dict=False)
        return unet(sample, TIMESTEP, encoder_hidden_states=words, down_block_additional_residuals=down, mid_block_additional_residual=mid).sample
    want, out = step(), step(0.0)
    moves = float((out - want).norm() / want.norm())
    print("without the ControlNet it moves by %.2g" % moves, flush=True)
    if moves < 20 * 1e-3:
        raise SystemExit("the ControlNet's step tests nothing")
    return torch.nn.ModuleList([net, unet]), {"controlnet_step": step}


@torch.no_grad()
def main():
    OUT.mkdir(parents=True, exist_ok=True)
    errors = json.loads((OUT / "errors.json").read_text()) if (OUT / "errors.json").exists() else {}
    for name in sys.argv[1:] or ["text", "vision", "unet", "controlnet", "vae"]:
        module, outputs = globals()[name]()
        want, began = {}, time.time()
        for key, run in outputs.items():
            want[key] = last(run())
            np.save(OUT / f"{key}.npy", want[key].numpy())
        seconds = time.time() - began
        handles = round_layers(module)
        for key, run in outputs.items():
            d = last(halved(run())) - want[key]
            errors[key] = dict(f16_error=float(d.norm() / want[key].norm()), seconds=seconds)
            print(key, list(want[key].shape), "rms %.3g" % want[key].pow(2).mean().sqrt(), "largest %.3g" % want[key].abs().max(),
                  "float16 error %.2g" % errors[key]["f16_error"], f"{seconds:.0f} s", flush=True)
            (OUT / "errors.json").write_text(json.dumps(errors, indent=1))
        for h in handles:
            h.remove()


main()
