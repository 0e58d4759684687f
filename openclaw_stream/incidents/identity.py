"""Who an alert is about and which incident it joins: namespace, service, fingerprint, group key.

Names go into topics, keys and logs, so they are capped and free of secrets; where that takes something away, a hash of
the whole is put in its place, so that different names stay different.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from urllib.parse import quote

import orjson

from openclaw_stream.telemetry.redaction import redact

NAME_MAX = 200
_NAMESPACE_LABELS = (
    "exported_namespace",  # the series' own, where the scrape's took the plain name
    "namespace",
    "k8s.namespace.name",
    "k8s_namespace_name",
    "kubernetes_namespace",
    "kubernetes_namespace_name",
    "kube_namespace",
)
_SERVICE_LABELS = ("service", "service.name", "service_name")
_KINDS = ("deployment", "statefulset", "daemonset", "cronjob")
_WORKLOAD_LABELS = (
    *(spelling for kind in _KINDS for spelling in (kind, f"k8s.{kind}.name", f"k8s_{kind}_name", f"kube_{kind}")),
    "workload",
    "app",
    "app.kubernetes.io/name",
    "app_kubernetes_io_name",
    "k8s-app",
    "k8s_app",
)
_POD_LABELS = (
    "exported_pod",
    "pod",
    "pod_name",
    "k8s.pod.name",
    "k8s_pod_name",
    "kubernetes_pod_name",
    "job_name",
)
_VARYING = frozenset(
    f"{part}{sign}{rest}" if rest else part
    for part, rest in (
        ("severity", ""),
        ("priority", ""),
        ("threshold", "name"),
        ("value", ""),
        ("pod-template-hash", ""),
        ("pod_template_hash", ""),
        ("controller-revision-hash", ""),
        ("controller_revision_hash", ""),
        ("k8s.pod", "uid"),
        ("k8s_pod", "uid"),
        ("pod", "uid"),
        ("pod", "ip"),
        ("uid", ""),
        ("container", "id"),
    )
    for sign in "._"
)
