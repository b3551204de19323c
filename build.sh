#!/usr/bin/env bash
# The one entry point to Imprompt. ./build.sh without arguments lists the commands.
set -euo pipefail
cd "$(dirname "$0")"
root=$PWD
out=$root/.build
lavapipe=/usr/share/vulkan/icd.d/lvp_icd.json
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
govulncheck=golang.org/x/vuln/cmd/govulncheck@v1.9.0
# The database of vulnerabilities, as a module, so that the check needs no other server. A newer version of it knows
# newer vulnerabilities.
vulndb=golang.org/x/vulndb@v0.0.0-20261105234957-e22db6528018

usage() {
  cat <<'EOF'
./build.sh serve [--port 8080]     build the site and serve it
./build.sh build [--out .site]     build the static site into a folder
./build.sh generate --prompt TEXT  draw from the command line (--help for all options)
./build.sh evaluate                measure CLIP-I and CLIP-T of drawn pictures, as a table (--help for all options)
./build.sh test [--full] [NAME…]   run the tests (--full: also those at full size; NAME: lint host node chromium e2e full soak lighthouse)
./build.sh bench [unet|ops|load|card|model]   measure or predict the engine's speed (--help for all options)
./build.sh screenshots             draw the screenshots of the README and of the manifest anew
./build.sh setup                   install what the tests and the command line need (they also do this themselves)
EOF
}

say() { echo "build.sh: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

need() { # need COMMAND REMEDY
  have "$1" || { say "$1 is missing. $2"; exit 1; }
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif have sudo; then sudo "$@"
  else say "this needs root: $*"; exit 1; fi
}

apt_install() { # apt_install [-t RELEASE] PACKAGE…
  have apt-get || { say "please install: $* (this machine has no apt-get)"; exit 1; }
  say "installing $*"
  as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# go.mod names a patch release whose standard library has no known vulnerability. Go downloads that release itself,
# unless the machine's settings forbid it.
export GOTOOLCHAIN=auto
need_go() { need go "Install Go 1.26 or newer: https://go.dev/dl"; }

need_node() {
  need node "Install Node.js 20 or newer: https://nodejs.org"
  need npm "It comes with Node.js: https://nodejs.org"
  if [ ! -d tests/node_modules/webgpu ] || [ tests/package-lock.json -nt tests/node_modules/.package-lock.json ]; then
    say "installing npm packages"
    (cd tests && npm ci --no-audit --no-fund --loglevel=error >/dev/null)
    touch tests/node_modules/.package-lock.json
  fi
}

has_gpu() { compgen -G '/dev/dri/renderD*' >/dev/null || [ -e /dev/nvidia0 ]; }

# Mesa's lavapipe is the Vulkan driver if there is no GPU. It supports 16-bit floats, and
# therefore shader-f16, since Mesa 24.1. Debian 12 has Mesa 25 in its backports.
need_lavapipe() {
  local version
  version=$(dpkg-query -W -f='${Version}' mesa-vulkan-drivers 2>/dev/null || true)
  if [ -e $lavapipe ] && { [ -z "$version" ] || dpkg --compare-versions "$version" ge 24.1; }; then return; fi
  if have apt-get && . /etc/os-release && [ "${VERSION_CODENAME:-}" = bookworm ]; then
    if ! grep -rqs bookworm-backports /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; then
      # Use the mirror that the machine already uses.
      local mirror
      mirror=$(grep -rhoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/ 2>/dev/null | head -n1 | tr -d ' ') || true # grep fails if one of the paths does not exist
      echo "deb ${mirror:-http://deb.debian.org/debian} bookworm-backports main" | as_root tee /etc/apt/sources.list.d/backports.list >/dev/null
    fi
    apt_install -t bookworm-backports mesa-vulkan-drivers libvulkan1
  else
    apt_install mesa-vulkan-drivers libvulkan1
  fi
}

use_vulkan() {
  if [ -n "${VK_DRIVER_FILES:-}" ] || has_gpu; then return; fi
  need_lavapipe
  export VK_DRIVER_FILES=$lavapipe
}

need_chromium() {
  [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || apt_install chromium
}

node_env() {
  IMPROMPT_WASM_EXEC=$(go env GOROOT)/lib/wasm/wasm_exec.js
  export IMPROMPT_WASM_EXEC IMPROMPT_NODE_MODULES=$root/tests/node_modules IMPROMPT_ROOT=$root
}

setup() { need_go; need_node; need_lavapipe; need_chromium; }

command_line() { # command_line COMMAND OPTIONS…
  need_go; need_node; use_vulkan; node_env
  mkdir -p "$out"
  GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -o "$out/cli.wasm" ./app/cmd/cli
  exec node --no-warnings web/js/node.js "$out/cli.wasm" "$@"
}

# Python with torch and diffusers, which make the benchmark's networks. PYTHON names a different one.
need_python() {
  if [ -n "${PYTHON:-}" ]; then return; fi
  PYTHON=$out/venv/bin/python
  if [ -e "$out/venv/done" ]; then return; fi
  need python3 "Install Python 3.11 or newer."
  python3 -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
  say "installing torch and diffusers into .build/venv"
  python3 -m venv "$out/venv"
  "$PYTHON" -m pip install --quiet --disable-pip-version-check -r tests/reference/requirements.txt
  touch "$out/venv/done"
}

bench() {
  need_go
  if [ "${1:-}" = model ]; then go run ./tests/bench/model "$root"; return; fi
  need_node; node_env
  case " $* " in *" --help "*) exec node tests/bench/bench.mjs --help ;; esac
  use_vulkan
  case "${1:-}" in card | load) ;; *) need_python ;; esac
  case " $* " in *" load "* | *" chromium "*) need_chromium ;; esac
  mkdir -p "$out/bench"
  GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -o "$out/bench.wasm" ./tests/bench/engine
  export IMPROMPT_PYTHON=${PYTHON:-}
  exec node --no-warnings --wasm-lazy-compilation --max-old-space-size=8192 tests/bench/bench.mjs "$@"
}

