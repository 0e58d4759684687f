"""Writes the copies of the alert rules: the PrometheusRule of the overlays and the file of the Helm chart.

Kustomize and Helm read no file outside their own folder, so the rules of deploy/prometheus are copied. Run
`python -m tests.deploy.alert_copies` after a change of the rules.
"""

from pathlib import Path

from tests.conftest import PROJECT

RULES = PROJECT / "deploy/prometheus/alerts.yaml"
HELM = PROJECT / "deploy/helm/openclaw-stream/files/alerts.yaml"
KUSTOMIZE = PROJECT / "deploy/kubernetes/components/monitoring/prometheusrule.yaml"

_NOTE = "# A copy of deploy/prometheus/alerts.yaml, written by `python -m tests.deploy.alert_copies`.\n"
_OBJECT = """apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: openclaw-stream
spec:
"""


def copies() -> dict[Path, str]:
    """Return the texts of the copies."""
    rules = RULES.read_text(encoding="utf-8")
    indented = "".join(f"  {line}" if line.strip() else line for line in rules.splitlines(keepends=True))
    return {HELM: _NOTE + rules, KUSTOMIZE: _NOTE + _OBJECT + indented}


if __name__ == "__main__":
    for path, text in copies().items():
        path.write_text(text, encoding="utf-8")
