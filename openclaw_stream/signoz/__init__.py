"""SigNoz: what the traces say of a service around an incident."""

from openclaw_stream.signoz.client import SigNozError
from openclaw_stream.signoz.enrichment import Enrichment, SigNoz

__all__ = ["Enrichment", "SigNoz", "SigNozError"]
