"""Detects commands in text: text that a person could paste into a shell must pass the grammar."""

import re
import unicodedata

from openclaw_stream.text.hidden import without_hidden

_PROGRAMS = (
    r"sudo|doas|su|env|nohup|xargs|eval|exec|setsid|chroot|nsenter|busybox|(?:ba|z|da|k|a|fi|c|tc)?sh|pwsh|powershell|cmd"
    r"|curl|wget|ssh|scp|rsync|ncat|nc|netcat|socat|k|oc|kube(?:color|ctx|ns|adm)|kustomize|helm|istioctl|argocd"
    r"|terraform|pulumi|ansible(?:-playbook)?|aws|gcloud|az|docker|nerdctl|podman|crictl|ctr|etcdctl|redis-cli|systemctl"
    r"|rm|rmdir|mv|cp|ln|dd|tee|cat|echo|printf|base64|chmod|chown|p?killall|pkill|iptables|crontab|u?mount|reboot|poweroff"
    r"|apt(?:-get)?|yum|dnf|apk|pip3?|npm|git"
)
_WITH_ARGS = (
    r"(?:python[0-9.]*|perl|ruby|node|php|psql|mysql|mongo|mongosh|kill|shutdown)\s+(?:-|now\b|\S+\.\w+)"
    r"|(?:source|\.)\s+[<./~]|mkfs\S*\s|:\(\)"
)
"""Programs whose names are also common words: a command only with these arguments."""

_START = r"(?:^|[;&|(!]|\{\s|\b(?:then|do|else|time|nice|watch|timeout(?:\s+-?\w+)*)\s)"
_PREFIX = r"[ \t`$#>%*•-]*(?:\d+[.)][ \t]+)?`?(?:[A-Za-z_][A-Za-z0-9_]*=\S*[ \t]+)*(?:[\w.~-]*/(?:[\w.-]+/)*)?"
_LINE = re.compile(rf"{_START}{_PREFIX}(?:(?:{_PROGRAMS})(?:\.exe)?(?=[\s;&|<>(){{}}`]|$)|{_WITH_ARGS})", re.MULTILINE)
_PIPED = re.compile(r"[|]\s*(?:sudo\s+)?(?:[a-z]{0,3}sh|python[0-9.]*|perl|ruby|node)\b")
_REMOVED_BY_SHELL = re.compile(r"\\\n|[\"'\\]|\$(?:[@*]|\{\w*\}|\(\))")
"""What a shell removes from a word: `ku''bectl` is kubectl."""

_HOMOGLYPHS = {
    "k": "\u043a\u03ba",
    "u": "\u03c5\u057d",
    "b": "\u044c\u042c",
    "e": "\u0435\u04bd",
    "c": "\u0441\u03f2",
    "t": "\u0442\u03c4",
    "l": "\u04cf\u0456\u03b9",
}
"""Cyrillic, Greek and Armenian letters that look like those of kubectl."""

_LOOKALIKES = {ord(each): letter for letter, homoglyphs in _HOMOGLYPHS.items() for each in homoglyphs}

_SUBSTITUTED = re.compile(r"[$<>]\(|\$\{|\$'|`")


def looks_like_command(text: str) -> bool:
    """Return whether a suggestion is a command, not a configuration or advice in prose.

    It is a command if it contains kubectl anywhere, if a line or a part of one begins with a shell, an interpreter or a
    tool that changes systems (also after sudo, env, assignments, a prompt or a list marker), if it pipes into a shell,
    or if it contains a shell substitution. Full-width, invisible, accented and look-alike characters are normalized
    first, and shell quotes are removed.
    """
    decomposed = unicodedata.normalize("NFKD", without_hidden(text))
    seen = _REMOVED_BY_SHELL.sub("", "".join(char for char in decomposed if not unicodedata.combining(char)))
    plain = "".join(char for char in seen.casefold().translate(_LOOKALIKES) if char.isascii())
    if "kubectl" in plain or _SUBSTITUTED.search(text):
        return True
    return any(pattern.search(each) for each in (seen, plain) for pattern in (_LINE, _PIPED))
