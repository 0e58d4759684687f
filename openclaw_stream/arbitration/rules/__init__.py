"""The rules: a readable table from evidence to responsibility, cause, action, risk and tuning, and what applies it.

    words ─► evidence ─► opinion (one alert name) ─► diagnosis (the case) ─► remedy, prose ─► Judgement

Everything is pure and deterministic. The table is in the TOML files; `RULES_VERSION` is a hash of them.
"""

from openclaw_stream.arbitration.rules.engine import RULES_VERSION, judge

__all__ = ["RULES_VERSION", "judge"]
