# The two commands of this project: `make demo` shows what it does, `make test` shows that it works.
# The demo makes what it needs in .demo, the tests in $(VENV), from the files requirements.txt and ./emulator.

PYTHON ?= python3
VENV ?= .venv
BIN := "$(VENV)/bin"
# It says so before anything is made. A Python that is too old could not read the programs.
RIGHT_PYTHON = command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON) here: make PYTHON=..." >&2; exit 1; }; \
	"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, and this is " + sys.version.split()[0] + ": make PYTHON=...")'

.PHONY: environment demo test test-faults test-adversary test-peer lint sanity units integration pytest bench docs pictures release release-check clean
.NOTPARALLEL:

demo:
	@$(RIGHT_PYTHON)
	@"$(PYTHON)" -B examples/demo.py

test: lint sanity units integration pytest

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tests/check_types.py
	$(BIN)/yamllint --strict .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/ci.yml
	$(BIN)/antsibull-changelog lint
	$(BIN)/shellcheck .ci/run tests/bare_pipx.sh

sanity: environment
	$(BIN)/python tests/sanity.py

# ansible-test with unit tests of a few files, and with each integration target on one generation of CloudStack. With --all
# the two programs run all of it.
units: environment
	$(BIN)/python tests/units.py

integration: environment
	$(BIN)/python tests/integration.py

pytest: environment
	$(BIN)/python -m pytest -n 4 --dist loadgroup

# Every task with every fault at every request, every attack of the adversary on each of its tasks, a thousand random sites, a
# hundred random runs in check mode and for real, thousands of tasks inside Ansible and as modules, and fifty kills of an
# emulator that keeps its state; `make test` runs a sample of each. Most of the time the matrix waits, so there are more
# workers than processors. At the end, whether the emulator grows under endless requests.
test-faults: test-adversary
	rm -f "$(VENV)"/faults.jsonl
	FAULTS=all FAULTS_REPORT="$(abspath $(VENV))/faults.jsonl" $(BIN)/python -m pytest -n 4 tests/faults tests/property/test_sites.py tests/e2e/test_check_run.py tests/in_process/test_both_ways.py tests/unit/emulator/test_emulator_killed.py tests/conformance/test_replay_kept.py
	$(BIN)/python bench/soak.py

# Only the adversary. It takes a quarter of an hour on two cores that do nothing else.
test-adversary: environment
	rm -f "$(VENV)"/adversary.jsonl
	FAULTS=all ADVERSARY_REPORT="$(abspath $(VENV))/adversary.jsonl" $(BIN)/python -m pytest -n 2 tests/adversary

# The guide for those who come from ngine_io.cloudstack, with that collection itself. It downloads 55 MB and takes some minutes.
test-peer: environment
	FAULTS=all $(BIN)/python -m pytest -n 2 -rs tests/ngine

# How fast it is, against Ansible alone and a peer: bench/README.md. BENCH=--without-peer downloads nothing.
bench: environment
	$(BIN)/python bench $(BENCH)

# The documentation as a site in .docs/html: the guides, and a page for each module. Nothing is downloaded for it. A warning or a
# dead link inside the site is an error. `python docs/docsite/check.py --external` then asks for the links that leave it.
docs: environment
	$(BIN)/python docs/docsite

# The pictures of the documentation: drawn from plans and from the inventory, and taken of the emulator's page, if there is a
# browser.
pictures: environment
	$(BIN)/python pictures

# What takes too long for `make test`: sanity with each ansible-core, the import into Galaxy, links, both commands on a bare
# Debian. CHECKS="bare links" runs some of them.
release-check: environment
	$(BIN)/python -B tests/release_check.py $(CHECKS)

# The release that galaxy.yml names: changelog, commit, tag, and in .release what is to be published. CONTRIBUTING.md has more.
release: environment
	$(BIN)/python release --check
	$(MAKE) test release-check
	$(BIN)/python release

# The virtual environment of all but the demo, unless it is there and up to date.
environment:
	@$(RIGHT_PYTHON)
	@"$(PYTHON)" -B examples/virtual_environment.py "$(VENV)" --requirements tests/requirements.txt --project emulator

clean:
	rm -rf "$(VENV)" .demo .bench .docs .release .hypothesis .ruff_cache
