"""Network and Activation: arguments, drawing against the formula, one class per new network."""

import math
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import erf

import feynnn as fn
from feynnn.errors import InputError
from feynnn.networks import Activation, Erf, Gauss, Network, ReLU
from feynnn.networks.drawing import OutputSource
from feynnn.networks.erf_table import erf_inplace
from feynnn.theory import kernels

Array = npt.NDArray[np.float64]


class Sine(Activation):
    """sigma = amplitude sin(h): everything a new network needs."""

    name = "test-sine"
    odd = True

    def __init__(self, amplitude: float = 1.0) -> None:
        self.amplitude = amplitude

    @property
    def parameters(self) -> dict[str, float]:
        return {"amplitude": self.amplitude}

    def apply(self, h: Array, variance: Array) -> Array:
        return self.amplitude * np.sin(h)

    def kernel(self, sigma_w: float, sigma_b: float, d_in: int) -> kernels.Kernel:
        scale = sigma_w**2 / d_in

        def value(x: Array, y: Array) -> Array:
            cx, cy = sigma_b**2 + scale * (x * x).sum(axis=1), sigma_b**2 + scale * (y * y).sum(axis=1)
            c = sigma_b**2 + scale * x @ y.T
            covariance = self.amplitude**2 * np.exp(-0.5 * (cx[:, None] + cy[None, :])) * np.sinh(c)
            return np.asarray(sigma_b**2 + sigma_w**2 * covariance)

        return kernels.FromCallable(value, d_in, diagonal="smooth")


class Shifted(Activation):
    """sigma = erf(h) + 1/2 with the kernel of erf(h): the two do not belong together."""

    name = "test-shifted"

    def apply(self, h: Array, variance: Array) -> Array:
        return np.asarray(erf(h) + 0.5)

    def kernel(self, sigma_w: float, sigma_b: float, d_in: int) -> kernels.Kernel:
        return kernels.Erf(sigma_w, sigma_b, d_in)


def test_names_and_kernels() -> None:
    for name, kernel in (
        ("gauss", kernels.Gauss(1.5, 0.5, 2)),
        ("erf", kernels.Erf(1.5, 0.5, 2)),
        ("relu", kernels.ReLU(1.5, 0.5, 2)),
    ):
        assert Network(name, width=20, d_in=2, sigma_w=1.5, sigma_b=0.5).kernel() == kernel


def test_defaults_are_one() -> None:
    net = fn.Network("relu", width=3)
    assert (net.d_in, net.sigma_w, net.sigma_b) == (1, 1.0, 1.0)
    assert repr(net) == "Network('relu', width=3, d_in=1, sigma_w=1.0, sigma_b=1.0)"


