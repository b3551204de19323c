#!/bin/bash
# From the registries to the folder that ships. Every part goes on from its state where it was cut off.
#   model/train/run.sh [WORK [MODEL]]      WORK holds pictures, features and states; MODEL is what ships
# Minutes of each part, of two cores: VAE=42 CLIP=13 DECODER=37 UNET=310 SECOND=6 ALIGN=10 ADAPTER=12, from the environment.
# ADAPTER is of the paper's training of each adapter, from align.py's; with 0 align.py's ship (README.md, Measured).
# A trial of all parts in minutes, with one drawing of 20:
#   THIN=20 VAE=.2 CLIP=.2 DECODER=.2 UNET=.3 SECOND=.2 ALIGN=.2 ADAPTER=.3 FLAGS= EVALUATE="--count 4 --seeds 1 --steps 4" model/train/run.sh /tmp/work /tmp/model
# Needs Node, Python with requirements.txt (PYTHON names it), a C++ compiler (for the UNet's --compile; FLAGS= does without),
# and about 1 GB of disk. A GPU is used where torch finds one;
# on one without a network, PACK names the folder that drawings.py packed, and Node is not needed:
#   PACK=pack VAE=6 DECODER=3 CLIP=3 UNET=10 ALIGN=1 ADAPTER=3 model/train/run.sh
set -euo pipefail
cd "$(dirname "$0")"
work=$(realpath -m "${1:-../../.build/train}") model=$(realpath -m "${2:-../../web/model}") python=${PYTHON:-python3}
base=$work/base
mkdir -p "$base"
# glibc gives large blocks back to the kernel after every operation, and gets them zeroed again: a step is 15 % faster without.
export MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592 MALLOC_TOP_PAD_=268435456

if [ ! -f "$work/px.bin" ]; then
  if [ -n "${PACK:-}" ]; then $python drawings.py unpack "$PACK" "$work"
  else
    [ -d node_modules ] || npm ci
    node render.mjs "$work" "${THIN:-1}"
  fi
fi
[ -d "$base/vae" ] || $python vae.py --work "$work" --minutes "${VAE:-42}"
[ -f "$work/bank.npz" ] || $python bank.py --work "$work" --passes 6
[ -d "$base/text_encoder" ] || $python clip.py --work "$work" --minutes "${CLIP:-13}"
# The latents stay what they are: only the decoder goes on, now that there is an image encoder to see by.
$python vae.py --work "$work" --decoder --minutes "${DECODER:-37}" --learning-rate 4e-4 --ema .995 --everyday .3 --perceptual .1 --adversarial .03
$python unet.py --work "$work" --minutes "${UNET:-310}" --ema .998 --flat .5 --everyday .35 ${FLAGS---compile}
[ -f "$work/hidden.npy" ] || $python features.py --work "$work" --base "$base" --passes 3
[ -f "$work/judge.safetensors" ] || $python judge.py --work "$work" --base "$base"
[ -f "$work/second.safetensors" ] || $python second.py --work "$work" --minutes "${SECOND:-6}"

adapter=${ADAPTER:-12}
for kind in global plus; do
  file=ip-adapter; [ $kind = plus ] && file=ip-adapter-plus
  [ -f "$work/aligned-$kind.safetensors" ] ||
    $python align.py --work "$work" --base "$base" --adapter $kind --minutes "${ALIGN:-10}" --everyday .5 --output "$work/aligned-$kind.safetensors"
  if [ "$adapter" = 0 ]; then cp "$work/aligned-$kind.safetensors" "$work/$file.safetensors"
  else
    $python adapter.py --base "$base" --data "$work" --adapter $kind --resampler-dim 192 --warm-start "$work/aligned-$kind.safetensors" \
      --minutes "$adapter" --batch 32 --learning-rate 5e-5 --warm-up 20 --min-snr 5 --ema .995 --keep .5 --output "$work/$file.safetensors"
  fi
done
$python export.py --base "$base" --adapters "$work"/ip-adapter{,-plus}.safetensors --text-projection "$work/judge.safetensors" --output "$model"
for file in ip-adapter ip-adapter-plus; do
  $python evaluate.py --work "$work" --model "$model" --adapter "$model/$file.safetensors" ${EVALUATE:-} --output "$work/evaluate-$file.json" --sheet "$work/evaluate-$file.png"
done
