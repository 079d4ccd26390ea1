# Every target is described behind its name; `make help` prints that.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help environment demo test test-all coverage bench chaos lint types style format messages connectors proto migrations requirements image image-smoke compose-env docs metrics backup restore-drill clean

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=25 --durations-min=5
TEST := DJANGO_SETTINGS_MODULE=project.settings.test

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

environment: ## Build or refresh .venv and compile the translations
	@python3 local/bootstrap.py

demo: environment ## Run all of Recado on this machine until Ctrl-C
	@exec $(BIN)/python -m local.demo

test: environment ## Run the test suite on its own throw-away servers
	@$(PYTEST) -m "not long" $(ARGS)

test-all: environment ## The same and what takes minutes: chaos in short, generated requests, contrasts, interrupted demos
	@$(PYTEST) $(ARGS)

coverage: ## Run the suite and print the lines that no test ran
	@$(MAKE) --no-print-directory test ARGS="--cov --cov-report=term:skip-covered $(ARGS)"

bench: environment ## Measure what docs/benchmarks.md says (ARGS="--quick", "--only dispatch")
	@exec $(BIN)/python -m bench $(ARGS)

chaos: environment ## Kill, empty and stop all of it, and count what was lost (ARGS="--quick", "--only kills")
	@exec $(BIN)/python -m chaos $(ARGS)

backup: environment ## Back up the database that the environment names, encrypted, and prune (docs/disaster-recovery.md)
	@$(BIN)/python manage.py backup $(ARGS)

restore-drill: environment ## Destroy a server and bring it back from its backup, and count (ARGS="--quick")
	@exec $(BIN)/python -m chaos.drill $(ARGS)

lint: environment ## Run every static check: format, style, types, layers, migrations
	@$(MAKE) --no-print-directory --jobs=2 --output-sync types style

types:
	@$(BIN)/mypy

style:
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(TEST) $(BIN)/python -W ignore manage.py makemigrations --check --dry-run
	@$(TEST) $(BIN)/python -m local.describe_connectors --check
	@$(TEST) $(BIN)/python -m local.describe_metrics --check

format: environment ## Write the code in the common style and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

messages: environment ## Collect texts to translate into locale/ (needs gettext)
	@$(TEST) $(BIN)/python manage.py makemessages -l pt_BR --no-location --no-obsolete -i .venv -i .recado
	@sed -i '/^"POT-Creation-Date/d; /^"Report-Msgid-Bugs-To/d' locale/*/LC_MESSAGES/django.po

connectors: environment ## Write what connectors declare into docs/connectors.md
	@$(TEST) $(BIN)/python -m local.describe_connectors

metrics: environment ## Write what is counted into docs/metrics.md
	@$(TEST) $(BIN)/python -m local.describe_metrics

proto: environment ## Write the code that speaks proto/recado/v1/recado.proto
	@$(BIN)/python proto/generate.py

docs: environment ## Build the documentation as a site into site/, strictly
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

migrations: environment ## Write the migrations that the models ask for
	@$(TEST) $(BIN)/python -W ignore manage.py makemigrations

requirements: ## Resolve requirements/*.in anew into pinned, hashed *.txt (needs uv)
	@for name in bootstrap base production dev load; do \
		uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --python-version 3.12 \
			requirements/$$name.in --output-file requirements/$$name.txt; \
	done

image: environment ## Build the images recado and recado-backup with docker, podman or buildah (ARGS="--version 1.2.3")
	@exec $(BIN)/python -m local.image $(ARGS)

image-smoke: environment ## Build the image and have it send a message, confined as it is deployed (ARGS="--stand-ins")
	@exec $(BIN)/python -m local.image --smoke $(ARGS)

compose-env: ## Write .env for docker-compose.yml, with random secrets (ARGS="--demo", ARGS="--help")
	@python3 -m local.compose_env $(ARGS)

clean: ## Remove the environment, caches and all data of the demo
	@rm -rf .venv .recado site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis htmlcov staticfiles
