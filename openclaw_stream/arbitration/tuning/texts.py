"""The texts of shadow tuning in each language."""

from dataclasses import dataclass

from openclaw_stream.vocabulary import Language


@dataclass(frozen=True, slots=True)
class TuningTexts:
    """Text templates: `{target}` is a workload, `{rps:.0f}` requests per second, `{p99:.0f}` milliseconds."""

    hpa_cpu: str
    cpu_limit: str
    cpu_limit_start: str
    memory_limit: str
    memory_limit_start: str
    restart: str
    scale: str
    hpa_latency: str
    cache: str
    some_workload: str
    within_grammar: str
    advice_only: str
    log_shadow: str
    log_approval: str
    log_advice: str


TUNING_TEXTS = {
    Language.EN: TuningTexts(
        hpa_cpu=(
            "CPU is short at {rps:.0f} requests per second: scale {target} automatically on CPU usage."
            " Check that minimum and maximum fit the current replicas."
        ),
        cpu_limit="CPU is short at low traffic: raise the CPU limit of {target} by half.",
        cpu_limit_start=(
            "CPU is short at low traffic: raise the CPU limit of {target}. The alerts do not contain the current limit;"
            " if it is not lower than the suggested one, raise it by half instead."
        ),
        memory_limit="Memory is short: raise the memory limit of {target} by half.",
        memory_limit_start=(
            "Memory is short: raise the memory limit of {target}. The alerts do not contain the current limit; if it is"
            " not lower than the suggested one, raise it by half instead."
        ),
        restart="{target} crashes: do a rolling restart once the cause is known, or to gain time.",
        scale="P99 is {p99:.0f} ms: scale {target} from {replicas} to {wanted} replicas.",
        hpa_latency=(
            "P99 is {p99:.0f} ms and the number of replicas is unknown: scale {target} automatically on CPU usage."
            " Check that minimum and maximum fit the current replicas."
        ),
        cache=(
            "Cache the most frequent responses in front of {target} with a TTL of 30 to 300 seconds, and monitor the"
            " hit ratio and the age of cached responses."
        ),
        some_workload="the workload",
        within_grammar="the command is within the allowed grammar",
        advice_only="advice only, without a command",
        log_shadow=(
            "Shadow mode: not executed: {command}. Execution requires multi-party approval outside this system."
        ),
        log_approval=(
            "Not executed: {command}. Execution requires multi-party approval {approval_id} outside this system."
        ),
        log_advice=(
            "No change made: this is advice without a command. Acting on it requires multi-party approval outside this"
            " system."
        ),
    ),
    Language.ZH_TW: TuningTexts(
        hpa_cpu=(
            "每秒約 {rps:.0f} 個請求，CPU 不足：讓 {target} 依 CPU 使用率自動擴縮。套用前請確認上下限符合目前的副本數。"
        ),
        cpu_limit="流量不高但 CPU 不足：將 {target} 的 CPU 上限提高一半。",
        cpu_limit_start=(
            "流量不高但 CPU 不足：提高 {target} 的 CPU 上限。"
            "告警未提供目前的上限；若目前並不低於此值，請改為將目前的上限提高一半。"
        ),
        memory_limit="記憶體不足：將 {target} 的記憶體上限提高一半。",
        memory_limit_start=(
            "記憶體不足：提高 {target} 的記憶體上限。"
            "告警未提供目前的上限；若目前並不低於此值，請改為將目前的上限提高一半。"
        ),
        restart="{target} 發生當機：確認原因後，或為爭取時間，逐一重啟其 Pod。",
        scale="P99 為 {p99:.0f} 毫秒：將 {target} 由 {replicas} 個副本擴充為 {wanted} 個。",
        hpa_latency=(
            "P99 為 {p99:.0f} 毫秒，且目前副本數不明：讓 {target} 依 CPU 使用率自動擴縮。"
            "套用前請確認上下限符合目前的副本數。"
        ),
        cache="在 {target} 之前快取最常讀取的回應，存活時間設為 30 至 300 秒，並觀察命中率與資料新鮮度。",
        some_workload="該工作負載",
        within_grammar="指令符合允許的語法",
        advice_only="僅為文字建議，沒有指令",
        log_shadow="影子模式：未執行 {command}。若要執行，須在本系統之外取得多人簽核。",
        log_approval="未執行 {command}。若要執行，須在本系統之外以 {approval_id} 取得多人簽核。",
        log_advice="未做任何變更：此為文字建議，沒有指令。若要採行，須在本系統之外取得多人簽核。",
    ),
}
