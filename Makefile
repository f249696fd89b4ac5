# Every command a developer or a visitor needs. They all install what they need into .venv.
PYTHON ?= python3
BIN := .venv/bin
PICTURES ?= examples/photos/sharp

.PHONY: demo test check fix benchmark clean
.DEFAULT_GOAL := demo

# Restores the demo photos with the bundled model and writes comparisons.
demo: .venv/light
	$(BIN)/selfsharp restore examples/photos/*.webp examples/photos/*.png --out-dir demo-output --compare --overwrite

# The whole test suite.
test: .venv/dev
	$(BIN)/python -m pytest

# Style, types, layers, length of files: all have to be clean.
check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/test_house.py

# Mends what can be mended by itself.
fix: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Measures the bundled model on a folder of sharp photos: make benchmark PICTURES=DIR
benchmark: .venv/light
	$(BIN)/selfsharp benchmark partly --pictures $(PICTURES)
	$(BIN)/selfsharp benchmark identity --pictures $(PICTURES)

clean:
	rm -rf .venv demo-output build dist

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/light: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/dev: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@ .venv/light
