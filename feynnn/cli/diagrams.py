"""``feynnn diagrams``: generate, count, stream, draw, export, and look at one diagram or at a graph of one's own."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from math import factorial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ..errors import InputError
from . import output as out
from . import parsing
from .options import Action, Json, Kind, N, NormalOrdered, Output, Propagator, theory_of

if TYPE_CHECKING:
    from ..diagrams.diagram import Diagram
    from ..diagrams.diagram_set import DiagramSet
    from ..theory.action import Order, Theory

FORMATS = ("dot", "form", "latex", "mathematica", "networkx")
SUFFIXES = {
    ".json": "json", ".dot": "dot", ".gv": "dot", ".frm": "form", ".tex": "latex", ".wl": "mathematica",
    ".m": "mathematica",
}  # fmt: skip
DRAWINGS = {".svg": "svg", ".tex": "tikz"}
#: Options that mean nothing for what is to be done: count() knows no snails and no loops, a stream is JSON already.
REFUSED = {
    "--count": ("--no-snails", "--loops", "--certify", "--max-bytes", "--draw", "--export", "--format"),
    "--stream": ("--certify", "--max-bytes", "--draw", "--export", "--format", "--json"),
}
#: Arguments of `generate` that `count` knows too.
COUNTED = ("kind", "self_loops", "self_energies", "external")
#: Largest set in which the place of a graph is looked up.
MAX_SEARCHED = 1_000_000
#: Seconds between two remarks on the progress of a stream.
PAUSE = 2.0


@dataclass(frozen=True)
class _Asked:
    """What a set is: the arguments of the library's `generate`."""

    theory: Theory
    n: int
    order: Order
    filters: dict[str, Any]

    def count_filters(self) -> dict[str, Any] | None:
        """Return the arguments that `count` knows, or None if there are others."""
        f = self.filters
        known = {name: f[name] for name in COUNTED}
        return known if f["snails"] and f["loops"] is None else None

    def number(self) -> int | None:
        """Return how many diagrams there are, where `count` knows it."""
        from ..diagrams.counting import count

        known = self.count_filters()
        return None if known is None else count(self.theory, self.n, order=self.order, **known).number


