"""Untrusted text made safe: secrets redacted, hidden characters removed, cut to a length."""
