"""Numbers in a sentence: replicas, the maximum of an autoscaler, limits of memory and CPU, and directions."""

import re
from collections.abc import Iterator

_BYTES = {
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}
_WORDS = {
    word: number
    for number, words in enumerate(
        ("one", "two 兩 二", "three 三", "four 四", "five 五", "six 六", "seven 七", "eight 八", "nine 九", "ten 十"),
        start=1,
    )
    for word in words.split()
}
_COUNT = rf"(?<![\w./-])(?:\d{{1,4}}(?![\d.]*\d)|{'|'.join(_WORDS)})"
_SIZE = r"(?<![\w.])(?:\d{1,15}(?:\.\d{1,3})?) ?(?:[KMGT]i?B?)(?![A-Za-z0-9])"
_CORES = r"(?<![\w.])(?:\d{1,6}m(?![A-Za-z0-9])|\d{1,3}(?:\.\d{1,3})? ?(?:v?cpus?|cores?|核心?|顆核心)(?![A-Za-z]))"
_PLAIN_CORES = r"(?<![\w.])\d{1,3}(?:\.\d{1,3})?(?![\w%.]| ?%)"
_IS = r"(?:\s?(?:is|was|of|at|to|set|only|:|=|為|是|僅|只有|設為|\uff1a))*\s?"

_REPLICAS = re.compile(
    rf"(?:(?:\d{{1,4}}|{'|'.join(_WORDS)})(?P<part>\s?(?:/|of(?: the)?)\s?))?(?P<count>(?<=/)\d{{1,4}}|{_COUNT})\s?"
    r"(?:(?:current(?:ly running)?|running|desired|serving|existing)\s)?(?:replicas?\b(?! sets?)|個副本)"
    rf"|\breplicas?{_IS}(?P<after>{_COUNT})(?!\s?(?:%|ms|s\b))"
    rf"|副本數?(?:目前)?{_IS}(?P<zh>{_COUNT})"
    rf"|\ball (?P<pods>{_COUNT}) pods\b",
    re.IGNORECASE,
)
_NOT_CURRENT_BEFORE = re.compile(
    r"(?:\b(?:max(?:imum)?|min(?:imum)?|limit|at least|at most|up to|needs?|wants?|missing|lost|lacks?|another|extra"
    r"|additional|read|database|db|redis|in-sync|to|from|between|and|only)|上限|最多|至少|最大|最小|需要|缺少|少了|增加到|擴充為)"
    r"(?: (?:of|is|number of))?\s?$",
    re.IGNORECASE,
)
_NOT_CURRENT_AFTER = re.compile(
    r"^\s?(?:more|sets?\b|\(s\)|per\b|in (?:each|every)\b"
    r"|(?:is|are|were|was|have|has)? ?(?:not|un\w+|missing|lost|down|fail\w*|crash\w*|offline|lag\w*)"
    r"|無法|不可用|異常|失敗|未就緒)",
    re.IGNORECASE,
)
_OF_REPLICAS = r"(?: (?:replicas?|replica count|number of replicas|count|size|pods))?"
_HPA_MAX = re.compile(
    rf"\bmax(?:imum|replicas)?{_OF_REPLICAS}{_IS}(?P<en>{_COUNT})(?! ?%|[A-Za-z])"
    rf"|(?:上限|最大(?:副本)?數?|最多){_IS}(?P<zh>{_COUNT})(?! ?%|[A-Za-z])",
    re.IGNORECASE,
)
NOT_OF_REPLICAS = re.compile(
    r"\b(?:disk|connections?|sessions?|threads?|storage|queue|pool|rate|bandwidth|size|requests?|files?|volumes?)\b"
    r"|\d ?[KMGT]i?B\b|連線|磁碟|儲存|佇列|頻寬",
    re.IGNORECASE,
)
"""What a maximum may be of, other than replicas."""
_LIMIT = r"(?:memory |mem |container |hard |cgroup )*limit"
_MEMORY_LIMIT = re.compile(
    rf"\blimits?{_IS}(?P<after>{_SIZE})|(?P<before>{_SIZE})\s(?:{_LIMIT})"
    rf"|(?:{_SIZE}|\d{{1,3}}(?:\.\d+)? ?%)\s?(?:/|of(?: its| the)?)\s?(?P<whole>{_SIZE})"
    rf"|\bof its (?P<its>{_SIZE})|\bkilled\b.{{0,20}}?\bmore than (?P<more>{_SIZE})"
    rf"|(?:上限|限制){_IS}(?P<zh>{_SIZE})|(?P<zh_before>{_SIZE})\s?的?(?:記憶體)?(?:上限|限制)",
    re.IGNORECASE,
)
_ABOUT_MEMORY = re.compile(
    r"\b(?:memory|mem|oom\w*|rss)\b|oomkill|記憶體|(?<=\d)\s?[KMGT]iB?(?![A-Za-z])", re.IGNORECASE
)
_NOT_OF_CONTAINER = re.compile(
    r"\b(?:disk|storage|volume|body|bodies|upload|payload|file|message|heap|jvm|xmx|nodes?|hosts?"
    r"|quota|limit ?range|gpu|shm|cache)\b"
    r"|磁碟|儲存|節點|主機|配額|堆積記憶體",
    re.IGNORECASE,
)
_CPU_LIMIT = re.compile(
    rf"\bcpu limits?{_IS}(?P<cpu>{_CORES}|{_PLAIN_CORES})|\blimits?{_IS}(?P<after>{_CORES})"
    rf"|(?P<before>{_CORES})\s(?:cpu )?limit|CPU\s?(?:的)?(?:上限|限制){_IS}(?P<zh>{_CORES}|{_PLAIN_CORES})",
    re.IGNORECASE,
)
_PERCENT = r"(?P<{0}>\d{{1,3}}(?:\.\d{{1,3}})?) ?%"

