# make run    opens the studio          make test      runs every test
# make lint   checks style              make bench     measures speed
# make screens takes a picture of every screen
# make prepare, make train, make evaluate: see README.md. Options go in ARGS, as in: make run ARGS="--port 7861"
#
# Everything installs into .venv; the stamp files make the second run instant. git is not needed.

VENV ?= .venv
ARGS ?=
PY := $(VENV)/bin/python
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev
# uv installs in a tenth of pip's time and, unlike pip, can leave out a dependency (overrides.txt says which and why).
UV_VERSION := 0.13.9
INSTALL = $(PY) -m uv pip install --quiet --python $(PY) --override overrides.txt --constraint constraints.txt

.PHONY: run test lint bench screens evaluate train prepare lock clean
.DELETE_ON_ERROR:

run: $(RUN_STAMP)
	$(PY) -m musicgen_ui serve $(ARGS)

test: $(DEV_STAMP)
	$(PY) -m pytest --numprocesses 2 --dist worksteal $(ARGS)

lint: $(DEV_STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

bench: $(RUN_STAMP)
	$(PY) -m musicgen_ui bench $(ARGS)

screens: $(DEV_STAMP)
	$(PY) -m tests.ui.browser.screens $(ARGS)

prepare: $(RUN_STAMP)
	$(PY) -m musicgen_ui prepare $(or $(ARGS),--corpora corpora --out prepared)

train: $(RUN_STAMP)
	$(PY) -m musicgen_ui train $(or $(ARGS),composer-lstm --data prepared --out runs/composer_lstm.safetensors)

evaluate: $(RUN_STAMP)
	$(PY) -m musicgen_ui evaluate $(or $(ARGS),clips)

lock: $(DEV_STAMP)
	@head -n 1 constraints.txt > constraints.new
	$(PY) -m uv pip compile --quiet --universal --no-annotate --no-header --python-version 3.10 \
	    --override overrides.txt requirements.txt requirements-dev.txt >> constraints.new
	mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache

# A name on the PATH may be a shim for a version that is not installed, so each candidate has to run.
$(PY):
	@for python in $(or $(PYTHON),python3.12 python3.11 python3.10 python3 python); do \
	    if $$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' \
	            >/dev/null 2>&1; then \
	        echo "Making $(VENV) with $$($$python --version)"; \
	        exec $$python -m venv --clear $(VENV); \
	    fi; \
	done; \
	echo "No usable Python 3.10, 3.11 or 3.12 with venv was found$(if $(PYTHON), at $(PYTHON))." >&2; \
	echo "Install one (Debian and Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.12)," >&2; \
	echo "or name one: make run PYTHON=/path/to/python3.12" >&2; \
	exit 1

$(RUN_STAMP): requirements.txt overrides.txt constraints.txt | $(PY)
	@echo "Installing the studio into $(VENV) (a few minutes the first time)"
	@$(PY) -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(INSTALL) -r requirements.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(RUN_STAMP)
	@$(INSTALL) -r requirements.txt -r requirements-dev.txt
	@touch $@