site() { # site COMMAND OPTIONS…
  need_go; need_node
  go run ./app/cmd/site "$@"
}

screenshots() {
  need_go; need_node; need_chromium
  (cd tests && node screenshots.mjs)
}

# --- tests ------------------------------------------------------------------

lint() {
  local unformatted
  unformatted=$(gofmt -l app gpu loader model tests web wgsl)
  [ -z "$unformatted" ] || { say "gofmt: $unformatted"; return 1; }
  go vet ./...
  GOOS=js GOARCH=wasm go vet ./...
  # staticcheck runs on the host, and checks the code once for the host and once for wasm.
  GOBIN=$out go install $staticcheck
  "$out/staticcheck" ./...
  GOOS=js GOARCH=wasm "$out/staticcheck" ./...
  GOBIN=$out go install $govulncheck
  local db
  db=$(go mod download -json $vulndb | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')/data/osv
  "$out/govulncheck" -db "file://$db" ./...
  GOOS=js GOARCH=wasm "$out/govulncheck" -db "file://$db" ./...
}

test_host() { need_node; go test ./...; }

test_node() {
  need_node
  [ -n "${VK_DRIVER_FILES:-}" ] || { need_lavapipe; export VK_DRIVER_FILES=$lavapipe; }
  node_env
  local convolutions=(-run TestConv2d -skip //tile)
  [ -z "${IMPROMPT_FULL:-}" ] || convolutions=()
  # Mesa compiles the kernels that GPUs run in half the time for vectors of half the width. A processor's convolutions are
  # others there, so these are tested with the whole width too.
  LP_NATIVE_VECTOR_WIDTH=128 GOOS=js GOARCH=wasm go test -timeout 15m -exec "$root/tests/runner/node" ./gpu/...
  GOOS=js GOARCH=wasm go test -timeout 15m -exec "$root/tests/runner/node" ./gpu/ "${convolutions[@]}"
  GOOS=js GOARCH=wasm go test -timeout 15m -exec "$root/tests/runner/node" ./model/{clip,unet,vae,pipeline}/ ./model/guides/... ./model/preprocessors/... ./loader/... ./app/engine/ ./app/evaluate/ ./app/protocol/
  # The kernels that GPUs run, as whole networks.
  LP_NATIVE_VECTOR_WIDTH=128 GOOS=js GOARCH=wasm go test -tags kernels -timeout 3h -exec "$root/tests/runner/node" ./model/pipeline/ -run TestGPUKernels
  [ -z "${IMPROMPT_FULL:-}" ] || IMPROMPT_KERNELS=gpu LP_NATIVE_VECTOR_WIDTH=128 GOOS=js GOARCH=wasm go test -timeout 3h -exec "$root/tests/runner/node" ./model/{clip,unet,vae,pipeline}/ ./model/guides/... ./model/preprocessors/...
  node --test tests/generate/
}

test_chromium() {
  need_node; need_chromium
  GOOS=js GOARCH=wasm go test -timeout 15m -exec "$root/tests/runner/chromium" ./gpu/...
}

# Many of these tests wait, for a server that is slow or silent, so two files run at a time.
test_e2e() {
  need_node; need_chromium
  export IMPROMPT_SITE=$out/e2e-site
  rm -rf "$IMPROMPT_SITE"
  site build --out "$IMPROMPT_SITE"
  (cd tests && node --test --test-concurrency=2 e2e/ cdn/)
}

# Tests at full size, with files of random weights. Nothing is downloaded. Making the files
# takes minutes and 9 GB of disk, and the tests take many minutes on a CPU.
# IMPROMPT_FULL_PATHS="f32" leaves shader-f16 out.
test_full() {
  need_node; need_chromium
  [ -n "${VK_DRIVER_FILES:-}" ] || { need_lavapipe; export VK_DRIVER_FILES=$lavapipe; }
  node_env
  local python=${PYTHON:-python3} networks=()
  "$python" -c 'import diffusers, torch, transformers' 2>/dev/null || {
    say "$python has no torch, diffusers and transformers: pip install -r model/train/requirements.txt in a virtual environment, and set PYTHON to its python"; return 1; }
  "$python" tests/full/weights.py
  for name in text vision unet controlnet vae; do
    local output=$name
    case $name in vision) output=image_embeds ;; controlnet) output=controlnet_step ;; vae) output=vae_decode ;; esac
    [ -e "$out/full/reference/$output.npy" ] || networks+=("$name")
  done
  [ ${#networks[@]} = 0 ] || "$python" tests/full/reference.py "${networks[@]}"
  GOOS=js GOARCH=wasm go test -tags full -timeout 3h -exec "$root/tests/runner/node" ./model/pipeline/ -run TestFull -v
  (cd tests && node --test full/)
}

# A long visit in one page.
test_soak() {
  need_node; need_chromium
  (cd tests && node --test soak/)
}

# Lighthouse on a first visit with a phone.
test_lighthouse() {
  need_node; need_chromium
  if [ ! -d tests/lighthouse/node_modules/lighthouse ]; then
    say "installing Lighthouse"
    (cd tests/lighthouse && npm ci --no-audit --no-fund --loglevel=error >/dev/null)
  fi
  node --test tests/lighthouse/first.test.mjs
}

run_tests() {
  need_go
  if [ "${1:-}" = --full ]; then export IMPROMPT_FULL=1; shift; fi
  if [ $# -gt 0 ]; then
    for name in "$@"; do
      case $name in
        lint) lint ;;
        host|node|chromium|e2e|full|soak|lighthouse) "test_$name" ;;
        *) usage; exit 2 ;;
      esac
    done
    return
  fi
  setup
  lint; test_host; test_node; test_chromium; test_e2e
  [ -z "${IMPROMPT_FULL:-}" ] || { test_full; test_soak; test_lighthouse; }
}

case ${1:-} in
  serve | build) site "$@" ;;
  generate | evaluate) command_line "$@" ;;
  bench) shift; bench "$@" ;;
  test) shift; run_tests "$@" ;;
  setup) setup ;;
  screenshots) screenshots ;;
  *) usage; [ $# = 0 ] || exit 2 ;;
esac
