"""The wordings of facts that commands depend on, in English and Chinese; each is matched within one sentence."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from openclaw_stream.arbitration.remedies.amounts import NOT_OF_REPLICAS


class Fact(Enum):
    """What a sentence, a label or a metric states about a workload.

    `REPLICAS`, `HPA_MAX`, `MEMORY_LIMIT` and `CPU_LIMIT` have a number: a count, bytes, cores.
    """

    REPLICAS = auto()
    AUTOSCALER = auto()
    VERTICAL_AUTOSCALER = auto()
    AT_MAXIMUM = auto()
    HPA_MAX = auto()
    CPU_HIGH = auto()
    CPU_LOW = auto()
    LOAD = auto()
    MEMORY_HIGH = auto()
    OOM_KILL = auto()
    MEMORY_LIMIT = auto()
    THROTTLED = auto()
    CPU_LIMIT = auto()
    DEPENDENCY = auto()
    QUEUE = auto()
    WAITING = auto()
    RELEASE = auto()
    MIGRATION = auto()
    HANG = auto()
    CRASH_LOOP = auto()
    MISSING_SETTING = auto()
    IMAGE_PULL = auto()
    PROBE = auto()
    STUCK_POD = auto()
    OVERSIZED = auto()
    NO_CHANGE = auto()
    NO_RESTART = auto()
    NO_UNDO = auto()
    NO_GROWTH = auto()
    NO_SCALE = auto()
    LASTING_CAUSE = auto()


@dataclass(frozen=True, slots=True)
class Wording:
    """A pattern of a fact; a sentence that matches `unless` states something else. Group `name`: whose fact it is."""

    fact: Fact
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None


def any_of(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern of alternatives, in any case."""
    return re.compile("|".join(f"(?:{each})" for each in alternatives), re.IGNORECASE)


_STORES = (
    r"postgres\w*|mysql|mariadb|mongo(?:db)?|redis|valkey|kafka|rabbitmq|elasticsearch|opensearch|cassandra|dynamodb"
    r"|memcached?|clickhouse|couchdb|neo4j|solr|databases?|sql|db"
)
_PROVIDERS = (
    r"stripe|paypal|adyen|braintree|klarna|twilio|sendgrid|mailgun|s3|sqs|sns|kinesis|bigquery|gcs|firebase|auth0|okta"
    r"|openai|cloudflare|akamai|github|slack|salesforce|shopify|ecpay|linepay|line pay"
)
_OTHERS = (
    r"upstreams?|downstreams?|third[- ]part(?:y|ies)|(?:external|remote) (?:apis?|services?|calls?)|providers?"
    r"|dependenc(?:y|ies)"
)
_OTHERS_ZH = r"上游|下游|第三方|外部(?:服務|系統| ?API)|供應商|服務商|相依(?:服務|系統)|依賴(?:服務|系統)|資料庫|金流"
_FAILS = (
    r"slow\w*|time[ds]?[ -]?outs?|tim(?:es|ed|ing) out|latency|unavailable|unreachable|down|refus\w+|locks?|locked"
    r"|gone|went away|wait(?:s|ing)?|lag\w*|fail\w*|errors?|degraded|overload\w*|outage|saturat\w+|exhaust\w+"
    r"|respon(?:ds?|ses?|ded|ding)|takes?|took|spen[dt]s?|\d ?m?s"
)
_FAILS_ZH = r"逾時|超時|變慢|緩慢|過慢|很慢|失敗|中斷|異常|等待|無法|錯誤|延遲|故障|不穩"
_RELEASE = r"rollout|roll-out|release|deploy|upgrade|update|version|revision|build|image"
_VERSION = r"v?\d+(?:\.\d+)+\S*|v\d+"
_ARTICLES = r"(?:the|an?|its|their|last|latest|new|this|that|recent|today'?s|yesterday'?s)"
_DEPLOYMENT = r"deployment(?=\s+(?:of|to|at|on|with|today|yesterday)\b|\s*(?:[,:(]|$))"
_NAMED = (
    r"(?:\s+v?\d[\w.-]*)?(?:\s+(?:of|to|with|on|at|by|in)\s+(?!prod|live|(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
    r"(?:the\s+)?(?P<name>[\w./:@+-]+))?"
)
_CONFIGURATION = r"config\w*|settings?|certificates?|secrets?|credentials?|tokens?"
_SETTINGS = (
    r"env(?:ironment)?(?: variables?| vars?)?|settings?|variables?|secrets?|config ?maps?|config(?:uration)?"
    r"|credentials?"
)