def list_diagrams(
    ctx: typer.Context,
    action: Action,
    n: N = 4,
    order: Annotated[str, typer.Option(help="Exact order: 2, or lam=2,kap=1.")] = "1",
    kind: Kind = "vacuum-free",
    propagator: Propagator = "free",
    normal_ordered: NormalOrdered = False,
    no_self_loops: Annotated[
        bool, typer.Option("--no-self-loops", help="Without lines from a point to itself.")
    ] = False,
    no_snails: Annotated[bool, typer.Option("--no-snails", help="Without parts behind one vertex.")] = False,
    no_self_energies: Annotated[
        bool, typer.Option("--no-self-energies", help="Without insertions joined by 1 or 2 line ends.")
    ] = False,
    loops: Annotated[int | None, typer.Option(help="Only diagrams with this number of loops.")] = None,
    external: Annotated[str, typer.Option(help="labelled or indistinguishable.")] = "labelled",
    certify: Annotated[
        bool | None, typer.Option("--certify/--no-certify", help="Compare the set with count(); small ones always are.")
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option(help="Largest set held in memory; larger ones need --stream.")
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="Only count, without generating.")] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Print one diagram a line as JSON, for sets larger than memory.")
    ] = False,
    show: Annotated[int | None, typer.Option(help="Print all that is known of this number of the table.")] = None,
    graph: Annotated[
        str | None, typer.Option(help="Look up a graph of your own: a JSON file of lines, or -; -n, --order follow.")
    ] = None,
    dimension: Annotated[
        int | None, typer.Option(help="With --show or --graph: power counting in D dimensions.")
    ] = None,
    style: Annotated[
        str | None, typer.Option("--format", help=f"Print them as {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
    ] = None,
    draw: Annotated[str | None, typer.Option(help="Draw them into this .svg or .tex file.")] = None,
    export: Annotated[
        str | None, typer.Option(help="Write them as .dot, .frm (FORM), .wl, .tex (formula) or .json.")
    ] = None,
    as_json: Json = False,
    output: Output = None,
) -> None:
    """Generate Feynman diagrams: feynnn diagrams 'lam*f**4' -n 4 --order 2 --kind connected.

    One of them: --show 0 --dimension 4. A graph of your own: --graph mine.json. How many: --count --order 10.
    More than fit into memory: --stream -o all.jsonl. In other forms: --draw all.svg --export all.frm.
    """
    _check_modes(
        {"--count": count, "--stream": stream, "--show": show is not None, "--graph": graph is not None},
        {
            "--no-snails": no_snails,
            "--loops": loops is not None,
            "--certify": certify is not None,
            "--max-bytes": max_bytes is not None,
            "--dimension": dimension is not None,
            "--draw": draw is not None,
            "--export": export is not None,
            "--format": style is not None,
            "--json": as_json,
        },
    )
    drawing = None if draw is None else _by_suffix(draw, "--draw", DRAWINGS)
    export_style = None if export is None else _by_suffix(export, "--export", SUFFIXES)
    if style is not None and style not in FORMATS:
        raise InputError(f"--format must be one of {', '.join(FORMATS)}, got {style!r}")
    if style is not None and (as_json or output is not None):
        raise InputError("--format prints; leave out --json and --output, or write a file with --export")
    if dimension is not None and dimension < 0:
        raise InputError(f"--dimension must be a whole number >= 0, got {dimension}")
    out.check_files(draw=draw, export=export, output=output)
    theory = theory_of(action, propagator, normal_ordered)
    filters: dict[str, Any] = {
        "kind": kind,
        "self_loops": not no_self_loops,
        "snails": not no_snails,
        "self_energies": not no_self_energies,
        "loops": loops,
        "external": external,
    }
    drawn = None if graph is None else _drawn(ctx, theory, graph)
    asked = _Asked(
        theory, n if drawn is None else drawn.n, parsing.order_of(order) if drawn is None else drawn.order, filters
    )
    limits: dict[str, Any] = {"certify": certify, **({} if max_bytes is None else {"max_bytes": max_bytes})}
    if count:
        _print_count(asked, as_json, output)
        return
    if stream:
        _print_stream(asked, output)
        return
    shown: Diagram | DiagramSet
    if drawn is not None:
        shown, found, number, place = drawn, *_place(asked, drawn, limits)
    else:
        from ..diagrams.generation import generate

        shown = found = generate(theory, n, order=asked.order, **filters, **limits)
        number, place = show, ""
        if show is not None:
            if not 0 <= show < len(found):
                raise InputError(f"--show {show}: there is no such diagram among the {len(found)} of {found!r}")
            shown, place = found[show], f"number {show} of {_many(len(found), kind)}"
    # all texts before the first file
    texts = {}
    if draw is not None:
        from ..views.drawing import draw as draw_diagrams

        texts[draw] = str(draw_diagrams(shown, format=cast(Any, drawing)))
    if export is not None:
        texts[export] = _text(shown, cast(str, export_style))
    printed = None if style is None else _text(shown, style)
    if printed is None and place:
        printed, record = _card(cast("Diagram", shown), dimension, number, found, place)
        if output is not None:
            texts[output] = record
        elif as_json:
            printed = record.rstrip()
    elif printed is None and output is not None:
        texts[output] = _text(shown, "json")
    elif printed is None:
        printed = _set_json(cast("DiagramSet", found)) if as_json else _set_table(cast("DiagramSet", found))
    for path, text in texts.items():
        out.write_text(path, text)
    if output is None and printed is not None:
        print(printed)


def _check_modes(modes: dict[str, bool], options: dict[str, bool]) -> None:
    """Raise InputError for options that have no meaning together; none is ignored silently."""
    chosen = [name for name, given in modes.items() if given]
    if len(chosen) > 1:
        raise InputError(f"{' and '.join(chosen)} are different things to do; choose one")
    mode = chosen[0] if chosen else ""
    if options["--dimension"] and mode not in ("--show", "--graph"):
        raise InputError("--dimension is for the facts of one diagram; add --show or --graph, or leave it out")
    for name in REFUSED.get(mode, ()):
        if options[name]:
            raise InputError(f"{mode} does not go with {name}; leave out one of them")


def _by_suffix(path: str, option: str, suffixes: dict[str, str]) -> str:
    """Return the format that a file's name ends in."""
    suffix = Path(path).suffix
    if suffix not in suffixes:
        raise InputError(f"{option}: the format of {path!r} is not known; the name ends in {', '.join(suffixes)}")
    return suffixes[suffix]


def _drawn(ctx: typer.Context, theory: Theory, path: str) -> Diagram:
    """Return the diagram that a graph of the user draws."""
    from ..diagrams.diagram import Diagram
    from .graphs import graph_of

    for name, option in (("n", "-n"), ("order", "--order")):
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise InputError(f"{option} is read off the graph; leave it out")
    return Diagram.from_networkx(theory, graph_of(path))


def _place(asked: _Asked, d: Diagram, limits: dict[str, Any]) -> tuple[DiagramSet | None, int | None, str]:
    """Return the set that a diagram may be in, its number there, and both in words."""
    from ..diagrams.generation import generate

    # without a vertex nothing can be refused but the options themselves
    generate(asked.theory, min(asked.n, 2), order=(0,) * len(asked.theory.couplings), **asked.filters)
    try:
        return _looked_up(asked, d, limits)
    except InputError as error:
        return None, None, f"not looked up: {error}"


