"""What a Correlator refuses: divergent integrals, kernels without a cutoff, bad inputs and accuracies."""

from typing import Any

import numpy as np
import pytest

from feynnn.errors import ComputationError, DivergenceError, InputError
from feynnn.perturbation.correlator import Correlator
from feynnn.perturbation.quadrature import Cutoff
from feynnn.theory import Interaction, Theory
from feynnn.theory.kernels import Erf, FreeScalar, FromCallable, Gauss, Kernel, Lattice, ReLU

PHI4 = Theory.parse("lam*f**4")


@pytest.mark.parametrize("kernel", [Gauss(), Gauss(d_in=2)])
def test_a_bias_at_infinite_cutoff_is_refused_with_the_remedy(kernel: Gauss) -> None:
    x = np.zeros((1, kernel.d_in))
    with pytest.raises(
        DivergenceError, match=r"constant of at least sigma_b\^2 = 1; pass vertex_kernel=K.without_bias"
    ):
        Correlator(PHI4, 4, kernel=kernel, cutoff=Cutoff()).series(x)
    # the free part integrates nothing
    assert Correlator(PHI4, 4, kernel=kernel, cutoff=Cutoff()).series(x, max_order=0)[{}].values == pytest.approx([12])
    fine = Correlator(PHI4, 4, kernel=kernel, vertex_kernel=kernel.without_bias(), cutoff=Cutoff())
    assert np.isfinite(fine.series(x)[{"lam": 1}].values).all()


@pytest.mark.parametrize(
    ("kernel", "why"),
    [
        (Erf(), r"constant of at least sigma_b\^2 = 1; use a finite cutoff \(and vertex_kernel=K.without_bias\(\)\)"),
        (Erf().without_bias(), "K tends to a constant that depends on the direction; use a finite cutoff$"),
        (ReLU(sigma_b=0), "it grows linearly; use a finite cutoff$"),
        (ReLU(), "diverges for ReLU.*use a finite cutoff"),
        (Erf(sigma_b=0, d_in=2), "tends to a constant that depends on the direction"),
        (FromCallable(lambda x, y: np.exp(-((x - y.T) ** 2))), "its decay is not known .*decay_length"),
    ],
)
def test_kernels_that_do_not_decay_need_a_box(kernel: Kernel, why: str) -> None:
    with pytest.raises(DivergenceError, match=why):
        Correlator(PHI4, 2, kernel=kernel, cutoff=Cutoff()).series(np.ones((1, kernel.d_in)))


@pytest.mark.parametrize("theory", [PHI4, Theory.parse("g*f**3 + lam*f**4")])
def test_vacuum_diagrams_over_all_space_are_refused(theory: Theory) -> None:
    for kind in ("all", "connected"):
        c = Correlator(theory, 0, kernel=Gauss(sigma_b=0), cutoff=Cutoff(), kind=kind)
        with pytest.raises(
            DivergenceError, match="proportional to its volume; use a finite cutoff, or per_volume=True"
        ):
            c.series(max_order={"lam": 1})
    with pytest.raises(DivergenceError, match="proportional to its volume"):
        Correlator(theory, 2, kernel=Gauss(sigma_b=0), cutoff=Cutoff(), kind="all").series([0.0], max_order={"lam": 1})


def test_half_of_a_bilocal_vertex_over_all_space_is_refused() -> None:
    """x1 and x2 hang on one of its points; the self-loop at the other is integrated over all space."""
    theory = Theory([Interaction((2, 2), "nl")])
    k = Gauss(sigma_b=0)
    with pytest.raises(DivergenceError, match="proportional to its volume"):
        Correlator(theory, 2, kernel=k, cutoff=Cutoff()).series([0.0])
    # no such part with four legs, or normal ordering
    four = Correlator(theory, 4, kernel=k, cutoff=Cutoff(), kind="connected").series([0.0])[{"nl": 1}]
    assert four.at(0, 0, 0, 0) == pytest.approx(-24 * np.pi, rel=1e-12)
    ordered = Theory([Interaction((2, 2), "nl")], normal_ordered=True)
    two = Correlator(ordered, 2, kernel=k, cutoff=Cutoff()).series([0.0])[{"nl": 1}]
    # integral of K(0, y) K(y, z) K(z, 0) = 2 pi / sqrt(3)
    assert two.at(0, 0) == pytest.approx(-8 * 2 * np.pi / np.sqrt(3), rel=1e-12)
    assert two.at(0, 0) != 0


@pytest.mark.parametrize("d_in", [2, 3])
@pytest.mark.parametrize("max_order", [0, 1])
def test_singular_propagators_are_refused(d_in: int, max_order: int) -> None:
    c = Correlator(PHI4, 2, kernel=FreeScalar(d_in=d_in), cutoff=Cutoff(2.0))
    with pytest.raises(DivergenceError, match=r"(singular|infinite) at coincident .*use d_in = 1, a smooth kernel"):
        c.series(np.eye(d_in)[:2], max_order=max_order)
    ordered = Correlator(
        Theory.parse("lam*f**4", normal_ordered=True), 4, kernel=FreeScalar(d_in=d_in), cutoff=Cutoff(2.0), kind="1PI"
    )
    with pytest.raises(DivergenceError, match="no rule for such singularities"):
        ordered.series(np.eye(d_in)[:2])


