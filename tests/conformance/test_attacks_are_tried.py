"""Attacks on generated services: what tries each of them, in every language, or why there is nothing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from conformance.suite import API_KEYS, EMITTED, HARD, HERE, TESTS
from tests.conformance.running import ROOT

SUITE = {
    path.stem: path
    for path in [*(EMITTED / name for name in (*TESTS, API_KEYS)), *(HERE / name for name in HARD)]
}
"""What is run against the service of each language, over HTTP."""
REST = {
    "conformance": ROOT / "tests" / "conformance" / "test_conformance.py",
    "inert": ROOT / "tests" / "generator" / "test_inert_texts.py",
    "bridge": ROOT / "tests" / "bridge" / "test_same_tables.py",
}

TRIED: dict[str, tuple[str, ...]] = {
    "S03": ("test_attacks.test_s03_nothing_that_a_caller_names_is_fetched",),
    "S04": ("test_attacks.test_s04_an_address_of_any_kind_is_a_text_that_nobody_fetches",),
    "S12": (
        "test_attacks.test_s12_names_are_names_of_the_schema",
        "test_lists.test_wrong_parameters_are_refused_by_name",
    ),
    "S13": (
        "test_attacks.test_s13_what_should_be_a_list_or_a_text_is_one",
        "test_spellings.test_s13_a_value_is_spelled_as_the_contract_spells_it",
        "test_spellings.test_s13_a_parameter_is_spelled_as_the_contract_spells_it",
        "test_crud.test_values_of_the_wrong_type_are_refused",
    ),
    "S14": (
        "test_attacks.test_s14_what_the_service_sets_nobody_else_sets",
        "test_crud.test_a_body_with_an_unknown_key_is_refused",
        "test_field_policies.test_a_field_is_set_by_those_who_may_write_it",
    ),
    "S15": ("test_attacks.test_s15_what_has_to_be_there_is_not_emptied",),
    "S16": ("test_field_policies.test_a_field_is_shown_sorted_and_sought_by_those_who_may_read_it",),
    "S17": (
        "test_attacks.test_s17_a_value_of_another_tenant_is_free",
        "test_references.test_a_new_row_refers_to_what_its_writer_may_read",
        "test_references.test_a_row_keeps_what_it_refers_to",
    ),
    "S18": (
        "test_includes.test_rows_that_the_caller_may_not_read_are_left_out",
        "test_field_policies.test_a_field_is_shown_with_other_rows_to_those_who_may_read_it",
    ),
    "S22": (
        "test_policies.test_everybody_makes_the_rows_that_the_schema_says",
        "test_policies.test_many_rows_are_changed_and_deleted_by_those_who_may_do_so_to_each",
        "test_field_policies.test_a_field_is_set_by_those_who_may_write_it",
    ),
    "S23": ("conformance.s23_no_disguise_is_somebody_else",),
    "S25": ("test_attacks.test_s25_what_costs_much_is_refused",),
    "S26": ("test_attacks.test_s26_a_forged_token_is_refused",),
    "S34": ("test_api_keys.test_a_key_that_is_revoked_or_expired_or_wrong_is_refused",),
    "S36": ("conformance.s36_guesses_are_counted_and_lock_nobody_out",),
    "S40": ("test_attacks.test_s40_one_row_has_one_id",),
    "S41": (
        "test_attacks.test_s41_no_operation_answers_nobody_or_another_tenant",
        "test_policies.test_everybody_reads_changes_and_deletes_the_rows_that_the_schema_says",
        "test_isolation.test_a_row_of_another_tenant_is_not_there",
    ),
    "S51": (
        "conformance.s51_no_secret_is_logged",
        "test_attacks.test_s51_what_callers_say_is_not_told_to_others",
    ),
    "S52": ("test_attacks.test_s52_a_template_is_a_text",),
    "S53": ("test_attacks.test_s53_no_text_becomes_a_header",),
    "S54": (
        "test_attacks.test_s54_odd_json_is_refused_or_kept_as_it_is",
        "test_attacks.test_s54_a_key_that_comes_twice_evades_no_guard",
        "test_crud.test_syntax_is_refused_before_content",
    ),
    "S57": ("inert.test_code_in_a_schema_stays_text_everywhere", "inert.test_a_name_that_is_none_is_refused"),
    "S58": (
        "bridge.test_neither_half_lets_a_tenant_see_another",
        "test_policies.test_everybody_reads_changes_and_deletes_the_rows_that_the_schema_says",
    ),
}
NOTHING_TO_TRY = {
    "S19": "A service has no sockets.",
    "S33": "Nobody signs in to a service: it takes tokens of a provider, and API keys.",
    "S35": "Nobody signs in to a service, and none of its answers depends on who has an account.",
    "S37": "Second factors are the provider's.",
    "S38": "A service keeps no passwords.",
    "S39": "A service knows its callers by the id in their token, and never by an e-mail address.",
    "S55": "A service sends no webhooks.",
}
CASES = {
    f"S{number}" for number in (3, 4, *range(12, 20), 22, 23, 25, 26, *range(33, 42), *range(51, 56), 57, 58)
}
"""Those that touch generated services."""


def functions(file: Path) -> set[str]:
    return {
        node.name
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("case", sorted(TRIED))
def test_what_tries_an_attack_is_there(case: str):
    for place in TRIED[case]:
        file, _, function = place.partition(".")
        assert function in functions((SUITE | REST)[file]), place


def test_every_attack_is_tried_or_has_nothing_to_try():
    cases = {case if len(case) == 3 else f"S0{case[1:]}" for case in CASES}

    assert TRIED.keys() | NOTHING_TO_TRY.keys() == cases
    assert not TRIED.keys() & NOTHING_TO_TRY.keys()
    numbered = {
        found[1].upper()
        for file in SUITE.values()
        for name in functions(file)
        if (found := re.match(r"test_(s[0-9]{2})_", name))
    }
    assert numbered <= TRIED.keys()


def test_whoever_tries_is_run_in_every_language():
    text = REST["conformance"].read_text(encoding="utf-8")

    assert '@pytest.mark.parametrize("target", TARGETS)' in text
    for function in (
        "s23_no_disguise_is_somebody_else(",
        "s36_guesses_are_counted_and_lock_nobody_out(",
        "s51_no_secret_is_logged(",
    ):
        assert text.count(function) == 2, function
