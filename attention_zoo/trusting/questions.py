"""What the page of trust asks, and what it says for each verdict.

The order is that of the strength of the answers: where two rows contradict each other, the one
whose question stands first is believed (`trust_claims.consistent`).
"""

from __future__ import annotations

from typing import NamedTuple

from attention_zoo.trusting.claims import Said

JAIN = "Jain and Wallace, 2019, arXiv:1902.10186"
WIEGREFFE = "Wiegreffe and Pinter, 2019, arXiv:1908.04626"
DEYOUNG = "DeYoung et al., 2020, arXiv:1911.03429"
GEIGER = "Geiger et al., 2021, arXiv:2106.02997"
ADEBAYO = "Adebayo et al., 2018, arXiv:1810.03292"
MOHANKUMAR = "Mohankumar et al., 2020, arXiv:2004.14243"
ARRAS = "Arras, Osman and Samek, 2022, arXiv:2003.07258"
ZHANG = "Zhang et al., 2018, arXiv:1608.00507"


class Question(NamedTuple):
    """A question of the page.

    Attributes:
        asks: the question itself.
        source: who proposed the measure.
        more: whether a figure above its control speaks for the attention; else one below.
        for_: what is said where the measure speaks for the attention.
        against: what is said where it speaks against it.
    """

    asks: str
    source: str
    more: bool
    for_: Said
    against: Said


_RANKING = "Neither ranking is the truth."
_LOCATED = (
    "Does attention lie where the answer is?",
    Said(
        "The truth gets more attention than it would by uniform scores",
        "attention lies where the answer is",
        "This does not show that the model needs it there.",
        {"located": True},
    ),
    Said(
        "The truth gets hardly more attention than it would by uniform scores, or less",
        "attention does not lie where the answer is",
        "The model may answer from other inputs that tell the same.",
        {"located": False},
    ),
)

_QUALITY = Question(
    "Are the answers worse without these scores?", WIEGREFFE, False,
    Said(
        "With uniform attention the model answers worse", "its answers need these scores",
        "Whether the task needs attention at all, only a model trained without it tells.",
        {"needs scores": True},
    ),
    Said(
        "With uniform attention the model answers better",
        "its answers depend on these scores, which do harm",
        "A model trained with uniform attention may be better still.",
        {"needs scores": True},
    ),
)  # fmt: skip

