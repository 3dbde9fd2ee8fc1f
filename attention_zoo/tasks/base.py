"""What every synthetic task is: seeded draws that know where the answer is hidden."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, NamedTuple

import numpy as np

from attention_zoo.core import checks
from attention_zoo.core.identity import by_identity
from attention_zoo.core.registry import Registry, one_of

TASKS = Registry("task")

#: Fields that are positive integers.
_SIZES = ("steps", "features", "items")

#: Draws of different splits never share a random stream, whatever the seed.
SPLITS = {"train": 0, "validation": 1, "test": 2}


@by_identity
class _Draw(NamedTuple):
    x: np.ndarray
    y: np.ndarray
    relevance: np.ndarray


class Sample(_Draw):
    """A draw of a task: a named tuple of three arrays, with an attribute `mask`.

    Attributes:
        x: the inputs, `(n, *input_shape)`; padding is 0.
        y: the targets, `(n,)`, `(n, time)` where each step has its own, or `(n, outputs)` of
            several quantities.
        relevance: 1 where the answer is, 0 elsewhere; of the shape of the scores that should
            follow it, or of their leading axes; `(n, outputs, time)` where each output has its own.
        mask: `(n, time)`, True where a step is real; None where all series have the same length.
    """

    mask: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Task:
    """A synthetic task: a frozen dataclass whose fields are its sizes and positions.

    Subclasses define `input_shape` and `draw`, and are registered by `tasks.TASKS.add`. Fields
    called `steps`, `features` or `items` are positive integers.

    Attributes:
        kind: `"binary"`, `"multiclass"` or `"regression"`.
        metric: the score that the predictions are judged by.
        per_step: whether each time step has its target.
        tolerance: a prediction of a regression is right if it is off by less; None if the source
            of the task names none.

    Example:

    >>> task = az.tasks.get("adding", steps=20)
    >>> task.kind, task.input_shape, task.config()
    ('regression', (22, 2), {'steps': 20, 'shortest': None})
    """

    kind: ClassVar[str] = "binary"
    metric: ClassVar[str] = "accuracy"
    per_step: ClassVar[bool] = False
    tolerance: ClassVar[float | None] = None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if field.name in _SIZES:
                checks.positive_int(field.name, getattr(self, field.name))

    @property
    def name(self) -> str:
        """Return the name under which `tasks.get` knows this kind of task."""
        return TASKS.name_of(type(self)) or type(self).__name__

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Return the shape of one sample."""
        raise AttributeError(f"{type(self).__name__} defines no input_shape")

    @property
    def outputs(self) -> int:
        """Return how many outputs a model needs."""
        return 1

    @property
    def floor(self) -> float:
        """Return the mean absolute error of the best possible predictions."""
        return 0.0

    def config(self) -> dict[str, Any]:
        """Return the fields, as plain JSON values."""
        return dataclasses.asdict(self)

    def sample(self, n: int, seed: int = 0, split: str = "train") -> Sample:
        """Draw `n` samples.

        Args:
            n: the number of samples.
            seed: the same seed gives the same draw.
            split: `"train"`, `"validation"` or `"test"`, which never share a draw.

        Returns:
            A `Sample`, its arrays float32 and its `mask` boolean.

        Raises:
            ValueError: for an `n` below 1, a negative seed or an unknown split.
        """
        checks.positive_int("n", n)
        checks.natural("seed", seed)
        if split not in SPLITS:
            raise one_of("split", split, SPLITS)
        rng = np.random.default_rng([SPLITS[split], seed])
        x, y, relevance, *mask = self.draw(n, rng)
        result = Sample(x.astype("float32"), y.astype("float32"), relevance.astype("float32"))
        if mask:
            result.mask = mask[0]
        return result

    def draw(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Return `x`, `y`, `relevance`, and `mask` where lengths vary, of `n` samples."""
        raise AttributeError(f"{type(self).__name__} defines no draw")


class SeriesTask(Task):
    """A task whose samples are series of `steps` and `features`, fields or class constants."""

    #: The fewest steps that a series may have.
    shortest_series: ClassVar[int] = 1

    steps: int
    features: int

    def __post_init__(self) -> None:
        super().__post_init__()
        least = self.shortest_series
        if self.steps < least:
            raise ValueError(f"`steps` must be {least} or more. Received: steps={self.steps!r}")

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.steps, self.features)


def one_hot(n: int, size: int, index: int | np.ndarray) -> np.ndarray:
    """Return (n, size), 1 at the index of each row and 0 elsewhere."""
    rows = np.zeros((n, size))
    rows[np.arange(n), index] = 1
    return rows


def position(name: str, value: int, size: int) -> None:
    """Refuse an index outside 0 to `size` - 1."""
    checks.natural(name, value)
    if value >= size:
        raise ValueError(f"`{name}` must be less than {size}. Received: {name}={value!r}")


def get(name: str, **config: Any) -> Task:
    """Return a task by its name, with its sizes and positions as arguments.

    Args:
        name: one of `list_tasks()`.
        **config: fields of the task, such as `steps` or `index`.

    Returns:
        The `Task`, whose `sample(n, seed)` draws data.

    Raises:
        ValueError: for an unknown task or argument, with the nearest known one.

    Example:

    >>> x, y, relevance = az.tasks.get("planted_step", steps=12, index=3).sample(5, seed=1)
    >>> x.shape, int(relevance[0].argmax())
    ((5, 12, 2), 3)
    """
    cls = TASKS.get(name)
    fields = [field.name for field in dataclasses.fields(cls)]
    for argument in config:
        if argument not in fields:
            raise one_of(f"argument of the task {name!r}", argument, fields)
    return cls(**config)


def list_tasks(pattern: str = "*") -> list[str]:
    """Return the names of the tasks that match a shell pattern.

    Args:
        pattern: a pattern such as `"planted*"`.

    Returns:
        The sorted names.

    Raises:
        TypeError: if the pattern is no string.

    Example:

    >>> az.tasks.list_tasks("adding*")
    ['adding', 'adding_problem']
    """
    return TASKS.names(pattern)
