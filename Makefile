# Two commands do everything: `make book` builds and opens the course, `make test` proves it.
# Windows without make: the README has the same lines for PowerShell.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PROOF  := $(VENV)/.ready-to-prove

# The locale C cannot name a path with umlauts: Python would not even start there.
ifneq ($(filter C POSIX,$(LC_ALL)),)
export LC_ALL := C.UTF-8
endif

# JupyterLab and its kernels keep settings and sockets below HOME.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export HOME := $(shell mktemp -d)
endif

.PHONY: help ready book html live-assets lab slides projector test proof notebooks classroom clean

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

book: html ## build the book, serve it on 127.0.0.1 and print the address
	@$(BIN)/python book/serve.py

html: $(READY)
	@$(BIN)/python book/live_assets.py --if-possible
	@echo "Building the book: some seconds the first time, then only what changed …"
	@$(BIN)/jupyter-book build . -W -n --keep-going --quiet >/dev/null

live-assets: $(READY) ## fetch what runs Python in the pages: 19 MB, once
	@$(BIN)/python book/live_assets.py

ready: $(READY) ## look whether this computer is ready for the course
	@$(BIN)/python -m bench.ready

lab: $(READY) ## open the notebooks in JupyterLab
	@echo "Opening JupyterLab with the notebooks. Stop it with Ctrl+C."
	@$(BIN)/jupyter lab --ServerApp.root_dir=. --preferred-dir=notebooks

slides: $(READY) ## make slides and handouts of the lessons
	@$(BIN)/python book/_slides $(only)

projector: $(READY) ## open a lesson in JupyterLab for a projector: make projector only=03
	@$(BIN)/python notebooks/projector.py $(only)

test: $(PROOF) live-assets ## prove the course: notebooks, instruments, labs, quizzes, book, pages
	@echo "Proving the course; this takes a few minutes …"
	@$(BIN)/python -m pytest -n 3 --dist loadfile --nbval --nbval-cell-timeout=60 tests notebooks

proof: $(PROOF) live-assets ## the long proof: every seeded fault, fault and load tests, flake hunt
	@$(BIN)/python tests/proof

notebooks: $(PROOF) ## run the notebooks afresh and store their outputs
	@$(BIN)/python notebooks/refresh.py $(only)

classroom: html ## make a folder for each operating system of a class, with all it needs
	@$(BIN)/python -m classroom

clean: ## remove the built book, what was fetched for it, and the virtual environment
	rm -rf _build .mypy_cache book/_slides/assets book/_live/assets book/_live/assets.* $(VENV)

$(READY): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"The course needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}. Try: make PYTHON=python3.12")'
	@test -x $(BIN)/python || { echo "Making a virtual environment in $(VENV) …"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the course (about 170 packages, one to three minutes) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

$(PROOF): $(READY) requirements-proof.txt
	@echo "Installing what the proof needs …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-proof.txt -c constraints.txt
	@touch $@
