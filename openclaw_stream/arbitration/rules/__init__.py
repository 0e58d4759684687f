"""Rule-based classification of a case: responsible team, cause, action, risk and tuning, from a rule set in TOML.

    lexicon ─► extraction ─► classification ─► diagnosis ─► remedy, judgement_text ─► Judgement
                             (per alert name)   (per case)

All steps are pure and deterministic. `RULES_VERSION` is a hash of the TOML files.
"""

from openclaw_stream.arbitration.rules.engine import RULES_VERSION, judge

__all__ = ["RULES_VERSION", "judge"]
