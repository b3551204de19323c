"""A warm start for an adapter, without running the UNet.

An adapter that begins at random learns slowly from the noise loss alone: its gradient passes through the
whole UNet, and is weak. The text's cross-attention already knows what a thing, a style and a background look
like. So the image's tokens, K' and V' are first taught to add to an empty prompt what the picture's own
caption would have added: for the queries the UNet really asks (kept from a few hundred noised latents),
Attention(Q, K', V') is regressed on Attention(Q, K(caption), V(caption)) - Attention(Q, K(""), V("")).
With --beside-words the prompt asks for a background at times: the picture, at a λ below 1, is then to add
what makes of it the caption of its thing, in its style, on that background. No picture at all adds nothing.
A simple adapter (the paper's ablation) has only its tokens to learn: appended to the prompt's, they are to
give Attention(Q, K(caption), V(caption)) with the base's K and V. A few thousand pictures a minute on two cores.
"""
import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from transformers import CLIPVisionConfig

from adapter_networks import Adapter, projection_for
from captions import SUFFIXES
from emoji import COLOURS, Emoji
from features import ImagePrompts
from training import DEVICE, GPU, autocast
from unet import Words, scheduler_of


def attend(q, k, v, heads):
    """q [Q, C] or [B, Q, C]; k, v [B, T, C] → [B, Q, C]."""
    q = q.expand(len(k), -1, -1) if q.dim() == 2 else q
    q, k, v = (x.unflatten(2, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


@torch.no_grad()
def real_queries(unet, scheduler, latents, text, kept=4096):
    """For each cross-attention, queries that it asks of captions, over all times: {number: [kept, C]}."""
    asked, hooks = {}, []
    for number, name in enumerate(unet.attn_processors):
        if name.endswith("attn2.processor"):
            keep = lambda _m, _i, out, number=number: asked.setdefault(number, []).append(out.flatten(0, 1)[torch.randperm(out.shape[0] * out.shape[1])[:512].to(out.device)].float())
            hooks.append(unet.get_submodule(name.removesuffix(".processor")).to_q.register_forward_hook(keep))
    for z, h in zip(latents.split(32), text.split(32)):
        t = torch.randint(0, scheduler.config.num_train_timesteps, (len(z),), device=z.device)
        with autocast():
            unet(scheduler.add_noise(z, torch.randn_like(z), t), t, h)
    for hook in hooks:
        hook.remove()
    return {n: torch.cat(q)[:kept] for n, q in asked.items()}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--adapter", choices=["global", "plus", "simple"], default="plus")
    parser.add_argument("--resampler-dim", type=int, default=192)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--batch", type=int, default=512 if GPU else 192)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--warm-start", type=Path, help="an adapter's file to go on from")
    parser.add_argument("--drop-background", type=float, default=.15, help="captions that leave it to the words")
    parser.add_argument("--beside-words", type=float, default=0, help="share of the draws where the picture comes beside words that ask another background")
    parser.add_argument("--scale", type=float, default=.7, help="λ of those draws, as it is used beside words")
    parser.add_argument("--everyday", type=float, default=0, help="share of the draws that come from emoji.EVERYDAY alone")
    parser.add_argument("--others", type=float, default=.5, help="share of the draws that come from all drawings")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads), torch.manual_seed(args.seed)

    emoji, bank = Emoji(args.work), np.load(args.work / "bank.npz")
    colours = torch.from_numpy(bank["C"]).to(DEVICE).long()
    images = ImagePrompts(args.work, args.adapter)
    words, scheduler = Words(emoji, args.base), scheduler_of(args.base)
    unet = UNet2DConditionModel.from_pretrained(args.base / "unet", torch_dtype=torch.float32).to(DEVICE).eval().requires_grad_(False)
    vision_config = CLIPVisionConfig.from_pretrained(args.base / "image_encoder")
    hidden_states = lambda index: words.states(index).float()

    def captions(r, i):
        """Full captions' indices, some without the background."""
        full = words.captions.full(i, colours[r, i])
        return torch.where(torch.rand(len(i), device=DEVICE) < args.drop_background, full - full % len(SUFFIXES), full)

    some = torch.as_tensor(emoji.train, device=DEVICE)[torch.randperm(len(emoji.train), device=DEVICE)[:256]]
    queries = real_queries(unet, scheduler, torch.from_numpy(bank["Z"][0]).to(DEVICE)[some].float(), hidden_states(captions(0, some)))
    attentions = {n: unet.get_submodule(name.removesuffix(".processor")) for n, name in enumerate(unet.attn_processors) if n in queries}
    adapter = Adapter(unet, projection_for(args.adapter, vision_config, unet.config.cross_attention_dim, args.resampler_dim), args.adapter).to(DEVICE)
    if args.warm_start:
        adapter.load(args.warm_start)
    empty = hidden_states(torch.zeros(1, dtype=torch.long, device=DEVICE))

    def added(attention, q, h, words=empty):
        """What captions' hidden states h add to the attention of the words that are there, of an empty prompt for example."""
        kv = lambda x: (attention.to_k(x), attention.to_v(x))
        return attend(q, *kv(h), attention.heads) - attend(q, *kv(words), attention.heads)

    # Most of what a caption adds, every caption adds. What tells pictures apart is small beside it, a background's
    # colour above all, and would be learned last: so each channel is weighed by how much it varies from caption to caption.
    with torch.no_grad():
        h = hidden_states(captions(0, some[:128]))
        varies = {n: added(a, queries[n][:64], h).var(0).mean(0) for n, a in attentions.items()}
        varies = {n: v + .05 * v.mean() for n, v in varies.items()}

    def loss_of(r, i, dropped):
        beside, asked = torch.rand(len(i), device=DEVICE) < args.beside_words, torch.randint(len(COLOURS), (len(i),), device=DEVICE)
        h = hidden_states(torch.where(beside, words.captions.full(i, asked), captions(r, i)))
        around = hidden_states(torch.where(beside, 1 + asked, 0)) if args.beside_words else empty
        scale = torch.where(beside, args.scale, 1.)[:, None, None]
        with autocast():
            tokens = adapter.image_proj(images.of(r, i, dropped).float()).float()
        total = 0
        for number, attention in attentions.items():
            q = queries[number][torch.randint(len(queries[number]), (48,), device=DEVICE)]
            with torch.no_grad():
                wanted = added(attention, q, h, around).masked_fill(dropped[:, None, None], 0)
            if args.adapter == "simple":
                given = added(attention, q, torch.cat([around.expand(len(tokens), -1, -1), tokens], 1), around)
            else:
                layer = adapter.ip_adapter[str(number)]
                given = scale * attend(q, layer.to_k_ip(tokens), layer.to_v_ip(tokens), attention.heads)
            total = total + ((given - wanted).square() / varies[number]).mean()
        return total / len(attentions)

    optimizer = torch.optim.AdamW(adapter.parameters(), args.learning_rate, weight_decay=.01, betas=(.9, .99))
    start, step = time.time(), 0
    while (done := (time.time() - start) / (60 * args.minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = args.learning_rate * min(1, (step + 1) / 30) * max(.02, .5 * (1 + math.cos(math.pi * done)))
        i, r = emoji.draw(args.batch, args.everyday, args.others), torch.randint(len(images), (args.batch,), device=DEVICE)
        loss = loss_of(r, i, torch.rand(args.batch, device=DEVICE) < .08)
        optimizer.zero_grad(), loss.backward()
        torch.nn.utils.clip_grad_norm_(adapter.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % (100 if GPU else 25) == 0:
            with torch.no_grad():
                i = torch.as_tensor(emoji.held, device=DEVICE)
                held = loss_of(torch.zeros_like(i), i, torch.zeros(len(i), dtype=torch.bool, device=DEVICE))
            print(f"step {step} {(time.time() - start) / 60:.1f} min, unexplained: {loss.item():.3f}, of held-out names {held.item():.3f}", flush=True)
            adapter.save(args.output)
    adapter.save(args.output)


if __name__ == "__main__":
    main()
