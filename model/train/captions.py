"""How a picture would be asked for: style, name and background, each said or left out, as token ids and hidden states.

A caption is a prefix ("3d emoji of fox") and a suffix ("on a blue background", or ", blue"), and CLIP's tokens do not reach
over words: so the ids of all captions are put together from few pieces, once, and a batch of captions is two indices.
On a GPU the hidden states of all of them are kept too, and no text encoder runs in a training loop.
"""
import numpy as np
import torch

from emoji import COLOURS, on_background
from training import DEVICE, autocast

SUFFIXES = [""] + [on_background(c) for c in range(len(COLOURS))] + [f", {c}" for c in COLOURS]


class Captions:
    """An index is prefix · len(suffixes) + suffix; 0 is the empty prompt. The last suffix is the trigger, where there is one: words that call a LoRA."""

    def __init__(self, emoji, tokenizer, trigger=None):
        self.suffixes = SUFFIXES + ([f", {trigger}"] if trigger else [])
        prefixes = {"": 0}
        number = lambda text: prefixes.setdefault(text, len(prefixes))
        table = np.zeros((2, 2, len(emoji)), np.int64)  # [style said, name said, drawing]
        for i, m in enumerate(emoji.meta):
            table[1, 0, i], table[0, 1, i] = number(f"{m['style']} emoji"), number(m["name"])
            table[1, 1, i] = number(f"{m['style']} emoji of {m['name']}")
        self.table, self.prefixes = torch.from_numpy(table).to(DEVICE), list(prefixes)
        self.ids = torch.from_numpy(self._ids(tokenizer)).to(DEVICE)
        self.kept = None

    def __len__(self):
        return len(self.ids)

    def text(self, index):
        return (self.prefixes[index // len(self.suffixes)] + " " * (index % len(self.suffixes) <= len(COLOURS)) + self.suffixes[index % len(self.suffixes)]).strip(" ,")

    def _ids(self, tokenizer):
        """int32 [len(self), T]"""
        length, (start, end) = tokenizer.model_max_length, tokenizer("").input_ids[:2]
        pieces = lambda texts: [ids[1:-1] for ids in tokenizer(list(texts)).input_ids]
        out = np.full((len(self.prefixes), len(self.suffixes), length), tokenizer.pad_token_id, np.int32)
        out[..., 0] = start
        suffixes, bare = pieces(self.suffixes), pieces([s.strip(" ,") for s in self.suffixes])
        for p, prefix in enumerate(pieces(self.prefixes)):
            for s, suffix in enumerate(suffixes if prefix else bare):
                ids = (prefix + suffix)[:length - 2] + [end]
                out[p, s, 1:1 + len(ids)] = ids
        return out.reshape(-1, length)

    def draw(self, drawings, colours, says=(.8, 1, .8), empty=0.):
        """Captions [B] of drawings on backgrounds: style, name and background are said with the chances given, and an empty share says nothing."""
        style, name, background = (torch.rand(len(drawings), device=DEVICE) < chance for chance in says)
        suffix = torch.where(torch.rand(len(drawings), device=DEVICE) < .7, 1 + colours, 1 + len(COLOURS) + colours)
        index = self.table[style.long(), name.long(), drawings] * len(self.suffixes) + torch.where(background, suffix, 0)
        return torch.where(torch.rand(len(drawings), device=DEVICE) < empty, 0, index)

    def call(self, index, chance):
        """The trigger behind captions [B] that end with what they show, in a share of them."""
        return torch.where(torch.rand(len(index), device=DEVICE) < chance, index + len(self.suffixes) - 1, index)

    def full(self, drawings, colours):
        return self.table[1, 1, drawings] * len(self.suffixes) + 1 + colours

    @torch.no_grad()
    def keep_states(self, text, batch=4096):
        """The text encoder's hidden states of all captions, in bfloat16: 10 kB each."""
        with autocast():
            self.kept = torch.cat([text(ids.long()).last_hidden_state.bfloat16() for ids in self.ids.split(batch)])

    @torch.no_grad()
    def states(self, index, text):
        """[B, T, C]"""
        if self.kept is not None:
            return self.kept[index]
        with autocast():
            different, which = index.unique(return_inverse=True)
            return text(self.ids[different].long()).last_hidden_state[which]