def _looked_up(asked: _Asked, d: Diagram, limits: dict[str, Any]) -> tuple[DiagramSet | None, int | None, str]:
    from ..diagrams.counting import count
    from ..diagrams.generation import generate, stream
    from ..diagrams.roots import EXACT

    kind = asked.filters["kind"]
    # refuses, before anything is counted, what the generator cannot do
    stream(asked.theory, asked.n, order=asked.order, **asked.filters)
    if limits["certify"] is None and d.n_vertices <= EXACT:
        known = {name: asked.filters[name] for name in COUNTED}
        c = count(asked.theory, asked.n, order=asked.order, **known)
        # each labelled diagram weighs 1 at most, each topology n! of them
        each = 1 if known["external"] == "labelled" else factorial(asked.n)
        if (c.weight / each if c.number is None else c.number) > MAX_SEARCHED:
            many = "more than a million" if c.number is None else str(c.number)
            rest = "" if asked.count_filters() else " (before --no-snails and --loops)"
            return None, None, f"not looked up among {many} {kind} diagrams{rest}; see --stream"
    found = generate(asked.theory, asked.n, order=asked.order, **asked.filters, **limits)
    if d not in found:
        return found, None, f"not one of {_many(len(found), kind)}"
    number = found.index(d)
    return found, number, f"number {number} of {_many(len(found), kind)}"


def _many(k: int, kind: str) -> str:
    return f"{k} {kind} diagram{'' if k == 1 else 's'}"


def _print_count(asked: _Asked, as_json: bool, output: str | None) -> None:
    from ..diagrams.counting import count

    c = count(asked.theory, asked.n, order=asked.order, **(asked.count_filters() or {}))
    record = {"number": c.number, "weight": str(c.weight), "multiplicity": c.multiplicity}
    table = "\n".join(f"{k:<13} {'unknown' if v is None else v}" for k, v in record.items())
    out.show_record(record, table, as_json=as_json, output=output)


def _print_stream(asked: _Asked, output: str | None) -> None:
    """Print a set block by block, one JSON record a line."""
    from ..diagrams.generation import stream
    from ..diagrams.records import head_of, record_of

    blocks = stream(asked.theory, asked.n, order=asked.order, **asked.filters)
    total, done, said = asked.number(), 0, monotonic()
    with out.lines_to(output) as write:
        for block in blocks:
            if not done:
                print(f"nodes: {', '.join(head_of(block.theory, block.layout)['nodes'])}", file=sys.stderr)
            for d in block:
                write(json.dumps(record_of(d)) + "\n")
            done += len(block)
            if monotonic() > said + PAUSE:
                said = monotonic()
                print(f"{done}{'' if total is None else f' of {total}'} diagrams", file=sys.stderr, flush=True)
    print(f"{done} diagrams in all" if done else "no diagrams", file=sys.stderr)


def _set_table(found: DiagramSet) -> str:
    if not len(found):
        return f"{found!r}\nno diagrams: {found.reason}"
    return f"{found}\ncertificate: {found.certificate}"


def _set_json(found: DiagramSet) -> str:
    """Return what `save` writes, and the certificate beside it."""
    from ..storage import dumps

    return json.dumps({**json.loads(dumps(found)), "certificate": _certificate(found)})


def _certificate(found: DiagramSet | None) -> dict[str, Any] | None:
    if found is None:
        return None
    c = found.certificate
    return {"number": c.number, "weight": c.weight, "note": c.note}


def _card(
    d: Diagram, dimension: int | None, number: int | None, found: DiagramSet | None, place: str
) -> tuple[str, str]:
    """Return the card of a diagram as lines for people, and as JSON."""
    from ..storage import to_json
    from .card import card_of, card_text

    card = card_of(d, dimension)
    where = {"place": place, "number": number, "of": None if found is None else len(found)}
    return card_text(d, card, place), to_json({**where, "certificate": _certificate(found), **card}, indent=1) + "\n"


def _text(obj: Diagram | DiagramSet, style: str) -> str:
    """Return diagrams in one of the formats."""
    from ..diagrams.diagram import Diagram

    if style == "json":
        from ..storage import dumps

        return dumps(obj)
    if style == "dot":
        return obj.to_dot().rstrip("\n") + "\n"
    if style == "form":
        return obj.to_form().rstrip("\n") + "\n"
    if style == "mathematica":
        return obj.to_mathematica() + "\n"
    items = [obj] if isinstance(obj, Diagram) else list(obj)
    if style == "latex":
        # a sum, one term a line
        signs = ["+" if k and d.coefficient > 0 else "" for k, d in enumerate(items)]
        return "\n".join(sign + d.to_latex() for sign, d in zip(signs, items, strict=True)) or "0"
    from .graphs import node_link

    graphs = [node_link(d) for d in items]
    return json.dumps(graphs[0] if isinstance(obj, Diagram) else graphs)
