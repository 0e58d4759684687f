"""Untrusted text made safe: secrets redacted, hidden characters dropped or escaped, cut to a length."""

from openclaw_stream.text.json_size import cut_to_json, even_share, json_size
from openclaw_stream.text.safe import Hidden, safe_text

__all__ = ["Hidden", "cut_to_json", "even_share", "json_size", "safe_text"]
