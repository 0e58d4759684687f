"""The causes that the rules find in alerts about services and front ends, and where they find none."""

import pytest

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.loading import parse, sources
from openclaw_stream.arbitration.rules.rule_set import Cause, Technology
from openclaw_stream.vocabulary import Language, Responsibility
from tests.arbitration.rules.examples import Example, case_of

pytestmark = pytest.mark.pure

TEAMS = (Responsibility.BE, Responsibility.FE)
RULE_SET = parse(sources())
CAUSES = {each.id: each for team in TEAMS for each in RULE_SET.causes_by_team[team]}
TECHNOLOGIES = [each for each in RULE_SET.technologies if each.team in TEAMS]

LABELS = {Responsibility.BE: "service=points namespace=shop pod=points-78pj52pv5-4g5zk", Responsibility.FE: "env=prod"}

CASES = [
    # A stated reason goes before the symptom.
    ("be_image_missing", "KubePodNotReady", 'Failed to pull image "registry.shop.example/review:2": manifest unknown'),
    ("be_config_missing", "Pod 無法啟動", "points-0: CreateContainerConfigError"),
    ("be_probe", "KubePodRestarts", "Liveness probe failed: statuscode: 500"),
    ("be_probe_timeout", "KubePodRestarts", "Liveness probe failed: context deadline exceeded"),
    # Work that runs twice, data that differs, traffic that multiplies.
    ("be_two_leaders", "SchedulerLeaderConflict", "The job scheduler has two leaders"),
    ("be_duplicates", "DuplicateJobRun", "The billing job ran twice"),
    ("be_mismatch", "LedgerCheck", "Entries of the ledger service do not balance"),
    ("be_retry_storm", "Retry storm towards the address API", ""),
    ("be_stampede", "Cache stampede in the price service", ""),
    ("be_cache_misses", "HighLatencyP99", "P99 of the API is 1.9 s. Its cache hit ratio fell to 8%"),
    ("be_no_consumer", "QueueBacklog", "48k messages wait in queue sms, 0 consumers"),
    ("be_provider_answers", "付款成功率下降", "收單行逾時 10 秒"),
    # Runtimes: each with its own advice.
    ("be_heap_jvm", "JvmMemoryFillingUp", "JVM memory is filling up"),
    ("be_heap_go", "GoHeapHigh", "Go heap in use is 3 GB"),
    ("be_heap_objects_go", "GoHeapObjectsCountHigh", "Go heap has too many live objects"),
    ("be_gc_python", "PythonGcGeneration2CollectionsHigh", "Python full GC runs too often"),
    ("be_heap", "HeapUsageHigh", "Heap at 93%"),
    ("be_heap_node", "HeapNearLimit", "Node.js heap used 1.4 GB of 1.5 GB"),
    ("be_workers_busy", "ThreadPoolQueueLength", ".NET thread pool queue length 900"),
    ("be_gc", "GcTimeHigh", "38% of the time goes to garbage collection"),
    ("be_heap_full", "GcTimeHigh", "GC takes 31% of the time. Old generation 96% after full GC"),
    ("be_gc_engine", "ExecutorGcTime", "Executors of the Spark job spend 40% of their time in GC"),
    ("be_direct_buffers", "DirectMemoryHigh", "Direct memory of the JVM at 92%"),
    ("be_fragmentation", "HeapFreeSlots", "700k free slots in the heap of the Ruby workers"),
    ("be_virtual_memory", "ProcessVirtualMemory", "Python process virtual memory is 9 GB"),
    ("be_allocation", "AllocationRateHigh", "Allocation rate of the JVM is 2 GB/s"),
    # The input is the reason, whatever fails because of it.
    ("be_input_missing", "ImportJobFailed", "The import job failed: rates.csv not found"),
    ("be_schema_changed", "DagRunFailed", "Task load failed. UndefinedColumn: column amount_net does not exist"),
    ("be_format", "NightlyJobFailed", "The job failed with exit code 2. Parse error at line 7: 12 columns expected"),
    ("be_poison_record", "ConsumerStuck", "The consumer retries the same message since 03:12"),
    ("be_validation_failed", "ObjectsCorrupt", "Checksum mismatch in 3 stored objects"),
    ("be_metaspace", "JvmMetaspaceExhausted", ""),
    ("be_threads_blocked", "JvmThreadsBlocked", "40 threads blocked"),
    # The name of a provider alone is no provider that fails.
    ("be_errors", "High 5XX error percentage from stripe-data", "The API exceeded 1% error rate"),
    ("be_provider_answers", "UpstreamErrors", "The geo service gets 503 from maps provider"),
    # A metric that fell is no traffic, and an absent metric no outage.
    ("be_traffic_drop", "RequestRateDrop", "Throughput of the claims API fell by half"),
    ("be_metrics_absent", "ServiceAbsent", ""),
    ("be_late_events", "LateEventsHigh", "Events of the Beam job arrive 15 min late"),
    ("be_webhooks", "WebhookDeliveryBacklog", "38k webhooks wait"),
    # An objective says what consumes its budget.
    ("be_slo_latency", "LatencySLOSlowBurn", "2.1x burn over three days"),
    ("be_slo_availability", "BudgetBurn", "The API burns its 99.9% availability SLO error budget at 14x"),
    ("be_slo", "ErrorBudgetBurn", "Budget of the service is gone in 49 hours"),
    # The reason that a later sentence states goes before the symptom.
    ("be_schema_gap", "Http5xxSpike", 'API answers 500. ERROR: relation "rates" does not exist'),
    ("be_errors", "Http5xxSpike", "API answers 500. The tenant does not exist"),
    ("be_account_locked", "CrmLoginFailed", "Login of the service failed. Account is locked"),
    ("be_queue_wait", "ReportsSlow", "The report service is slow. Jobs wait 9 min in queue, one takes 4 s"),
    ("be_inference_queue", "QueueTimeHigh", "Triton queue time p99 of the service is 2 s, compute 9 ms"),
    ("be_graphql_fan_out", "GraphqlResolverSlow", "CartDeep makes 800 resolver calls per request"),
    ("be_declines", "PaymentDeclineRateHigh", "Declines at 40%. The acquirer returns code 91"),
    ("be_maintenance", "InvoiceUploadFailed", "Upload fails. The platform is under maintenance until 06:00"),
    ("be_webhook_receiver", "WebhookBacklog", "9k webhooks waiting for retry. The endpoint answers 502"),
    ("be_function_dead_letters", "Lambda failed", "An event of the lambda is in the dead letter queue"),
    ("be_function_timeout", "LambdaErrors", "Task timed out after 30 seconds. 80 invocations failed"),
    ("be_errors", "StorefrontErrors", "Server-side failure: the storefront answers 500"),
    ("be_mail_failing", "MailErrors", "The service cannot send emails: sending email failed for all"),
    ("be_peering", "SlowPeering", "The registry cannot peer with its neighbour region"),
    ("be_tracker_release", "[Sentry] KeyError", "New issue. First seen in points@4.2"),
    ("be_change", "LatencyHigh", "p95 of the API is 2 s. Model v3 was enabled at 09:40"),
    ("be_down_gateway", "Points Down", "Request failed with status code 502"),
    ("be_no_upstream", "MeshHigh5xx", "100% 503, no healthy upstream"),
    ("be_webhook_signature", "WebhookErrors", "The webhook of the service returns 400: signature verification failed"),
    ("be_provider_quota", "CompletionErrors", "OpenAI API: insufficient_quota for all requests of the service"),
    ("be_business_stuck", "PointsStuck", "300 items in state PROCESSING for 24 h"),
    ("be_mismatch", "點數服務資料不一致", ""),
    ("be_release", "API 錯誤率過高", "5xx 22%。14:20 部署 v3 後開始"),
    ("be_release_exception", "API 錯誤率過高", "5xx 22%。14:20 部署 v3 後開始，例外 NullPointerException"),
    ("be_slow", "ReportSlow", "The report of the day is slow"),
    ("be_auth_keys", "JwtErrors", "401 for all requests: the JWKS endpoint of the service returns 503"),
    ("be_rotated", "UploadsFailing", "Uploads of the service fail with 403 since key rotation"),
    ("be_push_failing", "PushErrors", "APNs returns 403 for all messages of the service"),
    ("be_slo_exhausted", "ErrorBudgetExhausted", "The error budget of the service is exhausted"),
    ("be_duplicates", "DuplicateOrders", "118 orders were created twice"),
    ("be_function_timeout", "函式逾時", "Lambda 逾時 900 次"),
    # Who sends the requests.
    ("be_surge_client", "TrafficSurge", "The API gets 9x its usual requests, 80% from one client"),
    ("be_surge", "TrafficSurge", "The API gets 9x its usual requests"),
    ("be_credential_attack", "LoginFailures", "Failed logins rise. Most come from few addresses"),
    # Nothing is more than less, and a figure is no transaction.
    ("be_no_success", "No successful checkouts in 12 hours", ""),
    ("be_no_success_method", "No successful paypal payments in 12 hours", ""),
    ("be_no_sales", "OrdersDropped", "Orders dropped by 40%"),
    ("be_renewals", "RenewalsZero", "0 renewals in 2 h"),
    # Who counted the errors of a load balancer.
    ("be_elb_errors", "API returns 5XX errors", "Metric HTTPCode_ELB_5XX_Count"),
    ("be_target_errors", "API returns 5XX errors", "Metric HTTPCode_Target_5XX_Count"),
    ("be_api_gateway_errors", "5XX errors of the API gateway", ""),
    ("be_client_errors", "4XX errors of the API gateway", ""),
    # Front ends.
    ("fe_playback", "VideoStartFailures", "Video start failures 23% on Tizen"),
    ("fe_page_views", "PageviewsZero", "0 page views recorded for 40 minutes in the browser"),
    ("fe_third_party", "PageLoadTimeHigh", "A chat widget blocks rendering for 8 s"),
    ("fe_asset_size", "BundleSizeBudgetExceeded", ""),
    ("fe_content_missing", "Fonts and images missing on landing page", ""),
    ("fe_app_hangs", "iOS hang rate", ""),
    ("fe_clicks", "Login form button broken in browser", ""),
    ("fe_clicks_script", "RageClicks", "Rage clicks on #pay. ReferenceError: PaySession is not defined"),
    ("fe_cors", "BrowserErrors", "CORS errors in all sessions of the web app"),
    ("fe_csp", "CspViolations", "9k CSP reports in the browser"),
    ("fe_experiment", "VariantErrors", "Variant B of the page fails in the browser: price is null"),
    ("fe_blank_file", "白畫面", "首頁白畫面，main.js 回傳 404"),
    ("fe_liff", "LIFF 白畫面", "liff.init 失敗"),
    ("fe_heavy_element", "LcpPoor", "LCP p75 6 s. LCP element is a photo of 4 MB"),
    ("fe_main_thread", "Lighthouse score", "Lighthouse performance 30. Total Blocking Time 2 s"),
    ("fe_measurement", "PageviewsZero", "0 page views recorded in the browser. Orders are normal"),
    ("fe_translations", "MissingTranslations", "300 missing keys for the web app"),
    ("fe_stale_clients", "StaleClientVersions", "Browsers run 1.2; the service worker update failed"),
    ("fe_over_the_air", "CrashRate", "Half of the mobile app sessions on OTA 12 crash at launch"),
    ("fe_app_crash_stack", "CrashFreeUsers", "Crash-free users 96%. IllegalStateException in the Android cart"),
    ("fe_script_release", "JsErrors", "Uncaught TypeError in browsers since the release"),
    ("fe_blank_release", "KioskBlank", "30 kiosks show a blank screen since update 7 of the browser"),
    ("fe_server_render", "SsrErrors", "Next.js render errors 9%: getServerSideProps threw"),
    ("fe_expected_text", "Keyword not found", "200 OK, but keyword is not in the web page"),
    ("fe_app_links", "LinksOpenBrowser", "Universal links fail: the AASA file returns 404"),
    ("fe_first_byte", "PageSpeed", "TTFB p75 3 s in one region"),
    ("fe_pinning", "CertPinning", "The mobile app refuses TLS: pinned key mismatch"),
    ("fe_playback_release", "VideoStartFailures", "Video start failures on Tizen since the update"),
    # What a container, a schedule or an operation lacks, as the alert states it.
    ("be_config_named", "PodCrashLooping", "panic: required environment variable TAX_URL is not set"),
    ("be_config_named", "Pod waiting", 'configmap "points-rules" not found'),
    ("be_segfault", "PodCrashLooping", "points exits with 139 (SIGSEGV)"),
    ("be_disruption_budget", "KubePdbNotEnoughHealthyPods", "PDB expects 1 more healthy pod"),
    ("be_tasks_exit", "ECS service event", "unable to consistently start tasks successfully"),
    ("be_job_suspended", "CronJobSuspended", "The cron job is suspended for 2 days"),
    ("be_sync_failed", "ProjectSyncFailing", "The service cannot sync projects from its directory"),
    ("be_quota_record", "MismatchedQuota", "Mismatched quota of a project"),
    ("be_operation_failed", "VolumeResize", "The service cannot resize volume vol-3"),
    ("be_submission", "UsageMissing", "The service cannot submit usage of two projects"),
    ("be_no_pollers", "TemporalScheduleToStartLatency", "p95 is 90 s on the task queue. Pollers: 0"),
    ("be_cpu_surge", "HighCPUUsage", "CPU at 96%. Traffic doubled since 12:00"),
    ("be_pool_filling", "DBConnectionPoolNearlyFull", "Connection pool nearly full on one pod"),
    (
        "be_checkpoint_backpressure",
        "CheckpointFailures",
        "Checkpoint failures of the Flink job. Backpressure at one operator",
    ),
    ("be_executor_tasks", "SparkExecutorTasksFailing", "All tasks of the Spark executor failed"),
    # Where no rule knows the cause, none is made up.
    ("be_unknown", "FraudScoringDegraded", "The model service answers with a fallback for 30% of its work"),
    ("be_unknown", "BatchWindow", "Expected about 400 or 500 from the service"),
]


