"""The image prompt adapters of the paper (arXiv 2308.06721) as modules, in h94's published key names.

decoupled, global  image_proj: the image embedding to 4 tokens; new K', V' in every cross-attention (3.2)
decoupled, plus    image_proj: a resampler from the penultimate hidden states to 16 tokens; K', V'
simple             the paper's ablation (4.4.1): the tokens are appended to the text's; K and V are the base's
"""
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn


class GlobalProjection(nn.Module):
    """The image embedding [B, P] to tokens [B, T, D] (diffusers' ImageProjection)."""

    def __init__(self, embedding_dim, cross_attention_dim, tokens=4):
        super().__init__()
        self.tokens = tokens
        self.proj = nn.Linear(embedding_dim, tokens * cross_attention_dim)
        self.norm = nn.LayerNorm(cross_attention_dim)

    def forward(self, embeds):
        return self.norm(self.proj(embeds).unflatten(1, (self.tokens, -1)))


class PerceiverAttention(nn.Module):
    """Latents attend to the hidden states and to themselves. A head has 64 channels: readers of the file assume so."""

    def __init__(self, dim):
        super().__init__()
        self.heads = dim // 64
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_kv = nn.Linear(dim, 2 * dim, bias=False)
        self.to_out = nn.Linear(dim, dim, bias=False)

    def forward(self, hidden, latents):
        hidden, latents = self.norm1(hidden), self.norm2(latents)
        k, v = self.to_kv(torch.cat([hidden, latents], 1)).chunk(2, -1)
        q, k, v = (x.unflatten(2, (self.heads, 64)).transpose(1, 2) for x in (self.to_q(latents), k, v))
        return self.to_out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Resampler(nn.Module):
    """Hidden states [B, N, H] to tokens [B, T, D], as h94's ip-adapter-plus (after Flamingo's perceiver)."""

    def __init__(self, hidden_size, cross_attention_dim, dim, tokens=16, depth=4):
        super().__init__()
        if dim % 64:
            raise ValueError(f"the resampler's dim is {dim}: it must be a multiple of 64, the size of a head")
        self.latents = nn.Parameter(torch.randn(1, tokens, dim) / dim ** .5)
        self.proj_in = nn.Linear(hidden_size, dim)
        self.layers = nn.ModuleList(nn.ModuleList([
            PerceiverAttention(dim),
            nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 4 * dim, bias=False), nn.GELU(), nn.Linear(4 * dim, dim, bias=False)),
        ]) for _ in range(depth))
        self.proj_out = nn.Linear(dim, cross_attention_dim)
        self.norm_out = nn.LayerNorm(cross_attention_dim)

    def forward(self, hidden):
        latents, hidden = self.latents.expand(len(hidden), -1, -1), self.proj_in(hidden)
        for attention, feed_forward in self.layers:
            latents = attention(hidden, latents) + latents
            latents = feed_forward(latents) + latents
        return self.norm_out(self.proj_out(latents))


class DecoupledAttention(nn.Module):
    """Attention(Q, K, V) + scale · Attention(Q, K', V'), the paper's equation 5; the last `tokens` of the context are the image's."""

    def __init__(self, attention, tokens):
        super().__init__()
        self.tokens, self.scale = tokens, 1.0
        inner, cross = attention.to_k.weight.shape
        self.to_k_ip, self.to_v_ip = nn.Linear(cross, inner, bias=False), nn.Linear(cross, inner, bias=False)
        self.to_k_ip.weight.data.copy_(attention.to_k.weight)  # begun as copies (3.2.2), for faster convergence
        self.to_v_ip.weight.data.copy_(attention.to_v.weight)

    def forward(self, attention, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None, **_):
        text, image = encoder_hidden_states[:, :-self.tokens], encoder_hidden_states[:, -self.tokens:]
        heads = lambda x: x.unflatten(2, (attention.heads, -1)).transpose(1, 2)
        q = heads(attention.to_q(hidden_states))
        out = F.scaled_dot_product_attention(q, heads(attention.to_k(text)), heads(attention.to_v(text)))
        out = out + self.scale * F.scaled_dot_product_attention(q, heads(self.to_k_ip(image)), heads(self.to_v_ip(image)))
        return attention.to_out[1](attention.to_out[0](out.transpose(1, 2).flatten(2)))


def projection_for(kind, vision_config, cross_attention_dim, resampler_dim=None, tokens=None):
    """image_proj for a kind of adapter (global, plus or simple) on an image encoder."""
    if kind == "plus":
        dim = resampler_dim or cross_attention_dim // 64 * 64
        return Resampler(vision_config.hidden_size, cross_attention_dim, dim, tokens or 16)
    return GlobalProjection(vision_config.projection_dim, cross_attention_dim, tokens or 4)


def kind_of(path):
    """global, plus or simple, as Adapter.save writes it into the file; None of a file by others."""
    with safe_open(path, "pt") as f:
        return (f.metadata() or {}).get("adapter")


class Adapter(nn.Module):
    """image_proj, and K', V' of each cross-attention under its number among the UNet's attention processors."""

    def __init__(self, unet, projection, kind):
        super().__init__()
        self.kind, self.image_proj, self.ip_adapter = kind, projection, nn.ModuleDict()
        tokens = projection.latents.shape[1] if kind == "plus" else projection.tokens
        if kind != "simple":
            processors = dict(unet.attn_processors)
            for number, name in enumerate(processors):
                if name.endswith("attn2.processor"):
                    layer = DecoupledAttention(unet.get_submodule(name.removesuffix(".processor")), tokens)
                    self.ip_adapter[str(number)] = processors[name] = layer
            unet.set_attn_processor(processors)

    def attach(self, unet):
        """Puts this adapter's layers into a UNet's cross-attentions, for example those of a copy in another precision."""
        processors = dict(unet.attn_processors)
        names = list(processors)
        unet.set_attn_processor(processors | {names[int(n)]: layer for n, layer in self.ip_adapter.items()})

    def save(self, path):
        """The file diffusers' load_ip_adapter reads; a simple adapter has no K', V' and says so in its metadata."""
        tensors = {k: v.detach().half().contiguous().cpu() for k, v in self.state_dict().items()}
        save_file(tensors, path, metadata={"format": "pt", "adapter": self.kind})

    def load(self, path):
        kind = kind_of(path) or self.kind
        if kind != self.kind:
            raise ValueError(f"{path} holds a {kind} adapter and a {self.kind} one was asked for")
        self.load_state_dict({k: v.float() for k, v in load_file(path).items()})
