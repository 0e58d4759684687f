"""Texts cut to a number of bytes in JSON: UTF-8, with the escapes of quotes, backslashes and controls."""

from collections.abc import Sequence

import orjson

_ENDING = "…"


def json_size(value: object) -> int:
    """Return the bytes of a value in JSON, a text with its quotes."""
    return len(orjson.dumps(value))


def cut_to_json(text: str, size: int) -> str:
    """Return a text of at most `size` bytes in JSON, its quotes included; one that is cut ends with `…`.

    It is empty where not even one character and the ending fit.
    """
    # No character takes less than a byte, so most texts are never measured.
    if len(text) * 6 + 2 <= size or json_size(text) <= size:
        return text
    fits, too_long = 0, min(len(text), size)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if json_size(text[:middle] + _ENDING) <= size:
            fits = middle
        else:
            too_long = middle
    return text[:fits].rstrip() + _ENDING if fits else ""


def even_share(sizes: Sequence[int], total: int) -> int:
    """Return the largest size to cut each of some texts to, so that together they take at most `total` bytes.

    Short texts leave their part to the long ones. Where all fit as they are, it is the largest of the sizes.
    """
    left, share = total, 0
    for number, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - number)
        if size > share:
            return max(share, 0)
        left -= size
    return max(sizes, default=share)