_OTHER_ACTIONS = (
    r"upload\w*|download\w*|resiz\w+|process\w*|bumps?|imports?|jobs?|notes|freeze|pipelines?|registry|servers?"
    r"|services?"
)
_OWN_CHANGE_ZH = r"(?<![自在於從次天日版本新成行經])(?<!本服務)(?<!該服務)(?<!x服務)(?<!x 服務)"
_COUNTED = (
    r"(?:the|an?|its|all|this|these|our|some|most|old|new|both|one|two|three|four|worker|web|http|main|request|of|and)"
)
_POOL_OF = r"(?!(?:service|deployment|app|application|pod|workload|container)s?\b)(?P<name>[a-z][\w-]*)"
_WHO = (
    rf"(?:(?:{_COUNTED} )*(?:(?!{_COUNTED}\b)(?P<name>[a-z][\w-]*) )?"
    r"(?:pods?|containers?|process(?:es)?|workers?|threads?|services?|applications?|apps?|instances?"
    r"|event ?loops?|goroutines?|consumers?|schedulers?|replicas?)|it|x{3,})"
)
_AUXILIARIES = (
    r"(?: (?:is|are|was|were|has|have|had|been|became|becomes?|appears?|went|now|all|completely|totally|of|in"
    r"|x{3,}\S*))*"
)
_WHO_ZH = (
    r"(?:(?:(?<![\u4e00-\u9fff])|(?<=的)|(?<=有)|(?<=部))(?:本|該|此)?(?:服務|應用程式|程式|程序|行程|執行緒|Pod|容器|副本)"
    r"|x{3,})"
)
_POOL = (
    rf"(?:(?:{_STORES}|connections?|threads?|workers?|executors?|jdbc|hikari(?:cp)?|http|clients?|sessions?|goroutines?)"
    r"[- ])+pools?"
)

_MACHINES = (
    r"nodes?|hosts?|servers?|vms?|machines?|instances?|hypervisors?|devices?|firewalls?|switch(?:es)?|routers?|esxi|rds"
)
OF_OTHERS = any_of(
    rf"\b(?:{_MACHINES})(?:'s)?(?: [\w`'-]+){{0,6}} (?:cpu|memory|mem)\b",
    rf"\b(?:cpu|memory|mem)\b(?: \w+){{0,2}} (?:of|on) (?:the |a )?(?:{_MACHINES})\b",
    r"\bcpu (?:steal|iowait|temperature|request)\b|\b(?:iowait|bots?|scrap(?:er|ers|ing)|crawlers?)\b",
    r"\b(?:of|its|the|cpu|memory) requests?\b",
    r"\b(?:gpu|shared memory|page cache|/dev/shm)\b|/dev/shm\b",
    r"\b(?:quota|overcommit\w*|allocatable|cluster|credits|load average|load per (?:core|cpu))\b",
    r"\b(?:heap|jvm|gc|virtual memory)\b|\b(?:cpu|memory) requests\b",
    rf"\b(?:{_STORES})\b",
    r"節點|主機|配額|交換器|防火牆|路由器|資料庫|堆積記憶體",
)
"""CPU, memory and load that are not the container's: of machines, runtimes and data stores, or promised to others."""

