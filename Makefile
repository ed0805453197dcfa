# One virtual environment, made on first use. PYTHON and TORCH may be set from outside.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# The local model runs on torch. Set TORCH= to keep the one you have.
TORCH  ?= torch==2.13.0
# Tests run in two processes, each with servers of its own and whole files at a time; PYTEST_ADDOPTS= runs one after the other.
export PYTEST_ADDOPTS ?= --numprocesses 2 --dist loadfile --no-loadscope-reorder
# A browser for the search page; where there is one, PGVEC_BROWSER says which.
BROWSER := $(if $(PGVEC_BROWSER)$(shell command -v chromium),,install-browser)

.PHONY: install-browser demo test test-full test-servers test-server-16 test-server-17 lint format bench bench-peers soak release-bundle clean

demo: $(VENV)/.demo
	$(BIN)/pgvec-admin demo

test: $(VENV)/.dev tests/supabase/node_modules/.done tests/supabase/pgtap/.done tests/servers/postgres17/.done $(BROWSER)
	$(BIN)/pytest

# Everything at length: properties with all their examples, the other servers, ten minutes of everything at once.
test-full:
	PGVEC_TEST_FULL=1 $(MAKE) test
	$(MAKE) test-servers
	$(MAKE) soak

# What depends on the server.
BEHAVIOUR = tests/sql tests/security tests/http/test_rest.py tests/http/test_search_page.py tests/python/test_orm.py \
  $(patsubst %,tests/install/test_%.py,conventions dump functions migrate) $(patsubst %,tests/files/test_%.py,embed load)

# All that depends on the server, again: on older ones, with pgvector elsewhere, installed by no superuser, upgraded.
test-servers: test-server-16 test-server-17

test-server-16: $(VENV)/.dev tests/supabase/node_modules/.done tests/servers/postgres17/.done
	PGVEC_TEST_POSTGRES=16 PGVEC_TEST_VECTOR_SCHEMA=public $(BIN)/pytest $(BEHAVIOUR)

test-server-17: $(VENV)/.dev tests/supabase/node_modules/.done tests/servers/postgres17/.done
	PGVEC_TEST_POSTGRES=17 PGVEC_TEST_INSTALLER=owner PGVEC_TEST_FROM=0.1.0 $(BIN)/pytest $(BEHAVIOUR)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar sql

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev tests/supabase/node_modules/.done bench-peers
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/search.py
	$(BIN)/python benchmarks/releases.py
	$(BIN)/python benchmarks/keywords.py
	$(BIN)/python benchmarks/tenants.py
	$(BIN)/python benchmarks/repository.py
	$(BIN)/python benchmarks/verify.py
	command -v wrk > /dev/null || apt-get install -qq wrk > /dev/null
	$(BIN)/python benchmarks/service.py

# The release of this version as one SQL file, against which later ones are tested: see docs/versions.md.
release-bundle: $(VENV)/.dev
	$(BIN)/python tests/releases/freeze.py

# Other toolkits beside this one, in an environment of their own: they pin what we do not.
bench-peers: $(VENV)/peers/.done
	$(VENV)/peers/bin/python benchmarks/peers.py

# Everything at once, with faults; SOAK_MINUTES says how long, 10 by default.
soak: $(VENV)/.dev tests/supabase/node_modules/.done
	PYTHONPATH=tests:tests/support $(BIN)/python -m soak

clean:
	rm -rf $(VENV) tests/supabase/node_modules tests/supabase/pgtap tests/servers/postgres17 build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml
	$(if $(TORCH),$(BIN)/pip install --quiet $(TORCH))
	$(BIN)/pip install --quiet --editable '.[embedded,local,parquet]'
	touch $@

# PostgREST, and clients in their own languages; needs npm.
tests/supabase/node_modules/.done: tests/supabase/package.json
	cd tests/supabase && npm install --no-package-lock --no-audit --no-fund --loglevel=error --legacy-peer-deps
	touch $@

# pg_prove and pgTAP; needs apt.
tests/supabase/pgtap/.done:
	mkdir -p tests/supabase/pgtap
	apt-cache show libtap-parser-sourcehandler-pgtap-perl > /dev/null 2>&1 || apt-get update -qq
	cd tests/supabase/pgtap && apt-get download -qq libtap-parser-sourcehandler-pgtap-perl \
	  $$(apt-cache pkgnames postgresql- | grep -E '^postgresql-[0-9]+-pgtap$$' | head -1)
	cd tests/supabase/pgtap && for package in *.deb; do dpkg -x $$package . && rm $$package; done
	touch $@

# Needs apt.
tests/servers/postgres17/.done: tests/servers/postgres17.sh | $(VENV)/.dev
	PATH="$(abspath $(BIN)):$$PATH" $< $(@D)

# Needs apt, as root.
install-browser:
	apt-cache show chromium > /dev/null 2>&1 || apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium > /dev/null

# Ours last: the others ask for an old pgvector, and work with the new one.
$(VENV)/peers/.done: $(BIN)/python pyproject.toml
	$(PYTHON) -m venv $(VENV)/peers
	$(VENV)/peers/bin/pip install --quiet vecs langchain-postgres psycopg2-binary
	$(VENV)/peers/bin/pip install --quiet --editable '.[embedded,parquet]'
	touch $@

$(VENV)/.dev: $(VENV)/.demo pyproject.toml
	$(BIN)/pip install --quiet --editable '.[embedded,local,parquet,plot,evaluate,api,sqlalchemy,dev]'
	touch $@
