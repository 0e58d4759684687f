"""Faults that alerts about services, pages and apps state in their own words, in any sentence."""

import pytest

from openclaw_stream.arbitration.rules.engine import _diagnose, _rule_set
from openclaw_stream.vocabulary import Responsibility
from tests.arbitration.rules.examples import Example, case_of

pytestmark = pytest.mark.pure

SERVICE = "service=points"
STATED = [
    # Money, stock and abuse.
    ("BE", "be_double_payment", "RefundCheck", "17 invoices were charged twice after a gateway restart", SERVICE),
    ("BE", "be_oversold", "SeatCheck", "Row C is double booked for 4 shows", SERVICE),
    ("BE", "be_oversold", "可售量檢查", "3 個品項超賣", SERVICE),
    ("BE", "be_wrong_amount", "TaxCheck", "40 receipts have a wrong total", SERVICE),
    ("BE", "be_promotion_abuse", "VoucherRate", "Redemptions x30. Looks like promo abuse by 12 devices", SERVICE),
    ("BE", "be_sms_abuse", "CodeVolume", "OTP sends x50. Looks like SMS pumping", SERVICE),
    # Data and accounts of customers.
    ("BE", "be_other_customer", "PrivacyCheck", "Order list shows entries of another customer", SERVICE),
    ("BE", "be_secrets_logged", "LogScan", "Passwords in log of the app", SERVICE),
    ("BE", "be_takeover", "LoginFailures", "Logins fail x80. 31 accounts taken over", SERVICE),
    ("BE", "be_wrong_recipients", "CampaignCheck", "The draft mail was sent to everyone", SERVICE),
    ("BE", "be_wrong_amount", "AccountCheck", "3 accounts with a negative balance", SERVICE),
    # The code.
    ("BE", "be_nondeterminism", "WorkflowTaskFailed", "Nondeterminism error in 9 workflows", SERVICE),
    (
        "BE",
        "be_module_missing",
        "Lambda errors",
        "Every invocation fails. No module named 'lxml'",
        "FunctionName=points",
    ),
    ("BE", "be_records_skipped", "ImportGap", "The import job skipped 12 orders. Its parser stops at a tab", SERVICE),
    ("BE", "be_wrong_time", "ReminderShift", "Reminders go out one hour early", SERVICE),
    ("BE", "be_event_order", "LedgerState", "Order events are out of order for 4 accounts", SERVICE),
    ("BE", "be_call_count", "QueryCount", "700 queries per request", SERVICE),
    ("BE", "be_executor_full", "TasksRefused", "RejectedExecutionException in pool mail", SERVICE),
    ("BE", "be_run_exception", "排程未執行", "點數排程未執行。最後一次以例外結束：NullPointerException", SERVICE),
    ("BE", "be_no_listener", "Revision not ready", "The container failed to listen on the port", SERVICE),
    # Calls between systems.
    ("BE", "be_grant_revoked", "SyncJobFailed", "The sync job failed: invalid_grant", SERVICE),
    ("BE", "be_own_calls", "CallVolume", "Daily call quota 92% used. It polls every second", SERVICE),
    ("BE", "be_address_changed", "CallErrors", "Connection refused: the client still uses the old port", SERVICE),
    ("BE", "be_endless_tasks", "QueueAge", "Messages wait 3 h. The same 40 tasks are retried forever", SERVICE),
    ("BE", "be_sender_reputation", "SES complaint rate", "0.4% of mails", ""),
    ("BE", "be_missing_kid", "TokenErrors", "41% of requests answer 401: unknown kid", SERVICE),
    ("BE", "be_too_large", "UploadErrors", "Request entity too large for 9% of uploads", SERVICE),
    ("BE", "be_devices", "MeterConnections", "900 meters: devices reconnect all the time", SERVICE),
    # Data.
    (
        "BE",
        "be_empty_run",
        "ExportJob",
        "The export job is green and has written 0 rows to the business report",
        SERVICE,
    ),
    ("BE", "be_model_drift", "ScoreCheck", "Model drift of the ranking", SERVICE),
    ("BE", "be_null_ratio", "RowCheck", "Null ratio of city 0.6", SERVICE),
    ("BE", "be_search_index", "SearchQuality", "Search zero results for 70% of visitors", SERVICE),
    # Work in the background.
    ("BE", "be_operation_waiting", "VolumeNotResized", "Volume is full without getting resized", "service=resizer"),
    ("BE", "be_payment_followup", "Post-payment task failed", "Receipts are missing", "service=checkout"),
    ("BE", "be_function_dead_letters", "Lambda failed", "3 events in the dead letter queue", "Namespace=AWS/SQS"),
    ("BE", "be_event_conversion", "ConversionFailing", "Errors while converting events to the partner format", SERVICE),
    ("BE", "be_source_reports_nothing", "UsageMissing", "Collector reports no capacity for volumes", "service=quota"),
    ("BE", "be_collection_stopped", "AssetScraping", "Not scraping any assets for 2 h", "service=quota"),
    ("BE", "be_feed_stale", "PartnerData", "Supplier feed outdated for 2 days", "service=catalogue-import"),
    ("BE", "be_late_source", "LateEvents", "Late events: 12%. All of them from site 4", SERVICE),
    ("BE", "be_sync_stale", "TenantsNotSynced", "Tenants not synced for 6 h", "service=billing"),
    ("BE", "be_delivery_stuck", "NotDeliveringEvents", "Webhooks are not being delivered", "service=hooks"),
    ("BE", "be_housekeeping_behind", "LayersNotValidated", "Layers are not being validated", "service=registry"),
    ("BE", "be_no_consumer_rabbitmq", "RabbitmqNoConsumer", "RabbitMQ queue mail has no consumer", SERVICE),
    # Processes and releases.
    ("BE", "be_threads_go", "Go threads", "Go OS thread count 1200", SERVICE),
    ("BE", "be_heap_objects_go", "Go heap objects", "Go heap objects count 40M", SERVICE),
    ("BE", "be_gc_cpu_go", "Go GC CPU usage", "Go GC uses 21% CPU", SERVICE),
    ("BE", "be_goroutine_leak", "Goroutines", "44000 goroutines. Load is unchanged", SERVICE),
    ("BE", "be_probe_timeout", "KubePodRestarts", "Readiness probe failed: context deadline exceeded", "pod=points-0"),
    (
        "BE",
        "be_release_exception",
        "HighErrorRate",
        "9% of requests end with 500 since the rollout of 7. KeyError 'id'",
        SERVICE,
    ),
    (
        "BE",
        "be_release_credential",
        "HighErrorRate",
        "All calls end with 500 since the rollout. 401 invalid api key",
        SERVICE,
    ),
    (
        "BE",
        "be_device_release_order",
        "TelemetryParseErrors",
        "Payloads from firmware 9 dropped. The release of the decoder was postponed",
        SERVICE,
    ),
    # Pages and apps.
    ("FE", "fe_covered", "Browser test failed", "The buy button is covered by another element", ""),
    ("FE", "fe_unsupported", "JsErrors", "TypeError in old browsers: no polyfill for structuredClone", ""),
    ("FE", "fe_codec", "PlaybackFailure", "Playback fails on webOS: AV1 is not decoded", ""),
    ("FE", "fe_redirect_loop", "Landing page", "Browser shows too many redirects", ""),
    ("FE", "fe_noindex", "SeoCheck", "noindex on all product pages", ""),
    ("FE", "fe_storage_quota", "JsErrors", "QuotaExceededError in the browser", ""),
    ("FE", "fe_tab_memory", "Memory of tabs", "Detached DOM nodes grow in the browser", ""),
    ("FE", "fe_render_loop", "JsErrors", "Maximum update depth exceeded in Basket", ""),
    ("FE", "fe_form", "FormErrors", "Form error rate of the web page 44%", ""),
    ("FE", "fe_store_products", "Purchases", "StoreKit: invalid product identifiers", ""),
    ("FE", "fe_key_origin", "MapErrors", "Referer not allowed for the maps key", ""),
    ("FE", "fe_broken_links", "LinkCheck", "300 broken links on the web page", ""),
    ("FE", "fe_cookies_blocked", "Widget", "The frame stays empty: browser blocks third-party cookies", ""),
    ("FE", "fe_flood", "RequestVolume", "Each foreground event starts a polling timer", SERVICE),
    (
        "FE",
        "fe_permission",
        "App crash rate",
        "Android crash: SecurityException, foreground service not in the manifest",
        "",
    ),
    ("FE", "fe_stale_clients", "Old versions", "30% of tabs still run v7", ""),
    ("FE", "fe_csp_inline", "CSP reports", "CSP violation: inline style without nonce", ""),
    ("FE", "fe_balancer_errors", "Web frontend returns 5XX", "", "metric=HTTPCode_ELB_5XX_Count"),
    ("BE", "be_housekeeping_behind", "JanitorLate", "Old carts have not been swept for a day", SERVICE),
    ("FE", "fe_csp", "CSP reports", "CSP violation: blocked URI https://cdn.example", ""),
    ("BE", "be_provider_answers", "UpstreamErrors", "503 from the SMS provider", SERVICE),
    ("BE", "be_provider_answers", "金流異常", "藍新 API 逾時", SERVICE),
    ("BE", "be_figure", "SignupsLow", "Sign-ups 40% below yesterday", SERVICE),
    ("BE", "be_down", "BlueboxOrdersDown", "Bluebox Orders is down", ""),
    # What the alert names already: the method that blocks, the edge configuration, the sale.
    ("FE", "fe_preferences_wait", "ANR rate", "Main thread in SharedPreferencesImpl.awaitLoadedLocked", ""),
    ("FE", "fe_app_hangs", "ANR rate", "Main thread in Socket.connect", ""),
    (
        "INFRA",
        "infra_hit_ratio_change",
        "CdnHitRatio",
        "Cache hit ratio 38% since the edge configuration v12",
        "cdn=edge",
    ),
    ("INFRA", "infra_hit_ratio", "CdnHitRatio", "Cache hit ratio 38%", "cdn=edge"),
    ("BE", "be_cpu_sale", "CPU 使用率過高", "演唱會開賣，HPA 目前 6，最大 20", SERVICE),
    ("BE", "be_cpu_surge", "CPU 使用率過高", "流量倍增", SERVICE),
    # Compiled scripts, new schemas and old mirrors.
    ("BE", "be_compiled_scripts", "Metaspace usage", "Metaspace at 97%. Templates are compiled per request", SERVICE),
    (
        "BE",
        "be_compiled_scripts",
        "MetaspaceExhausted",
        "java.lang.OutOfMemoryError: Metaspace. Rules are compiled on each call",
        SERVICE,
    ),
    ("BE", "be_metaspace", "JvmError", "java.lang.OutOfMemoryError: Metaspace", SERVICE),
    (
        "BE",
        "be_new_schema",
        "ConsumerErrors",
        "Deserialization failed for 90 messages. The producer registered schema version 6",
        SERVICE,
    ),
    ("BE", "be_repo_stale", "MirrorAge", "Package repo base was not updated for 3 days, data is stale", SERVICE),
    # A worker that waits, an index and a consent script that are not there, a queue of stages.
    ("FE", "fe_worker_waits", "stale clients", "30% of tabs still run v7. skipWaiting is never called", "app=kiosk"),
    ("FE", "fe_stale_clients", "stale clients", "30% of tabs still run v7, skipWaiting fails", "app=kiosk"),
    ("DB", "db_missing_index", "SlowQueries", "Table scan of visits, missing index on shop_id", "service=visits-db"),
    ("DB", "db_missing_index", "慢查詢暴增", "visits 全表掃描，缺少 shop_id 索引", "service=visits-db"),
    ("DB", "db_scans", "SlowQueries", "Full table scan of visits", "service=visits-db"),
    ("FE", "fe_consent_missing", "PageviewsZero", "0 page views. Console: __tcfapi is not defined", "app=kiosk"),
    ("INFRA", "infra_orca_queue", "SpinnakerOrcaQueueMessageLagHigh", "Orca queue message lag is 60s", ""),
    ("INFRA", "infra_build_queue", "JenkinsQueueBacklog", "Builds queue up", ""),
]


@pytest.mark.parametrize(
    ("team", "cause", "name", "text", "labels"), STATED, ids=[f"{each[1]}-{each[2]}" for each in STATED]
)
def test_a_stated_fault_has_its_cause_and_team(team: str, cause: str, name: str, text: str, labels: str) -> None:
    case = case_of(Example(team, name, text, labels))
    diagnosis = _diagnose(case, _rule_set())
    assert (diagnosis.primary, diagnosis.cause.id) == (Responsibility(team), cause)