_OF_DATABASES = any_of(
    r"\b(?:postgres\w*|mysql|mariadb|innodb|sql|databases?|db|transactions?|quer(?:y|ies)|tables?|rows?)\b",
    r"資料庫|交易|查詢",
)
_OF_MACHINES = any_of(
    r"\b(?:full gc|gc pauses?|leader election|failover)\b|\bfor \d+ ?(?:ms|s|sec\w*)\b",
    r"\b(?:nodes?|hosts?|terminating|browsers?|ios|android|disks?|nfs|mounts?|kernel)\b|節點|主機",
    r"\boffsets?\b|位移",
    r"\b(?:buttons?|forms?|pages?|screens?|tabs?|ui|gui|elevators?|printers?)\b|按鈕|頁面|畫面|表單",
)
"""What hangs on a machine, in a browser or at one record, where a restart of the workload does not help."""


WORDINGS: tuple[Wording, ...] = (
    Wording(
        Fact.AUTOSCALER,
        any_of(
            r"\bhpas?\b",
            r"\bhorizontal ?pod ?auto ?scal\w+",
            r"(?<!cluster )(?<!cluster-)\bauto-?scal(?:er|ers|ing|ed)\b",
            r"\b(?:min|max)_?replicas\b|\bmax(?:imum)?[ :=]+\d+\)",
            r"\bkeda\b|\bscaled ?objects?\b|\bvpa\b|\bvertical ?pod ?auto ?scal\w+",
            r"自動(?:水平)?(?:擴縮|擴展|伸縮|調整規模)",
        ),
        any_of(r"\bcluster[- ]?autoscal\w+|叢集自動"),
    ),
    Wording(Fact.VERTICAL_AUTOSCALER, any_of(r"\bvpa\b|\bvertical ?pod ?auto ?scal\w+|垂直(?:自動)?(?:擴縮|擴展)")),
    Wording(
        Fact.AT_MAXIMUM,
        any_of(
            r"\bmaxed ?out\b",
            r"\b(?:at|reached|hit|to) (?:its |the |their )?max(?:imum)?\b",
            r"\bmax(?:imum)?\b.{0,30}\breached\b",
            r"(?:已達|達到|到達|達)(?:其|了)?(?:副本)?(?:最大|上限)|上限已滿",
        ),
        NOT_OF_REPLICAS,
    ),
    Wording(
        Fact.THROTTLED,
        any_of(
            r"\b(?:cpu|cfs)\b.{0,40}?throttl\w*",
            r"throttl\w*[^:;,]{0,40}?\bcpu\b",
            r"\bprocess(?:es)? (?:is|are|was|were) throttled\b",
            r"CPU.{0,12}?(?:節流|限速|受限|被限制)",
        ),
        OF_OTHERS,
    ),
    Wording(
        Fact.OOM_KILL,
        any_of(
            r"\boom\b(?:[- ]?kill\w*)?|\boom[- ]?kill\w*|\bout[- ]?of[- ]?memory\b",
            r"\bexit(?:ed)?(?: with)?(?: code)? 137\b",
            r"\bkilled\b.{0,30}\b(?:memory|more than \d+(?:\.\d+)? ?[KMGT]i?B?)\b",
            r"記憶體不足.{0,8}?(?:終止|強制|砍|重啟)|記憶體用盡",
        ),
        any_of(rf"\b(?:nodes?|hosts?|kernel|heap|java|system memory|{_STORES})\b|節點|主機"),
    ),
    Wording(
        Fact.DEPENDENCY,
        any_of(
            rf"\b(?:{_STORES}|{_PROVIDERS}|{_OTHERS})\b.{{0,60}}?\b(?:{_FAILS})\b",
            rf"\b(?:{_FAILS})\b.{{0,60}}?\b(?:{_STORES}|{_PROVIDERS}|{_OTHERS})\b",
            rf"(?:{_OTHERS_ZH}).{{0,20}}?(?:{_FAILS_ZH})|(?:{_FAILS_ZH}).{{0,20}}?(?:{_OTHERS_ZH})",
            rf"\b(?:{_STORES}|{_PROVIDERS})(?![A-Za-z]).{{0,20}}?(?:{_FAILS_ZH})",
            rf"(?:{_FAILS_ZH}).{{0,20}}?(?<![A-Za-z])(?:{_STORES}|{_PROVIDERS})(?![A-Za-z])",
            rf"(?:秒|時間)(?:都|是)?花在.{{0,12}}?(?:{_OTHERS_ZH}|{_STORES}|{_PROVIDERS})",
        ),
    ),
    Wording(
        Fact.DEPENDENCY,
        any_of(
            r"\b(?:calls?|requests?|connections?|quer(?:y|ies)|lookups?)"
            rf" (?:to|from|against|into) (?:the )?(?P<name>[a-z][\w.-]*)(?= ).{{0,40}}?\b(?:{_FAILS})\b"
        ),
    ),
    Wording(
        Fact.DEPENDENCY,
        any_of(
            r"\b(?:waiting|waits?|blocked) (?:for|on) (?:the |an? )?(?P<name>[a-z][\w.-]*)",
        ),
        any_of(
            r"\b(?:for|on) (?:the |an? )?(?:\w+ )?(?:locks?|mutex\w*|monitors?|cpu|gc|themselves|itself|each other)\b"
        ),
    ),
    Wording(
        Fact.DEPENDENCY,
        any_of(
            r"\bstuck (?:in|on|while|reading|writing|calling)\b.{0,30}?\b"
            r"(?:calls?|calling|read\w*|request|response|socket\w*|connect\w*)\b"
            r"(?:.{0,12}?\b(?:to|from) (?:the )?(?P<name>[a-z][\w.-]*))?",
            r"\blocks? (?:held|taken|owned) by (?:the )?(?:[a-z][\w.-]*)",
        ),
    ),
    Wording(
        Fact.QUEUE,
        any_of(
            r"\b(?:queues?|queued|queueing|queuing|backlogs?|consumer ?lag|message ?lag)\b",
            r"積壓|佇列|隊列|堆積|排隊|消費(?:者)?(?:延遲|落後)",
        ),
    ),
    Wording(
        Fact.RELEASE,
        any_of(
            r"\b(?:since|after|following)\s+"
            rf"(?:{_ARTICLES}\s+)*(?:(?:{_RELEASE})\b|{_DEPLOYMENT})(?!\s+(?:{_OTHER_ACTIONS})\b)"
            rf"{_NAMED}(?!\s+(?:of\s+)?(?:{_CONFIGURATION}))"
        ),
        any_of(r"\bterminating\b"),
    ),
    Wording(
        Fact.RELEASE,
        any_of(
            r"\b(?:introduced|regress\w*|started|began|broken?)\s+(?:in|with|by)\s+"
            rf"(?:{_ARTICLES}\s+)*(?:(?:{_RELEASE})\b|{_VERSION}){_NAMED}"
        ),
    ),
    Wording(
        Fact.RELEASE,
        any_of(
            r"(?:(?<![\w-])(?P<name>[A-Za-z][\w-]{0,62})\s*)?(?:v?\d+(?:\.\d+)+\S{0,12}?\s*)?(?:版本?)?\s?"
            r"(?:上版|換版|改版|上線|部署|發布|發佈|升級|更新|釋出)"
            r"(?:(?:到|至|為)?\s*v?\d+(?:\.\d+)*)?\s?(?:新版本?)?(?:之後|以後|後|以來|起)"
        ),
        any_of(
            rf"(?<=[\u4e00-\u9fff]){_OWN_CHANGE_ZH}(?:上版|換版|改版|上線|部署|發布|發佈|升級|更新|釋出)[^，。；]{{0,12}}?(?:後|以來|起)",
            r"(?:資料庫|節點|叢集|核心|作業系統|設定|組態|憑證|密鑰|金鑰|快取)[^，。；]{0,6}(?:升級|更新|部署|上線)",
        ),
    ),
    Wording(Fact.MIGRATION, any_of(r"\bmigrat\w+|\bschema changes?\b|遷移|結構變更|結構異動")),
    Wording(
        Fact.HANG,
        any_of(r"\bdead-?lock(?:ed|s)?\b(?! (?:found|victim|detect(?:or|ion)))|死鎖|死結"),
        _OF_DATABASES,
    ),
    Wording(
        Fact.HANG,
        any_of(
            rf"\b{_WHO}{_AUXILIARIES} (?:hung|hangs|hanging|frozen|wedged|unresponsive|stopped responding)\b",
            r"\b(?:threads?|process(?:es)?|workers?|event ?loop|goroutines?|consumers?)"
            r" (?:(?:is|are|was|were|has been|have been) )?(?:\w+ )?stuck\b",
            rf"{_WHO_ZH}[^，。；：、]{{0,4}}?(?:卡死|卡住不動|當住|無回應|沒有回應|停止回應|不再回應)",
        ),
        _OF_MACHINES,
    ),
    Wording(
        Fact.HANG,
        any_of(
            r"\b(?:memory|heap|connections?|handles?|descriptors?|fds?|threads?|goroutines?|sockets?)"
            r"\b.{0,20}?\bleak(?:s|ed|ing|age)?\b(?: in (?!(?:the|an?|its|v\d\S*|version)\b)(?P<name>[a-z][\w-]*))?",
            r"\bleak(?:s|ed|ing)?\b.{0,20}?\b(?:memory|heap|connections?|handles?|descriptors?|threads?|goroutines?|sockets?)\b",
            r"(?:記憶體|連線|執行緒|控制代碼|檔案描述).{0,6}?(?:洩漏|洩露|外洩)",
        ),
        _OF_MACHINES,
    ),
    Wording(
        Fact.HANG,
        any_of(
            rf"\b{_POOL}(?: (?:of|for) (?:the )?{_POOL_OF})?\b.{{0,30}}?"
            r"\b(?:exhausted|full|drained|depleted|used up)\b",
            rf"\bexhaust\w*.{{0,30}}?\b{_POOL}",
            r"(?:連線池|執行緒池|連接池).{0,8}?(?:耗盡|用盡|用完|用光|已滿|滿載)",
        ),
        any_of(
            r"\b(?:ip|node|address|storage|ceph|disk|zfs|buffer)[- ]?pools?\b|\b(?:nearly|almost) (?:full|exhausted)\b",
            r"\b(?:too many|traffic|bursts?|spikes?|backlog|because|due to|by|storms?)\b|流量|請求過多|因為",
        ),
    ),
    Wording(
        Fact.HANG,
        any_of(
            rf"\bstale (?:{_CONFIGURATION}|dns)",
            rf"\b(?:still|keeps?) us(?:es|ing) (?:the |an? )?(?:old|previous|expired|outdated) (?:{_CONFIGURATION})",
            rf"\b(?:{_CONFIGURATION})\b.{{0,30}}?\b(?:not|never) (?:been )?reloaded\b",
            r"(?:仍|還在|仍在)使用舊的?(?:設定|憑證|密鑰|金鑰|組態)|(?:設定|憑證|組態).{0,6}?(?:未|沒有)重新載入",
        ),
        any_of(r"\b(?:cdn|browsers?|users|clients?)\b"),
    ),
    Wording(
        Fact.CRASH_LOOP,
        any_of(
            r"\bcrash[- ]?loop\w*|\bcrash loop\w*|\bback-?off restarting\b",
            r"\b(?:keeps?|kept) (?:crashing|restarting|dying)\b",
            r"\brestart(?:ed|s|ing)? (?:\d+|two|three|four|five|six|seven|eight|nine|ten) times\b",
            r"\b(?:too many|frequent|repeated|constant|\d+) (?:container |pod )?restarts\b",
            r"\brestart(?:s|ed|ing)? (?:repeatedly|frequently|constantly|too)\b",
            r"(?:反覆|不斷|持續|一直|頻繁)(?:重新啟動|重啟|崩潰|當機)|重啟\s*\d+\s*次|崩潰循環",
        ),
    ),
    Wording(
        Fact.MISSING_SETTING,
        any_of(
            r"\bcreate ?container ?config ?error\b",
            rf"\b(?:missing|unset|undefined) (?:\w+ )?(?:{_SETTINGS}|keys?|files?)\b",
            rf"\b(?:{_SETTINGS})\b.{{0,50}}?"
            r"\b(?:not found|missing|does not exist|(?:is|are) not set|undefined|absent)\b",
            r"缺少.{0,12}?(?:設定|環境變數|變數|密鑰|金鑰|Secret|ConfigMap|組態)",
            r"(?:設定|環境變數|Secret|ConfigMap|密鑰|金鑰).{0,16}?(?:不存在|未設定|遺失|找不到|缺少)",
        ),
        any_of(r"\b(?:i18n|l10n|locales?|translat\w+)\b|翻譯|語系"),
    ),
    Wording(
        Fact.IMAGE_PULL,
        any_of(
            r"\bimage ?pull ?back ?off\b|\berr ?image ?pull\b|\binvalid ?image ?name\b|\bmanifest unknown\b",
            r"\b(?:fail\w*|cannot|could not|unable|error)\b.{0,20}?\bpull\w*\b.{0,30}?\bimage\b",
            r"\bimages?\b.{0,40}?\b(?:not found|cannot be pulled|could not be pulled|pull (?:fail\w*|error))\b",
            r"(?:拉取|下載).{0,8}?(?:映像|鏡像).{0,8}?(?:失敗|錯誤)|(?:映像檔?|鏡像).{0,10}?(?:拉取失敗|不存在|找不到)",
        ),
    ),
    Wording(
        Fact.PROBE,
        any_of(
            r"\b(?:liveness|startup|readiness) probes?\b.{0,40}?\b(?:fail\w*|time[sd]? out|refused)\b",
            r"\bfail\w*\b.{0,20}?\b(?:liveness|startup|readiness) probes?\b",
            r"(?:存活|啟動|就緒)探針.{0,8}?(?:失敗|逾時)",
        ),
    ),
    Wording(
        Fact.STUCK_POD,
        any_of(
            r"\bstuck (?:in )?(?:the )?terminating\b|\bterminating for (?:\d+ ?(?:m|h|d)|over|more than|hours|minutes)",
            r"\bpod\b[^,;]{0,60}?\b(?:nodes?|hosts?)\b(?:(?!\bnode).){0,40}?"
            r"\b(?:lost|unreachable|not ?ready|gone|down|dead)\b",
            r"\bpod\b.{0,60}?\b(?:lost|unreachable|dead) (?:node|host)\b",
            r"\bpod\b.{0,40}?\b(?:hung|hangs|frozen|wedged|unresponsive|dead-?locked)\b",
            r"卡在\s?(?:Terminating|終止)|Pod.{0,20}?(?:節點|主機).{0,12}?(?:失聯|失去|無法連線|故障|離線|NotReady)",
            r"Pod.{0,12}?(?:卡死|當住|無回應|沒有回應|死鎖)",
        ),
    ),
    Wording(
        Fact.OVERSIZED,
        any_of(
            r"\bover-?provision\w*|\boversized\b|\bunder-?util\w+|\bunneeded\b",
            r"\btoo many replicas\b|\b(?:unused|idle) (?:replicas|capacity|pods)\b",
            r"過度配置|配置過多|過量配置|資源閒置|副本過多|多餘的副本",
        ),
    ),
)

OWN_POOL = any_of(
    rf"\b(?:(?:{_STORES}|jdbc|hikari(?:cp)?|http|thread|worker)[- ])?(?:connection[- ])?pools?\b"
    r"|(?:資料庫)?(?:連線池|連接池)"
)
"""The workload's own pool of connections, whatever they lead to."""


def matches(sentence: str, wordings: Iterable[Wording] = WORDINGS) -> Iterable[tuple[Fact, re.Match[str]]]:
    """Yield the facts that a sentence words, with their matches; at most one per wording."""
    for wording in wordings:
        if wording.unless and wording.unless.search(sentence):
            continue
        if match := wording.pattern.search(sentence):
            yield wording.fact, match
