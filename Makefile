# Everything runs from a fresh clone: the first target that needs it makes .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=

.PHONY: help quickstart test test-all docs figures bench bench-gpu bench-scale distributed faults fuzz clean
.DEFAULT_GOAL := help

help: ## list what can be made
	@echo "make TARGET [ARGS='--plan ...']"
	@grep -hE '^[a-z%-]+[a-zA-Z%-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16
	@printf 'sweeps: %s\n' "$(patsubst sweeps/%.yaml,%,$(wildcard sweeps/*.yaml))"

$(READY): pyproject.toml requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

quickstart: $(READY) ## install, then a small phase diagram with all six phases
	$(BIN)/python -m phasegrok.sweep sweeps/quickstart.yaml $(ARGS)

phase-%: sweeps/%.yaml $(READY) ## run sweeps/NAME.yaml; some take hours: ARGS=--plan says how long
	$(BIN)/python -m phasegrok.sweep $< $(ARGS)

test: $(READY) ## lint, types and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest $(ARGS)

test-all: $(READY) ## the same, with every case of every kind
	$(MAKE) test ARGS="-m '' $(ARGS)"

docs: $(READY) ## write the generated pages and build the site into docs/_build
	$(BIN)/python -m phasegrok.docs
	$(BIN)/python -m sphinx -E -W --keep-going --quiet -b html docs docs/_build $(ARGS)
	@echo "open docs/_build/index.html"

figures: $(READY) ## draw the figures of every result folder again
	@for d in results/reference/*/ results/*/; do \
	  if [ -f "$$d/manifest.json" ]; then $(BIN)/phasegrok figures "$$d" || exit; fi; done

bench: $(READY) ## speed against the machine's ceiling and against eager PyTorch
	$(BIN)/python benchmarks/bench.py $(ARGS)

bench-gpu: $(READY) ## what a GPU makes of it, section by section, into benchmarks/GPU.md
	$(BIN)/python benchmarks/gpu.py $(ARGS)

bench-scale: $(READY) ## what 10^4 to 10^6 runs cost beside their training, into docs/scale.md
	nice $(BIN)/python -m benchmarks.scale $(ARGS)

distributed: $(READY) ## kill and stop workers, shards and schedulers, into docs/cluster.md
	nice $(BIN)/python -m benchmarks.distributed $(ARGS)

faults: $(READY) ## break results in thousands of ways and count what is lost, into docs/reliability.md
	nice $(BIN)/python -m benchmarks.faults $(ARGS)

fuzz: $(READY) ## 100,000 made-up and damaged inputs of every kind
	nice $(BIN)/python benchmarks/fuzz.py $(ARGS)

clean: ## remove what was installed and cached, never results
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache docs/_build *.egg-info
