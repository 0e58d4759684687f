"""The lookup of owners: the file, which can be read again while the worker runs, then the team label."""

from pathlib import Path

import structlog

from openclaw_stream.arbitration.ownership.owners_file import (
    RESPONSIBILITIES,
    OwnersFile,
    OwnersFileError,
    parse_owners,
)
from openclaw_stream.incidents.case import TEAM_NAME_MAX, Case, Owner
from openclaw_stream.settings import OwnerSettings
from openclaw_stream.text import safe_text

log = structlog.get_logger(__name__)


class OwnerLookup:
    """Finds the owner of an incident.

    Args:
        settings: The file of owners, if there is one, and the label to believe where no entry of it matches.

    Raises:
        OwnersFileError: The file cannot be read, or is wrong.
    """

    def __init__(self, settings: OwnerSettings) -> None:
        self._file = settings.owners
        self._label = settings.team_label or ""
        self._owners = read_owners(self._file) if self._file else OwnersFile()

    @property
    def has_file(self) -> bool:
        """Whether there is a file to read again."""
        return self._file is not None

    def owner_of(self, case: Case) -> Owner | None:
        """Return the owner of an incident by the file, else by the label, None where neither names one."""
        return self._owners.owner_of(case) or (labelled_owner(case, self._label) if self._label else None)

    def reload(self) -> None:
        """Read the file again, for the decisions that begin from now on; a wrong file changes nothing.

        Either result is logged.
        """
        if self._file is None:
            return
        try:
            self._owners = read_owners(self._file)
        except OwnersFileError as error:
            log.error(  # noqa: TRY400 - the fault is in the file
                "owners file is wrong; the entries read before stay in use",
                file=error.file,
                line=error.line,
                reason=error.reason,
            )
        else:
            log.info("owners file read", file=str(self._file), entries=len(self._owners.entries))


def read_owners(path: Path) -> OwnersFile:
    """Return the entries of a file.

    Raises:
        OwnersFileError: The file cannot be read, is not UTF-8, or is wrong.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OwnersFileError(str(path), 0, f"it cannot be read: {error.strerror}; check OPENCLAW_OWNERS") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise OwnersFileError(str(path), line, "it is not UTF-8; save it as UTF-8") from None
    return parse_owners(text, str(path))


def labelled_owner(case: Case, label: str) -> Owner | None:
    """Return the owner that a label of the alerts names; of several alerts the first that has the label counts.

    The value is alert text: redacted and without hidden characters. The name of a responsibility in any case is the
    responsibility too.
    """
    values = (exemplar.labels.get(label, "") for exemplar in case.exemplars)
    team = next(filter(None, (safe_text(each, TEAM_NAME_MAX, one_line=True, name=label) for each in values)), "")
    if not team.strip("…"):
        return None
    return Owner(team, f"label {label}", RESPONSIBILITIES.get(team.upper()), label=label)
