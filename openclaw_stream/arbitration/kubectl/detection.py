"""Telling a command from words: what a person could paste into a shell must pass the grammar."""

import re
import unicodedata

from openclaw_stream.text.display import shown_part

_PLAIN = (
    r"sudo|doas|su|env|nohup|xargs|eval|exec|setsid|chroot|nsenter|busybox|(?:ba|z|da|k|a|fi|c|tc)?sh|pwsh|powershell|cmd"
    r"|curl|wget|ssh|scp|rsync|ncat|nc|netcat|socat|k|oc|kube(?:color|ctx|ns|adm)|kustomize|helm|istioctl|argocd"
    r"|terraform|pulumi|ansible(?:-playbook)?|aws|gcloud|az|docker|nerdctl|podman|crictl|ctr|etcdctl|redis-cli|systemctl"
    r"|rm|rmdir|mv|cp|ln|dd|tee|cat|echo|printf|base64|chmod|chown|p?killall|pkill|iptables|crontab|u?mount|reboot|poweroff"
    r"|apt(?:-get)?|yum|dnf|apk|pip3?|npm|git"
)
_TELLING = (
    r"(?:python[0-9.]*|perl|ruby|node|php|psql|mysql|mongo|mongosh|kill|shutdown)\s+(?:-|now\b|\S+\.\w+)"
    r"|(?:source|\.)\s+[<./~]|mkfs\S*\s|:\(\)"
)
"""Words of everyday advice: a command only with what follows."""

_BEGIN = r"(?:^|[;&|(!]|\{\s|\b(?:then|do|else|time|nice|watch|timeout(?:\s+-?\w+)*)\s)"
_PREFIX = r"[ \t`$#>%*•-]*(?:\d+[.)][ \t]+)?`?(?:[A-Za-z_][A-Za-z0-9_]*=\S*[ \t]+)*(?:[\w.~-]*/(?:[\w.-]+/)*)?"
_LINE = re.compile(rf"{_BEGIN}{_PREFIX}(?:(?:{_PLAIN})(?:\.exe)?(?=[\s;&|<>(){{}}`]|$)|{_TELLING})", re.MULTILINE)
_PIPED = re.compile(r"[|]\s*(?:sudo\s+)?(?:[a-z]{0,3}sh|python[0-9.]*|perl|ruby|node)\b")
_SWALLOWED = re.compile(r"\\\n|[\"'\\]|\$(?:[@*]|\{\w*\}|\(\))")
"""What a shell takes out of a word: `ku''bectl` is kubectl."""

_TWINS = {
    "k": "\u043a\u03ba",
    "u": "\u03c5\u057d",
    "b": "\u044c\u042c",
    "e": "\u0435\u04bd",
    "c": "\u0441\u03f2",
    "t": "\u0442\u03c4",
    "l": "\u04cf\u0456\u03b9",
}
"""Cyrillic, Greek and Armenian letters that are read as those of kubectl."""

_LOOKALIKES = {ord(twin): letter for letter, twins in _TWINS.items() for twin in twins}

_SUBSTITUTED = re.compile(r"[$<>]\(|\$\{|\$'|`")


def looks_like_command(text: str) -> bool:
    """Tell whether a suggestion's text is a command rather than a configuration or advice in words.

    It is one if it names kubectl anywhere, if a line or a part of one begins with a shell, an interpreter or a tool
    that changes systems (also after sudo, env, assignments, a prompt or a list mark), if it pipes into a shell, or if a
    shell would put something else in its place. Full-width, invisible, accented and look-alike characters are seen
    through, and so are a shell's quotes.
    """
    decomposed = unicodedata.normalize("NFKD", shown_part(text))
    seen = _SWALLOWED.sub("", "".join(char for char in decomposed if not unicodedata.combining(char)))
    plain = "".join(char for char in seen.casefold().translate(_LOOKALIKES) if char.isascii())
    if "kubectl" in plain or _SUBSTITUTED.search(text):
        return True
    return any(pattern.search(each) for each in (seen, plain) for pattern in (_LINE, _PIPED))
