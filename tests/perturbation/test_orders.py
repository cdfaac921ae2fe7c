"""Orders beyond the first, in both schemes: exact fractions on a lattice, determinants, plain quadrature."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise, permutations, product
from math import asin, atan, cos, inf, pi, prod, sin, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from perturbation_oracles import LatticeTheory, gaussian_diagram, gaussian_integral
from scipy.integrate import quad

from feynnn.combinatorics import multisets
from feynnn.diagrams.generation import generate
from feynnn.perturbation.contractions import contraction, products_of
from feynnn.perturbation.correlator import Correlator
from feynnn.perturbation.integration import Integrator
from feynnn.perturbation.quadrature import Cutoff
from feynnn.theory import Theory
from feynnn.theory.action import Scheme
from feynnn.theory.kernels import Erf, FreeScalar, Gauss, Kernel, Lattice, ReLU

QUARTIC, BOTH = "lam*f**4", "lam*f**4 + kap*f**6"
SCHEMES: list[Scheme] = ["free", "exact"]
V = "K_v"

# --- lattices: the weight expanded in fractions ----------------------------------------------------------------------

Order = tuple[int, ...]
Powers = tuple[int, ...]
Polynomial = dict[Powers, Fraction]
#: Exact in floating point, so that fractions and the library start from the same numbers.
MATRIX = ((0.875, 0.25, -0.125), (0.25, 0.75, 0.0625), (-0.125, 0.0625, 1.125))
WEIGHTS = (0.5, 1.25, 0.75)


class ExactLattice:
    """Power series in the couplings of averages with exp(-sum_c g_c sum_i w_i f_i^p_c), by Isserlis' theorem.

    In the exact scheme the weight has a mass counterterm (1/2) f A f too, a power series in the couplings that keeps
    the 2-point function at the covariance.
    """

    def __init__(self, degrees: tuple[int, ...], scheme: Scheme, top: int, size: int) -> None:
        self.size = size
        self.matrix = [[Fraction(k) for k in row[:size]] for row in MATRIX[:size]]
        self.moment = cache(self._moment)
        self.orders = sorted((o for o in product(range(top + 1), repeat=len(degrees)) if sum(o) <= top), key=sum)
        none = self.orders[0]
        self.action: dict[Order, Polynomial] = {}
        for c, p in enumerate(degrees):
            unit = tuple(int(k == c) for k in range(len(degrees)))
            self.action[unit] = {self._powers(*[i] * p): Fraction(WEIGHTS[i]) for i in range(size)}
        self.weight: dict[Order, Polynomial] = {none: {self._powers(): Fraction(1)}}
        self.z = {none: Fraction(1)}
        for o in self.orders[1:]:
            self._set(o)
            if scheme == "exact":
                self._counter(o)
                self._set(o)

    def _powers(self, *sites: int) -> Powers:
        return tuple(sites.count(i) for i in range(self.size))

    def _moment(self, powers: Powers) -> Fraction:
        i = next((i for i, k in enumerate(powers) if k), None)
        if i is None:
            return Fraction(1)
        rest = [k - (j == i) for j, k in enumerate(powers)]
        total = Fraction(0)
        for j, k in enumerate(rest):
            if k:
                left = tuple(b - (a == j) for a, b in enumerate(rest))
                total += k * self.matrix[i][j] * self.moment(left)
        return total

    def _set(self, o: Order) -> None:
        """Coefficient o of the weight E = exp(-S), from g dE/dg = -(g dS/dg) E in the first coupling of o."""
        lead = next(c for c, k in enumerate(o) if k)
        total: Polynomial = {}
        for p, s in self.action.items():
            rest = tuple(a - b for a, b in zip(o, p, strict=True))
            if p[lead] and min(rest) >= 0:
                for (a, x), (b, y) in product(s.items(), self.weight[rest].items()):
                    at = tuple(map(sum, zip(a, b, strict=True)))
                    total[at] = total.get(at, Fraction(0)) - Fraction(p[lead], o[lead]) * x * y
        self.weight[o] = total
        self.z[o] = self._average(o, self._powers())

    def _counter(self, o: Order) -> None:
        """The counterterm of order o: without it G2 has the coefficient C, with it C - K A K = 0."""
        sites = range(self.size)
        inverse = inverted(self.matrix)
        c = [[self.coefficient(o, (i, j)) for j in sites] for i in sites]
        term = self.action.setdefault(o, {})
        for i, j in product(sites, sites):
            a = sum((inverse[i][k] * c[k][m] * inverse[m][j] for k in sites for m in sites), Fraction(0))
            at = self._powers(i, j)
            term[at] = term.get(at, Fraction(0)) + a / 2

    def _average(self, o: Order, powers: Powers) -> Fraction:
        values = (x * self.moment(tuple(map(sum, zip(a, powers, strict=True)))) for a, x in self.weight[o].items())
        return sum(values, Fraction(0))

    def coefficient(self, o: Order, sites: tuple[int, ...]) -> Fraction:
        """Coefficient of order o of <f_i f_j ...>: numerator = (this series) * z."""
        powers = self._powers(*sites)
        known: dict[Order, Fraction] = {}
        for p in (p for p in self.orders if all(a <= b for a, b in zip(p, o, strict=True))):
            value = self._average(p, powers)
            for q, c in known.items():
                rest = tuple(a - b for a, b in zip(p, q, strict=True))
                if min(rest) >= 0:
                    value -= c * self.z[rest]
            known[p] = value
        return known[o]


def inverted(matrix: list[list[Fraction]]) -> list[list[Fraction]]:
    """Inverse by elimination without pivoting: the matrix is positive definite."""
    n = len(matrix)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(n))] for i, row in enumerate(matrix)]
    for i in range(n):
        rows[i] = [v / rows[i][i] for v in rows[i]]
        for k in range(n):
            if k != i:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[n:] for row in rows]


def lattice(size: int) -> Lattice:
    matrix = np.array(MATRIX)[:size, :size]
    return Lattice(matrix, sites=np.arange(float(size)), weights=np.array(WEIGHTS[:size]))


def test_the_oracle_knows_the_numbers_of_the_notes() -> None:
    """One site: vacuum-free totals of contractions 768, 9504, 128160 at lam^2, and with counterterms 864."""
    free, exact = (ExactLattice((4,), scheme, 2, 1) for scheme in SCHEMES)
    k, w = Fraction(MATRIX[0][0]), Fraction(WEIGHTS[0])
    for n, total in ((2, 768), (4, 9504), (6, 128160)):
        assert free.coefficient((2,), (0,) * n) == Fraction(total, 2) * (k**2 * w) ** 2 * k ** (n // 2)
    assert exact.coefficient((2,), (0, 0)) == 0
    assert exact.coefficient((2,), (0, 0, 0, 0)) == 864 * (k**2 * w) ** 2 * k**2


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("text", "degrees", "top", "size", "points"),
    [(QUARTIC, (4,), 4, 3, (2, 4)), (BOTH, (4, 6), 2, 2, (2, 4, 6)), ("kap*f**6", (6,), 3, 2, (2, 4))],
)
def test_coefficients_are_those_of_the_expanded_weight(
    text: str, degrees: tuple[int, ...], top: int, size: int, points: tuple[int, ...], scheme: Scheme
) -> None:
    exact = ExactLattice(degrees, scheme, top, size)
    kernel, theory = lattice(size), Theory.parse(text, propagator=scheme)
    for n in points:
        series = Correlator(theory, n, kernel=kernel).series(kernel.sites, max_order=top)
        assert sorted(series) == sorted(exact.orders)
        for o, p in series.items():
            for row, value, bound in zip(p.indices.tolist(), p.values, p.bound, strict=True):
                truth = exact.coefficient(o, tuple(row))
                assert abs(Fraction(float(value)) - truth) <= Fraction(float(bound)), (n, o, row)
                assert bound <= 1e-11 * abs(truth)
                if scheme == "exact" and n == 2 and any(o):
                    assert truth == value == 0


def test_the_connected_function_of_the_exact_scheme_has_no_other_part_of_four_points() -> None:
    """Corrections to G2 vanish, so beyond order 0 the 4-point function is connected."""
    exact, kernel = ExactLattice((4, 6), "exact", 2, 2), lattice(2)
    theory = Theory.parse(BOTH, propagator="exact")
    series = Correlator(theory, 4, kernel=kernel, kind="connected").series(kernel.sites, max_order=2)
    for o in exact.orders[1:]:
        p = series[o]
        for row, value, bound in zip(p.indices.tolist(), p.values, p.bound, strict=True):
            assert abs(Fraction(float(value)) - exact.coefficient(o, tuple(row))) <= Fraction(float(bound))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("max_order", [2, 3, 4])
def test_truncation_errors_scale_with_the_order(max_order: int, scheme: Scheme) -> None:
    """In the exact scheme the kernel is the full 2-point function of a bare theory, whatever its coupling."""
    matrix, weights = np.array(MATRIX)[:2, :2], np.array(WEIGHTS[:2])
    bare = LatticeTheory(matrix, nodes=60)
    action = [lambda f: weights @ f**4]
    theory, sites = Theory.parse(QUARTIC, propagator=scheme), (0, 1, 1, 1)
    errors = []
    for lam in (4e-4, 2e-4):
        full = np.array([[bare.exact((i, j), action, [lam]) for j in (0, 1)] for i in (0, 1)])
        kernel = Lattice(matrix if scheme == "free" else full, sites=[0.0, 1.0], weights=weights)
        series = Correlator(theory, 4, kernel=kernel).series(kernel.sites, max_order=max_order)
        p = series.sum({"lam": lam})
        errors.append(abs(p.at(*sites) - bare.exact(sites, action, [lam])))
        assert errors[-1] < 0.1 * abs(lam**max_order * series[(max_order,)].at(*sites))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(max_order + 1, abs=0.1)


# --- Gauss at infinite cutoff: every diagram is a determinant -------------------------------------------------------


#: Connected diagrams at orders 1, 2, ... for 0, 2 and 4 points: Kleinert et al., Phys. Rev. E 62, 1537 (2000).
PUBLISHED = {0: (1, 2, 4, 10), 2: (1, 3, 8, 30), 4: (1, 2, 8, 37)}


@pytest.mark.parametrize(
    ("n", "order", "d_in", "rtol"),
    [(n, order, d_in, 1e-10) for n in (0, 2, 4) for order in (1, 2, 3) for d_in in (1, 2, 3)]
    + [(0, 4, 1, 1e-9), (0, 4, 3, 1e-5), (2, 4, 1, 1e-5), (2, 4, 2, 1e-5), (4, 4, 1, 1e-5)],
)
def test_every_connected_quartic_diagram_is_a_determinant(n: int, order: int, d_in: int, rtol: float) -> None:
    k = Gauss(sigma_w=1.2, d_in=d_in)
    x = np.random.default_rng(100 * n + order).normal(size=(2, d_in))
    tool = Integrator({"K": k, V: k.without_bias()}, x, Cutoff(), rtol=rtol, pinned=n == 0)
    rows = np.array(list(product(range(2), repeat=n)), dtype=np.int64).reshape(2**n, n)
    diagrams = generate(Theory.parse(QUARTIC), n, order=order, kind="connected", external="indistinguishable")
    assert len(diagrams) == PUBLISHED[n][order - 1]
    for d in diagrams:
        (term,) = products_of(d)
        p = tool.product(term, rows)
        for row, value, bound in zip(rows, p.values, p.bound, strict=True):
            if n:
                exact = gaussian_diagram(d, x[row], sigma_w=1.2)
            else:  # one vertex at the origin
                exact = gaussian_integral(1, order - 1, d.edges, np.zeros((1, d_in)), 1.2)
            exact *= float(d.coefficient)
            assert abs(value - exact) <= bound + 1e-14 * abs(exact), (d, row)
            assert bound <= 20 * rtol * abs(exact)


# --- Erf and ReLU: two vertices by plain quadrature -----------------------------------------------------------------

#: Legs at the two vertices and lines between them: lam^2 and lam kap diagrams.
PAIRS = [(1, 1, 3), (2, 2, 2), (3, 3, 1), (2, 0, 2), (2, 4, 2), (1, 3, 3)]


def erf_line(x: float, y: float) -> float:
    """Erf kernel without the output bias, sigma_w = sigma_b = 1, one dimension."""
    return 2 / pi * asin(2 * (1 + x * y) / sqrt((3 + 2 * x * x) * (3 + 2 * y * y)))


def relu_line(x: float, y: float) -> float:
    """ReLU kernel likewise; the angle between (1, x) and (1, y) is a difference of arctangents."""
    t = abs(atan(x) - atan(y))
    return sqrt((1 + x * x) * (1 + y * y)) / (2 * pi) * (sin(t) + (pi - t) * cos(t))


def two_vertices(
    line: Callable[[float, float], float], left: list[float], right: list[float], k: int, a: float
) -> float:
    """Integral over [-a, a]^2 of legs, k lines and legs, split where a kernel has a kink."""

    def legs(points: list[float], y: float) -> float:
        return prod(line(u, y) for u in points)

    def over(f: Callable[[float], float], breaks: list[float]) -> float:
        edges = sorted({-a, 0.0, a, *(b for b in breaks if abs(b) < a)})
        return sum(quad(f, p, q, epsabs=0, epsrel=1e-11)[0] for p, q in pairwise(edges))

    return over(lambda y: legs(left, y) * over(lambda z: line(y, z) ** k * legs(right, z), [*right, y]), left)


def pair_value(
    kernel: Kernel, x: np.ndarray, legs: tuple[int, int], lines: int, a: float, row: list[int]
) -> tuple[float, float]:
    left, right = legs
    ends = [(i, 0, V) for i in range(left)] + [(left + i, 1, V) for i in range(right)]
    tool = Integrator({V: kernel}, x[:, None], Cutoff(a))
    p = tool.piece(contraction([0, 1], ends, [(0, 1, V)] * lines, {}), np.array([row]))
    return float(p.values[0]), float(p.bound[0])


@pytest.mark.parametrize("a", [1.5, 20.0])
@pytest.mark.parametrize(
    ("kernel", "line"), [(Erf(bias=False), erf_line), (ReLU(bias=False), relu_line)], ids=["Erf", "ReLU"]
)
def test_two_vertices_by_plain_quadrature(kernel: Kernel, line: Callable[[float, float], float], a: float) -> None:
    x = np.array([-0.8, 0.3, 1.1])
    for seed, (left, right, lines) in enumerate(PAIRS[:4] if a > 2 else PAIRS):
        row = np.random.default_rng(seed).integers(3, size=left + right).tolist()
        value, bound = pair_value(kernel, x, (left, right), lines, a, row)
        points = [float(x[i]) for i in row]
        exact = two_vertices(line, points[:left], points[left:], lines, a)
        assert abs(value - exact) <= bound + 1e-11 * abs(exact), (left, right, lines)
        assert bound <= 1e-9 * abs(exact)


@pytest.mark.parametrize("a", [0.4, 100.0, 1e5])
@pytest.mark.parametrize(("left", "right", "lines"), PAIRS)
def test_two_vertices_of_relu_without_biases_are_powers(left: int, right: int, lines: int, a: float) -> None:
    """K = x y / 2 where x and y have one sign, else 0: both vertices and all inputs lie on one side."""
    x = np.array([-0.8, 0.3, 1.1])
    for row in multisets(3, left + right).tolist():
        points = [Fraction(float(x[i])) for i in row]
        exact = Fraction(0)
        for sign in (1, -1):
            legs = prod((max(sign * u, Fraction(0)) / 2 for u in points), start=Fraction(1))
            powers = [left + lines + 1, right + lines + 1]
            exact += legs * Fraction(1, 2**lines) * prod(Fraction(a) ** q / q for q in powers)
        value, bound = pair_value(ReLU(sigma_b=0), x, (left, right), lines, a, row)
        assert abs(Fraction(value) - exact) <= Fraction(bound), row
        assert bound <= 1e-9 * exact


# --- symmetries ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("n", "order"), [(4, (2, 0)), (4, (1, 1)), (6, (2, 0)), (2, (3, 0))])
def test_labelled_diagrams_sum_to_a_symmetric_function(n: int, order: Order, scheme: Scheme) -> None:
    """Summed one by one, so that a labelling that is missing or counted twice shows."""
    theory = Theory.parse(BOTH, propagator=scheme)
    terms = [t for d in generate(theory, n, order=order, kind="connected") for t in products_of(d)]
    assert bool(terms) is not (scheme == "exact" and n == 2)
    kernel = lattice(3)
    tool = Integrator({"K": kernel, V: kernel}, kernel.sites, None)
    first = [0, 1, 2, 2, 0, 1][:n] if n > 2 else [0, 2]
    rows = np.array(sorted(set(permutations(first))))
    total = np.sum([tool.product(t, rows).values for t in terms], axis=0)
    series = Correlator(theory, n, kernel=kernel, kind="connected").series(kernel.sites, max_order=order)
    np.testing.assert_allclose(total, series[order].at(*first), rtol=1e-12)


def kernels() -> Iterator[tuple[Kernel, Cutoff]]:
    yield Gauss(), Cutoff()
    yield Gauss(), Cutoff(0.9)
    yield Erf(), Cutoff(3.0)
    yield ReLU(sigma_b=0), Cutoff(3.0)


@pytest.mark.parametrize(("kernel", "cutoff"), list(kernels()), ids=repr)
@settings(max_examples=6, deadline=None)
@given(order=st.permutations(range(4)), seed=st.integers(0, 2**31))
def test_order_and_number_of_inputs_change_nothing(kernel: Kernel, cutoff: Cutoff, order: list[int], seed: int) -> None:
    x = np.random.default_rng(seed).uniform(-1.5, 1.5, size=4)
    c = Correlator(
        Theory.parse(QUARTIC, propagator="exact"),
        4,
        kernel=kernel,
        vertex_kernel=kernel.without_bias(),
        cutoff=cutoff,
        kind="connected",
    )
    here, there, few = (c.series(points, max_order=2, rtol=1e-7) for points in (x, x[order], x[:2]))
    for o, p in here.items():
        moved = there[o].rank(np.argsort(order)[p.indices])
        assert (np.abs(p.values - there[o].values[moved]) <= p.bound + there[o].bound[moved]).all()
        same = p.rank(few[o].indices)
        assert (np.abs(few[o].values - p.values[same]) <= few[o].bound + p.bound[same]).all()


# --- the anharmonic oscillator --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_ground_state_energy_to_fourth_order() -> None:
    kernel, theory = FreeScalar(), Theory.parse(QUARTIC)
    c = Correlator(theory, 0, kernel=kernel, cutoff=Cutoff(inf), kind="connected", per_volume=True)
    s = c.series(max_order=4, rtol=1e-9)
    energies = (Fraction(3, 4), -Fraction(21, 8), Fraction(333, 16), -Fraction(30885, 128))
    for order, energy in enumerate(energies, start=1):
        p = s[(order,)]
        assert abs(p.at() + float(energy)) <= p.bound[0] + 1e-15 <= 1e-9 * abs(energy)
