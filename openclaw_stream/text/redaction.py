"""Redaction: secrets in a text replaced by markers. Used through `safe_text`.

Every pattern takes linear time: it starts where a run of its characters starts, and repeats possessively or within a
bound. A secret without a sign is not found: a bare password, or a value whose name does not mark it as a secret.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from openclaw_stream.text.hidden import without_hidden

_SHORT = 256
_PASSES = 4
_ANY_CASE = re.ASCII | re.IGNORECASE
_ESCAPED = re.compile(r"\\u(?![dD][89a-fA-F])([0-9a-fA-F]{4})")
_NOT_PLAIN = re.compile(rf"[^\t\n\r -~]|{_ESCAPED.pattern}")
_BLANK_MARKS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Fillers and variation selectors: letters and marks by category, but not visible."""


def redact(text: str) -> str:
    """Return `text` with each secret replaced by a marker that names its kind, such as `[redacted:aws-key]`.

    Redacting twice changes nothing. Names of pods, UUIDs, digests, addresses without credentials and sentences about
    passwords stay.
    """
    # Labels repeat from alert to alert; long texts would make the memory of the cache unbounded.
    return _redact_short(text) if len(text) <= _SHORT else _redact(text)


def _redact(text: str) -> str:
    redacted = _redact_visible(text)
    if not _NOT_PLAIN.search(redacted):
        return redacted
    # The plain form is returned only where it shows a secret: most languages use full-width signs or joiners.
    unmasked = plain(redacted)
    uncovered = _redact_visible(unmasked)
    return redacted if uncovered == unmasked else uncovered


def plain(text: str) -> str:
    """Return a text without invisible characters, and with escaped, full-width and similar ones in their plain form."""
    unescaped = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return unicodedata.normalize("NFKC", _BLANK_MARKS.sub("", without_hidden(unescaped)))


def _redact_visible(text: str) -> str:
    # A replacement may uncover another secret, which the next pass finds; ordinary text takes one pass.
    for _ in range(_PASSES):
        redacted = _pass(text)
        if redacted == text:
            break
        text = redacted
    return text


def _pass(text: str) -> str:
    lowered = text.lower()
    for rule in _RULES:
        for trigger in rule.triggers:
            if trigger in lowered:
                text = rule.pattern.sub(rule.replacement, text)
                break
    return text


_redact_short = lru_cache(maxsize=4096)(_redact)


class _RedactionRule(NamedTuple):
    """A pattern, what replaces its match, and the lower-case substrings without which it cannot match."""

    triggers: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]


