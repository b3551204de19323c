"""Writes fixtures/tokenizer/*.json: what transformers' CLIPTokenizer makes of
unusual prompts, with CLIP's vocabulary and with a small one.

    python tokenizer.py SMALL_TOKENIZER_FOLDER
"""

import json
import pathlib
import random
import shutil
import sys
import tempfile

import transformers
from transformers import CLIPTokenizer

from clip_vocabulary import BOS, EOS, clip_vocabulary, trimmed

here = pathlib.Path(__file__).parent
out = here.parent / "fixtures" / "tokenizer"

TEXTS = [
    "", " ", "\n\t  \r\n", "a", "!", "a photo of an astronaut riding a horse on mars",
    "A Fox, On A Blue Background!", "this fox, on a blue background", "MiXeD CaSe WORDS",
    "it's John's dog; they've said I'm sure we'll win, you'd bet they're right, can't 'twas rock'n'roll's",
    "IT'S CAN'T WE'LL", "'s't're've'm'll'd", "''s ''t", "'", "l'été d'hiver", "don’t “quote” me…",
    "1234567890 3.14159 1,000,000 v1.5 2nd 10^6 0x1F", "٣ ४ ५ ൬ Ⅷ ½ ²³ ①⑳ ㊿ 一二三",
    "😀", "🤔 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 1️⃣ ❤️", "café naïve résumé Ångström", "cafe\u0301 nai\u0308ve A\u030angstro\u0308m",
    "\u1e9b\u0323 \u0344 \u212b \u2126 \u0958 \ufb1d", "İstanbul IĞDIR ıi ß ẞ ǅ Σίσυφος ΟΔΟΣ", "q\u0307\u0323 q\u0323\u0307 d\u0323\u0307 \u1e0b\u0323",
    "Z" + "".join(map(chr, range(0x300, 0x350))) + "algo", "e" + "\u0301" * 40, "a" + "\u0316\u0301" * 20 + "\u0300",
    "e\u1ace\u0323 e\u0898\u0301\u0323 a\u1abf\u073f\u0323 \U00011935\U00011930 \U00011938", "\u0301 leading mark", "가각힣 \u1100\u1161\u11a8 \u1100\u1161", "狐狸在蓝色背景上", "キツネ、青い背景", "여우 파란 배경", "лиса на синем фоне", "ثعلب على خلفية زرقاء", "שועל על רקע כחול", "สุนัขจิ้งจอก", "लोमड़ी नीली पृष्ठभूमि",
    "tab\tnew\nline\rreturn\x0bvertical\x0cfeed", "no\u00a0break\u2003em\u3000ideographic\u2028line\u2029para\u0085nel\u1680ogham\u202fnarrow",
    "zero\u200bwidth\u200cnon\u200djoiner\ufeffbom\u180emongolian\u2060word", "\x00null\x01soh\x07bell\x1b[31mesc\x7fdel\x80\x9f", "soft\u00adhyphen",
    "private \ue000 \U000f0000 noncharacter \uffff \U0010ffff replacement \ufffd", "𝕳𝖊𝖑𝖑𝖔 𝓦𝓸𝓻𝓵𝓭 ｆｕｌｌｗｉｄｔｈ ﬁ ﬂ",
    "a <|endoftext|> b", "<|startoftext|>", "<|endoftext|><|endoftext|>", "x<|endoftext|>y <|ENDOFTEXT|>z <|StartOfText|> <|endoftext", "<|end oftext|> <|startoftext|>fox", "< | endoftext | >", "<sks> dog <SKS> <s1>", "</w> fox</w>s",
    "!!! cat!dog !?! ...!", "(masterpiece:1.2), [best], {quality} <lora:x:0.8> a_b-c/d\\e|f~g`h@i#j$k%l^m&n*o+p=q", "https://example.com/a?b=c&d=%20", "snake_case camelCase kebab-case",
    "\u1c89 \u1c8a \ua7dc \ua7cb \U00010d50 \U00010d41 \U00011bc3 \U00016ea0 \U0002ebf1", "supercalifragilisticexpialidocious antidisestablishmentarianism", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "a very long prompt, " * 12 + "with an end that nobody reads: café 😀 <|endoftext|> fin.", "fox " * 75, "fox " * 76, "cat " * 29 + "dog", "cat " * 30 + "dog", "cat " * 31 + "dog", "😀🤔" * 40, "狐" * 60,
]

