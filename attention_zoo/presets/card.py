"""The card of a preset, what it says about itself, validated before anything uses it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from attention_zoo.core.parsing import printable

#: The version of the folder format that this release writes, and the newest that it reads: 3 has
#: layers that are quantized or have LoRA factors, and `normalize` and `positions` of factories; 4
#: has `resolution`.
FORMAT = 4


class PresetError(Exception):
    """A preset that cannot be trusted or used: the message says what, where, and what to do.

    Quotations from the preset are escaped, so that they cannot command a terminal.
    """

    def __init__(self, message: str):
        super().__init__(printable(message))


class FileEntry(BaseModel):
    """One file of the folder, as it was when the card was written.

    Attributes:
        sha256: the SHA-256 of its bytes, in hexadecimal.
        size: its bytes.
    """

    model_config = ConfigDict(extra="forbid")

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]


class Card(BaseModel):
    """The card of a preset: `card.json`.

    Attributes:
        format: the version of the folder's format.
        architecture: the factory, or `"functional"` or `"sequential"`.
        parameters: the number of parameters of the model.
        license, provenance: as the owner states them.
        versions: the versions of the packages that the model was made with.
        files: the hash and size of each other file.
        recipe: the recipe of the training, or None for a model that was trained elsewhere.
        kind, classes, names: the kind of task, and the names of its classes and features.
        resolution: of each attention layer after convolutions or pooling, how many steps of the
            input a step of its scores sees, and for how many it stands.
        published: a published result on the task.
        limits: what the model is not for.
        scores: the scores of these weights.
        study: the scores of the recipe over several seeds, with its controls.
    """

    model_config = ConfigDict(extra="forbid")

    format: Annotated[int, Field(ge=1, strict=True)] = FORMAT
    architecture: str
    parameters: Annotated[int, Field(ge=0)]
    license: str
    provenance: str
    versions: dict[str, str]
    files: dict[str, FileEntry]
    recipe: dict[str, Any] | None = None
    kind: str | None = None
    classes: list[str | bool | int | float] | None = None
    names: list[str] | None = None
    resolution: dict[str, dict[str, int]] | None = None
    published: str | None = None
    limits: str | None = None
    scores: dict[str, FiniteFloat] = Field(default_factory=dict)
    study: dict[str, Any] | None = None


def make_card(values: Any, path: Any) -> Card:
    """Return a card from the values in its file; raise PresetError if they make none."""
    newest = values.get("format") if isinstance(values, dict) else None
    if isinstance(newest, int) and newest > FORMAT:
        raise PresetError(
            f"{path} has format {newest}; this version of attention_zoo reads formats 1 to "
            f"{FORMAT}. Install a newer one: pip install --upgrade attention-zoo"
        )
    try:
        return Card.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise PresetError(f"{path} is no valid card: {where}: {first['msg']}.") from None
