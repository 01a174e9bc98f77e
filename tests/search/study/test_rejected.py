from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.study.rejected import count_rejections

LIMITS = ("activation", "macs", "parameters", "shape")


def trial(over: frozenset[str] | None) -> FrozenTrial:
    """A trial that was rejected by these limits, trained where there is none, or not drawn yet."""
    if over is None:
        return create_trial(state=TrialState.RUNNING)
    made = create_trial(
        state=TrialState.PRUNED,
        user_attrs={"cost": {}, "outcome": "rejected" if over else "pruned"},
    )
    for name in LIMITS:
        made.set_constraint(name, 0.5 if name in over else -0.5)
    return made


@given(st.lists(st.none() | st.frozensets(st.sampled_from(LIMITS))))
def test_each_rejection_counts_for_every_limit_that_it_broke(
    broken: list[frozenset[str] | None],
) -> None:
    """Shares are of the rejected, the most frequent limit first; advice comes where most are."""
    counts = count_rejections(map(trial, broken))
    drawn = [over for over in broken if over is not None]
    rejected = [over for over in drawn if over]
    assert (counts.candidates, counts.rejected) == (len(drawn), len(rejected))
    assert dict(counts.limits) == {
        name: n for name in LIMITS if (n := sum(name in over for over in rejected))
    }
    assert list(counts.limits.values()) == sorted(counts.limits.values(), reverse=True)
    assert bool(counts.reasons()) == bool(rejected)
    assert bool(counts.advice()) == (len(rejected) > 0.9 * len(drawn))


def test_the_words_name_the_limit_and_what_would_help() -> None:
    """People read shares, the limit that rejects the most, and a way out."""
    counts = count_rejections(
        map(trial, [frozenset({"parameters"})] * 99 + [frozenset({"parameters", "shape"})])
    )
    assert counts.reasons() == "parameters 100 %, maps too small for their layers 1 %"
    assert counts.advice() == (
        "100 % of the candidates were rejected, most of them by parameters; raise "
        "budget.parameters, or allow smaller widths, fewer convolutions or separable blocks"
    )
