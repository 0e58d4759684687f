#!/usr/bin/env bash
# Writes the pinned and hashed dependencies of the image, requirements.lock (run time) and build.lock (what builds the
# wheel), and .ci/constraints.txt with every version that CI tests, the same ones. Existing pins stay while pyproject.toml
# allows them; `deploy/lock.sh --upgrade` takes the newest. Needs uv on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    uv pip compile --quiet --universal --python-version 3.11 --custom-compile-command deploy/lock.sh --output-file "$@"
}
compile deploy/requirements.lock pyproject.toml --generate-hashes "$@"
python3 -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' |
    compile deploy/build.lock - --generate-hashes "$@"
compile .ci/constraints.txt pyproject.toml --extra test --no-annotate --constraint deploy/requirements.lock "$@"