def test_equality_and_dictionaries() -> None:
    for net in (
        Network("erf", width=5),
        Network("gauss", width=math.inf, d_in=3, sigma_w=2.0),
        Network(Sine(2.0), width=7, sigma_b=0.0),
    ):
        again = Network.from_dict(net.to_dict())
        assert again == net
        assert hash(again) == hash(net)
        assert repr(again) == repr(net)
    assert Network("erf", width=5) != Network("erf", width=6)
    assert Network(Sine(1.0), width=5) != Network(Sine(2.0), width=5)
    assert Network(Erf(), width=5) == Network("erf", width=5)
    assert repr(Network(Sine(2.0), width=7)).startswith("Network(Sine(amplitude=2.0), width=7")
    assert repr(Network("erf", width=math.inf)).startswith("Network('erf', width=math.inf")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"activation": "tanh", "width": 5}, "no activation is called 'tanh'.*'relu'"),
        ({"activation": Erf, "width": 5}, "must be a name or an Activation"),
        ({"activation": "erf", "width": 0}, "width.*at least 1"),
        ({"activation": "erf", "width": 2.5}, "width.*2.5"),
        ({"activation": "erf", "width": 5, "d_in": 0}, "d_in"),
        ({"activation": "erf", "width": 5, "sigma_w": 0.0}, "sigma_w"),
        ({"activation": "erf", "width": 5, "sigma_b": -1.0}, "sigma_b"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Network(**arguments)


def test_an_activation_keeps_its_name() -> None:
    with pytest.raises(InputError, match="'erf' is taken by"):
        type("Other", (Activation,), {"name": "erf"})
    with pytest.raises(InputError, match="needs a name of its own"):
        type("Unnamed", (Erf,), {})
    with pytest.raises(InputError, match="does not take the parameters"):
        Activation.from_name("erf", slope=2.0)


@pytest.mark.parametrize("activation", [Gauss(), Erf(), ReLU(), Sine()])
def test_apply_inplace_is_apply(activation: Activation) -> None:
    h = np.random.default_rng(5).normal(size=(3, 40000)) * 2.0
    variance = np.array([[1.0], [2.0], [4.0]])
    expected = activation.apply(h, variance)
    activation.apply_inplace(h, variance)
    np.testing.assert_allclose(h, expected, rtol=0, atol=2e-14)


def test_fast_erf() -> None:
    edges = [0.0, -0.0, 1e-300, 1e-9, 5.9999, 6.0, 6.1, 40.0, 1e300, np.inf]
    h = np.concatenate([edges, np.negative(edges), np.random.default_rng(6).normal(size=70000) * 2.5])
    result = h.copy()
    erf_inplace(result)
    np.testing.assert_allclose(result, erf(h), rtol=0, atol=2e-14)
    small = np.geomspace(1e-12, 1e-4, 50)
    result = small.copy()
    erf_inplace(result)
    np.testing.assert_allclose(result, erf(small), rtol=1e-14)
    strided = h[:100:2].copy().repeat(2)[::2]
    erf_inplace(strided)
    np.testing.assert_allclose(strided, erf(h[:100:2]), rtol=0, atol=2e-14)


@pytest.mark.parametrize("width", [3, 50])
@pytest.mark.parametrize("sigma_b", [0.0, 0.7])
def test_outputs_are_the_formula(width: int, sigma_b: float) -> None:
    """The same normals, put into f = b1 + sum W1 sigma(W0 x + b0) neuron by neuron."""
    x = np.array([[0.3, -0.4], [1.0, 0.2], [-0.5, 0.9], [0.1, 0.1]])
    net = Network("erf", width=width, d_in=2, sigma_w=1.3, sigma_b=sigma_b)
    n_nets = 8
    found = OutputSource(net.draw_plan(x)).draw(np.random.Generator(np.random.SFC64(3)), n_nets)
    stream = np.random.Generator(np.random.SFC64(3))
    directions = 3 if sigma_b else 2
    shape = (width, n_nets) if n_nets >= width else (n_nets, width)
    z = stream.standard_normal((directions, *shape))
    w1 = stream.standard_normal(shape) * 1.3 / math.sqrt(width)
    b1 = sigma_b * stream.standard_normal(n_nets) if sigma_b else np.zeros(n_nets)
    b0 = sigma_b * z[0] if sigma_b else np.zeros(shape)
    w0 = z[-2:] * 1.3 / math.sqrt(2)
    neurons = 0 if n_nets >= width else 1
    for i, point in enumerate(x):
        h = b0 + w0[0] * point[0] + w0[1] * point[1]
        np.testing.assert_allclose(found[i], b1 + (w1 * erf(h)).sum(axis=neurons), rtol=0, atol=1e-12)


def test_outputs() -> None:
    net = Network("relu", width=4)
    x = [0.2, 0.5, -1.0]
    f = net.outputs(x, n_nets=5000, seed=3)
    assert f.shape == (5000, 3)
    np.testing.assert_array_equal(f, net.outputs(x, n_nets=5000, seed=3))
    assert not np.isclose(f, net.outputs(x, n_nets=5000, seed=4)).any()
    with pytest.raises(InputError, match="n_nets"):
        net.outputs(x, n_nets=0)
    with pytest.raises(InputError, match="seed"):
        net.outputs(x, n_nets=1, seed=-1)


def test_fewer_inputs_than_directions() -> None:
    """The square triangle has the covariance of the pre-activations, so d_in = 50 costs two normals for two inputs."""
    x = np.random.default_rng(7).normal(size=(2, 50))
    net = Network("erf", width=3, d_in=50)
    plan = net.draw_plan(x)
    assert plan.factor.shape == (2, 2)
    vectors = net.vectors(x)
    np.testing.assert_allclose(plan.factor @ plan.factor.T, vectors @ vectors.T, rtol=1e-13)


@pytest.mark.parametrize("width", [1, 6, 40000, math.inf])
def test_the_two_point_function_of_outputs(width: float) -> None:
    """5 standard errors, 3 numbers: false alarms in 2e-6 of seeds. 40000 neurons need two tiles per network."""
    net = Network("erf", width=width, sigma_b=0.5)
    x = np.array([0.5, -1.2])
    f = net.outputs(x, n_nets=100 if width == 40000 else 40000, seed=8)
    for i, j in ((0, 0), (0, 1), (1, 1)):
        product = f[:, i] * f[:, j]
        error = product.std(ddof=1) / math.sqrt(len(f))
        assert abs(product.mean() - net.kernel()(x, x)[i, j]) < 5 * error


def test_coincident_inputs_have_equal_outputs() -> None:
    for width in (5, math.inf):
        f = Network("gauss", width=width).outputs([0.1, 0.3, 0.1], n_nets=50)
        np.testing.assert_allclose(f[:, 0], f[:, 2], rtol=0, atol=1e-7)


def test_a_new_network_is_one_class() -> None:
    """5 standard errors, 15 numbers: false alarms in 1e-5 of seeds."""
    net = Network("test-sine", width=3, sigma_w=0.8)
    x = [-0.5, 0.3, 1.0]
    exact = fn.exact(net, x, n=4, connected=True)
    assert exact.kind == "computed"
    with ProcessPoolExecutor(1) as pool:
        run = fn.sample(net, x, n_nets=40000, n_experiments=20, seed=5, executor=pool)
    found = run.estimate(4, connected=True)
    assert (np.abs(found.values - exact.values) < 5 * found.stat).all()
    # E sin(h)^4 = (3 - 4 e^-2C + e^-8C) / 8 and E sin(h)^2 = (1 - e^-2C) / 2
    c = 1 + 0.64 * 0.3**2
    m2, m4 = (1 - math.exp(-2 * c)) / 2, (3 - 4 * math.exp(-2 * c) + math.exp(-8 * c)) / 8
    assert exact.at(1, 1, 1, 1) == pytest.approx(0.8**4 / 3 * (3 * m4 - 3 * m2**2), rel=1e-12)


def test_kernel_and_activation_must_agree() -> None:
    with pytest.raises(InputError, match=r"kernel\(\) and apply\(\) of the activation Shifted\(\) disagree"):
        fn.exact(Network("test-shifted", width=3), [0.1, 0.4], n=4)
