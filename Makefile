# Each command sets itself up: the first one makes .venv and installs requirements.txt into it.

PYTHON ?= python3
BIN := .venv/bin
CHAPTERS := $(wildcard book/*.ipynb)

# One thread for matrix products: sums in one order, so the numbers on the pages are the same everywhere.
export OMP_NUM_THREADS := 1
# What nbval should see on an older processor: code paths without the newest vector instructions.
OLD_PROCESSOR := OPENBLAS_CORETYPE=Haswell ATEN_CPU_CAPABILITY=avx2 \
	NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR"
NBVAL := $(BIN)/python -m pytest $(CHAPTERS) --nbval --nbval-kernel-name python3 --nbval-cell-timeout=600 \
	--nbval-sanitize-with tests/book/nbval.cfg -p no:cacheprovider -n 2 --dist loadscope -q

# What the rest is built on, and one chapter that uses it: make check runs these.
CORE := $(addprefix tests/test_,annotations.py embedding.py functional.py gates.py gradient_check.py graph.py losses.py \
	numerical.py optimizers.py packaging.py)
CHAPTER := book/08_graphs.ipynb

.PHONY: help book serve pdf epub test check lab notebooks train bench lint requirements clean

help:
	@echo "make book       build the book into _build/html"
	@echo "make serve      build it and serve it on http://localhost:8000"
	@echo "make pdf        print the whole book into _build/gradients-by-hand.pdf"
	@echo "make epub       pack the whole book into _build/gradients-by-hand.epub"
	@echo "make test       run every test: the library, the notebooks, the rendered pages"
	@echo "make check      lint, the core's tests and one chapter, before each commit: two minutes at most"
	@echo "make lab        open your own copies of the chapters, in my-book, in JupyterLab"
	@echo "make notebooks  run every chapter again, in place"
	@echo "make train      train word vectors on the documentation of the installed libraries"
	@echo "make bench      compare speed and quality with gensim, word2vec.c, TensorFlow and torch"
	@echo "make lint       check the style of code and notebooks, and the types"

.venv/.ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, and $(PYTHON) is older: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python tools/compile_kernels.py
	@touch $@

# From nothing each time: after a failed build, Sphinx would take the next, unchanged one for good. A PDF stays.
book: .venv/.ready
	@rm -rf _build/html _build/.doctrees _build/jupyter_execute _build/apart
	$(BIN)/jupyter-book build . -W -n --keep-going --quiet
	@echo "The book is built. Open file://$(CURDIR)/_build/html/index.html or run: make serve"

serve: book
	@echo "Serving on http://localhost:8000 until you press Ctrl-C"
	@$(BIN)/python -m http.server 8000 --bind 127.0.0.1 --directory _build/html

pdf: book
	$(BIN)/python tools/pdf.py _build/html _build/gradients-by-hand.pdf

# Built apart from the pages: Sphinx would read their outputs again, and those are chosen for HTML.
epub: book
	$(BIN)/jupyter-book build . --path-output _build/apart --builder custom --custom-builder epub \
		-W -n --keep-going --quiet
	$(BIN)/python tools/epub.py _build/apart/_build/epub _build/html _build/gradients-by-hand.epub

test: .venv/.ready
	$(BIN)/mypy
	$(BIN)/python tools/browser.py
	$(BIN)/python -m pytest -n 2 --dist loadscope
	$(NBVAL)
	$(OLD_PROCESSOR) $(NBVAL)

check: lint
	$(BIN)/python -m pytest $(CORE) -n 2 -q
	$(subst $(CHAPTERS),$(CHAPTER),$(NBVAL))

lab: .venv/.ready
	$(BIN)/python tools/lab.py $(LAB_OPTIONS)

notebooks: .venv/.ready
	$(BIN)/python tools/first_cell.py $(CHAPTERS)
	$(BIN)/python tools/lab_cells.py $(CHAPTERS)
	$(BIN)/python tools/notebooks.py $(CHAPTERS)

train: .venv/.ready
	$(BIN)/handgrad train --output runs/$$(date +%Y-%m-%d-%H%M%S)

# What only benchmarks need, on top of what is in .venv. In .venv itself TensorBoard would load TensorFlow, for seconds.
.venv/bench/.ready: .venv/.ready bench/requirements.txt
	$(BIN)/python -m venv .venv/bench
	$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
		> $$(.venv/bench/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/project.pth
	.venv/bench/bin/python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	@touch $@

# TEXT, SIMILARITY and ANALOGIES are files; without TEXT it is the documentation of the installed libraries.
bench: .venv/bench/.ready
	.venv/bench/bin/python bench/report.py $(TEXT) $(addprefix --similarity ,$(SIMILARITY)) \
		$(addprefix --analogies ,$(ANALOGIES)) $(BENCH_OPTIONS)

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Resolve pyproject.toml anew, for every platform and Python at once.
requirements: .venv/.ready
	echo '-e .[book,test,dev]' | $(BIN)/uv pip compile - --universal --python-version 3.11 \
		--fork-strategy fewest --no-header --quiet --upgrade --output-file requirements.txt

clean:
	rm -rf _build .venv
