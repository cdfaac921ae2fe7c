"""The slides' study, small enough for a test: the numbers it shows against closed forms and each other."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import feynnn as fn
from feynnn.errors import InputError
from feynnn.studies import hms
from feynnn.studies.tables import summary


@pytest.fixture(scope="module")
def study() -> hms.Study:
    patch = pytest.MonkeyPatch()
    patch.setitem(hms.SIZES, "small", hms.Size(n_experiments=20, nets=500, neurons=20_000))
    patch.setattr(hms, "WIDTHS", (2, 20, 100))
    patch.setattr(hms, "CUTOFFS", (7, 100, 1e5))
    try:
        return hms.run("small", seed=3)
    finally:
        patch.undo()


def test_inputs_are_the_slides() -> None:
    np.testing.assert_array_equal(hms.inputs("erf")[:, 0], [-1, -0.6, -0.2, 0.2, 0.6, 1])
    np.testing.assert_allclose(hms.inputs("gauss")[:, 0], np.array([-1, -0.6, -0.2, 0.2, 0.6, 1]) * 0.01)
    assert hms.inputs("relu", 2).tolist() == [[0.5, 0.5], [0.5, 1.0], [1.0, 0.5], [1.0, 1.0]]
    assert hms.inputs("erf", 3).shape == (4, 3)
    assert hms.network("relu", 5).sigma_b == 0 and hms.network("erf", 5).sigma_b == 1
    with pytest.raises(InputError, match="d_in"):
        hms.inputs("erf", 4)
    with pytest.raises(InputError, match="tanh"):
        hms.inputs("tanh")


def test_exact_deviations_fall_like_one_over_the_width(study: hms.Study) -> None:
    for r in study.networks.values():
        assert r.deviation[2].exact == pytest.approx([0, 0, 0], abs=1e-14)
        m4 = np.array(r.deviation[4].exact) * np.array(r.widths)
        np.testing.assert_allclose(m4, m4[0], rtol=1e-9)
        g6 = np.array(r.connected[6].exact) * np.array(r.widths) ** 2
        np.testing.assert_allclose(g6, g6[0], rtol=1e-6)


def test_sampled_points_scatter_about_the_exact_curve(study: hms.Study) -> None:
    """24 values (erf and relu) within 5 standard errors; heavy tails widen this to a false alarm below 1e-3."""
    for name in ("erf", "relu"):
        r = study.networks[name]
        for n in (2, 4):
            c = r.deviation[n]
            pulls = (np.array(c.sampled) - c.exact) / np.array(c.error)
            assert (np.abs(pulls) < 5).all(), (name, n, pulls)
            # the slides' background is the scatter of one experiment: sqrt(experiments) times the standard error
            np.testing.assert_array_less(np.array(c.error), np.array(c.background))


def test_relu_coupling_and_flows_have_their_closed_forms(study: hms.Study) -> None:
    r = study.networks["relu"]
    for width, lam in zip(r.widths, r.lam_exact, strict=True):
        assert lam.value == pytest.approx(-(15 / 4) / width * 80 / (24 * 100.0**5), rel=1e-9)
        assert lam.spread < 1e-12 * abs(lam.value) and lam.flagged == 0
    flows = {(f.network, f.d_in): f for f in study.flows}
    for d_in in (1, 2, 3):
        assert flows["relu", d_in].slope == pytest.approx(-(d_in + 4), abs=1e-6)
    assert flows["gauss", 1].slope == pytest.approx(0, abs=1e-9)


def test_heavy_tails_of_the_gauss_net_are_reported(study: hms.Study) -> None:
    assert any("6-point" in note for note in study.networks["gauss"].notes)
    assert 2 in study.networks["gauss"].connected[6].unreliable


def test_prediction_beats_the_gaussian_process_for_erf(study: hms.Study) -> None:
    r = study.networks["erf"]
    for gaussian, lam in zip(r.prediction_gaussian, r.prediction_lam, strict=True):
        assert 0 < gaussian < 1
        assert abs(lam - 1) < 0.3


def test_the_study_is_reproducible_and_serialises(study: hms.Study) -> None:
    record = json.loads(json.dumps(study.to_dict()))
    assert record["networks"]["erf"]["widths"] == [2, 20, 100]
    assert record["provenance"]["command"] == "feynnn study hms --scale small --seed 3"
    text = summary(study)
    assert "relu-net" in text and "slope -5.000000" in text
    one = replace(study, flows=[])
    assert "slope" not in summary(one)


def test_the_seed_decides_the_numbers_not_the_workers() -> None:
    from concurrent.futures import ThreadPoolExecutor

    patch = pytest.MonkeyPatch()
    patch.setitem(hms.SIZES, "small", hms.Size(n_experiments=4, nets=100, neurons=2_000))
    patch.setattr(hms, "WIDTHS", (20,))
    patch.setattr(hms, "CUTOFFS", (7, 100))
    try:
        serial = hms.run("small", networks=("erf",))
        with ThreadPoolExecutor(3) as executor:
            threads = hms.run("small", networks=("erf",), executor=executor)
    finally:
        patch.undo()
    assert serial.networks == threads.networks


def test_bad_scale_and_network_are_refused() -> None:
    with pytest.raises(InputError, match="scale"):
        hms.run("huge")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="tanh"):
        hms.run("small", networks=("tanh",))


def test_size_of_each_run_is_a_multiple_of_the_experiments() -> None:
    for size in hms.SIZES.values():
        for width in hms.WIDTHS:
            assert size.n_nets(width) % size.n_experiments == 0
    assert hms.SIZES["paper"].n_nets(1000) == 10**7
    assert fn.__version__
