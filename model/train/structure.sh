#!/bin/bash
# A ControlNet and two LoRAs for a model folder: trained for its UNet, and put into it.
#   model/train/structure.sh [WORK [MODEL]]      WORK holds the drawings and states; MODEL is what ships
# STRUCTURE is the minutes of the ControlNet, and STYLES those of each LoRA. The defaults are for a GPU. What ships took 26 and 17 minutes
# beside other work, some third of a CPU core each. Every part goes on from its state where it was cut off.
set -euo pipefail
cd "$(dirname "$0")"
work=$(realpath -m "${1:-../../.build/train}") model=$(realpath -m "${2:-../../web/model}") python=${PYTHON:-python3}
$python structure.py --work "$work" --base "$model" controlnet --minutes "${STRUCTURE:-.5}" --output "$work/controlnet"
rm -rf "$model/controlnet"
cp -r "$work/controlnet" "$model"
for style in neon duotone; do
  $python structure.py --work "$work" --base "$model" lora --style $style --minutes "${STYLES:-.5}" --output "$work/$style.safetensors"
  cp "$work/$style.safetensors" "$model"
done
chmod -R u=rwX,go=rX "$model"
$python follow.py --work "$work" --model "$model" --loras "$model"/{neon,duotone}.safetensors ${FOLLOW:-} --output "$work/follow.json" --sheet "$work/follow.webp"
