"""The tests of trust as a table: question, measure, control, words.

The strongest evidence stands first. Where two rows of a page contradict each other, the first
counts (`verdicts.consistent`).
"""

from __future__ import annotations

from functools import partial

from attention_zoo.metrics.faithfulness import comprehensiveness, sufficiency
from attention_zoo.metrics.localization import pointing_game, relevance_mass_accuracy
from attention_zoo.trusting import measures
from attention_zoo.trusting.verdicts import TrustTest, Words

_JAIN = "Jain and Wallace, 2019, arXiv:1902.10186"
_WIEGREFFE = "Wiegreffe and Pinter, 2019, arXiv:1908.04626"
_DEYOUNG = "DeYoung et al., 2020, arXiv:1911.03429"
_MIDPOINT = "the midpoint of the control and 1"
_KEEP = f"distant scores that keep the predictions within {measures.TOLERANCE}"
_NEITHER = "Neither ranking is the truth."
_LOCATED = (
    Words(
        "The relevant inputs get more attention than uniform scores would give them",
        "attention lies on the relevant inputs",
        "This does not show that the model needs it there.",
        {"located": True},
    ),
    Words(
        "The relevant inputs get hardly more attention than uniform scores would give, or less",
        "attention does not lie on the relevant inputs",
        "The model may predict from other inputs that carry the same information.",
        {"located": False},
    ),
)

_ADDED = (
    Words(
        "The contributions add up to the prediction",
        "what each step adds to it is known",
        "What a step adds, the layers before the attention may have brought there from others.",
    ),
    Words(
        "The contributions do not add up to the prediction",
        "they do not explain it",
        "A low precision may be why.",
    ),
)

