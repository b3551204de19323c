"""The T2I style adapter on the small models of pipelines.py: the network alone, and pipelines.

    python tests/reference/style_adapter.py                  writes tests/fixtures/style_adapter/style_adapter.json
    python tests/reference/style_adapter.py --case a_style   prints one case, and writes nothing

diffusers has no style adapter. The network is that of TencentARC's T2I-Adapter (branch SD,
ldm/modules/encoders/adapter.py, StyleAdapter) under its keys, and its tokens are used as its sampler
uses them (ldm/models/diffusion/ddim.py, p_sample_ddim): they stand behind the words of the prompt, and
behind those of the negative prompt stand as many of its own last tokens. After the fraction
style_cond_tau of the steps neither is there. The weight multiplies the tokens, as in app_coadapter.py.

Each case has its own float16 error, and how far its latents move if what it tests is changed
(sensitivity.py).
"""
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

import pipelines  # which turns gradients off
import sensitivity
from networks import given
from pipelines import DIM, VISION, picture
from weights import fill

OUT = pathlib.Path(__file__).parent.parent / "fixtures/style_adapter"
HEADS, TOKENS, LAYERS = 2, 8, 3
NETS = {"a/style": dict(width=VISION["hidden_size"], context_dim=DIM, num_head=HEADS, n_layes=LAYERS, num_token=TOKENS)}


class Layer(nn.Module):
    """A layer of CLIP, with the names of torch's MultiheadAttention."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.attn = nn.MultiheadAttention(width, heads)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.ModuleDict(dict(c_fc=nn.Linear(width, 4 * width), c_proj=nn.Linear(4 * width, width)))

    def forward(self, x):
        b, t, c = x.shape
        qkv = F.linear(self.ln_1(x), self.attn.in_proj_weight, self.attn.in_proj_bias)
        q, k, v = qkv.reshape(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        x = x + self.attn.out_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, c))
        h = self.mlp["c_fc"](self.ln_2(x))
        return x + self.mlp["c_proj"](h * torch.sigmoid(1.702 * h))


class Style(nn.Module):
    def __init__(self, width, context_dim, num_head, n_layes, num_token):
        super().__init__()
        self.config = dict(num_head=num_head)
        self.transformer_layes = nn.ModuleList(Layer(width, num_head) for _ in range(n_layes))
        self.style_embedding = nn.Parameter(torch.zeros(1, num_token, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.zeros(width, context_dim))

    def forward(self, states):
        """The hidden states of a picture, [B, T, width], become tokens, [B, num_token, context_dim]."""
        own = self.style_embedding.expand(states.shape[0], -1, -1)
        x = self.ln_pre(torch.cat([states, own], 1))
        for layer in self.transformer_layes:
            x = layer(x)
        return self.ln_post(x[:, -own.shape[1]:]) @ self.proj


def network(name):
    """The adapter and the shapes of its keys."""
    model, net = name.split("/")
    adapter = Style(**NETS[name]).eval()
    return adapter, fill(adapter, f"{model}/t2i {net}/")


def run(case, dtype):
    s = case["style"]

    def prepare(pipe):
        adapter = network(case["model"] + "/style")[0].to(dtype)
        size = VISION["image_size"]
        seen = pipe.image_encoder(picture(s["image"], size, size).to(dtype), output_hidden_states=True).hidden_states[-1]
        tokens = s["scale"] * adapter(seen)
        if s.get("out"):
            return
        forward, calls = pipe.unet.forward, [0]

        def steered(sample, t, encoder_hidden_states, **kw):
            words = encoder_hidden_states
            calls[0] += 1  # one in each step
            if calls[0] / case["steps"] <= s.get("end", 1):
                behind = tokens.expand(words.shape[0], -1, -1).clone()
                if case["guidance"] > 1:
                    half = words.shape[0] // 2  # the unconditional entries come first
                    behind[:half] = 0 if s.get("unpadded") else words[:half, -TOKENS:]
                words = torch.cat([words, behind], 1)
            return forward(sample, t, encoder_hidden_states=words, **kw)
        pipe.unet.forward = steered
    return pipelines.run(case, dtype, prepare=prepare)[0]


def cases():
    base = dict(dict(pipelines.cases())["a_text"], steps=3)
    style = dict(image="s1", scale=1.0)
    yield "a_style", dict(base, style=style)
    yield "a_image_prompt", dict(base, style=style, adapters=[dict(kind="global", scale=0.6, images=["p1"])], scheduler="euler_a")
    yield "a_guidance_1", dict(base, guidance=1.0, style=dict(style, scale=1.5))
    yield "a_steps", dict(base, steps=4, style=dict(style, end=0.25))


def changes(case):
    s = case["style"]
    yield "out", dict(case, style=dict(s, out=True))
    yield "another picture", dict(case, style=dict(s, image="another"))
    yield "halved", dict(case, style=dict(s, scale=s["scale"] / 2))
    if case["guidance"] > 1:
        yield "nothing behind the negative prompt", dict(case, style=dict(s, unpadded=True))
    if "end" in s:
        yield "all steps", dict(case, style=dict(s, end=1))


def network_case(name, dtype):
    adapter = network(name)[0].to(dtype)
    patches = (VISION["image_size"] // VISION["patch_size"]) ** 2 + 1
    return adapter(given(name.split("/")[0], "hidden_states", 2, patches, VISION["hidden_size"], dtype=dtype))


def main():
    sensitivity.main(OUT / "style_adapter.json", cases(), changes, run, lambda: dict(every=1) | sensitivity.nets(NETS, network, network_case, 1))


if __name__ == "__main__":
    main()
