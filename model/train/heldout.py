"""The pictures that `./build.sh evaluate` asks for: names that were never trained on, as lossless WebP.

Which ones is settled by a hash, four of each style, and listed so that the first of a list are of all styles.
Writes pictures.jsonl (picture, caption, other words) and ATTRIBUTION.md beside them.
"""
import argparse
import hashlib
import json
from pathlib import Path

from emoji import COLOURS, Emoji
from evaluate import as_image
from samples import SETS

OF_EACH = 4
LEFT_OUT = {"middle finger"}  # the pictures are shown, too


def order(text):
    return hashlib.sha256(text.encode()).digest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    emoji = Emoji(args.work)
    args.output.mkdir(parents=True, exist_ok=True)
    chosen = []
    for style in SETS:
        held = [i for i in emoji.held if emoji.meta[i]["style"] == style and emoji.meta[i]["name"] not in LEFT_OUT]
        held.sort(key=lambda i: order(emoji.meta[i]["name"] + style))
        chosen += [(rank, i) for rank, i in enumerate(held[:OF_EACH])]
    lines = []
    for place, (_, i) in enumerate(sorted(chosen, key=lambda c: c[0])):
        m = emoji.meta[i]
        colour = 1 + order(m["style"] + m["name"])[0] % (len(COLOURS) - 1)  # none is white
        other = (colour + 5) % (len(COLOURS) - 1) + 1
        file = f"{place:02}-{m['style']}-{m['name'].replace(' ', '-')}.webp"
        pixels, _ = emoji.pictures([i], augment=False, colour=COLOURS[colour])
        as_image(pixels[0]).save(args.output / file, lossless=True, quality=100, method=6)
        lines.append(json.dumps({"picture": file, "caption": emoji.full_caption(i, colour), "other": f"on a {COLOURS[other]} background"}))
    (args.output / "pictures.jsonl").write_text("\n".join(lines) + "\n")
    (args.output / "ATTRIBUTION.md").write_text(
        "# Held-out pictures\nDrawn at 128 px on plain backgrounds by model/train/heldout.py; where the sets come from is in web/model/ATTRIBUTION.md.\n\n| file | set |\n|---|---|\n"
        + "".join(f"| *-{style}-* | {by} |\n" for style, by in SETS.items()))


if __name__ == "__main__":
    main()
