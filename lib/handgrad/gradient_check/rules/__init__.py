"""The rules, a file for each kind of mistake, and the order in which they are tried: what fits fewer comes first."""

from handgrad.gradient_check.rules import ids, inputs, places, shapes, slopes, upstream

# Mistakes that have a name: had it been made, exactly this would have come back.
NAMES = [
    *(
        slopes.slope_of_a_staircase,
        places.not_finite,
        places.all_zero,
        places.cut_off,
        inputs.swapped,
        inputs.swapped_or_reversed,
    ),
    *(shapes.not_summed, shapes.transposed, shapes.wrong_shape),
    *(upstream.forgot_upstream, upstream.upstream_twice, slopes.wrong_sign, slopes.whole_numbers),
    *(ids.repeated_ids, ids.right_for_distinct_ids, ids.right_for_two_that_share_no_id),
    *(shapes.other_operand_transposed, shapes.other_input_transposed),
    *(slopes.input_for_output, places.indicator_ignored, slopes.slope_at_output, slopes.output_as_factor),
    *(
        slopes.function_for_slope,
        shapes.diagonal_only,
        shapes.mean_of_copies,
        shapes.mean_or_sum,
        shapes.root_of_a_size,
    ),
    *(places.shifted, places.edge_left_out, ids.ids_off_by_one),
    *(upstream.upstream_along_the_other_axis, shapes.summed_over_the_other_axis, upstream.upstream_mixed),
    *(inputs.gradient_of_another, inputs.one_input_as_ones, inputs.input_taken_as),
    *(slopes.wrong_factor, slopes.one_term_of_a_product, slopes.second_derivative),
]

# Right where something is so, and wrong elsewhere.
CONDITIONS = [places.zeroed, places.other_condition, places.right_on_one_side, ids.another_condition_for_rows]

# What a wrong gradient has in common with the right one, where no formula for the mistake is known. Such a clue says
# less than a name, and more looks like it by chance: so it is confirmed where the gate is fed other and larger arrays.
CLUES = [
    *(places.factor_on_a_part, slopes.known_factor, inputs.kept_is_written_to),
    *(upstream.something_without_upstream, upstream.not_twice_as_large),
    *(
        places.parts_exchanged,
        shapes.off_at_mirrored_entries,
        places.numbers_for_what_does_not_move,
        places.numbers_where_nothing_moves,
        inputs.row_factor,
        slopes.multiple,
        inputs.along_one_row,
        slopes.off_by_a_known_array,
    ),
    *(
        upstream.not_its_negative,
        upstream.outputs_on_the_other_side,
        upstream.another_condition_for_outputs,
        upstream.depends_on_too_much,
        slopes.row_sum,
        slopes.entries_sum,
        slopes.row_sum_of_forward,
        inputs.same_everywhere,
        upstream.depends_on_too_little,
    ),
    *(slopes.row_scale, inputs.right_for_one_row, upstream.right_for_equal_upstream),
    *(inputs.one_array_kept_several_times, upstream.right_from_outputs_on_one_side),
    upstream.output_factor,
    *(slopes.row_scale_where_large, slopes.grows_with_another_input, slopes.grows_where_another_input_is_large),
]

# Rows of a table that ids read have no order of their own: what they share is which of the ids read them.
READ_BY_IDS = [
    ids.wrong_in_some_columns,
    ids.wrong_for_some_rows,
    ids.right_for_one_row_of_ids,
    ids.off_by_a_row_of_a_table,
]

# Right where the inputs have certain values.
SPECIAL_PLACES = [shapes.right_for_symmetric, inputs.right_where_two_are_equal, inputs.right_at_a_special_place]
