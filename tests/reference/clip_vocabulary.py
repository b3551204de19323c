"""CLIP's vocabulary, from the bpe_simple_vocab_16e6.txt.gz of the open_clip package, and the part of a
vocabulary that some prompts need."""

import gzip
import pathlib

import open_clip
from transformers.convert_slow_tokenizer import bytes_to_unicode

BOS, EOS = "<|startoftext|>", "<|endoftext|>"


def clip_vocabulary():
    """Returns {token: number} and the merges, as "a b"."""
    path = pathlib.Path(open_clip.__file__).parent / "bpe_simple_vocab_16e6.txt.gz"
    merges = gzip.open(path).read().decode().split("\n")[1 : 49152 - 256 - 2 + 1]
    letters = list(bytes_to_unicode().values())
    tokens = letters + [x + "</w>" for x in letters] + ["".join(m.split()) for m in merges] + [BOS, EOS]
    return {x: i for i, x in enumerate(tokens)}, merges


def trimmed(vocab, merges, tokenizer, texts):
    """Returns the part of a vocabulary and of its merges that the texts need: a merge whose text occurs in no word of
    theirs can never apply to them."""
    backend = tokenizer._tokenizer
    found = set()
    # A special token, "!" among them, ends the word before it.
    for text in texts + [x.replace("!", " ") for x in texts]:
        found.update(w + "</w>" for w, _ in backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(text)))
    words = "\n".join(sorted(found))
    kept = [m for m in merges if m.replace(" ", "") in words]
    names = {n for m in kept for n in (*m.split(" "), m.replace(" ", ""))}
    return {k: v for k, v in vocab.items() if k in names or len(k.removesuffix("</w>")) <= 1 or k in (BOS, EOS)}, kept
