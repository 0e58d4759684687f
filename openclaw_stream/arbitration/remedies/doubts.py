"""Words that take the certainty from a statement: it is over, has improved, is denied, or is about another workload."""

import re

from openclaw_stream.arbitration.remedies.patterns import Fact, any_of

NEGATED_BEFORE = any_of(
    r"\b(?:no|not|never|without|neither|nor|isn't|wasn't|aren't|hasn't|doesn't|didn't|don't|cannot|can't|rules? out"
    r"|ruled out|excludes?)\s+(?:[\w-]+\s+){0,3}$",
    r"(?:沒有|並無|並未|並非|不是|未見|未發現|排除|無(?!回應|法))\s?[^，。；、]{0,4}$",
)
NEGATED_AFTER = any_of(
    r"^\W{0,3}(?:\w+\s+){0,2}?(?:is|are|was|were|has been|have been) (?:not|ruled out|excluded|unlikely)\b",
    r"^[^，。；]{0,4}?(?:已排除|被排除)",
)
NOT_NEW = any_of(
    r"\b(?:still|even|also|already|persist\w*|continu\w+|despite|before and)\b.{0,40}$|(?:仍|依然|還是).{0,12}$"
)
"""Before a release: the trouble is older than it."""

UNCERTAIN_BEFORE = any_of(
    r"^\W*(?:if|when|whenever|please|check|verify|ensure|consider|inspect|look|make sure|see|try|restart|increase"
    r"|raise|scale|run|roll)\b",
    r"\b(?:whether|if|unless|may|might|could|can|would|should|must|possibl[ey]|potential(?:ly)?|probabl[ey]|likely"
    r"|perhaps|maybe|suspected|for example|e\.g\.)\b",
    r"如果|(?:^|，)若|可能|疑似|或許|也許|建議|請|例如|是否|應該",
)
UNCERTAIN_AFTER = any_of(r"^.{0,25}?(?:\b(?:possible|likely|suspected|probable|may|might|could)\b|可能|疑似|嗎|\?)")

_OVER = any_of(
    r"(?<!not )(?<!not been )(?<!never )(?<!n't )\b(?:resolved|recovered|cleared|mitigated|solved|cured|remediated)\b",
    r"(?<!not )(?<!not been )(?<!n't )\bfixed\b(?! (?:at|size|limit|number|memory|cpu|pool|rate))",
    r"\bback (?:to|from|under|below|within)\b|\breturned to\b|\b(?:now|is|are) (?:gone|over(?!-)|fine)\b",
    r"\bnot (?:seen|observed|reached|exceeded)\b|\b(?:planned|scheduled) (?:maintenance|restart)\b",
    r"已(?:經)?(?:解除|恢復|修復|排除|解決|清除|消失|復原)|已[^，。；]{0,8}?(?:修正|修復|解決)|恢復正常|恢復後|不再(?!回應)",
)
_EARLIER = any_of(
    r"\b(?:yesterday|last (?:night|week|month|year)|(?:days?|weeks?|months?) ago|earlier)\b",
    r"\bpreviously\b|\bformerly\b|\bused to\b",
    r"\bin the past\b|\b(?:only|just) once\b|\b(?:limit|maximum) (?:was|used to be)\b",
    r"昨[天日晚夜]|前天|上週|上個月|先前|日前|曾(?:經)?",
)
_LONG_AGO = any_of(r"\blast (?:week|month|quarter|year)\b|\b(?:weeks?|months?|years?) ago\b|上週|上個?月|去年")
_FELL = any_of(r"\b(?:dropp?ed|fell|down|decreased) from\b|\bpeaked\b|(?:降|減)(?:至|到)")
_IMPROVED = any_of(
    r"\b(?:errors?|error rate|latency|p9\d|failures?|timeouts?|throttl\w*)\b[^,;]{0,25}?"
    r"\b(?:fell|fallen|dropp\w+|decreas\w+|declin\w+|lower|improv\w+|below|stable|fine"
    r"|(?<!above )(?<!than )(?<!over )normal)\b",
    r"(?<!not )\b(?:improved|healthy)\b",
    r"(?:錯誤|延遲|逾時|失敗|節流)[^，。；]{0,8}?(?:下降|減少|降低|改善)|(?<!不)正常|改善",
)
_DENIED = any_of(
    r"\b(?:not|never|neither|nor|without|none)\b(?! (?:been )?(?:reloaded|ready|respond\w*|only))|n't\b(?! respond)",
    r"\bno (?:sign|signs|evidence|trace|longer)\b",
    r"\b(?:whether|may|might|could)\b|是否|可能",
    r"並未|並沒有|沒有(?!回應|重新)|並非|不是",
)
_CLAUSE_END = re.compile(r"[,;:()，、：]|\b(?:and|but|while|because|since|as|when)\b|但|而", re.IGNORECASE)
_DENIABLE = (Fact.HANG, Fact.THROTTLED, Fact.OOM_KILL, Fact.AT_MAXIMUM, Fact.OVERSIZED, Fact.STUCK_POD)
_MAY_IMPROVE = (Fact.RELEASE, Fact.THROTTLED)

