"""Writes fixtures/tokenizer/files.json: the files in which transformers has saved a CLIP tokenizer over the years, and
the tokens that it gives for some prompts when it reads them.

    python tokenizer_files.py

The vocabulary is CLIP's. Only the part that the prompts need is stored. Each case stores how many of its prompts
change if the case's added token is removed.
"""

import json
import pathlib
import shutil
import tempfile

import transformers
from transformers import CLIPTokenizer

from clip_vocabulary import BOS, EOS, clip_vocabulary, trimmed

out = pathlib.Path(__file__).parent.parent / "fixtures" / "tokenizer"
TEXTS = ["", "a photo of an astronaut", "a <sks> dog", "A <SKS> Dog, <sks>.", "<sks><sks>", "x<|endoftext|>y", "<cat-toy> on mars", "a <Cat-Toy> b"]


def files_of(folder):
    return {p.name: p.read_text() for p in sorted(folder.iterdir())}


def load(files):
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        for name, text in files.items():
            (folder / name).write_text(text)
        return CLIPTokenizer.from_pretrained(folder)
    finally:
        shutil.rmtree(folder)


def saved(files, *tokens, special=False):
    """What transformers writes today after a script has added tokens, as textual inversion does."""
    t = load(files)
    t.add_tokens(list(tokens), special_tokens=special)
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        t.save_pretrained(folder)
        return files_of(folder)
    finally:
        shutil.rmtree(folder)


def encode(files):
    t = load(files)
    return t.pad_token_id, [t(x, truncation=True).input_ids for x in TEXTS]


vocab, merges = clip_vocabulary()
text = "#version: 0.2\n" + "\n".join(merges) + "\n"
config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "bos_token": BOS, "eos_token": EOS, "pad_token": EOS, "unk_token": EOS}
plain = {"vocab.json": json.dumps(vocab), "merges.txt": text, "tokenizer_config.json": json.dumps(config)}
special_map = {"bos_token": {"content": BOS, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False},
               "eos_token": {"content": EOS, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False},
               "pad_token": "!", "unk_token": EOS}
today = saved(plain, "<sks>", "<cat-toy>")
as_text = json.loads(today["tokenizer.json"])
as_text["model"]["merges"] = [" ".join(m) for m in as_text["model"]["merges"]]

cases = {
    "transformers 5": today,
    "transformers 5, special": saved(plain, "<sks>", special=True),
    "tokenizer.json, merges as text": today | {"tokenizer.json": json.dumps(as_text)},
    "tokenizer.json alone": {"tokenizer.json": today["tokenizer.json"]},
    "added_tokens.json": plain | {"added_tokens.json": json.dumps({"<sks>": 49408, "<cat-toy>": 49409})},
    "added_tokens.json and special_tokens_map.json": plain | {"added_tokens.json": json.dumps({"<sks>": 49408}), "special_tokens_map.json": json.dumps(special_map)},
    "special_tokens_map.json alone": {k: v for k, v in plain.items() if k != "tokenizer_config.json"} | {"special_tokens_map.json": json.dumps(special_map)},
}

without = encode(plain)[1]
written = []
for name, files in cases.items():
    pad, ids = encode(files)
    moved = sum(a != b for a, b in zip(ids, without))
    assert moved > 0 or name == "special_tokens_map.json alone", name
    # The vocabulary and the merges stand once, in clip.json: the test puts them back.
    # The vocabulary and the merges are stored once; the test puts them back.
    kept = {}
    for file, content in files.items():
        if file == "tokenizer.json":
            t = json.loads(content)
            t["model"]["vocab"] = None
            t["model"]["merges"] = "text" if isinstance(t["model"]["merges"][0], str) else "pairs"
            kept[file] = json.dumps(t)
        elif file not in ("vocab.json", "merges.txt"):
            kept[file] = content
        else:
            kept[file] = ""
    written.append({"name": name, "files": kept, "padding": pad, "ids": ids, "moved": moved})
small, small_merges = trimmed(vocab, merges, load(plain), TEXTS)
(out / "files.json").write_text(json.dumps({"transformers": transformers.__version__, "vocab": small, "merges": small_merges, "texts": TEXTS, "cases": written}, separators=(",", ":")))
for c in written:
    print(c["name"], sorted(c["files"]), c["padding"], c["moved"])
