"""Theory: orders and couplings, schemes, and the action as a log-likelihood."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad

from feynnn.errors import InputError
from feynnn.points import Array
from feynnn.theory import Interaction, Theory
from feynnn.theory.kernels import Erf, FreeScalar, FromCallable, Gauss, Lattice, ReLU

TWO = Theory.parse("lam*f**4 + kap*f**6")


# --- the theory -------------------------------------------------------------------------------------------------------


def test_what_a_theory_shows() -> None:
    assert TWO.couplings == ("lam", "kap")
    assert str(TWO) == "lam*f**4 + kap*f**6"
    assert repr(TWO) == "Theory('lam*f**4 + kap*f**6')"
    exact = Theory.parse("lam*f**4", propagator="exact", normal_ordered=True)
    assert repr(exact) == "Theory('lam*f**4', propagator='exact', normal_ordered=True)"
    assert (exact.propagator, exact.normal_ordered, TWO.propagator) == ("exact", True, "free")


def test_theories_are_equal_by_content() -> None:
    assert Theory([Interaction(4, "lam"), Interaction(6, "kap")]) == TWO
    assert Theory([Interaction(6, "kap"), Interaction(4, "lam")]) != TWO
    assert Theory.parse("lam*f**4 + kap*f**6", normal_ordered=True) != TWO
    assert Theory.parse("lam*f**4 + kap*f**6", propagator="exact") != TWO
    assert len({TWO, Theory.parse("f**4*lam + kap*f**6")}) == 1


@pytest.mark.parametrize("propagator", ["free", "exact"])
def test_dictionaries_are_lossless(propagator: Any) -> None:
    text = "lam/24*f**4 - g*(1/3 - y**2)*f**3 + lamNL*(y**2 + z**2)*f(y)**2*f(z)**2"
    theory = Theory.parse(text, propagator=propagator, normal_ordered=True)
    assert Theory.from_dict(json.loads(json.dumps(theory.to_dict()))) == theory


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "the record of a theory has 'interactions', 'propagator', 'normal_ordered' .*, got None"),
        ([], r"the record of a theory has .*, got \[\]"),
        ({"interactions": None}, "'interactions' of a theory must be a list, got None"),
        ({"interactions": "lam"}, "'interactions' of a theory must be a list, got 'lam'"),
        ({"interactions": []}, "at least one interaction"),
        ({"interactions": [3]}, "the record of a term of a theory has 'degree', 'coupling', 'factor', .*, got 3"),
        ({"interactions": [{"degree": 4}]}, "the record of a term of a theory has .*, got {'degree': 4}"),
        ({"propagator": ["free"]}, "propagator must be"),
        ({"normal_ordered": "no"}, "'normal_ordered' of a theory must be true or false, got 'no'"),
    ],
)
def test_damaged_dictionaries_are_refused(change: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Theory.from_dict(TWO.to_dict() | change if isinstance(change, dict) else change)
    with pytest.raises(InputError, match="the record of a theory has"):
        Theory.from_dict({})


def test_odd_powers_are_legal() -> None:
    assert not Theory.parse("g*f**3").is_even
    assert not Theory.parse("g*f**3 + h*f**5", propagator="exact").is_even
    assert Theory.parse("g*f(y)*f(z)").is_even
    assert TWO.is_even


@pytest.mark.parametrize("text", ["m2*f**2", "h*f", "lam*f**4 + m2/2*f**2", "g*f(y)*f(z)"])
def test_the_exact_scheme_refuses_its_own_counterterms(text: str) -> None:
    assert Theory.parse(text).propagator == "free"
    with pytest.raises(InputError, match=r"is itself the counterterm .* drop it or use propagator='free'"):
        Theory.parse(text, propagator="exact")


@pytest.mark.parametrize(
    ("interactions", "match"),
    [
        ([], "at least one interaction"),
        (Interaction(4, "lam"), r"takes a list of interactions, .* Theory.parse reads text"),
        ("lam*f**4", r"takes a list of interactions, got 'lam\*f\*\*4'; Theory.parse reads text"),
        (None, "takes a list of interactions"),
        (["lam*f**4"], "expected an Interaction"),
        ([Interaction(4, "lam"), Interaction(6, "lam")], "the coupling 'lam' names two terms"),
        ([Interaction(4, "lam"), Interaction(4, "lam", profile="y**2")], "the coupling 'lam' names two terms"),
    ],
)
def test_bad_actions_are_refused(interactions: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        Theory(interactions)


def test_a_wrong_scheme_is_refused() -> None:
    with pytest.raises(InputError, match="propagator must be 'free' or 'exact', got 'full'"):
        Theory.parse("lam*f**4", propagator="full")  # type: ignore[arg-type]


def test_exact_orders() -> None:
    assert TWO.order({"kap": 1}) == (0, 1)
    assert TWO.order({}) == (0, 0)
    assert TWO.order((2, 1)) == (2, 1)
    assert Theory.parse("lam*f**4").order(3) == (3,)
    with pytest.raises(InputError, match="order=2 is ambiguous for the couplings lam, kap; give a dict such as"):
        TWO.order(2)


@pytest.mark.parametrize(
    ("order", "match"),
    [
        ({"mu": 1}, "unknown coupling 'mu'; this theory has lam, kap"),
        ({"lam": -1}, r"order\['lam'\] must be at least 0"),
        ({"lam": 1.0}, "whole number"),
        ({3: 1}, "unknown coupling '3'"),
        ((1,), "one entry for each of lam, kap"),
        ((1, 2, 3), "one entry"),
        ((1, -1), "at least 0"),
        ("1", "whole number"),
        ([1, 1], "whole number"),
        (True, "whole number"),
        (None, "whole number"),
    ],
)
def test_bad_orders_are_refused(order: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        TWO.order(order)


def test_cumulative_orders() -> None:
    assert TWO.orders_up_to(1) == [(0, 0), (1, 0), (0, 1)]
    assert TWO.orders_up_to({"lam": 2}) == [(0, 0), (1, 0), (2, 0)]
    assert TWO.orders_up_to((1, 1)) == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert TWO.orders_up_to(0) == [(0, 0)]


@given(st.integers(1, 4), st.integers(0, 4))
@settings(deadline=None, max_examples=20)
def test_an_int_bounds_the_number_of_vertices(couplings: int, most: int) -> None:
    theory = Theory([Interaction(4, f"lam{k}") for k in range(couplings)])
    orders = theory.orders_up_to(most)
    assert (
        len(orders)
        == len(set(orders))
        == np.prod([most + k for k in range(1, couplings + 1)]) / np.prod(range(1, couplings + 1))
    )
    assert [sum(o) for o in orders] == sorted(sum(o) for o in orders)
    assert max(map(sum, orders)) == most


@pytest.mark.parametrize(
    ("couplings", "match"),
    [
        ({"mu": 1.0}, "unknown coupling 'mu'"),
        ({"lam": "0.1"}, "the coupling 'lam' must be a real number"),
        ({"lam": None}, "real number"),
        ({"lam": 1j}, "real number"),
        ({"kap": float("nan")}, "the coupling 'kap' must be finite, got nan"),
        (0.1, "couplings must be a dict such as"),
        ([0.1, 0.2], "couplings must be a dict"),
    ],
)
def test_bad_couplings_are_refused(couplings: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        TWO.values(couplings)


def test_missing_couplings_are_zero() -> None:
    assert TWO.values({"kap": np.float64(0.5)}) == (0.0, 0.5)


# --- the action -------------------------------------------------------------------------------------------------------


def by_hand(theory: Theory, f: Array, x: Array, matrix: Array, couplings: Mapping[str, float], w: Array) -> float:
    """The action by explicit loops over the inputs."""
    total = 0.5 * float(f @ np.linalg.inv(matrix) @ f)
    for i in theory.interactions:
        for numbers in np.ndindex(*[len(x)] * len(i.degree)):
            term = couplings.get(i.coupling, 0.0) * float(i.factor)
            points = [x[k] for k in numbers]
            term *= sum(
                float(c)
                * np.prod(
                    [np.linalg.norm(p) ** k if k % 2 == 0 else p[0] ** k for p, k in zip(points, powers, strict=True)]
                )
                for powers, c in i.profile
            )
            for k, legs in zip(numbers, i.degree, strict=True):
                term *= w[k] * f[k] ** legs
            total += term
    return total


ACTIONS = [
    "lam*f**4 + kap*f**6",
    "lam/24*f**4 - kap*y**2*f**3",
    "lam*(1 - y**2)*f**4 + kap*f",
    "lam*f(y)**2*f(z)**2",
    "lam*(y**2 + 3*z**4)*f(y)**2*f(z) + kap*f**4",
    "lam*f(y)*f(z)**2*f(w)**3",
]


@pytest.mark.parametrize("text", ACTIONS)
@pytest.mark.parametrize("d_in", [1, 2, 3])
def test_the_action_is_the_sum_it_says(text: str, d_in: int) -> None:
    rng = np.random.default_rng(7)
    theory, kernel = Theory.parse(text), Gauss(1.1, 0.7, d_in)
    x, w = rng.normal(size=(4, d_in)), rng.uniform(0.5, 1.5, size=4)
    f = rng.normal(size=(2, 3, 4))
    couplings = {"lam": 0.3} | ({"kap": -0.2} if "kap" in text else {})
    got = theory.action(f, x, kernel=kernel, couplings=couplings, weights=w)
    assert got.shape == (2, 3)
    for index in np.ndindex(2, 3):
        want = by_hand(theory, f[index], x, kernel(x, x), couplings, w)
        assert got[index] == pytest.approx(want, rel=1e-10)
    assert theory.action(f[0, 0], x, kernel=kernel, couplings=couplings, weights=w).shape == ()


def test_odd_profiles_in_one_dimension() -> None:
    theory, kernel = Theory.parse("lam*(y - z)**2*f(y)*f(z) + g*y**3*f**3"), Gauss()
    x, f = np.array([[-0.5], [0.3], [1.2]]), np.array([0.2, -1.0, 0.7])
    couplings = {"lam": 0.3, "g": 1.5}
    want = by_hand(theory, f, x, kernel(x, x), couplings, np.ones(3))
    assert theory.action(f, x, kernel=kernel, couplings=couplings) == pytest.approx(want, rel=1e-12)


def test_without_couplings_it_is_the_free_action() -> None:
    x, f = np.array([-1.0, 0.0, 1.0]), np.array([0.2, -1.0, 0.7])
    free = TWO.action(f, x, kernel=Erf())
    assert free == TWO.action(f, x, kernel=Erf(), couplings={"lam": 0.0})
    assert free == pytest.approx(0.5 * f @ np.linalg.solve(Erf()(x, x), f), rel=1e-10)


def test_a_scalar_weight_counts_for_every_input() -> None:
    x, f = np.array([0.0, 1.0]), np.array([0.5, -0.5])
    half = TWO.action(f, x, kernel=Erf(), couplings={"lam": 1.0}, weights=0.5)
    assert half == TWO.action(f, x, kernel=Erf(), couplings={"lam": 0.5})


def moments(theory: Theory, kernel: Lattice, couplings: Mapping[str, float]) -> tuple[float, float, float]:
    """Z, <f0 f1> and <f0^4> under exp(-action) on two sites, by the trapezoid rule (spectrally accurate here)."""
    axis = np.linspace(-9.0, 9.0, 181)
    f = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    weight = np.exp(-theory.action(f, kernel.sites, kernel=kernel, couplings=couplings))
    z = weight.sum()
    return z * 0.01, (weight * f[..., 0] * f[..., 1]).sum() / z, (weight * f[..., 0] ** 4).sum() / z


def test_the_density_on_two_sites() -> None:
    kernel, theory = Lattice([[1.0, 0.4], [0.4, 0.8]]), Theory.parse("lam*f**4")
    z, f01, f0000 = moments(theory, kernel, {"lam": 0.0})
    assert z == pytest.approx(2 * np.pi * np.sqrt(np.linalg.det(kernel.matrix)), rel=1e-12)
    assert f01 == pytest.approx(0.4, rel=1e-12)
    assert f0000 == pytest.approx(3.0, rel=1e-12)
    # first order in lam: 12 tadpoles; 24 connected and 72 with one tadpole
    lam, k = 1e-5, kernel.matrix
    _, f01, f0000 = moments(theory, kernel, {"lam": lam})
    tadpole = 12 * sum(k[0, i] * k[i, i] * k[i, 1] for i in range(2))
    assert (f01 - 0.4) / lam == pytest.approx(-tadpole, rel=1e-3)
    first = 24 * sum(k[0, i] ** 4 for i in range(2)) + 72 * k[0, 0] * sum(k[0, i] ** 2 * k[i, i] for i in range(2))
    assert (f0000 - 3.0) / lam == pytest.approx(-first, rel=1e-3)


def test_the_density_by_another_integrator() -> None:
    kernel, theory = Lattice([[1.0, 0.4], [0.4, 0.8]]), Theory.parse("lam*f**4")

    def weight(b: float, a: float) -> float:
        return float(np.exp(-theory.action([a, b], kernel.sites, kernel=kernel, couplings={"lam": 0.2})))

    z, _ = dblquad(weight, -4.0, 4.0, -4.0, 4.0, epsabs=1e-3, epsrel=1e-3)
    assert z == pytest.approx(moments(theory, kernel, {"lam": 0.2})[0], rel=1e-3)


@pytest.mark.parametrize(
    ("kernel", "x"),
    [
        (ReLU(1.0, 0.0), [0.2, 0.4, 0.6]),
        (Erf(), [0.3, 0.3]),
        (Gauss(1.0, 1.0), [0.0, 1e-9]),
        (Gauss(1.0, 1.0), np.linspace(0, 1, 40)),
    ],
    ids=str,
)
def test_a_singular_kernel_matrix_is_refused(kernel: Any, x: Any) -> None:
    with pytest.raises(InputError, match=r"the kernel matrix is singular at these .* inputs .* leave out inputs"):
        TWO.action(np.ones(len(x)), x, kernel=kernel)


def test_a_deterministic_input_is_refused() -> None:
    with pytest.raises(InputError, match=r"the kernel is 0 at the input \[0.0\]: .* leave out this input"):
        TWO.action([0.0, 1.0], [0.0, 1.0], kernel=ReLU(1.0, 0.0))


@pytest.mark.parametrize(
    "kernel", [FreeScalar(1.0, 2), FromCallable(lambda x, y: 1 / np.linalg.norm(x[:, None] - y, axis=2), 2)]
)
def test_a_kernel_without_a_value_at_coincidence_has_no_density(kernel: Any) -> None:
    with pytest.raises(InputError, match="singular at coincident points"):
        TWO.action([0.0, 1.0], [[0.0, 0.0], [1.0, 0.0]], kernel=kernel)


def test_very_different_variances_are_not_singular() -> None:
    kernel = Lattice([[1e10, 1e-6], [1e-6, 1e-20]])
    got = Theory.parse("lam*f**4").action([1e5, 1e-10], kernel.sites, kernel=kernel)
    correlation = 1e-6 / np.sqrt(1e10 * 1e-20)
    assert got == pytest.approx(0.5 * (2 - 2 * correlation) / (1 - correlation**2), rel=1e-10)


@pytest.mark.parametrize(
    ("values", "options", "match"),
    [
        ([1.0], {}, "last axis 2"),
        (np.ones((2, 3)), {}, "last axis 2"),
        (1.0, {}, "last axis 2"),
        ([1.0, np.nan], {}, "must be finite"),
        (["a", "b"], {}, "values must be an array of real numbers"),
        ([1.0, 1j], {}, "real numbers"),
        ([1.0, 2.0], {"weights": [1.0, 2.0, 3.0]}, r"weights must be 2 finite numbers .* got shape \(3,\)"),
        ([1.0, 2.0], {"weights": [1.0, np.inf]}, "weights must be 2 finite numbers"),
        ([1.0, 2.0], {"couplings": {"mu": 1.0}}, "unknown coupling"),
    ],
)
def test_bad_configurations_are_refused(values: Any, options: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        TWO.action(values, [0.0, 1.0], kernel=Erf(), **options)


def test_inputs_must_fit_the_kernel() -> None:
    with pytest.raises(InputError, match=r"x must have shape \(m, 2\)"):
        TWO.action([1.0, 2.0], [0.0, 1.0], kernel=Erf(d_in=2))
