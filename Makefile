PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready

.PHONY: install check test demo bench sanitize clean

install: $(READY)

$(READY): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: $(READY)
	$(BIN)/python -m pytest -n auto
	$(BIN)/python -m tests.hollow -n auto

demo: $(READY)
	$(BIN)/flyweight run studies/digits.toml
	$(BIN)/flyweight export studies/digits.toml --out exports/digits
	$(BIN)/flyweight status studies/digits.toml

bench: $(READY)
	$(BIN)/python -m tests.benchmarks.training
	$(BIN)/python -m tests.benchmarks.breakdown

sanitize: $(READY)
	$(BIN)/python -m tests.trainer.native.sanitize

clean:
	rm -rf .venv
