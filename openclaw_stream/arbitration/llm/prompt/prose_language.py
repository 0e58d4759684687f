"""Whether prose is in the language that was asked for: English, or Chinese in the characters of Taiwan."""

import re
import unicodedata
from typing import Final

from openclaw_stream.vocabulary import Language

_QUOTED: Final = re.compile(r"“[^”]*”|「[^」]*」|『[^』]*』|\"[^\"]*\"|`[^`]*`|https?://\S+")
_IDENTIFIER: Final = re.compile(r"[\w./:-]*(?:[0-9_/:]|[a-z][A-Z]|\w[.-]\w)[\w./:-]*|\b[A-Z]{2,}\b", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z]{2,}")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_KANA: Final = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")

_TITLE_WORDS: Final = 4
_WORDS_MIN: Final = 6
_CHARACTERS_MIN: Final = 8
_CHINESE_SHARE: Final = 0.3
_ENGLISH_SHARE: Final = 0.5
_SIMPLIFIED_SHARE: Final = 0.06


def is_in_language(title: str, texts: list[str], language: Language) -> bool:
    """Return whether the title, and each of some texts, is in a language; terse ones that show none are.

    Names, numbers, abbreviations and quotes of the evidence are in any language.
    """
    plain_title, *plain = (_plain(text) for text in (title, *texts))
    if language is Language.EN:
        return not _other_letters_lead(plain_title, _TITLE_WORDS) and not any(
            _other_letters_lead(text, _CHARACTERS_MIN) for text in plain
        )
    if any(map(_is_simplified, (plain_title, *plain))):
        return False
    title_fits = bool(_HAN.search(plain_title)) or len(_WORD.findall(plain_title)) < _TITLE_WORDS
    return title_fits and not any(_latin_leads(text) for text in plain)


def _plain(text: str) -> str:
    """Return a text without quotes and identifiers."""
    return _IDENTIFIER.sub(" ", _QUOTED.sub(" ", text))


def _latin_leads(text: str) -> bool:
    words, han = len(_WORD.findall(text)), len(_HAN.findall(text))
    return words >= _WORDS_MIN and han < _CHINESE_SHARE * (han + 2 * words)


def _other_letters_lead(text: str, minimum: int) -> bool:
    others = sum(char.isalpha() and "LATIN" not in unicodedata.name(char, "LATIN") for char in text)
    return others >= minimum and others > _ENGLISH_SHARE * (others + 2 * len(_WORD.findall(text)))


def _is_simplified(text: str) -> bool:
    """Return whether a Chinese text has characters of the mainland, or letters of Japanese or Korean.

    The code page of Taiwan has no simplified characters, and that of the mainland no others.
    """
    han = _HAN.findall(text)
    foreign = sum(not _encodes(char, "cp950") and _encodes(char, "gb2312") for char in han) + len(_KANA.findall(text))
    return foreign > 1 and foreign > _SIMPLIFIED_SHARE * len(han)


def _encodes(char: str, codec: str) -> bool:
    try:
        char.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
