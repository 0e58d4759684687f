"""The alerts of the benchmarks: about 0.85 KB each, repeats over a fixed number of groups."""

import orjson

PARTITIONS = 4


def alert(group: int, sequence: int = 0) -> bytes:
    """Return a native alert of one group; repeats differ in value and text, as those of a real producer do."""
    return orjson.dumps(
        {
            "alert_type": "HighLatencyP99",
            "severity": "warning",
            "status": "firing",
            "source": "prometheus",
            "namespace": f"team-{group % 40}",
            "service": f"service-{group}",
            "target_resource": f"deployment/service-{group}",
            "message": f"P99 latency of service-{group} is {900 + sequence % 97} ms, above 800 ms for 5 minutes",
            "starts_at": "2026-11-22T10:00:00Z",
            "metrics": {"p99_ms": 900 + sequence % 97, "rps": 120.5, "error_rate": 0.4, "cpu_percent": 61.2},
            "labels": {
                "alertname": "HighLatencyP99",
                "cluster": "production-eu-1",
                "env": "production",
                "job": f"service-{group}",
                "endpoint": "http-metrics",
                "pod": f"service-{group}-7d9f8b6c5d-x2k4q",
                "container": "app",
                "instance": "10.2.33.104:8080",
                "prometheus": "monitoring/main",
            },
            "annotations": {
                "summary": "High P99 latency",
                "description": "The 99th percentile of request latency has been above the objective for 5 minutes.",
                "runbook_url": "https://runbooks.example.com/high-latency",
            },
            "generator_url": "https://prometheus.example.com/graph?g0.expr=histogram_quantile",
        }
    )
