#!/usr/bin/env bash
# Writes the image's pinned and hashed dependencies: requirements.lock (run time) and build.lock (what builds the wheel).
# Existing pins stay while pyproject.toml allows them; `deploy/lock.sh --upgrade` takes the newest. Needs uv on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --custom-compile-command deploy/lock.sh --output-file "$@"
}
compile deploy/requirements.lock pyproject.toml "$@"
python3 -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' |
    compile deploy/build.lock - "$@"
