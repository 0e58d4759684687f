"""Who owns a subject: by the operator's file of owners, else by a label of its alerts."""

from openclaw_stream.arbitration.ownership.lookup import OwnerLookup, read_owners
from openclaw_stream.arbitration.ownership.owners_file import OwnersFile, OwnersFileError, parse_owners

__all__ = ["OwnerLookup", "OwnersFile", "OwnersFileError", "parse_owners", "read_owners"]
