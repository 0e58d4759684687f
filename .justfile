# Commands for work on the project. They use .venv, which `just setup` makes.

# List the commands.
list:
    @just --justfile {{ justfile() }} --list --unsorted

# Make .venv with the tested versions of everything.
setup:
    python3 -m venv .venv
    .venv/bin/pip install -q -e '.[test]' -c .ci/constraints.txt

# Run the demo on its own Kafka; `just demo FILE` plays your alerts.
demo *arguments:
    .venv/bin/openclaw-stream demo {{ arguments }}

# Run the default suite, or the tests of some paths: `just test tests/alerts`.
test *arguments:
    .venv/bin/python -m pytest {{ arguments }}

# Run the tests without servers, sockets and processes.
pure:
    .venv/bin/python -m pytest -q -m pure

# Lint, compare the format, check the types, and run the pure tests.
check: pure
    .venv/bin/ruff check
    .venv/bin/ruff format --check
    .venv/bin/mypy

# Correct the format, and what the linter can correct.
format:
    .venv/bin/ruff check --fix
    .venv/bin/ruff format

# Write what is generated: schemas of the events, the table of metrics, copies of the alert rules.
generate:
    .venv/bin/openclaw-stream schemas write
    .venv/bin/python -m tests.deploy.metrics_table
    .venv/bin/python -m tests.deploy.alert_copies

# Pin the versions of the image and of CI; `just lock --upgrade` takes the newest. Needs uv.
lock *arguments:
    deploy/lock.sh {{ arguments }}

# Run the deployment tests, with an engine of their own if none runs (Debian, as root).
deploy:
    .ci/install-deploy-tools
    .ci/engine .venv/bin/python -m pytest -m deploy

# Run all that a change must pass, on a fresh clone of HEAD.
ci:
    .ci/run
