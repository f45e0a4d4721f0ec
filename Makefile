# Each target is complete in itself: it sets everything up first. Needs only Python >= 3.11, git and make.
PYTHON ?= python3
UV := uv==0.13.8
VENV := .venv
BIN := $(VENV)/bin
# Bytecode makes each start three times as fast; some shells forbid it.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
unexport VIRTUAL_ENV

.PHONY: run browser test check lint format setup lock bench bench-serving bench-batch aws-smoke docs clean

run: setup ## run the penguins pipeline whole on this machine and ask the deployed model
	$(BIN)/modelwright run penguins
	$(BIN)/modelwright predict penguins --file training_code/penguins/data/smoke.csv

test: setup browser ## all tests
	$(BIN)/python -m pytest -q -n auto --dist loadfile

browser: ## a Chromium for the tests of `modelwright open`, where there is none and apt-get may install it
	@for name in "$$CHROMIUM" chromium chromium-browser google-chrome google-chrome-stable; do \
		if command -v "$$name" > /dev/null; then exit 0; fi; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		{ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium curl fonts-dejavu-core; } \
		|| echo "Chromium could not be installed: the tests of tests/browser will fail."; \
	else echo "There is no Chromium: the tests of tests/browser will fail. Install it, or set CHROMIUM to its path."; fi

check: lint test ## what a change has to pass

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	MYPYPATH=lambdas $(BIN)/mypy --strict --explicit-package-bases lambdas

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## ratios, side by side with the bare work
	$(BIN)/python -m benchmarks

bench-serving: setup ## the model server beside others (ARGS="--seconds 1 --servers aws,ours"); needs wrk
	$(BIN)/python -m benchmarks serving $(ARGS)

bench-batch: setup ## rows a second through a batch transform job (ARGS="--rows 1000000")
	$(BIN)/python -m benchmarks batch $(ARGS)

aws-smoke: setup ## on AWS, ENV=<sandbox> ACCOUNT=<its number>: deploy, run, predict, merge, take all away again
	$(BIN)/python -m modelwright.cli.smoke --env "$(ENV)" --account "$(ACCOUNT)"

lock: $(BIN)/uv ## write all requirements files anew: from pyproject.toml, and of our own images
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes --all-extras -o requirements.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes --group checks -o requirements-checks.txt
	cd images/serving/requirements && for name in *.in; do ../../../$(BIN)/uv pip compile --quiet --no-header --generate-hashes --only-binary :all: --python-version 3.11 --python-platform x86_64-manylinux_2_28 -o "$${name%.in}.txt" "$$name"; done

setup: $(VENV)/.complete

$(BIN)/uv:
	$(PYTHON) -c 'import sys; sys.exit("modelwright needs Python 3.11 or newer; this is %d.%d: make PYTHON=python3.12" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)

$(VENV)/.complete: $(BIN)/uv requirements.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps -e .
	$(BIN)/python -m compileall -q modelwright stacks lambdas app.py
	touch $@

clean:
	rm -rf $(VENV) .venv-* cdk.out
