"""SigNoz: golden signals of a service at the time of an incident, from its traces."""

from openclaw_stream.signoz.client import SigNozError
from openclaw_stream.signoz.enrichment import Enrichment, SigNoz

__all__ = ["Enrichment", "SigNoz", "SigNozError"]