_VENDORS = {
    "aws-key": ("A", r"(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    "github-token": ("g", r"(?:h[oprsu]_|ithub_pat_)[A-Za-z0-9_]{16,}+"),
    "gitlab-token": ("g", r"l(?:pat|dt|rt|ptt|cbt|oas|soat|agent)-[\w.-]{16,}+"),
    "slack-token": ("x", r"(?:ox[abeoprs]|app)-[\w.-]{8,}+"),
    "slack-webhook": ("h", r"ooks\.slack\.com/(?:services|workflows)/[\w/-]{8,}+"),
    "google-key": ("A", r"Iza[\w-]{30,}+"),
    "google-token": ("Gy", r"(?:a29\.|OCSPX-)[\w.-]{16,}+"),
    "stripe-key": ("rs", r"k_(?:live|test)_[A-Za-z0-9]{10,}+"),
    "webhook-secret": ("w", r"hsec_[A-Za-z0-9]{10,}+"),
    "api-key": ("s", r"k-(?:(?:admin|ant|lf|or|proj|svcacct)-[\w-]{8,}+|(?:[A-Za-z0-9]{1,12}-){0,3}[A-Za-z0-9]{16,}+)"),
    "npm-token": ("n", r"pm_[A-Za-z0-9]{30,}+"),
    "pypi-token": ("p", r"ypi-[\w-]{32,}+"),
    "huggingface-token": ("h", r"f_[A-Za-z0-9]{24,}+"),
    "groq-key": ("g", r"sk_[A-Za-z0-9]{24,}+"),
    "grafana-token": ("g", r"l(?:sa|c)_[\w=+/-]{20,}+"),
    "vault-token": ("h", r"v[bsr]\.[\w-]{20,}+"),
    "sendgrid-key": ("S", r"G\.[\w-]{16,}+\.[\w-]{16,}+"),
    "databricks-token": ("d", r"api[a-f0-9]{32}(?![A-Za-z0-9])"),
    "digitalocean-token": ("d", r"o[opr]_v1_[a-f0-9]{32,}+"),
    "docker-token": ("d", r"ckr_[op]at_[\w-]{20,}+"),
    "discord-webhook": ("d", r"iscord(?:app)?\.com/api/webhooks/\d{1,20}/[\w-]{20,}+"),
    "telegram-token": ("b", r"ot\d{6,12}:[\w-]{30,}+"),
    "shopify-token": ("s", r"hp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}(?![A-Za-z0-9])"),
    "atlassian-token": ("A", r"T(?:ATT3|CTT3|BB)[\w=-]{20,}+"),
    "newrelic-key": ("N", r"RAK-[A-Z0-9]{20,}+(?![A-Za-z0-9])"),
    "twilio-key": ("S", r"K[0-9a-f]{32}(?![A-Za-z0-9])"),
    "mailgun-key": ("k", r"ey-[0-9a-f]{32}(?![A-Za-z0-9])"),
    "age-key": ("A", r"GE-SECRET-KEY-1[A-Z0-9]{20,}+"),
    "jwt": ("e", r"(?<![\w-]e)yJ[\w-]{5,}+\.[\w-]{5,}+(?:\.[\w-]*+)?"),
}
"""Vendors' tokens by kind: the first character, and a pattern of the rest; case-sensitive."""


def _vendor_pattern() -> re.Pattern[str]:
    """Return one pattern that begins with a set of characters, which the regex engine searches for fastest."""
    first = "".join(first for first, _ in _VENDORS.values())
    rest = "|".join(f"(?<=[{first}]){rest}" for first, rest in _VENDORS.values())
    return re.compile(rf"[{first}](?<![A-Za-z0-9].)(?:{rest})", re.ASCII)


def _vendor(match: re.Match[str]) -> str:
    kinds = (kind for kind, (first, rest) in _VENDORS.items() if re.match(f"[{first}]{rest}", match[0], re.ASCII))
    return f"[redacted:{next(kinds)}]"


_TOKENS = _RedactionRule(("",), _vendor_pattern(), _vendor)

_PRIVATE_KEY = _RedactionRule(
    ("private key",),
    re.compile(
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r".*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
        _ANY_CASE | re.DOTALL,
    ),
    "[redacted:private-key]",
)

# On the web credentials end at the last @ before the path; the drivers of databases take a / in a password.
_CREDENTIALS = _RedactionRule(
    ("://",),
    re.compile(
        r"://(?!\[redacted:)(?:(?:(?<=https://)|(?<=http://)|(?<=wss://)|(?<=ws://))(?:[^\s/?#\"'<>@]{1,256}@)+"
        r"|(?<!https://)(?<!http://)[^\s/?#\"'<>@:]{0,256}:[^\s\"'<>]{0,256}@)",
        _ANY_CASE,
    ),
    "://[redacted:credentials]@",
)

_COOKIE = _RedactionRule(
    ("cookie",),
    re.compile(r"(?<![\w-])((?:set-)?cookie[\"']?: ?)(?!\[redacted:)(?=[^\n=]{1,64}=)[^\n]*+", _ANY_CASE),
    r"\1[redacted:cookie]",
)

# In a sentence a plain word follows "bearer"; a token has digits, signs or changing case.
_BEARER = _RedactionRule(
    ("bearer", "basic"),
    re.compile(
        r"(?<![\w-])(?i:(bearer|basic))[ \t]{1,4}"
        r"(?=[\w.~+/=-]{0,512}[0-9=+/_~]|[A-Za-z]{0,512}[a-z][A-Z])[\w.~+/=-]{6,}+",
        re.ASCII,
    ),
    r"\1 [redacted:authorization]",
)

_STATUS_WORD = (
    r"(?:absent|authentication|bad|cannot|could|denied|empty|error|expected|expired|failed|failure|false|forbidden|has"
    r"|incorrect|invalid|is|malformed|mismatch|missing|must|no|none|not|null|optional|rejected|required|revoked|rotated"
    r"|the|true|unauthorized|undefined|unknown|unset|was|will|wrong)(?![\w.-])"
)
_NAME = (
    r"(?P<name>pass(?:wor[dt]|wd|phrase|code)s?|pwd|[_-]pass|(?:(?<![a-z0-9])|(?<=db))(?:pass|pw)(?![a-z])"
    r"|密碼|密码|口令|金鑰|密鑰|密钥|權杖|令牌"
    r"|secret(?:[_ -]?access)?(?:[_ -]?key)?|token"
    r"|(?:access|account|api|auth|encryption|license|master|private|signing|storage)[_ -]?key"
    r"|credentials?|authorization|x-auth|(?<=[?&-])sig(?:nature)?|(?<=[?&])(?:auth|pass)|connection[_-]?string)"
    r"(?:[_-]?\d{1,3}|[_-](?:value|hash|old|new|prod|dev|test|live))?\\{0,7}[\"']?"
)
_SIGN = r"[ \t]{0,4}(?::=|=>|==?|:|%3[dD])[ \t]{0,4}"
_SCHEME = r"(?:(?:apikey|basic|bearer|digest|negotiate|token)[ \t]{1,4})?"
# Unquoted, a bracket, comma or semicolon belongs to the value unless the text around it goes on after it.
# Groups are not repeated possessively, for before 3.11.5 Python takes more than they match then (gh-106052); the time
# stays linear, as no two of their branches begin alike.
_VALUE = (
    r"(?:(?P<double>\")(?:[^\"\\\n]|\\.)*\"?"
    r"|(?P<single>')(?:[^'\\\n]|\\.)*'?"
    r"|(?P<escaped>\\{1,7}[\"'])[^\"'\\\n]*+"
    rf"|(?!{_STATUS_WORD})(?:[^\s\"'&,;)}}\]>\\]"
    r"|[,;)}\]>](?![\s,;)}\].>\"']|\Z|[\w .-]{1,40}[=:])|\\(?![nrt\"']))+)"
)


def _pair(match: re.Match[str]) -> str:
    quote = match["double"] or match["single"] or ""
    return f"{match['head']}{match['escaped'] or quote}[redacted:{_kind(match['name'])}]{quote}"


def _kind(name: str) -> str:
    lowered = name.lower()
    for word, kind in (
        ("pass", "password"),
        ("pw", "password"),
        ("密", "password"),
        ("口令", "password"),
        ("token", "token"),
    ):
        if word in lowered:
            return kind
    return "secret" if "secret" in lowered else "key" if "key" in lowered else "credential"


_PAIRS = _RedactionRule(
    (
        "pass",
        "pw",
        "密",
        "口令",
        "金鑰",
        "權杖",
        "令牌",
        "secret",
        "token",
        "key",
        "credential",
        "auth",
        "?sig",
        "&sig",
        "-sig",
        "string",
    ),
    re.compile(rf"(?P<head>{_NAME}{_SIGN})(?![\"']?{_SCHEME}\[redacted:){_SCHEME}{_VALUE}", _ANY_CASE),
    _pair,
)
_FLAGS = _RedactionRule(
    ("--",),
    re.compile(
        r"(?P<head>--(?<![\w-]--)[\w-]{0,24}?(?P<name>password|passwd|secret|token|api-?key|secret-key)[ \t]{1,4})"
        rf"(?!-|\[redacted:|{_STATUS_WORD})(?P<double>\")?(?P<single>')?(?P<escaped>\\[\"'])?[^\s\"'\\&|;]++[\"']?",
        _ANY_CASE,
    ),
    _pair,
)

# Two numbers are a user and a group.
_LOGINS = _RedactionRule(
    ("-u ", "-user", "sshpass"),
    re.compile(
        r"(?<![\w-])((?:(?:-u|--(?:proxy-)?user)[ \t=]{1,4}[\"']?[\w.@-]{1,64}:(?!\d{1,20}(?!\S))"
        r"|sshpass[ \t]{1,4}-p[ \t]{0,4}[\"']?))(?!\[redacted:)[^\s\"'\\]++",
        _ANY_CASE,
    ),
    r"\1[redacted:password]",
)

# In a sentence only a word of letters and digits is taken for a secret.
_SENTENCE = _RedactionRule(
    (" is ", " was "),
    re.compile(
        r"(?<![a-z])(?P<head>(?P<name>password|passphrase|passcode|secret|token|(?:api|access|secret) key) (?:is|was) )"
        r"(?=\S{0,64}[a-z])(?=\S{0,64}\d)(?P<double>\")?(?P<single>')?(?P<escaped>\\\")?[^\s\"'\\]{6,}+[\"']?",
        _ANY_CASE,
    ),
    _pair,
)

# The environment of a container: name and value are separate fields.
_QUOTE = r"\\{0,3}\""
_VARIABLES = _RedactionRule(
    ("value",),
    re.compile(
        rf"(?P<head>{_QUOTE}name{_QUOTE}[ \t]{{0,4}}:[ \t]{{0,4}}{_QUOTE}[\w.-]{{0,64}}?"
        rf"(?P<name>pass|pwd|secret|token|key|credential)[\w.-]{{0,64}}{_QUOTE},"
        rf"[ \t]{{0,4}}{_QUOTE}value{_QUOTE}[ \t]{{0,4}}:[ \t]{{0,4}}{_QUOTE})(?!\[redacted:)[^\"\\\n]++",
        _ANY_CASE,
    ),
    lambda match: f"{match['head']}[redacted:{_kind(match['name'])}]",
)

# XML, the connection strings of Go's drivers, and the command lines and settings of programs.
_ELEMENTS = _RedactionRule(
    ("</",),
    re.compile(
        r"(<[\w:.-]{0,32}(?:password|passwd|pwd|secret|token|apikey|api-key)>)(?!\[redacted:)[^<\n]{1,512}(?=</)",
        _ANY_CASE,
    ),
    r"\1[redacted:password]",
)
_SOURCES = _RedactionRule(
    ("@tcp(", "@unix("),
    re.compile(r"(?<![\w.\[-])([\w.-]{1,64}:)(?!\[redacted:)[^\s\"'@]{1,128}(?=@(?:tcp|unix)\()", _ANY_CASE),
    r"\1[redacted:password]",
)
_PROGRAMS = _RedactionRule(
    ("mysql", "mariadb", "redis-cli", "requirepass", "masterauth", "identified by", "role ", "user "),
    re.compile(
        r"((?<![\w-])(?:(?:mysql|mysqldump|mysqladmin|mariadb)(?:[ \t]{1,4}(?!-p)[^\s;|&]{1,128}){0,12}[ \t]{1,4}-p"
        r"|redis-cli(?:[ \t]{1,4}(?!-a)[^\s;|&]{1,128}){0,12}[ \t]{1,4}-a[ \t]{1,4}"
        r"|(?:requirepass|masterauth)[ \t]{1,4}"
        r"|(?:identified[ \t]{1,4}by|(?:role|user)[ \t]{1,4}\S{1,64}[ \t]{1,4}(?:with[ \t]{1,4})?password)[ \t]{1,4}"
        r"(?=[\"'])))(?!\[redacted:|[\"']\[redacted:)"
        r"(?:'[^'\n]{1,128}'|\"[^\"\n]{1,128}\"|[^\s\"';|&]++)",
        _ANY_CASE,
    ),
    r"\1[redacted:password]",
)

_SYSTEMD = r"[\w.-]{0,253}\.(?:automount|device|mount|path|scope|service|slice|socket|swap|target|timer)(?![\w-])"
_EMAIL = _RedactionRule(
    ("@",),
    re.compile(rf"(?<![\w.%+'-])(?:[\w.%+'-]++@(?!{_SYSTEMD})(?:[\w-]{{1,63}}\.){{1,8}}[^\W\d_]{{2,24}}(?![\w-]))+"),
    "[redacted:email]",
)

_RULES = (
    _PRIVATE_KEY,
    _CREDENTIALS,
    _SOURCES,
    _COOKIE,
    _TOKENS,
    _BEARER,
    _VARIABLES,
    _PAIRS,
    _ELEMENTS,
    _PROGRAMS,
    _FLAGS,
    _LOGINS,
    _SENTENCE,
    _EMAIL,
)