@pytest.mark.parametrize(("cause", "name", "text"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_an_alert_has_the_cause_that_it_states(cause: str, name: str, text: str) -> None:
    expected = CAUSES[cause]
    for language in Language:
        judgement = judge(case_of(Example(expected.team, name, text, LABELS[expected.team])), language)
        assert judgement.primary_responsibility is expected.team
        assert judgement.action_title.endswith(name if expected.is_unknown else expected.title[language])
        assert expected.is_unknown or expected.explanation[language] in judgement.description


@pytest.mark.parametrize("advice", [*CAUSES.values(), *TECHNOLOGIES], ids=lambda advice: advice.id)
def test_a_check_is_a_sentence(advice: Cause | Technology) -> None:
    assert all(check.endswith(".") and "\u2019" not in check for check in advice.checks[Language.EN])
    assert all(check.endswith("。") and "“" not in check for check in advice.checks[Language.ZH_TW])


@pytest.mark.parametrize("cause", CAUSES.values(), ids=list(CAUSES))
def test_a_title_is_short_and_no_sentence(cause: Cause) -> None:
    for title in cause.title.values():
        assert len(title) <= 60
        assert not title.endswith((".", "。"))


@pytest.mark.parametrize("team", TEAMS)
def test_an_unknown_cause_has_no_tuning(team: Responsibility) -> None:
    assert not RULE_SET.causes_by_team[team][-1].tuning
