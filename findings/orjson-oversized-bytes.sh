#!/usr/bin/env bash
# The bytes that orjson.dumps returns hold the whole buffer that it wrote into.
#
# A result of 0.8 KB keeps 8 KB allocated as long as it lives, and sys.getsizeof does not show it. A program that keeps
# many small results needs many times the memory that their lengths suggest; a copy has its own size.
#
# Expected: about the length of the result. Seen: 8 KB for 0.8 KB.
# Run: orjson 3.11.4 and 3.13.0. Needs python3 (3.11 or later) with venv.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "orjson==${1:-3.13.0}"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import tracemalloc

import orjson

COUNT = 5000


def allocated(copy):
    tracemalloc.start()
    kept = []
    for number in range(COUNT):
        text = orjson.dumps({"text": "x" * 800, "number": number})
        kept.append(bytes(memoryview(text)) if copy else text)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size // COUNT, len(kept[0])


print("orjson", orjson.__version__)
returned, length = allocated(copy=False)
copied, _ = allocated(copy=True)
print(f"a result of {length} bytes allocates {returned} bytes, a copy of it {copied}")
sys.exit(0 if returned > 2 * copied else 1)
PYTHON
