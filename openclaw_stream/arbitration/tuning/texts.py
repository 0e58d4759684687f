"""The texts of shadow tuning in each language."""

from dataclasses import dataclass

from openclaw_stream.vocabulary import Language


@dataclass(frozen=True, slots=True)
class TuningTexts:
    """Text templates: `{target}` is a workload, `{rps:.0f}` requests per second, `{p99:.0f}` milliseconds.

    Each `..._advice` is the text where the evidence does not ask for the command.
    """

    hpa: str
    hpa_advice: str
    cpu_limit: str
    cpu_limit_advice: str
    memory_limit: str
    memory_limit_advice: str
    restart: str
    crash_advice: str
    scale: str
    scale_advice: str
    cache: str
    within_grammar: str
    advice_only: str
    log_shadow: str
    log_approval: str
    log_advice: str


TUNING_TEXTS = {
    Language.EN: TuningTexts(
        hpa="{target} serves {rps:.0f} requests per second and is short of CPU: let its replicas follow its CPU usage.",
        hpa_advice=(
            "CPU is reported at {rps:.0f} requests per second. If {target} itself is short of it, let its replicas"
            " follow the CPU usage: look up the current replicas first, and whether an autoscaler manages them."
        ),
        cpu_limit="CPU is short: raise the CPU limit of {target} by half.",
        cpu_limit_advice=(
            "Look up the CPU limit of {target} and whether it is throttled: if it is, raise the limit by half."
        ),
        memory_limit="Memory is short: raise the memory limit of {target} by half.",
        memory_limit_advice=(
            "Look up the memory limit of the container in {target} and its usage over a day: if usage follows the load"
            " up to the limit, raise the limit by half; if it grows without more load, look for a leak."
        ),
        restart="{target} hangs or leaks: restart its pods one by one to gain time, and look for the cause.",
        crash_advice=(
            "Read the previous container's log of {target}, its exit code and the events of the pod before any restart:"
            " a restart does not remove the cause."
        ),
        scale="P99 is {p99:.0f} ms: add replicas to {target}.",
        scale_advice=(
            "P99 is {p99:.0f} ms. More replicas of {target} help only if it is short of CPU or its traffic has risen:"
            " look up both, the current replicas, and whether an autoscaler manages them. Otherwise look at what it"
            " calls."
        ),
        cache=(
            "Only responses of {target} that are the same for all users and may be minutes old: cache the most frequent"
            " ones with a TTL of 30 to 300 seconds, never personal data."
        ),
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
        hpa="{target} 每秒處理 {rps:.0f} 個請求且 CPU 不足：讓副本數隨 CPU 使用率調整。",
        hpa_advice=(
            "每秒約 {rps:.0f} 個請求時出現 CPU 告警。若 {target} 本身 CPU 不足，可讓副本數隨 CPU 使用率調整："
            "請先查明目前的副本數，以及是否已有自動擴縮。"
        ),
        cpu_limit="CPU 不足：將 {target} 的 CPU 上限提高一半。",
        cpu_limit_advice=("請查明 {target} 的 CPU 上限，以及是否受到節流：若有，將上限提高一半。"),
        memory_limit="記憶體不足：將 {target} 的記憶體上限提高一半。",
        memory_limit_advice=(
            "請查明 {target} 中該容器的記憶體上限，以及一天內的用量："
            "用量若隨負載升到上限，將上限提高一半；若負載未增加仍持續上升，請追查洩漏。"
        ),
        restart="{target} 停滯或洩漏：可逐一重啟其 Pod 爭取時間，並追查原因。",
        crash_advice=(
            "{target} 發生崩潰或重啟。重啟之前，請先查看上一個容器的日誌、結束代碼與該 Pod 的事件：重啟無法排除原因。"
        ),
        scale="P99 為 {p99:.0f} 毫秒：為 {target} 增加副本。",
        scale_advice=(
            "P99 為 {p99:.0f} 毫秒。只有 {target} 本身 CPU 不足或流量增加時，增加副本才有幫助："
            "請先查明這兩項、目前的副本數，以及是否由自動擴縮管理；否則請查看它所呼叫的對象。"
        ),
        cache=(
            "只有對所有使用者都相同、且允許數分鐘前資料的回應才適用：快取 {target} 最常被讀取的這類回應，"
            "存活時間設為 30 至 300 秒；個人資料不可快取。"
        ),
        within_grammar="指令符合允許的語法",
        advice_only="僅為文字建議，沒有指令",
        log_shadow="影子模式：未執行 {command}。若要執行，須在本系統之外取得多人簽核。",
        log_approval="未執行 {command}。若要執行，須在本系統之外以 {approval_id} 取得多人簽核。",
        log_advice="未做任何變更：此為文字建議，沒有指令。若要採行，須在本系統之外取得多人簽核。",
    ),
}
