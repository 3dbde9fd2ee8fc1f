"""Does attention rank the inputs as other ways to ask for their importance do?"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from attention_zoo.core.identity import by_identity
from attention_zoo.metrics.rank_correlation import kendall_tau


@by_identity
class Agreement(NamedTuple):
    """Kendall's tau-b of each sample, `(samples,)`; NaN where one of the two ranks nothing.

    Attributes:
        with_leave_one_out: of attention and the change of the answer without each input.
        with_gradients: of attention and the gradients.
        control: of those two, which is as much as attention can be asked for.
    """

    with_leave_one_out: np.ndarray
    with_gradients: np.ndarray
    control: np.ndarray


def agreement(attention: Any, leave_one_out: Any, gradients: Any, mask: Any = None) -> Agreement:
    """Kendall's tau of attention with leave-one-out and with gradients, and of those two (Jain
    and Wallace, 2019, arXiv:1902.10186, section 4.1).

    Neither of the two is the truth, and they need not agree with each other: attention that agrees
    with both as well as they do (the control) passes this test, and one that falls far below the
    control does not rank the inputs by their effect on the answer. Signs do not count for
    attention, which has none: give magnitudes.

    Args:
        attention: scores, `(samples, indices)`.
        leave_one_out: how far the answer moves without each index, `(samples, indices)`.
        gradients: how strongly the answer depends on each index, `(samples, indices)`.
        mask: booleans of that shape; what is False, such as padding, is not ranked.

    Returns:
        An `Agreement`.

    Raises:
        ValueError: for shapes that differ, or numbers that are not finite.

    Example:

    >>> from attention_zoo.metrics import agreement
    >>> agreement([[0.6, 0.3, 0.1]], [[0.5, 0.4, 0.0]], [[1.0, 3.0, 2.0]]).with_leave_one_out
    array([1.])
    """
    return Agreement(
        kendall_tau(attention, leave_one_out, mask),
        kendall_tau(attention, gradients, mask),
        kendall_tau(leave_one_out, gradients, mask),
    )
