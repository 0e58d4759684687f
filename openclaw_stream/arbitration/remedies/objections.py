"""The wordings that speak against a command: it was tried, is forbidden, or cannot remove the cause."""

from openclaw_stream.arbitration.remedies.patterns import Fact, Wording, any_of

_FORBID = (
    r"\b(?:do not|don't|never|must not|mustn't|should not|shouldn't|avoid|no need to|cannot|can't|without)\b"
    r"[^.;,]{0,24}?"
)
_FORBID_ZH = r"(?:勿|不要|不可|不能|不得|不宜|禁止|避免|別)[^，。；]{0,6}?"
_IN_VAIN = (
    r"(?:(?:did|does|do|will|would|has|have) not|didn't|doesn't|don't|won't|hasn't|never) (?:\w+ )?"
    r"(?:help|work|fix|cure|solve|resolve|clear|change)|(?:no|without) (?:effect|help|success|avail)|in vain|worse"
)
_RESTART_ZH = r"(?:重啟|重新啟動)"
_UNDO_ZH = r"(?:回滾|退版|回退|退回|還原)"

_ITSELF = (
    r"(?:it|they|this|that|which|the|is|are|and|very|too|still|now|all|requests?|responses?|services?|apps?|applications?"
    r"|apis?|endpoints?|pages?|pods?|probes?|checks?|calls?|users?|customers?|workers?|threads?|process(?:es)?|replicas?"
    r"|instances?|deployment|workload|latency|everything|connections?)"
)

