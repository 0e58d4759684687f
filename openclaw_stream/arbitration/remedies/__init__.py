"""Remedies from evidence: which command, if any, the alerts of a case ask for, and why."""

from openclaw_stream.arbitration.remedies.proposal import Remedy, propose
from openclaw_stream.arbitration.remedies.reasons import reason_for, responsible_team

__all__ = ["Remedy", "propose", "reason_for", "responsible_team"]