POOL = "abcdefghijklmnopqrstuvwxyz" * 2 + "ABCDEFG0123456789'’.,!?<>|-_ \t\n\u00a0\u3000éÉßİıñæœøþ\u0301\u0308\u0323\u0327\u200d\ufe0f狐キ가Ж🤖👍🏽" + "     '''"


def random_text(r):
    text = "".join(r.choice(POOL) for _ in range(r.randint(1, 40)))
    return text + r.choice(["", "'s", "<|endoftext|>", " it'll", "!"])


def added(content, **flags):
    return {"__type": "AddedToken", "content": content, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False} | flags


def declared(content, normalized):
    return {"content": content, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False, "special": True}


PLAIN = {"bos_token": BOS, "eos_token": EOS, "pad_token": EOS, "unk_token": EOS}
CONFIGS = {
    "plain": PLAIN,
    "objects, as Stable Diffusion 1.5": {"bos_token": added(BOS), "eos_token": added(EOS), "pad_token": EOS, "unk_token": added(EOS), "do_lower_case": True, "errors": "replace", "add_prefix_space": False},
    "padded with !, as Stable Diffusion 2": {"bos_token": added(BOS), "eos_token": added(EOS), "pad_token": "!", "unk_token": added(EOS)},
    "an added token": PLAIN | {"additional_special_tokens": ["<sks>"]},
}


def tokenizer(vocab, merges, config):
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        (folder / "vocab.json").write_text(json.dumps(vocab))
        (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
        (folder / "tokenizer_config.json").write_text(json.dumps(config | {"tokenizer_class": "CLIPTokenizer"}))
        return CLIPTokenizer.from_pretrained(folder)
    finally:
        shutil.rmtree(folder)


def encode(t, text):
    n = t.model_max_length
    ids = t(text, padding="max_length", truncation=True).input_ids
    uncut = t(text).input_ids
    assert len(ids) == n
    # The text that was left out, as the diffusers pipelines find it for their warning.
    overflow = t.batch_decode([uncut[n - 1 : -1]])[0] if len(uncut) > n else ""
    return {"text": text, "ids": ids[: len(uncut)], "count": len(uncut), "overflow": overflow}


def write(name, vocab, merges, configs, texts):
    small, kept = trimmed(vocab, merges, tokenizer(vocab, merges, PLAIN | {"model_max_length": 77}), texts)
    cases = []
    for label, config in configs.items():
        t = tokenizer(vocab, merges, config)
        # A new token gets the number after the last one, so the fixture says how many there are.
        cases.append({"name": label, "config": config, "padding": t.pad_token_id, "cases": [encode(t, x) for x in texts]})
    data = {"transformers": transformers.__version__, "vocab": small, "merges": kept, "configs": cases}
    (out / name).write_text(json.dumps(data, ensure_ascii=True, separators=(",", ":")))


r = random.Random(4)
vocab, merges = clip_vocabulary()
texts = TEXTS + [random_text(r) for _ in range(150)]
sized = {label: c | {"model_max_length": 77} for label, c in CONFIGS.items()}
write("clip.json", vocab, merges, {k: v for k, v in sized.items() if k == "plain"}, texts)
# The others only matter to texts with special tokens in them.
write("clip_configs.json", vocab, merges, {k: v for k, v in sized.items() if k != "plain"}, [x for x in texts if "|" in x or "!" in x or "sks" in x.lower()])

folder = pathlib.Path(sys.argv[1])
vocab = json.loads((folder / "vocab.json").read_text())
merges = [m for m in (folder / "merges.txt").read_text().split("\n") if m and not m.startswith("#version")]
write("small.json", vocab, merges, {"small": json.loads((folder / "tokenizer_config.json").read_text())}, texts)