OBJECTIONS: tuple[Wording, ...] = (
    Wording(
        Fact.NO_CHANGE,
        any_of(
            r"\b(?:leave|keep) (?:it|them|the \w+|everything)\b.{0,20}?\b(?:alone|as|for|running|untouched)\b",
            r"\bdo not touch\b|\bhands off\b|\bforensics?\b|\bdebugger\b|\bpreserve\b|\bfor (?:the |an )?audit\b",
            r"\bdrill\b|\bsimulat\w+|\bchaos\b|\btest (?:alert|run|passed)\b",
            r"\bthis is (?:only |just )?a test\b|^example\b",
            r"\bmaintenance\b|\b(?:is|are|was|were) expected\b|\(expected\b|\bgame ?day\b",
            r"勿動|不要動|保留現場|保留證據|演練|測試告警|僅供測試|維護(?:中|期間|時段|作業)|鑑識|預期(?:內|中)|屬預期",
        ),
    ),
    Wording(
        Fact.NO_RESTART,
        any_of(
            rf"{_FORBID}\b(?:restart|reboot|bounc|delet|kill)\w*",
            rf"\b(?:restart|reboot)\w*\b[^.;]{{0,30}}?\b(?:{_IN_VAIN})",
            r"\b(?:after|despite|since) (?:(?:a|an|the|two|three|several|many|another|\d+) )?(?:\w+ )?restarts?\b",
            r"\brestart(?:ed|ing|s)\b|\b(?:second|third|last|rolling) restart\b|\bfinalizers?\b",
            rf"{_FORBID_ZH}(?:{_RESTART_ZH}|刪除)|{_RESTART_ZH}[^，。；]{{0,4}}?(?:後|無效|沒用|無用|沒有(?:幫助|效果|改善))",
            rf"已(?:經)?(?:多次|嘗試)?{_RESTART_ZH}",
        ),
    ),
    Wording(
        Fact.NO_UNDO,
        any_of(
            r"\b(?:rolled|rolling)[- ]?back\b|\breverted\b",
            r"\brollback (?:to|of|was|has|is|did|does|completed?|failed|done)\b",
            r"\b(?:after|since|despite) (?:a|the) rollback",
            r"\bhot-?fix|\bfix(?:ed|ing)? forward\b|\bgo back\b",
            r"\bsame (?:bug|errors?|problem)\b|\birreversible\b|\bincompatible\b",
            rf"{_FORBID}\b(?:roll(?:ing)?[- ]?back|rollbacks?|revert|undo)\b",
            rf"(?:已|完成)[^，。；]{{0,12}}?{_UNDO_ZH}|{_UNDO_ZH}(?:後|至|到|完成|無效|失敗)|{_FORBID_ZH}{_UNDO_ZH}",
        ),
    ),
    Wording(
        Fact.NO_GROWTH,
        any_of(
            rf"{_FORBID}\b(?:scal(?:e|ing)|autoscal\w*|add(?:ing)?|more replicas|rais(?:e|ing)|increas(?:e|ing))\b",
            r"\bpods?\b[^.;]{0,20}?\bpending\b|\bpending pods?\b|\binsufficient (?:cpu|memory)\b",
            r"\bafter (?:raising|increasing|doubling)\b|\braised (?:already|twice|again)\b",
            r"\bfailed ?scheduling\b|\bunschedulable\b|\bmemory ?pressure\b",
            r"\b(?:nodes?|cluster)\b[^.;]{0,30}?\b(?:no|out of|low on|short of)\b"
            r"[^.;]{0,12}?\b(?:memory|cpu|capacity)\b",
            rf"{_FORBID_ZH}(?:擴充|擴展|擴容|擴大|增加|提高|調高|調升)|無法排程|記憶體壓力|(?:節點|叢集)[^，。；]{{0,8}}?不足",
        ),
    ),
    Wording(
        Fact.NO_SCALE,
        any_of(
            r"\bsingletons?\b|\blicen[cs]es?\b|\b(?:infinite|endless|busy)[- ]?loops?\b|\bhot ?spots?\b",
            r"\b(?:one|1|single) (?:(?:pod|replica|instance) )?of (?:the )?(?:\w+ )?(?:replicas|pods|instances)\b",
            r"\b(?:one|single) (?:pod|replica) of\b|\bothers? (?:\w+ ){0,2}?idle\b|\bd?dos\b|\battack\w*",
            r"\bretr(?:y|ies|ying)\b|\bscaled (?:to|from|up|out|down|by)\b",
            r"\b\d{2,3} ?% (?:of (?:the )?\w+ )?(?:comes? )?from (?!\d|about|its|the|an?\b|usual|normal)",
            r"\bfrom (?:one|a single) (?:client|user|source|address|partner|tenant)\b",
            r"重試|單一(?:Pod|副本)|無窮迴圈|死迴圈|授權數|攻擊",
        ),
    ),
    Wording(
        Fact.LASTING_CAUSE,
        any_of(
            r"\bno space left\b|\b(?:disk|volume|filesystem)s? (?:is |are |was |filled )?(?:full|up)\b",
            r"\bnetwork (?:\w+ )?(?:partition|outage|polic\w+|failure)|(?<!stale )\bdns\b",
            r"\bpermission denied\b|\baccess denied\b",
            r"\bpoison\w*|\bmalformed\b|\bcorrupt\w*|\b(?:invalid|wrong|bad) (?:\w+ )?(?:config\w*|settings?)\b",
            r"\b(?:config\w*|settings?)\b (?:is|are) (?:invalid|wrong|bad)\b",
            r"\b(?:while|during|on|at) (?:starting|start-?up)\b",
            r"\bpods?\b[^.;]{0,20}?\bpending\b|\binsufficient (?:cpu|memory)\b|\bunschedulable\b",
            rf"(?<![\w-])(?!{_ITSELF}\b)[a-wyz][\w-]* (?:(?:is|was|are) )?"
            r"(?:slow|unavailable|unreachable|times? out|returns? (?:http )?5\d\d)\b",
            r"\b(?:slow|failing|hanging|blocked) (?:calls?|requests|quer(?:y|ies))\b",
            r"磁碟[^，。；]{0,4}?(?:滿|不足|用盡)|網路(?:中斷|分割|異常|不通)|DNS|權限不足|存取(?:遭拒|被拒)|損毀|毒訊息"
            r"|(?:設定|組態)(?:檔)?(?:錯誤|有誤)|啟動(?:時|過程)|無法排程",
        ),
    ),
)
