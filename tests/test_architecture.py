"""The shape of the package: who imports whom, what loads when, and rules that no tool checks."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import feynnn

PACKAGE = Path(feynnn.__file__).parent
ROOT = PACKAGE.parent
FILES = sorted(PACKAGE.rglob("*.py"))

GROUND = {"errors", "points", "combinatorics", "uncertain", "npoint"}
#: What each room may import at module level, besides itself.
MAY = {
    "ground": set(),
    "storage": {"ground"},
    "theory": {"ground"},
    "diagrams": {"ground", "theory"},
    "perturbation": {"ground", "theory", "diagrams"},
    "networks": {"ground", "theory"},
    "sampling": {"ground", "theory", "networks"},
    "matching": {"ground", "storage", "theory", "diagrams", "perturbation", "networks", "sampling"},
    "studies": {"ground", "storage", "theory", "diagrams", "perturbation", "networks", "sampling", "matching"},
    "views": {"ground", "storage", "theory", "diagrams", "perturbation", "networks", "sampling", "matching", "studies"},
}
MAY["cli"] = {*MAY["views"], "views"}
MAY["package"] = set()
#: What it may import besides inside functions, to turn an object into something else: `d.expression()`, `d.to_svg()`.
INSIDE = {room: {"views"} for room in MAY if room not in ("views", "cli", "package")}
INSIDE["diagrams"] |= {"perturbation"}
#: Types only.
FOR_TYPES = {"ground": {"theory"}, "package": MAY["cli"]}
#: Packages that cost time or may be missing: where they may be imported at module level.
HEAVY = {
    "sympy": {"perturbation/expressions.py", "perturbation/lowering.py"},
    "matplotlib": set(),
    "jinja2": set(),
    "rich": set(),
    "typer": {"cli.py", "cli/app.py", "cli/atlas.py", "cli/diagrams.py", "cli/options.py"},
}


def room_of(parts: tuple[str, ...]) -> str:
    """The room of a dotted name below feynnn."""
    if not parts or parts[0] == "__version__":
        return "package"
    first = parts[0]
    if first in feynnn._WHERE:
        return room_of(tuple(feynnn._WHERE[first].split(".")))
    return "ground" if first in GROUND else "cli" if first == "__main__" else first


@dataclass(frozen=True)
class Import:
    """One imported module: what, where, and how deep."""

    file: str
    line: int
    module: str
    inside: bool
    for_types: bool

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]

    @property
    def room(self) -> str:
        return room_of(tuple(self.module.split(".")[1:]))

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def room_of_file(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "package" if parts == ("__init__",) else room_of(parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports_of(path: Path) -> Iterator[Import]:
    package = ("feynnn", *path.relative_to(PACKAGE).parent.parts)

    def modules(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
            return
        base = package[: len(package) - node.level + 1] if node.level else ()
        prefix = (*base, *(node.module.split(".") if node.module else ()))
        if prefix == ("feynnn",):
            yield from (f"feynnn.{alias.name}" for alias in node.names)
        else:
            yield ".".join(prefix)

    def walk(node: ast.AST, inside: bool, for_types: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                for module in modules(child):
                    yield Import(name_of(path), child.lineno, module, inside, for_types)
            else:
                deeper = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from walk(child, deeper, for_types or is_type_checking(child))

    yield from walk(tree_of(path), False, False)


@cache
def all_imports() -> list[tuple[Path, Import]]:
    return [(path, i) for path in FILES for i in imports_of(path)]


def test_rooms_import_only_the_rooms_before_them() -> None:
    wrong = []
    for path, i in all_imports():
        if i.top != "feynnn":
            continue
        room = room_of_file(path)
        assert room in MAY, f"{name_of(path)} is in no known room"
        allowed = {room, "package"} | MAY[room]
        if i.inside:
            allowed |= INSIDE.get(room, set())
        if i.for_types:
            allowed |= FOR_TYPES.get(room, set())
        if i.room not in allowed:
            wrong.append(str(i))
    assert wrong == []


def test_the_two_towers_do_not_meet() -> None:
    towers = {
        "perturbation": {"networks", "sampling"},
        "diagrams": {"networks", "sampling"},
        "networks": {"diagrams", "perturbation"},
        "sampling": {"diagrams", "perturbation"},
    }
    wrong = [
        str(i) for path, i in all_imports() if i.top == "feynnn" and i.room in towers.get(room_of_file(path), set())
    ]
    assert wrong == []


def test_the_ground_knows_the_theory_as_a_type_only() -> None:
    wrong = [
        str(i)
        for path, i in all_imports()
        if room_of_file(path) == "ground" and i.top == "feynnn" and i.room != "ground"
    ]
    assert all(line.startswith("npoint.py:") for line in wrong), wrong
    assert all(
        i.for_types for _, i in all_imports() if i.file == "npoint.py" and i.room == "theory" and i.top == "feynnn"
    )


def test_nothing_imports_views_or_the_command_line_at_module_level() -> None:
    wrong = [
        str(i)
        for path, i in all_imports()
        if i.top == "feynnn"
        and i.room in ("views", "cli")
        and not i.inside
        and not i.for_types
        and room_of_file(path) not in ("views", "cli")
    ]
    assert wrong == []


def test_heavy_packages_are_imported_inside_functions() -> None:
    wrong = [
        str(i)
        for _, i in all_imports()
        if i.top in HEAVY and not i.inside and not i.for_types and i.file not in HEAVY[i.top]
    ]
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_public_function_has_the_name_of_its_module(path: Path) -> None:
    functions = {n.name for n in tree_of(path).body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    # else `from feynnn.room import name` gives the function or the module, as it happens
    assert path.stem not in functions
    if path.name == "__init__.py":
        siblings = {p.stem for p in path.parent.glob("*.py")} | {p.name for p in path.parent.iterdir() if p.is_dir()}
        imported = {
            alias.asname or alias.name
            for n in tree_of(path).body
            if isinstance(n, ast.ImportFrom) and n.level == 1
            for alias in n.names
        }
        assert not (siblings - {"__init__"}) & imported


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_evaluated_or_unpickled(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec", "compile", "__import__", "sympify", "parse_expr"), node.lineno
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in ("sympify", "parse_expr"), node.lineno
            allowed = [k.value for k in node.keywords if k.arg == "allow_pickle"]
            assert all(isinstance(v, ast.Constant) and v.value is False for v in allowed), node.lineno
    for i in imports_of(path):
        assert i.top not in ("pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"), str(i)
        assert i.top not in ("urllib", "requests", "http", "socket"), f"{i}: no network at run time"


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_the_package_loads_next_to_nothing() -> None:
    loaded = run_python(
        "import sys; before = set(sys.modules); import feynnn; "
        "print(' '.join(sorted({m.partition('.')[0] for m in set(sys.modules) - before})))"
    ).split()
    assert "feynnn" in loaded
    assert not {"numpy", "scipy", "sympy", "networkx", "matplotlib", "typer", "rich", "jinja2"} & set(loaded)
    assert run_python("import sys, feynnn; print([m for m in sys.modules if m.startswith('feynnn.')])") == "[]"


def test_every_public_name_resolves_to_what_it_says() -> None:
    assert len(feynnn.__all__) == len(set(feynnn.__all__))
    assert set(feynnn.__all__) == set(dir(feynnn))
    missing = []
    for name in feynnn.__all__:
        try:
            value = getattr(feynnn, name)
        except (AttributeError, ImportError) as error:
            missing.append(f"{name}: {error}")
        else:
            assert getattr(value, "__name__", name).rpartition(".")[2] == name
    assert missing == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'feynnn' has no attribute 'Teory'"):
        _ = feynnn.Teory
    assert not hasattr(feynnn, "__wrapped__")


def test_public_names_are_known_to_type_checkers() -> None:
    # a lazy name without an import under TYPE_CHECKING is Any to users, whatever py.typed promises
    tree = tree_of(PACKAGE / "__init__.py")
    imported = {
        alias.asname or alias.name
        for block in ast.walk(tree)
        if is_type_checking(block)
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted({*feynnn._WHERE} - imported) == []


def test_modules_below_the_roof_import_alone() -> None:
    for path in FILES:
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if room_of_file(path) in ("ground", "storage", "theory"):
            import_module(".".join(("feynnn", *(p for p in parts if p != "__init__"))))


def test_one_version_everywhere() -> None:
    citation = re.search(r"^version: *(.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    heading = re.search(r"^## *\[?([\d.]+\w*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert citation is not None
    assert heading is not None
    assert citation.group(1).strip("'\" ") == heading.group(1) == feynnn.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+\w*", feynnn.__version__)


def test_the_types_are_shipped() -> None:
    assert (PACKAGE / "py.typed").exists()
