"""The examples in the docstrings of the package."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module
from types import ModuleType

import pytest

import feynnn
from feynnn.errors import MissingExtraError

#: What modules may need that is not a core dependency.
OPTIONAL = {"typer", "click", "rich", "matplotlib", "jinja2", "dask", "distributed", "numba", "opt_einsum"}


def names() -> list[str]:
    walk = pkgutil.walk_packages(feynnn.__path__, prefix="feynnn.")
    return ["feynnn", *(m.name for m in walk if not m.name.endswith("__main__"))]


def module(name: str) -> ModuleType | None:
    """Return a module, or None if it needs a package that is not installed."""
    try:
        return import_module(name)
    except (MissingExtraError, ModuleNotFoundError) as error:
        if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] not in OPTIONAL:
            raise
        return None


def examples(name: str) -> list[doctest.DocTest]:
    found = module(name)
    return [] if found is None else doctest.DocTestFinder(exclude_empty=True).find(found, name)


@pytest.mark.parametrize("name", names())
def test_examples(name: str) -> None:
    if module(name) is None:
        pytest.skip(f"{name} needs a package that is not installed")
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    for test in examples(name):
        runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


def test_there_are_examples() -> None:
    assert sum(len(test.examples) for name in names() for test in examples(name)) > 0
