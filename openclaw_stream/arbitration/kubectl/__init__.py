"""The kubectl commands that a decision may suggest: parsed without a shell, checked, rendered in one canonical form.

    kubectl scale              deployment|statefulset            --replicas [--current-replicas]
    kubectl autoscale          deployment|statefulset            --max [--min] [--cpu]
    kubectl set resources      deployment|statefulset|daemonset  --limits and/or --requests [--containers]
    kubectl rollout restart    deployment|statefulset|daemonset
    kubectl rollout undo       deployment|statefulset|daemonset  [--to-revision]
    kubectl patch              the above|horizontalpodautoscaler --patch [--type]
    kubectl delete             pod

One resource each, and `-n NAMESPACE`. `--cpu=70%` needs kubectl 1.34; the older `--cpu-percent=70` is read and rendered
as `--cpu=70%`. All other commands are refused with a reason. No command is ever run.
"""

from openclaw_stream.arbitration.kubectl.command import Command, Kind, RefusedCommand, Verb
from openclaw_stream.arbitration.kubectl.detection import looks_like_command
from openclaw_stream.arbitration.kubectl.grammar import kind_of, parse
from openclaw_stream.arbitration.kubectl.names import is_label

__all__ = ["Command", "Kind", "RefusedCommand", "Verb", "is_label", "kind_of", "looks_like_command", "parse"]
