# Every command a developer or a visitor needs. They all install what they need into .venv.
PYTHON ?= python3
BIN := .venv/bin
PICTURES ?= examples/photos/sharp
RESULTS ?= benchmark-output

.PHONY: demo serve test check fix benchmark tables clean
.DEFAULT_GOAL := demo

# Restores the demo photos with the bundled model and writes comparisons.
demo: .venv/light
	$(BIN)/selfsharp restore examples/photos/*.webp examples/photos/*.png --out-dir demo-output --compare --overwrite

# The page, on this computer: drop a photo, see where it is blurred, slide between before and after.
serve: .venv/serve
	$(BIN)/selfsharp serve

# The whole test suite, a process for every core; more threads would only slow each other.
test: .venv/dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

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

# Measures the bundled model. With data of your own, and over the reports of this repository:
# make benchmark PICTURES=KODAK24 PAIRS=GOPRO MASKED=CUHK RESULTS=results
benchmark: .venv/plots
	for suite in table1 identity levels speed; do \
	  $(BIN)/selfsharp benchmark $$suite --pictures $(PICTURES) --out-dir $(RESULTS) || exit; done
	test -z "$(PAIRS)" || $(BIN)/selfsharp benchmark gopro --pictures $(PAIRS) --out-dir $(RESULTS)
	test -z "$(MASKED)" || for suite in map natural; do \
	  $(BIN)/selfsharp benchmark $$suite --pictures $(MASKED) --out-dir $(RESULTS) || exit; done

# Copies the tables that the README shows from the reports in results/.
tables: .venv/light
	$(BIN)/python tests/readme_tables.py

clean:
	rm -rf .venv demo-output benchmark-output build dist

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/light: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/plots: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[benchmark]'
	touch $@ .venv/light

.venv/serve: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[serve]'
	touch $@ .venv/light

.venv/dev: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@ .venv/light .venv/plots .venv/serve
