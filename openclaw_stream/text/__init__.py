"""Untrusted text made safe: secrets redacted, hidden characters dropped or escaped, cut to a length."""

from openclaw_stream.text.safe import Hidden, safe_text

__all__ = ["Hidden", "safe_text"]
