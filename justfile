# One word per habit: `just` lists them. Each is a command that also works without just.

# list the habits
default:
    @just --list

# lint, types and tests; arguments go to pytest
test *arguments:
    bash tests/run {{arguments}}

# lint and types only
lint:
    ruff check . && ruff format --check . && mypy

# put the code into its form
format:
    ruff check --fix . && ruff format .

# build the documentation into site/
docs:
    python -m sphinx -W docs site

# write anew what the tests compare: transcripts, pictures, golden files; then read the diff
golden *tests:
    python -m pytest -q --update-golden {{tests}}

# write the reference of the REST interface
api:
    python -m snakeprov.server.reference > docs/api.md

# install as a user does, and try every command there
install:
    tests/install-run

# which lines the tests run
coverage *arguments:
    bash tests/coverage-run {{arguments}}

# the tests with other versions of Snakemake
versions *versions:
    tests/versions-run {{versions}}

# everything, as on a fresh machine
ci:
    .ci/run
