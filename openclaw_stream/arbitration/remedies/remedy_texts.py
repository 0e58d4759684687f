"""The texts of remedies in each language."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from openclaw_stream.arbitration.remedies.command_evidence import Quote
from openclaw_stream.arbitration.remedies.statements import quotable
from openclaw_stream.vocabulary import Language

_ALERT_MAX = 60
_FIELD_MAX = 40


class Ground(Enum):
    """Why the evidence asks for a command; the value names the phrase."""

    CPU = "cpu"
    LOAD = "load"
    REPLICAS = "replicas"
    NO_AUTOSCALER = "no_autoscaler"
    OVERSIZED = "oversized"
    MEMORY = "memory"
    OOM_KILL = "oom_kill"
    MEMORY_LIMIT = "memory_limit"
    THROTTLED = "throttled"
    CPU_LIMIT = "cpu_limit"
    AT_MAXIMUM = "at_maximum"
    HPA_MAX = "hpa_max"
    RELEASE = "release"
    HANG = "hang"
    STUCK_POD = "stuck_pod"


@dataclass(frozen=True, slots=True)
class RemedyTexts:
    """Phrases: `reasons` are clauses; `{target}` is a workload, and the advice asks for what the alerts lack.

    `{spaced_alert}` is the alert's name, with a blank behind it if it is ASCII: Chinese has no blank between its words.
    """

    reasons: dict[Ground, str]
    clause_separator: str
    sentence: str
    sentence_with_quote: str
    separator: str
    quote: str
    quote_of_signals: str
    fields: dict[str, str]
    other_field: str
    downtime_none: str
    downtime_rolling: str
    downtime_pod: str
    scale: str
    scale_managed: str
    memory_limit: str
    cpu_limit: str
    hpa: str
    crash_loop: str
    missing_setting: str
    image_pull: str
    dependency: str
    release: str
    hang: str


TEXTS = {
    Language.EN: RemedyTexts(
        reasons={
            Ground.CPU: "the workload itself is short of CPU",
            Ground.LOAD: "the workload's own load has risen",
            Ground.REPLICAS: "current replicas",
            Ground.NO_AUTOSCALER: "no alert names an autoscaler",
            Ground.OVERSIZED: "the workload has more than it needs",
            Ground.MEMORY: "memory is short",
            Ground.OOM_KILL: "it was killed for lack of memory",
            Ground.MEMORY_LIMIT: "current memory limit",
            Ground.THROTTLED: "its CPU is throttled",
            Ground.CPU_LIMIT: "current CPU limit",
            Ground.AT_MAXIMUM: "the autoscaler is at its maximum",
            Ground.HPA_MAX: "current maximum",
            Ground.RELEASE: "the trouble began with a release",
            Ground.HANG: "a restart clears this state for a time",
            Ground.STUCK_POD: "this one pod is stuck, and its controller replaces it",
        },
        clause_separator="; ",
        sentence="{clauses}.",
        sentence_with_quote="{clauses}: {quote}.",
        separator=" ",
        quote="“{text}” ({field} of {alert})",
        quote_of_signals="“{text}” (golden signals)",
        fields={"alert name": "name"},
        other_field="{field}",
        downtime_none="none",
        downtime_rolling="none with several replicas; pods restart one by one",
        downtime_pod="until the pod has been replaced",
        scale=(
            "More replicas may help: before you scale {target} out, look up its current replicas, whether an autoscaler"
            " manages them, and whether the databases and services that it calls can take more."
        ),
        scale_managed="An autoscaler manages {target}: look up its bounds, and change these instead of the replicas.",
        memory_limit=(
            "Look up the memory limit of the container in {target}, and whether usage grows without more load (a leak),"
            " before you raise it, by half at first."
        ),
        cpu_limit="Look up the CPU limit of the container in {target} before you raise it, by half at first.",
        hpa=(
            "Look up the maximum of the autoscaler of {target}, the free capacity of the cluster, and whether the"
            " databases and services that {target} calls can take more; then raise it."
        ),
        crash_loop=(
            "A restart does not cure a crash loop: read the log of the container that ended last, its exit code and the"
            " events of the pod first."
        ),
        missing_setting=(
            "A restart does not help while the setting is missing: supply the ConfigMap, Secret or variable first."
        ),
        image_pull="A restart does not help while the image cannot be pulled: first remove what the pod's events name.",
        dependency="The cause lies in what {target} calls: more CPU or replicas, or a restart, would not cure it.",
        release="Before you roll {target} back, look up what else the release changed, such as schemas and settings.",
        hang="Before you restart {target}, save a thread or heap dump: a restart removes the trace of the cause.",
    ),
    Language.ZH_TW: RemedyTexts(
        reasons={
            Ground.CPU: "工作負載本身 CPU 不足",
            Ground.LOAD: "工作負載本身的流量增加",
            Ground.REPLICAS: "目前副本數",
            Ground.NO_AUTOSCALER: "告警中沒有提到自動擴縮",
            Ground.OVERSIZED: "資源多於所需",
            Ground.MEMORY: "記憶體不足",
            Ground.OOM_KILL: "因記憶體不足被終止",
            Ground.MEMORY_LIMIT: "目前的記憶體上限",
            Ground.THROTTLED: "CPU 受到節流",
            Ground.CPU_LIMIT: "目前的 CPU 上限",
            Ground.AT_MAXIMUM: "自動擴縮已達上限",
            Ground.HPA_MAX: "目前的最大副本數",
            Ground.RELEASE: "問題自上版後開始",
            Ground.HANG: "重啟可暫時排除此狀態",
            Ground.STUCK_POD: "只有這個 Pod 卡住，控制器會補上新的 Pod",
        },
        clause_separator="，",
        sentence="{clauses}。",
        sentence_with_quote="{clauses}：{quote}。",
        separator="",
        quote="「{text}」（{spaced_alert}的{field}）",
        quote_of_signals="「{text}」（黃金訊號）",
        fields={"alert name": "名稱", "metrics": "指標", "message": "訊息", "summary": "摘要", "description": "說明"},
        other_field=" {field}",
        downtime_none="無",
        downtime_rolling="有多個副本時不中斷；Pod 逐一重啟",
        downtime_pod="直到新的 Pod 就緒為止",
        scale=(
            "增加副本或許有幫助：擴充前，請先查明 {target} 目前的副本數、是否由自動擴縮管理，以及它所呼叫的資料庫與服務"
            "能否承受更多副本。"
        ),
        scale_managed="{target} 由自動擴縮管理：請先查明其上下限再調整，不要直接修改副本數。",
        memory_limit=(
            "提高之前，請先查明 {target} 中該容器目前的記憶體上限，"
            "以及用量是否在負載未增加時持續上升（洩漏）；可先提高一半。"
        ),
        cpu_limit="提高之前，請先查明 {target} 中該容器目前的 CPU 上限；可先提高一半。",
        hpa=(
            "提高之前，請先查明 {target} 的自動擴縮目前的最大副本數、叢集是否還有容量，"
            "以及它所呼叫的資料庫與服務能否承受更多副本。"
        ),
        crash_loop="重啟無法排除反覆崩潰：請先查看上一個容器的日誌、結束代碼，以及該 Pod 的事件。",
        missing_setting="設定補齊之前重啟沒有幫助：請先補上缺少的 ConfigMap、Secret 或環境變數。",
        image_pull="無法拉取映像檔時重啟沒有幫助：請先排除 Pod 事件中所述的原因。",
        dependency="原因在 {target} 所呼叫的對象：增加 CPU、副本或重啟都無法排除。",
        release="將 {target} 退回前一版之前，請先查明該次上版還變更了什麼，例如資料表結構與設定。",
        hang="重啟 {target} 之前，請先保存執行緒或記憶體傾印：重啟後原因就無從追查。",
    ),
}


def reason_text(grounds: Iterable[tuple[Ground, Quote | None]], language: Language) -> str:
    """Return the reason for a command: one sentence for each quote in “…” or 「…」, with what it shows."""
    texts = TEXTS[language]
    clauses: dict[str, list[str]] = {}
    for ground, quote in grounds:
        clauses.setdefault(_quote_text(quote, texts) if quote else "", []).append(texts.reasons[ground])
    return texts.separator.join(_sentence(quote, found, texts) for quote, found in clauses.items())


def _sentence(quote: str, clauses: list[str], texts: RemedyTexts) -> str:
    joined = texts.clause_separator.join(clauses)
    template = texts.sentence_with_quote if quote else texts.sentence
    return template.format(clauses=joined[0].upper() + joined[1:], quote=quote)


def _quote_text(quote: Quote, texts: RemedyTexts) -> str:
    if not quote.alert:
        return texts.quote_of_signals.format(text=quote.statement.words)
    field = texts.fields.get(quote.field) or texts.other_field.format(field=quotable(quote.field)[:_FIELD_MAX])
    alert = quotable(quote.alert)[:_ALERT_MAX]
    spaced = f"{alert} " if alert.isascii() else alert
    return texts.quote.format(text=quote.statement.words, alert=alert, spaced_alert=spaced, field=field)