TESTS: dict[str, TrustTest] = {
    "contributions": TrustTest(
        "Do the contributions of the steps add up to the prediction?",
        measures.contributions,
        "difference of two samples",
        *_ADDED,
        "difference from the sum of the contributions",
        "Early et al., 2024, arXiv:2311.10049",
        reference="a tenth of the control",
        larger=False,
        needs="contributions",
    ),
    "performance": TrustTest(
        "Does uniform attention make the predictions worse?",
        measures.performance,
        "the model as it is",
        Words(
            "Uniform attention makes the predictions worse",
            "the model needs these scores",
            "Only a model trained without attention shows whether the task needs attention.",
            {"needs scores": True},
        ),
        Words(
            "Uniform attention makes the predictions better",
            "the model depends on these scores, and they do harm",
            "A model trained with uniform attention may be better still.",
            {"needs scores": True},
        ),
        "metric, uniform attention",
        _WIEGREFFE,
        larger=False,
        needs="y",
    ),
    "uniform": TrustTest(
        "Does uniform attention change the predictions?",
        measures.uniform,
        "difference of two samples",
        Words(
            "Uniform attention changes the predictions",
            "the model needs these scores",
            "This does not show that they improve its predictions, nor that the task needs them.",
            {"needs scores": True},
        ),
        Words(
            "Uniform attention hardly changes the predictions",
            "the model does not need these scores",
            "Where it attends does not explain its predictions.",
            {"needs scores": False},
        ),
        "change of predictions, uniform attention",
        _WIEGREFFE,
        reference="a tenth of the control",
    ),
    "permuted": TrustTest(
        "Does it matter where the scores fall?",
        measures.permutation,
        "difference of two samples",
        Words(
            "Moving the scores to other positions changes the predictions",
            "the predictions depend on where the scores fall",
            "This does not show that these scores are the only ones that work.",
            {"needs positions": True},
        ),
        Words(
            "Moving the scores to other positions hardly changes the predictions",
            "the predictions do not depend on where the scores fall",
            "They may still depend on how unequal the scores are.",
            {"needs positions": False},
        ),
        "change of predictions, permuted attention",
        _JAIN,
        reference="a tenth of the control",
    ),
    "adversary": TrustTest(
        "Would other scores give the same predictions?",
        measures.adversary,
        "without regard to the predictions",
        Words(
            f"The search found no {_KEEP}",
            "",
            "This is a lower bound: such scores may exist.",
            {"no others": True},
        ),
        Words(
            f"The search found {_KEEP}",
            "these scores are not the only explanation",
            "This does not show that training could find the others.",
            {"no others": False},
        ),
        "JSD of adversarial attention",
        _JAIN,
        reference="half the control",
        larger=False,
    ),
    "retrained": TrustTest(
        "Does the task need attention at all?",
        measures.retrained,
        "trained with its attention",
        Words(
            "Trained with uniform attention the model predicts worse",
            "attention does what the rest of the model cannot",
            "This does not make each single score right. Single values have no interval.",
            {"needs scores": True},
        ),
        Words(
            "Trained with uniform attention the model predicts as well",
            "the task needs no attention",
            "Where this model attends does not explain the task. Single values have no interval.",
        ),
        "trained with uniform attention",
        _WIEGREFFE,
    ),
    "interchange": TrustTest(
        "Does the prediction follow the attended inputs?",
        measures.interchanged,
        "as many random inputs",
        Words(
            "With the attended inputs of another sample the model predicts as for that sample",
            "the attended inputs carry the prediction",
            "This does not show that the model uses them through its attention.",
            {"carry": True},
        ),
        Words(
            "With the attended inputs of another sample the model hardly predicts as for that "
            "sample, or no more than with random inputs of it",
            "the attended inputs do not carry the prediction",
            "A model that only notices a changed input may lose its prediction without them.",
            {"carry": False},
        ),
        f"interchange intervention, {measures.MASS:.0%} of the attention",
        "Geiger et al., 2021, arXiv:2106.02997",
        reference="0.25",
    ),
    "sufficiency": TrustTest(
        "Are the attended inputs enough?",
        partial(measures.faithfulness, sufficiency),
        "random ranking",
        Words(
            "The attended inputs alone keep more of the prediction than random inputs alone",
            "the attended inputs are enough for much of the prediction",
            "This does not show that the model uses nothing else.",
            {"enough": True},
        ),
        Words(
            "The attended inputs alone keep hardly more of the prediction than random inputs "
            "alone, or less",
            "the attended inputs are not enough for the prediction",
            "They may count only together with others.",
            {"enough": False},
        ),
        "sufficiency (AOPC)",
        _DEYOUNG,
        reference="two thirds of the control",
        larger=False,
    ),
    "comprehensiveness": TrustTest(
        "Does the model need the attended inputs?",
        partial(measures.faithfulness, comprehensiveness),
        "random ranking",
        Words(
            "Removing the attended inputs changes the prediction more than removing random inputs",
            "the model needs the attended inputs",
            "A model that only notices a changed input would lose as much: see the interchange.",
            {"needed": True},
        ),
        Words(
            "Removing the attended inputs changes the prediction hardly more than removing random "
            "inputs, or less",
            "the model does not need the attended inputs",
            "Other inputs may carry the same information.",
            {"needed": False},
        ),
        "comprehensiveness (AOPC)",
        _DEYOUNG,
        reference="1.5 times the control",
    ),
    "leave-one-out": TrustTest(
        "Does attention rank the inputs as leave-one-out does?",
        partial(measures.rank_agreement, "with_leave_one_out"),
        "leave-one-out with gradients",
        Words(
            "Attention ranks the inputs as leave-one-out does",
            "",
            f"{_NEITHER} Both may follow how the model notices a changed input.",
            {"ranked": True},
        ),
        Words(
            "Attention does not rank the inputs as leave-one-out does",
            "",
            _NEITHER,
            {"ranked": False},
        ),
        "Kendall tau with leave-one-out",
        _JAIN,
        reference="half the control",
    ),
    "gradients": TrustTest(
        "Does attention rank the inputs as gradients do?",
        partial(measures.rank_agreement, "with_gradients"),
        "leave-one-out with gradients",
        Words("Attention ranks the inputs as gradients do", "", _NEITHER),
        Words("Attention does not rank the inputs as gradients do", "", _NEITHER),
        "Kendall tau with gradients",
        _JAIN,
        reference="half the control",
    ),
    "seeds": TrustTest(
        "Do models trained with other seeds attend to the same inputs?",
        measures.seeds,
        "scores in random order",
        Words(
            "Models trained with other seeds attend to the same inputs",
            "the scores reflect the data and the task rather than one training run",
            "All of them may be wrong in the same way.",
        ),
        Words(
            "Models trained with other seeds attend to other inputs",
            "the scores reflect one training run as much as the data",
            "The scores of this run may still be what this model needs.",
        ),
        "JSD over seeds",
        _WIEGREFFE,
        reference="half the control",
        larger=False,
        needs="others",
    ),
    "randomization": TrustTest(
        "Would an untrained model show the same?",
        measures.randomization,
        "scores in random order",
        Words(
            "With randomized weights the model attends to other inputs",
            "the picture depends on what was learned",
            "This is the least to ask for. It does not make attention an explanation.",
        ),
        Words(
            "With randomized weights the model ranks the inputs much as before",
            "the picture shows the data or the architecture as much as what was learned",
            "What was learned may agree with them.",
        ),
        "rank correlation, parameter randomization",
        "Adebayo et al., 2018, arXiv:1810.03292",
        reference=_MIDPOINT,
        larger=False,
    ),
    "conicity": TrustTest(
        "Do the attended states differ?",
        measures.conicities,
        "random vectors",
        Words(
            "The attended states differ",
            "their weighted mean changes with the scores",
            "Permuting the scores shows whether the predictions change, too.",
        ),
        Words(
            "The attended states point in similar directions",
            "their weighted mean hardly changes with the scores",
            "Small differences between them may still decide the prediction.",
            {"needs positions": False},
        ),
        "conicity of the attended states",
        "Mohankumar et al., 2020, arXiv:2004.14243",
        reference=_MIDPOINT,
        larger=False,
    ),
    "mass": TrustTest(
        "Does attention lie on the relevant inputs?",
        partial(measures.localization, relevance_mass_accuracy),
        "uniform attention",
        *_LOCATED,
        "relevance mass accuracy",
        "Arras, Osman and Samek, 2022, arXiv:2003.07258",
        reference="1.5 times the control",
        needs="truth",
    ),
    "pointing": TrustTest(
        "Does attention peak on the relevant inputs?",
        partial(measures.localization, pointing_game),
        "uniform attention",
        *_LOCATED,
        "pointing game",
        "Zhang et al., 2018, arXiv:1608.00507",
        reference="1.5 times the control",
        needs="truth",
    ),
}
