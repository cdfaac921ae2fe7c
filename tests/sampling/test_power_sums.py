"""Power sums against direct products."""

from math import comb

import numpy as np
import pytest

from feynnn.combinatorics import multisets
from feynnn.errors import InputError
from feynnn.sampling.power_sums import PowerSums, checked_orders, layout


@pytest.mark.parametrize(
    ("m", "orders"), [(1, (2,)), (1, (8,)), (2, (4, 6)), (3, (2, 4, 6, 8)), (6, (2, 4, 6)), (5, (6,))]
)
def test_power_sums_are_direct_sums(m: int, orders: tuple[int, ...]) -> None:
    f = np.random.default_rng(1).normal(size=(m, 5000))
    sums = PowerSums(m, orders)
    for part in np.split(f, [1, 2000, 2000], axis=1):
        sums.add(part)
    assert sums.count == 5000
    row = sums.means()
    places = layout(m, orders)
    assert len(row) == sum(comb(m + n - 1, n) for n in orders)
    for n in orders:
        index = multisets(m, n)
        products = f[index].prod(axis=1)
        np.testing.assert_allclose(row[places[n]], products.mean(axis=1), rtol=0, atol=1e-12 * np.abs(products).mean())


def test_six_inputs_are_609_numbers() -> None:
    assert {n: p.stop - p.start for n, p in layout(6, (2, 4, 6)).items()} == {2: 21, 4: 126, 6: 462}
    assert layout(6, (2, 4, 6))[6].stop == 609


def test_orders() -> None:
    assert checked_orders([6, 2, 6]) == (2, 6)
    for bad in ([3], [2, 5], [], [0]):
        with pytest.raises(InputError, match="orders"):
            checked_orders(bad)
