"""What all published models share."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION: Final = 1

Fraction = Annotated[float, Field(ge=0, le=1)]


class EventModel(BaseModel):
    """Base of the published models: frozen, without further fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
