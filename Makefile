# make demo, make test: from nothing. A second run is quick.
SHELL := /bin/bash
PY := .venv/bin/python
# One BLAS thread: results do not depend on it, timings do.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
# Without byte code every process compiles the libraries anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test check study docs bench atlas tables env clean

help:
	@echo "make demo   the main job at small scale: environment, study, report"
	@echo "make test   the environment and all tests"
	@echo "make check  ruff, mypy --strict, fast tests"
	@echo "make study  the slides' study at their own size (long)"
	@echo "make docs   the documentation, warnings as errors"
	@echo "make bench  speed tables (installs the bench extra)"
	@echo "make atlas  the folder diagrams/, made again"
	@echo "make tables the shipped tables of skeletons, made again"

demo:
	@tools/environment .venv-demo app
	@.venv-demo/bin/feynnn study hms --scale small --output hms-report
	@echo "open hms-report/report.html"
	@if [ -z "$$CI" ] && [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] && command -v xdg-open >/dev/null; then xdg-open hms-report/report.html; fi

env:
	@tools/environment .venv dev

test: env
	@$(PY) -m pytest -n 2

check: env
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m pytest -n 2 -q -m "not slow"

study:
	@tools/environment .venv-demo app
	@.venv-demo/bin/feynnn study hms --scale paper --output hms-report-paper

docs:
	@tools/environment .venv-docs docs
	@.venv-docs/bin/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

bench: env
	@tools/environment .venv-bench dev,bench
	@for f in benchmarks/bench_*.py; do .venv-bench/bin/python $$f || exit 1; done

atlas: env
	@.venv/bin/feynnn atlas build diagrams

tables: env
	@$(PY) -m feynnn.diagrams.shipped build

clean:
	rm -rf .venv .venv-uv .venv-demo .venv-docs .venv-core .venv-bench docs/_build hms-report hms-report-paper
