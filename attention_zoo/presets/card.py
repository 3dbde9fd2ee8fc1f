"""What a preset says about itself, validated: nothing in it is believed before this."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from attention_zoo.core.parsing import printable

#: The version of the folder format that this release writes, and the newest that it reads: 3 has
#: layers that are quantized or have LoRA factors, and `normalize` and `positions` of factories.
FORMAT = 3


class PresetError(Exception):
    """A preset that cannot be trusted or used: the message says what, where, and what to do.

    What the message quotes of the preset cannot command a terminal.
    """

    def __init__(self, message: str):
        super().__init__(printable(message))


class FileEntry(BaseModel):
    """One file of the folder, as it was when the card was written."""

    model_config = ConfigDict(extra="forbid")

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]


class Card(BaseModel):
    """The card of a preset: `card.json`.

    `scores` and `study` are filled by the code that measured them: `scores` are those of these
    very weights, `study` those of the recipe over several seeds, with its controls.
    """

    model_config = ConfigDict(extra="forbid")

    format: Annotated[int, Field(ge=1, strict=True)] = FORMAT
    architecture: str
    parameters: Annotated[int, Field(ge=0)]
    license: str
    provenance: str
    versions: dict[str, str]
    files: dict[str, FileEntry]
    #: The recipe of the training, or None for a model that was trained elsewhere.
    recipe: dict[str, Any] | None = None
    kind: str | None = None
    classes: list[Any] | None = None
    names: list[str] | None = None
    #: The figure that the task is known by, and what the model is not for.
    published: str | None = None
    limits: str | None = None
    scores: dict[str, FiniteFloat] = Field(default_factory=dict)
    study: dict[str, Any] | None = None


def make_card(values: Any, path: Any) -> Card:
    """A card from the values in its file; PresetError says what is wrong with them."""
    newest = values.get("format") if isinstance(values, dict) else None
    if isinstance(newest, int) and newest > FORMAT:
        raise PresetError(
            f"{path} has format {newest}; this version of attention_zoo reads formats 1 to "
            f"{FORMAT}. Install a newer one: pip install --upgrade attention-zoo"
        )
    try:
        card = Card.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise PresetError(f"{path} is no valid card: {where}: {first['msg']}.") from None
    return card