def test_a_vertex_needs_a_cutoff_and_a_lattice_takes_none() -> None:
    with pytest.raises(InputError, match=r"pass cutoff=Cutoff\(5.0\), or Cutoff\(math.inf\)"):
        Correlator(PHI4, 4, kernel=Gauss()).series([0.0])
    with pytest.raises(InputError, match="a lattice sums over its sites and takes no cutoff"):
        Correlator(PHI4, 2, kernel=Lattice([[1.0]]), cutoff=Cutoff(1.0)).series([0.0])
    with pytest.raises(InputError, match="inputs must be sites of the lattice"):
        Correlator(PHI4, 2, kernel=Lattice([[1.0]])).series([0.5])


@pytest.mark.parametrize("cutoff", [5.0, 5, np.inf, "5"])
def test_a_bare_number_is_no_cutoff(cutoff: Any) -> None:
    with pytest.raises(InputError, match=r"cutoff must be a Cutoff, got .*; write Cutoff\("):
        Correlator(PHI4, 4, kernel=Gauss(), cutoff=cutoff)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel": lambda x, y: x}, r"kernel must be a kernel such as feynnn.kernels.Gauss\(\)"),
        ({"kernel": "gauss"}, "kernel must be a kernel"),
        ({"vertex_kernel": 1.0}, "vertex_kernel must be a kernel"),
        ({"vertex_kernel": Gauss(d_in=2)}, "kernel has d_in = 1, vertex_kernel d_in = 2; they must agree"),
        ({"vertex_kernel": Lattice([[1.0]])}, "must both be lattices, or neither"),
        ({"kind": "loops"}, "kind must be one of"),
        ({"n": -1}, "n must be at least 0"),
        ({"n": 2.0}, "n must be a whole number"),
        ({"n": 0, "theory": Theory.parse("lam*f**4", propagator="exact")}, "the counterterm contributes to log Z"),
        ({"kind": "all", "theory": Theory.parse("lam*f**4", propagator="exact")}, "without vacuum components"),
    ],
)
def test_bad_definitions_are_refused(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"theory": PHI4, "n": 4, "kernel": Gauss(), "cutoff": Cutoff(1.0)} | change
    with pytest.raises(InputError, match=message):
        Correlator(arguments.pop("theory"), arguments.pop("n"), **arguments)


@pytest.mark.parametrize(
    ("theory", "options", "message"),
    [
        (PHI4, {"n": 2}, "got n=2, kind='connected'"),
        (PHI4, {"kind": "all"}, "kind='all'"),
        (PHI4, {"kernel": Erf(sigma_b=0)}, "a translation-invariant kernel"),
        (PHI4, {"kernel": Lattice([[1.0]]), "cutoff": None}, "a translation-invariant kernel"),
        (Theory.parse("lam*y**2*f**4"), {}, "log Z is not proportional to the volume for lam"),
        (Theory.parse("nl*f(y)**2*f(z)**2"), {}, "log Z is not proportional to the volume for nl"),
    ],
)
def test_log_z_per_volume_needs_translation_invariance(theory: Theory, options: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"n": 0, "kernel": Gauss(sigma_b=0), "cutoff": Cutoff(), "kind": "connected"} | options
    with pytest.raises(InputError, match=message):
        Correlator(theory, arguments.pop("n"), per_volume=True, **arguments)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (None, "a 4-point function needs inputs x of shape"),
        ([[0.0, 1.0]], r"x must have shape \(m, 1\)"),
        ([], r"x must have shape \(m, 1\)"),
        ([np.nan], "x must be finite"),
        (["a"], "x must be an array of real numbers"),
    ],
)
def test_bad_inputs_are_refused(x: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Correlator(PHI4, 4, kernel=Gauss(sigma_b=0), cutoff=Cutoff()).series(x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rtol": -1e-3}, "rtol must be finite and >= 0"),
        ({"rtol": np.nan}, "rtol must be finite and >= 0"),
        ({"atol": np.inf}, "atol must be finite and >= 0"),
        ({"rtol": "tight"}, "rtol must be a real number"),
        ({"max_order": -1}, "max_order must be at least 0"),
        ({"max_order": {"mu": 1}}, "unknown coupling 'mu'"),
    ],
)
def test_bad_accuracies_and_orders_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Correlator(PHI4, 4, kernel=Gauss(sigma_b=0), cutoff=Cutoff()).series([0.0], **options)


def test_what_cannot_be_reached_says_what_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feynnn.perturbation.integration.MAX_WORK", 1e7)
    erf = Erf(d_in=2).without_bias()
    k = FromCallable(lambda x, y: erf(x, y), d_in=2)  # nothing says that it has its structure along rays
    c = Correlator(Theory.parse("lam*f**4", propagator="exact"), 4, kernel=k, cutoff=Cutoff(50.0), kind="connected")
    with pytest.raises(
        ComputationError,
        match=r"2-vertex integral of FromCallable.*Cutoff\(50\) did not meet rtol = 1e-13: reached .*, the next mesh",
    ):
        c.series(np.ones((1, 2)), max_order=2, rtol=1e-13)


def test_wrong_coefficients_would_be_noticed() -> None:
    """23 for 24 is far outside every bound used above."""
    k = Gauss(sigma_b=0)
    p = Correlator(PHI4, 4, kernel=k, cutoff=Cutoff(), kind="connected").series([0.0])[{"lam": 1}]
    assert abs(p.at(0, 0, 0, 0) * 23 / 24 + 24 * np.sqrt(np.pi / 2)) > 1e6 * p.bound[0]
    assert abs(p.at(0, 0, 0, 0) + 24 * np.sqrt(np.pi / 2)) <= p.bound[0]
