#!/bin/bash
# From the registries to the folder that ships. Every part goes on from its state where it was cut off.
#   model/train/run.sh [WORK [MODEL]]      WORK holds the drawings, features and states; MODEL is what ships
# The minutes of each part come from the environment: CLIP=1 VAE=3 UNET=4 SECOND=.2 ALIGN=.15 ADAPTER=1 STRUCTURE=.5 (of the ControlNet and
# of each LoRA, by structure.sh). These defaults are for a GPU; on a CPU, give hours instead.
# A trial of all parts, with one drawing of 20:
#   THIN=20 CLIP=.2 VAE=.2 UNET=.3 SECOND=.2 ALIGN=.2 ADAPTER=.3 STRUCTURE=.2 FOLLOW="--count 4 --seeds 1 --steps 4" EVALUATE="--count 4 --seeds 1 --steps 4" model/train/run.sh /tmp/work /tmp/model
# It needs Node, Python with requirements.txt (PYTHON names it) and about 1 GB of disk. Where the machine has no network,
# PACK names the folder that drawings.py packed, and Node is not needed.
set -euo pipefail
cd "$(dirname "$0")"
work=$(realpath -m "${1:-../../.build/train}") model=$(realpath -m "${2:-../../web/model}") python=${PYTHON:-python3}
base=$work/base
mkdir -p "$base"
# glibc gives large blocks back to the kernel after every operation, and gets them zeroed again: on a CPU a step is 15 % faster without.
export MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592 MALLOC_TOP_PAD_=268435456

if [ ! -f "$work/px.bin" ]; then
  if [ -n "${PACK:-}" ]; then $python drawings.py unpack "$PACK" "$work"
  else
    [ -d node_modules ] || npm ci
    node render.mjs "$work" "${THIN:-1}"
  fi
fi
[ -d "$base/text_encoder" ] || $python clip.py --work "$work" --minutes "${CLIP:-1}"
[ -d "$base/vae" ] || $python vae.py --work "$work" --minutes "${VAE:-3}"
[ -f "$work/bank.npz" ] || $python bank.py --work "$work"
$python unet.py --work "$work" --minutes "${UNET:-4}"
[ -f "$work/judge.safetensors" ] || $python judge.py --work "$work" --base "$base"
[ -f "$work/second.safetensors" ] || $python second.py --work "$work" --minutes "${SECOND:-.2}"

for kind in global plus; do
  file=ip-adapter; [ $kind = plus ] && file=ip-adapter-plus
  [ -f "$work/aligned-$kind.safetensors" ] ||
    $python align.py --work "$work" --base "$base" --adapter $kind --minutes "${ALIGN:-.15}" --beside-words .2 --everyday .2 --output "$work/aligned-$kind.safetensors"
  $python ours.py --work "$work" --adapter $kind --warm-start "$work/aligned-$kind.safetensors" --minutes "${ADAPTER:-1}" --output "$work/$file.safetensors"
done
$python export.py --base "$base" --adapters "$work"/ip-adapter{,-plus}.safetensors --text-projection "$work/judge.safetensors" --output "$model"
STRUCTURE="${STRUCTURE:-.5}" STYLES="${STRUCTURE:-.5}" PYTHON="$python" ./structure.sh "$work" "$model"
for file in ip-adapter ip-adapter-plus; do
  $python evaluate.py --work "$work" --model "$model" --adapter "$model/$file.safetensors" ${EVALUATE:-} --output "$work/evaluate-$file.json" --sheet "$work/evaluate-$file.png"
done
