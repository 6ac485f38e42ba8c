"""Which mistake is it? One rule for each known way of getting a gradient wrong, on arrays alone.

A rule says what would come out if its mistake had been made. If that is what did come out, to a millionth,
the mistake has a name. The sentence says what is observed and asks the question that leads to the fix.
It never says the fix: finding that is the reader's.
"""

from dataclasses import dataclass

from handgrad.gradient_check import clues, rules
from handgrad.gradient_check.comparing import matches


@dataclass(frozen=True)
class Diagnosis:
    code: str
    text: str


def diagnose(evidence):
    """The first rule that explains the evidence, or None: rules that fit fewer mistakes come first."""
    for code, rule, sentence in RULES:
        for candidate, blanks in rule(evidence):
            if matches(evidence.given, candidate):
                return Diagnosis(code, sentence.format(i=evidence.names[evidence.i], **blanks))
    return None


RULES = [
    (
        "GRADIENTS_SWAPPED",
        rules.swapped,
        "What came back for {i} is the gradient of {j}, and for {j} that of {i}. In which order does forward take "
        "its inputs, and in which does backward return?",
    ),
    (
        "NOT_SUMMED_OVER_BROADCAST",
        rules.not_summed,
        "The gradient of {i} has the shape {given} of the output, but the input has {shape}: along axis {axes} "
        "it was repeated. What do the gradients of copies do?",
    ),
    (
        "TRANSPOSED",
        rules.transposed,
        "The gradient of {i} is {what}. Which shape has the input, and which axis of it goes with which axis of dz?",
    ),
    (
        "WRONG_SHAPE",
        rules.wrong_shape,
        "The gradient of {i} has the right numbers in the shape {given}, but the input has {shape}. Which "
        "shape must a gradient have so that it can be subtracted from its input?",
    ),
    (
        "FORGOT_UPSTREAM",
        rules.forgot_upstream,
        "The gradient of {i} is what comes out if every upstream gradient is 1: it does not depend on dz. "
        "What does the chain rule do with the gradient that arrives from above?",
    ),
    (
        "UPSTREAM_TWICE",
        rules.upstream_twice,
        "The gradient of {i} grows with the square of dz: doubling dz makes it four times as large. How often "
        "does the upstream gradient enter?",
    ),
    (
        "WRONG_SIGN",
        rules.wrong_sign,
        "The gradient of {i} has the right size and points the wrong way: every sign is reversed. If this "
        "input rises a little, does the output rise or fall?",
    ),
    (
        "REPEATED_IDS",
        rules.repeated_ids,
        "Ids occur more than once, and in the gradient of {i} such a row has {kept}. Each time that the row was "
        "looked up, the output depends on it: what do these dependences do together?",
    ),
    (
        "OTHER_OPERAND_TRANSPOSED",
        rules.other_operand_transposed,
        "The gradient of {i} is the product of dz and the other operand as it stands. Its shape fits here only "
        "by chance: write down the shapes of the three matrices. Which product fits for any shapes?",
    ),
    (
        "INPUT_FOR_OUTPUT",
        rules.input_for_output,
        "The gradient of {i} uses the input where its formula speaks of the output. Is the slope, as you wrote "
        "it, a function of x or of z?",
    ),
    (
        "INDICATOR_IGNORED",
        rules.indicator_ignored,
        "The gradient of {i} is right wherever the output moves with it. At {n} entries the output does not move, and "
        "{extra} of them have a gradient too. When does an entry not matter?",
    ),
    (
        "OUTPUT_FOR_INPUT",
        rules.slope_at_output,
        "The gradient of {i} is the local slope at the output, and not at the input. Which of the two does "
        "your formula for the slope speak of, and which did forward keep?",
    ),
    (
        "OUTPUT_FOR_INPUT",
        rules.output_as_factor,
        "The gradient of {i} is dz times the output of the gate; the right one is dz times an input. Which of "
        "the two does your formula speak of, and which did forward keep?",
    ),
    (
        "DIAGONAL_ONLY",
        rules.diagonal_only,
        "The gradient of {i} is that of a gate in which each output depends on one entry only: the diagonal of "
        "the Jacobian. Which outputs move if you raise a single entry?",
    ),
    (
        "MEAN_OR_SUM",
        rules.mean_or_sum_of_all,
        "The gradient of {i} is the right one {how} {n}, {which}. Does forward take their sum, or their mean?",
    ),
    (
        "MEAN_OR_SUM",
        rules.mean_or_sum_of_axis,
        "The gradient of {i} is the right one {how} {n}, the size of {which}. Does forward take a sum there, or "
        "a mean?",
    ),
    (
        "OFF_BY_ONE",
        rules.shifted,
        "The gradient of {i} has the right numbers one place away along axis {axis}. Where does the part that "
        "forward took begin, and where does it end?",
    ),
    (
        "OFF_BY_ONE",
        rules.edge_left_out,
        "The gradient of {i} is right but for the {edge} entry along axis {axis}, which is zero. Where does the "
        "part that forward took begin, and where does it end?",
    ),
    (
        "OFF_BY_ONE",
        rules.ids_off_by_one,
        "The gradient of {i} is what comes out if every id of {j} is one {where}. At which number does "
        "forward begin to count?",
    ),
    (
        "WRONG_FACTOR",
        rules.wrong_factor,
        "The gradient of {i} is {factor:.6g} times the right one, in every entry. Which constant belongs to the "
        "slope of this function?",
    ),
    (
        "ZEROED",
        clues.zeroed,
        "The gradient of {i} is right but for {n} entries that are 0. Does the output not move with them?",
    ),
    (
        "PARTS_EXCHANGED",
        clues.parts_exchanged,
        "The gradient of {i} has the right numbers in other places. Which entry of the output goes with which entry "
        "of the input?",
    ),
    (
        "ROW_FACTOR",
        clues.row_factor,
        "Each row of the gradient of {i} is a multiple of the right one, and another in each: {factors}. Which number "
        "differs from row to row?",
    ),
    (
        "ONE_INPUT_AS_ONES",
        clues.one_input_as_ones,
        "The gradient of {i} is what comes out if every entry of {j} is 1. Does the slope depend on {j}?",
    ),
    (
        "PART_RIGHT",
        clues.part_right,
        "In the gradient of {i}, {right} are right and {wrong} are wrong. What is different there?",
    ),
    (
        "ROW_SUM",
        clues.row_sum,
        "Each row of the gradient of {i} has to add up to 0, and here one adds up to {sum:.4g}. If all entries of a "
        "row rise together, does the output move?",
    ),
]
