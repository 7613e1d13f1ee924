# The two commands of this project: `make demo` shows what it does, `make test` shows that it works.
# The demo makes what it needs in .demo, the tests in $(VENV), from the files requirements.txt and ./emulator.

PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
STAMP := $(VENV)/.made
RIGHT_PYTHON = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=...")'

.PHONY: demo test test-faults test-adversary lint sanity pytest bench pictures release clean
.NOTPARALLEL:

demo:
	@$(RIGHT_PYTHON)
	@$(PYTHON) -B examples/demo.py

test: lint sanity pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tests/check_types.py
	$(BIN)/yamllint --strict .
	$(BIN)/antsibull-changelog lint
	shellcheck .ci/run

sanity: $(STAMP)
	$(BIN)/python tests/sanity.py

pytest: $(STAMP)
	$(BIN)/python -m pytest -n 3 --dist loadgroup

# Every task with every fault at every request, every attack of the adversary on each of its tasks, a thousand random sites, a
# hundred random runs in check mode and for real, thousands of tasks inside Ansible and as modules, and fifty kills of an
# emulator that keeps its state; `make test` runs a sample of each. Most of the time the matrix waits, so there are more
# workers than processors. At the end, whether the emulator grows under endless requests.
test-faults: test-adversary
	rm -f $(VENV)/faults.jsonl
	FAULTS=all FAULTS_REPORT=$(abspath $(VENV))/faults.jsonl $(BIN)/python -m pytest -n 4 tests/faults tests/property/test_sites.py tests/e2e/test_check_run.py tests/in_process/test_both_ways.py tests/unit/emulator/test_emulator_killed.py tests/conformance/test_replay_kept.py
	$(BIN)/python bench/soak.py

# Only the adversary. It takes a quarter of an hour on two cores that do nothing else.
test-adversary: $(STAMP)
	rm -f $(VENV)/adversary.jsonl
	FAULTS=all ADVERSARY_REPORT=$(abspath $(VENV))/adversary.jsonl $(BIN)/python -m pytest -n 2 tests/adversary

# How fast it is, against Ansible alone and a peer: bench/README.md. BENCH=--without-peer downloads nothing.
bench: $(STAMP)
	$(BIN)/python bench $(BENCH)

# The pictures of the documentation that are drawn from plans.
pictures: $(STAMP)
	$(BIN)/python pictures

# The release that galaxy.yml names: changelog, commit, tag, and in .release what is to be published. CONTRIBUTING.md has more.
release: $(STAMP)
	$(BIN)/python release --check
	$(MAKE) test
	$(BIN)/python release

$(STAMP): requirements.txt examples/requirements.txt tests/requirements.txt emulator/pyproject.toml $(shell find emulator/src -name '*.py')
	@$(RIGHT_PYTHON)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --requirement tests/requirements.txt ./emulator
	touch $@

clean:
	rm -rf $(VENV) .demo .bench .release .hypothesis .ruff_cache
