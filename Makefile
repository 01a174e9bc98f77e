PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready

.PHONY: install check test demo bench sanitize mcu clean gpu-pack gpu-unpack gpu-tests gpu-bench gpu-study

install: $(READY)

$(READY): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable '.[test]'
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

# Installs Debian's packages gcc-arm-none-eabi and qemu-system-arm where it may; skips what is not there.
mcu: $(READY)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && \
	    ! { command -v arm-none-eabi-gcc && command -v qemu-system-arm; } > /dev/null; then \
	    apt-get install -y --no-install-recommends gcc-arm-none-eabi qemu-system-arm; fi
	$(BIN)/python -m pytest -m mcu -rs -n auto tests/mcu

sanitize: $(READY)
	$(BIN)/python -m tests.trainer.native.sanitize

# docs/gpu.md explains these. With GPU_PYTHON they run in that Python and with what gpu-pack made;
# OUT is the folder of the results, ARGS are further options, HAVE what the machine has.
ifdef GPU_PYTHON
gpu := PYTHONPATH=.gpu/site:. $(GPU_PYTHON)
gpu_ready := gpu-unpack
else
gpu := $(BIN)/python
gpu_ready := $(READY)
endif
gpu_options := $(if $(OUT),--out $(OUT)) $(ARGS)

gpu-pack: $(READY)
	$(BIN)/python -m tests.gpu.pack $(if $(HAVE),--have $(HAVE)) $(ARGS)

gpu-unpack:
	$(gpu) -m tests.gpu.unpack

gpu-tests: $(gpu_ready)
	$(gpu) -m tests.gpu.suite $(gpu_options)

gpu-bench: $(gpu_ready)
	$(gpu) -m tests.gpu.bench $(gpu_options)

gpu-study: $(gpu_ready)
	$(gpu) -m tests.gpu.study $(gpu_options)

clean:
	rm -rf .venv
