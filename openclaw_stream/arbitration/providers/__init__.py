"""Servers of language models, one file each, behind one small contract."""
