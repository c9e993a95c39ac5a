"""The policies that a project's settings say, and those that hold when they say nothing."""

from __future__ import annotations

from freehold.access import policies


def test_a_project_that_says_nothing_has_the_defaults() -> None:
    found = policies.of({})

    assert found.session_duration_s == 365 * 86400
    assert found.session_limit == 10
    assert found.session_invalidation
    assert found.password_strength == policies.PasswordStrength(min=8)
    assert not found.membership_privacy.user_email
    assert not found.password_pwned


def test_what_is_said_of_one_policy_leaves_the_others_alone() -> None:
    said = {"policies": {"session-limit": {"total": 2}, "membership-privacy": {"userMFA": True}}}
    found = policies.of(said)

    assert found.session_limit == 2
    assert found.membership_privacy == policies.MembershipPrivacy(user_mfa=True)
    assert found.session_duration_s == policies.of({}).session_duration_s


def test_every_policy_tells_its_parameters_in_the_words_of_the_wire() -> None:
    said = {"policies": {"password-rotation": {"enabled": True, "maxAge": 60}}}
    found = policies.of(said)

    assert policies.parameters_of(found, "password-rotation") == {"enabled": True, "maxAge": 60}
    assert policies.parameters_of(found, "mfa-factors") == {
        "totp": True,
        "email": True,
        "phone": True,
        "custom": False,
    }
    assert set(policies.parameters_of(found, "membership-privacy")) == {
        "userId", "userEmail", "userPhone", "userName", "userMFA", "userAccessedAt",
    }  # fmt: skip


def test_every_field_belongs_to_one_policy() -> None:
    said = [field for parameters in policies.PARAMETERS.values() for field in parameters.values()]

    assert sorted(said) == sorted(policies.Policies.__struct_fields__)