_HIGH = (
    r"\b(?:high|higher|highest|saturat\w*|exhaust\w*|maxed|pegged|spik\w+|surg\w+|overload\w*|above|exceed\w*|exceeds"
    r"|(?<!runs )(?<!run )(?<!goes )(?<!flows )over"
    r"|hot|full|rising|rise|rises|rose|risen|climb\w*|short|starv\w*|bound|increas\w+|grow\w*|grew"
    r"|doubl\w+|tripl\w+|jump\w*|heavy|peak\w*|up|excessive|elevated|critical|near|close to|approach\w*|too much|out of"
    r"|at (?:its |the )?(?:limit|maximum))\b"
    r"|過高|偏高|飆\w|居高不下|滿載|飽和|不足|吃緊|耗盡|用盡|用滿|超過|高於|超出|升高|上升|增加|成長|攀升"
    r"|暴增|激增|突增|爆量|倍|湧入|尖峰|達到上限|接近上限|高(?=\s?(?:CPU|流量|負載))"
)
_LOW = (
    r"\b(?:low|lower|lowest|idle|normal|below|under|only|barely|flat|unused|underus\w+|underutili\w+|less|fell|dropp\w+"
    r"|drop|decreas\w+|unchanged|steady|stable|fine|healthy|ok)\b"
    r"|偏低|過低|很低|低於|閒置|正常|不高|平穩|穩定|下降|減少|驟降|降低|僅|只有|低(?=\s?(?:CPU|流量|負載))"
)
_DIRECTION = re.compile(rf"(?P<high>{_HIGH})|(?P<low>{_LOW})", re.IGNORECASE)
_FLIPPED = re.compile(r"(?:\b(?:not|isn't|wasn't|never|no|no longer)\s(?:\w+\s)?|並未|沒有|並不|未)$", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[,;:()，；、：]|\b(?:and|but|while|whereas|although|because|since|which)\b|但|而|且|因為")
_BEYOND = re.compile(r"\b(?:above|over|exceed\w*|more than)\b|[>＞]|超過|高於|超出", re.IGNORECASE)  # noqa: RUF001 - full width
_BENEATH = re.compile(r"\b(?:below|under|less than)\b|[<＜]|低於|不到", re.IGNORECASE)  # noqa: RUF001 - full width
_REACH = 45
"""How far from a noun, in characters, its direction may stand."""


def replicas(sentence: str) -> Iterator[int]:
    """Yield the replicas that a sentence says a workload has, not the ones that it lacks, wants or may have at most."""
    for match in _REPLICAS.finditer(sentence):
        number = next(text for text in (match["count"], match["after"], match["zh"], match["pods"]) if text)
        if _NOT_CURRENT_BEFORE.search(sentence[: match.start()]):
            continue
        if not match["part"] and _NOT_CURRENT_AFTER.match(sentence[match.end() :]):
            continue
        yield _count(number)


def hpa_maximum(sentence: str) -> Iterator[int]:
    """Yield the maximum of an autoscaler that a sentence states."""
    if NOT_OF_REPLICAS.search(sentence):
        return
    for match in _HPA_MAX.finditer(sentence):
        yield _count(match["en"] or match["zh"])


def memory_limits(sentence: str) -> Iterator[float]:
    """Yield the memory limits of a container that a sentence states, in bytes."""
    if _ABOUT_MEMORY.search(sentence) and not _NOT_OF_CONTAINER.search(sentence):
        for match in _MEMORY_LIMIT.finditer(sentence):
            yield _bytes(next(filter(None, match.groups())))


def cpu_limits(sentence: str) -> Iterator[float]:
    """Yield the CPU limits of a container that a sentence states, in cores."""
    if not re.search(r"cpu|throttl|\bcores?\b|\d ?核", sentence, re.IGNORECASE) or _NOT_OF_CONTAINER.search(sentence):
        return
    for match in _CPU_LIMIT.finditer(sentence):
        yield _cores(next(filter(None, match.groups())))


def percent_of(noun: str, sentence: str) -> tuple[float, int] | None:
    """Return a percentage of what a noun (a pattern) names, and 1 or -1 where it is exceeded or fallen short of."""
    after, before = (_PERCENT.format(group) for group in ("after", "before"))
    pattern = rf"(?:{noun})[^%\d]{{0,40}}?{after}|{before} ?(?:of )?(?:its |their |the |all )?(?:{noun})"
    match = re.search(pattern, sentence, re.IGNORECASE)
    if match is None:
        return None
    beyond, beneath = _BEYOND.search(match[0]), _BENEATH.search(match[0])
    return float(match["after"] or match["before"]), bool(beyond) - bool(beneath)


def direction_of(noun: str, sentence: str) -> int:
    """Return 1 where a sentence says that what a noun (a pattern) names is high or rises, -1 for low, else 0."""
    for match in re.finditer(noun, sentence, re.IGNORECASE):
        after = _clause_after(sentence[match.end() : match.end() + _REACH])
        before = sentence[max(0, match.start() - _REACH) : match.start()]
        before = before[max((end.end() for end in _CLAUSE_END.finditer(before)), default=0) :]
        if found := _first_direction(after) or _last_direction(before):
            return found
    return 0


def _clause_after(text: str) -> str:
    end = _CLAUSE_END.search(text)
    return text[: end.start()] if end else text


def _first_direction(text: str) -> int:
    match = _DIRECTION.search(text)
    return _sign(match, text) if match else 0


def _last_direction(text: str) -> int:
    found = list(_DIRECTION.finditer(text))
    return _sign(found[-1], text) if found else 0


def _sign(match: re.Match[str], text: str) -> int:
    sign = 1 if match["high"] else -1
    return -sign if _FLIPPED.search(text[: match.start()]) else sign


def _count(text: str) -> int:
    return _WORDS.get(text.lower()) or int(text)


def _bytes(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+) ?([A-Za-z]+)", text).groups()  # type: ignore[union-attr]
    return float(number) * _BYTES[unit.lower().removesuffix("b")]


def _cores(text: str) -> float:
    if text.endswith(("m", "M")):
        return int(text[:-1]) / 1000
    return float(re.match(r"[\d.]+", text)[0])  # type: ignore[index]
