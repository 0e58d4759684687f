"""Reading one record through its frames and its format, as `decode` does."""

from typing import Any

import orjson

from openclaw_stream.alerts.decoding.frames import unwrap
from openclaw_stream.alerts.formats import Outcome, Skipped, Unreadable, adapter_for
from openclaw_stream.alerts.formats.adapter import AlertDocument


def outcomes(value: Any) -> list[Outcome]:
    """Return what a record holds; `value` is its bytes or its JSON."""
    found: list[Outcome] = []
    for document in unwrap(value if isinstance(value, bytes) else orjson.dumps(value)).documents:
        if isinstance(document, Skipped | Unreadable):
            found.append(document)
            continue
        adapter = adapter_for(document)
        assert adapter is not None, document
        found.extend(adapter.read(document))
    return found


def documents(value: Any) -> list[AlertDocument]:
    """Return the alerts of a record that holds nothing else."""
    found = outcomes(value)
    alerts = [outcome for outcome in found if isinstance(outcome, AlertDocument)]
    assert alerts == found
    return alerts


def fields(value: Any) -> dict[str, Any]:
    """Return the fields of a record's only alert."""
    (document,) = documents(value)
    return document.fields


def format_of(value: Any) -> str:
    """Return the name of the format of a record without frames."""
    adapter = adapter_for(value)
    return adapter.name if adapter else ""
