"""The pictures that the page offers as image prompts, and samples.json beside them."""
import argparse
import json
from pathlib import Path

from emoji import Emoji
from evaluate import as_image

CHOICE = [("3d", "fox", "blue"), ("noto", "cactus", "yellow"), ("flat", "octopus", "teal"), ("noto", "strawberry", "green"),
          ("3d", "crescent moon", "pink"), ("flat", "sunflower", "purple"), ("noto", "butterfly", "orange")]
SETS = {"3d": "Fluent Emoji, Microsoft (MIT)", "flat": "Fluent Emoji Flat, Microsoft (MIT)", "noto": "Noto Emoji, Google (Apache-2.0)"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    emoji, listed = Emoji(args.work), []
    where = {(m["style"], m["name"]): i for i, m in enumerate(emoji.meta)}
    for style, name, colour in CHOICE:
        pixels, _ = emoji.pictures([where[style, name]], augment=False, colour=colour)
        file = f"{name.replace(' ', '-')}.png"
        as_image(pixels[0]).save(args.output / file, optimize=True)
        listed.append({"file": file, "title": f"{name}, {style}", "attribution": SETS[style]})
    (args.output / "samples.json").write_text(json.dumps(listed, indent=1) + "\n")


if __name__ == "__main__":
    main()
