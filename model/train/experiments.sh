#!/bin/bash
# What ./build.sh evaluate --table app/evaluate/paper.json asks for beside the model that ships: another base, and the
# two adapters of the ablation, trained alike. run.sh goes before. Minutes of each: SECOND=8 ABLATION=4.
#   model/train/experiments.sh [WORK [MODEL]]
set -euo pipefail
cd "$(dirname "$0")"
work=$(realpath -m "${1:-../../.build/train}") model=$(realpath -m "${2:-../../web/model}") python=${PYTHON:-python3}

# As a community's model is made: the base's UNet, taken further on one style alone.
if [ ! -d "$work/second" ]; then
  $python unet.py --work "$work" --styles 3d --minutes "${SECOND:-8}" --learning-rate 2e-4 --warm-up 30 --flat .5 --ema .98 --output "$work/second-unet"
  cp -r "$model" "$work/second.part"
  rm -r "$work/second.part/unet"
  mv "$work/second-unet" "$work/second.part/unet"
  mv "$work/second.part" "$work/second"
fi
for kind in global simple; do
  [ -f "$work/ablation-$kind.safetensors" ] ||
    $python align.py --work "$work" --base "$work/base" --adapter $kind --minutes "${ABLATION:-4}" --output "$work/ablation-$kind.safetensors"
done