QUESTIONS: dict[str, Question] = {
    "quality": _QUALITY,
    # Of errors more is worse
    "error": _QUALITY._replace(more=True),
    "uniform": Question(
        "Is the answer another without these scores?", WIEGREFFE, True,
        Said(
            "With uniform attention the model gives other answers",
            "its answers need these scores",
            "This does not show that they are better answers, nor that the task needs attention.",
            {"needs scores": True},
        ),
        Said(
            "With uniform attention the model gives about the same answers",
            "its answers do not need these scores",
            "Where it attends does not explain how it comes to them.",
            {"needs scores": False},
        ),
    ),
    "permuted": Question(
        "Does it matter where the scores fall?", JAIN, True,
        Said(
            "Moving the scores to other places changes the answer",
            "it depends on where they fall",
            "This does not show that these scores are the only ones that work.",
            {"needs places": True},
        ),
        Said(
            "Moving the scores to other places leaves the answer about the same",
            "it does not depend on where they fall",
            "It may still depend on how unequal they are.",
            {"needs places": False},
        ),
    ),
    "adversary": Question(
        "Would other scores give the same answer?", JAIN, False,
        Said(
            "The search found no scores far from these that give the same answer within .01", "",
            "It gives a lower bound: there may be some.", {"no others": True},
        ),
        Said(
            "The search found scores far from these that give the same answer within .01",
            "these scores are not the only explanation",
            "This does not show that training could find the others.",
            {"no others": False},
        ),
    ),
    "retrained": Question(
        "Does the task need attention at all?", WIEGREFFE, False,
        Said(
            "Trained with uniform attention the model answers worse",
            "attention does what the rest of the model cannot",
            "This does not make each single score right. Of figures that are given there is no "
            "interval.",
            {"needs scores": True},
        ),
        Said(
            "Trained with uniform attention the model answers as well",
            "the task needs no attention",
            "Where this model attends does not explain how one comes to the answer. Of figures "
            "that are given there is no interval.",
        ),
    ),
    "interchange": Question(
        "Does the answer go with the attended inputs?", GEIGER, True,
        Said(
            "Given the attended inputs of another sample, all together, the model gives that "
            "sample's answer",
            "the attended inputs carry the answer",
            "This does not show that it gets to the answer through the attention.",
            {"carry": True},
        ),
        Said(
            "Given the attended inputs of another sample, all together, the model hardly gives "
            "that sample's answer, or not more than with random inputs",
            "the attended inputs do not carry the answer",
            "A model that only notices a changed input may lose its answer without them.",
            {"carry": False},
        ),
    ),
    "sufficiency": Question(
        "Are the attended inputs enough?", DEYOUNG, False,
        Said(
            "With only the attended inputs the answer loses less than with only random ones",
            "they go far towards it",
            "This does not show that the model uses nothing else.",
            {"enough": True},
        ),
        Said(
            "With only the attended inputs the answer loses hardly less than with only random "
            "ones, or more",
            "they are not enough for it",
            "They may count together with others.",
            {"enough": False},
        ),
    ),
    "comprehensiveness": Question(
        "Does the answer need the attended inputs?", DEYOUNG, True,
        Said(
            "Without the attended inputs the answer loses more than without random ones",
            "it needs them",
            "A model that only notices a changed input would lose as much: see whether the answer "
            "goes with them.",
            {"needed": True},
        ),
        Said(
            "Without the attended inputs the answer loses hardly more than without random ones, "
            "or less",
            "it does not need them",
            "Other inputs may tell the same.",
            {"needed": False},
        ),
    ),
    "leave-one-out": Question(
        "Does attention rank the inputs as leave-one-out does?", JAIN, True,
        Said(
            "Attention ranks the inputs as leave-one-out does", "",
            f"{_RANKING} Both may follow how the model notices a changed input.",
            {"ranked": True},
        ),
        Said(
            "Attention does not rank the inputs as leave-one-out does", "", _RANKING,
            {"ranked": False},
        ),
    ),
    "gradients": Question(
        "Does attention rank the inputs as gradients do?", JAIN, True,
        Said("Attention ranks the inputs as gradients do", "", _RANKING),
        Said("Attention does not rank the inputs as gradients do", "", _RANKING),
    ),
    "seeds": Question(
        "Do models of other seeds attend to the same?", WIEGREFFE, False,
        Said(
            "Models of other seeds attend to the same",
            "the scores tell of the data and the task rather than of one training run",
            "All of them may be wrong in the same way.",
        ),
        Said(
            "Models of other seeds attend elsewhere",
            "the scores tell of one training run as much as of the data",
            "The scores of this run may still be what this model needs.",
        ),
    ),
    "randomization": Question(
        "Would an untrained model show the same?", ADEBAYO, False,
        Said(
            "With all weights initialized again the model attends elsewhere",
            "the picture depends on what was learned",
            "That is the least to ask for, and makes it no explanation.",
        ),
        Said(
            "With all weights initialized again the model ranks the inputs much as before",
            "the picture shows the data or the architecture as much as what was learned",
            "What was learned may agree with them.",
        ),
    ),
    "conicity": Question(
        "Do the attended states differ?", MOHANKUMAR, False,
        Said(
            "The attended states differ",
            "their weighted mean changes with the scores",
            "Whether the answer does, the scores in another order tell.",
        ),
        Said(
            "The attended states point much the same way",
            "their weighted mean hardly changes with the scores",
            "Small differences between them may still decide the answer.",
            {"needs places": False},
        ),
    ),
    "mass": Question(_LOCATED[0], ARRAS, True, *_LOCATED[1:]),
    "pointing": Question(_LOCATED[0], ZHANG, True, *_LOCATED[1:]),
}  # fmt: skip
