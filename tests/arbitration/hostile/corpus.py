"""The corpus: answers with the commands of commands.toml, and the completed answers of answers.toml."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from tests.arbitration.llm.model_server import ANSWER

_HERE = Path(__file__).parent
GOOD_COMMAND = "kubectl set resources deployment/checkout --containers=app --limits=memory=768Mi -n shop"
"""What the alert of `decision_path` asks for: its container was killed at its limit of 512 MiB."""

GOOD: dict[str, Any] = {
    **json.loads(ANSWER),
    "primary_responsibility": "BE",
    "suggested_action": "TUNE_RESOURCES",
    "kubectl_command": GOOD_COMMAND,
    "target_resource": "deployment/checkout",
    "namespace": "shop",
    "confidence": 80,
    "affected_services": ["checkout"],
    "optimization_suggestions": [],
}
"""A valid answer to the alert of `decision_path`."""


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((_HERE / name).read_text("utf-8"))


COMMANDS: dict[str, list[str]] = {kind: entry["texts"] for kind, entry in _load("commands.toml").items()}
ANSWERS: dict[str, dict[str, Any]] = _load("answers.toml")


def with_command(command: str) -> str:
    """Return an answer with a command, also as an optimization suggestion."""
    suggestion = {"type": "SCALE", "description": "Prevent it", "kubectl_or_config": command}
    return json.dumps({**GOOD, "kubectl_command": command, "optimization_suggestions": [suggestion]})


def filled(template: str) -> str:
    """Return an answer of the corpus with its placeholders filled in."""
    named = set(re.findall(r'[{,/*\s]\s*"?(\w+)"?\s*:', template))
    members = json.dumps({name: value for name, value in GOOD.items() if name not in named})[1:-1]
    whole = json.dumps(GOOD)
    text = template.replace("<string>", json.dumps(whole)).replace("<answer>", whole)
    return text.replace("…", members)


def all_answers() -> list[str]:
    """Return every answer of the corpus."""
    commands = (with_command(text) for texts in COMMANDS.values() for text in texts)
    return [*commands, *(filled(text) for entry in ANSWERS.values() for text in entry["texts"])]