_PRONOUNS = (
    r"(?:the|an?|its|their|this|that|these|each|every|all|it|they|which|who|now|currently|only|and|or|but|is|are|was|at"
    r"|in|on|of|to|by|with|has|have|had|been|being|deployments?|statefulsets?|daemonsets?|workloads?|services?|apps?"
    r"|applications?|pods?|containers?|process(?:es)?|instances?|workers?|replicas?|requests?|traffic|load|usage|limits?"
    r"|cpu|memory|mem|mi|gi|kubernetes|main|first|last|time|cores?|hpa|autoscaler|today|avg|average|over)"
)
_NAME = rf"(?<![\w-])(?!{_PRONOUNS}\b)(?P<name>[a-z][\w-]*)"
_OF = rf"(?:of|for|from|to) (?:the )?(?:(?:deployment|statefulset|service|app|container|sidecar) )?{_NAME}"
_OF_ANOTHER = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:replicas?|pods?|cpu(?: usage| utili[sz]ation)?|memory(?: usage)?|limits?|traffic) {_OF}",
        rf"{_NAME}(?:'s)? (?:has|have|had|runs?|runs? on|running|with|uses) (?:\w+ ){{0,2}}?\w+ replicas?\b",
        rf"{_NAME} (?:(?:was|is|got|were|has been|being) )+(?:oom|killed|throttled|over-?provisioned|out of memory)",
        rf"\b(?:container|sidecar) {_NAME} (?:has|was|is|got|uses|exceed\w*|of|in|with|at)\b",
        rf"\b(?:hpa|autoscaler) {_NAME} (?:is|has|at|reached|hit|cannot|wants)\b",
        r"\b(?P<name>canary|staging)\b",
        rf"{_NAME}'s (?:cpu|memory|limit|replicas|maximum)\b",
        r"(?P<name>(?!目前|現在|現有|服務|該服務|本服務|工作負載|部署|總共)[\u4e00-\u9fff]{2,8})(?<!目前)(?<!現在)有\s?\d+\s?個副本",
    )
)
_OWN = re.compile(r"x{3,}")


def is_doubtful(fact: Fact, sentence: str, start: int, end: int) -> bool:
    """Return whether a sentence says that a fact, worded from `start` to `end`, does not hold now."""
    if _OVER.search(sentence) or (_LONG_AGO if fact is Fact.RELEASE else _EARLIER).search(sentence):
        return True
    if fact is Fact.CPU_HIGH and _FELL.search(sentence):
        return True
    if fact in _MAY_IMPROVE and _IMPROVED.search(sentence):
        return True
    return fact in _DENIABLE and bool(_DENIED.search(_clause(sentence, start, end)))


def other_workload(sentence: str) -> str:
    """Return the name of another workload to which a sentence gives CPU, memory, limits or replicas; else empty.

    Args:
        sentence: A sentence in which the names of the workload itself are masked by `x`.
    """
    for pattern in _OF_ANOTHER:
        for match in pattern.finditer(sentence):
            if not _OWN.search(match["name"]):
                return match["name"]
    return ""


def _clause(sentence: str, start: int, end: int) -> str:
    first = max((each.end() for each in _CLAUSE_END.finditer(sentence[:start])), default=0)
    return sentence[first:end]
