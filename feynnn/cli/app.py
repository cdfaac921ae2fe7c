"""The commands; each is the library call of the same name and reads its options in the same words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from .. import __version__
from ..errors import InputError
from . import output as out
from . import parsing

if TYPE_CHECKING:
    from ..theory.action import Theory

app = typer.Typer(
    name="feynnn",
    help="Feynman diagrams, perturbative correlators and network ensembles for the NN-QFT correspondence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
study_app = typer.Typer(help="Reproduce a published study.", no_args_is_help=True)
app.add_typer(study_app, name="study")

Action = Annotated[str, typer.Argument(help="The action, for example 'lam*f**4 + kap*f**6'.", show_default=False)]
N = Annotated[int, typer.Option("-n", help="Number of points.")]
Kind = Annotated[str, typer.Option(help="all, vacuum-free, connected or 1PI.")]
Propagator = Annotated[str, typer.Option(help="free, or exact: drop self-energy insertions.")]
NormalOrdered = Annotated[bool, typer.Option("--normal-ordered", help="Drop lines from a point to itself.")]
Json = Annotated[bool, typer.Option("--json", help="Print the machine-readable result.")]
Output = Annotated[str | None, typer.Option("--output", "-o", help="Write the result to this file.")]
KernelName = Annotated[str, typer.Option("--kernel", help=f"{', '.join(parsing.KERNELS)}.")]
SigmaW = Annotated[float, typer.Option(help="Standard deviation of the weights.")]
SigmaB = Annotated[float, typer.Option(help="Standard deviation of the biases.")]
Mass = Annotated[float, typer.Option(help="Mass of the free scalar.")]
DIn = Annotated[int, typer.Option(help="Input dimension.")]
WithoutBias = Annotated[bool, typer.Option("--without-bias", help="Vertex kernel K - sigma_b^2, as on the slides.")]
CutoffValue = Annotated[str, typer.Option("--cutoff", help="Half the side of each vertex's box; inf for all space.")]
Points = Annotated[str, typer.Option(help="Inputs: 0.2,0.4 or 1,1;1,-1 or a file, or - for standard input.")]
MaxOrder = Annotated[str, typer.Option(help="Cumulative order: 2, or lam=2,kap=1.")]
Rtol = Annotated[float, typer.Option(help="Relative accuracy of the integrals.")]
NetworkName = Annotated[str, typer.Argument(help="gauss, erf or relu.", show_default=False)]
Width = Annotated[str, typer.Option(help="Number of hidden units; inf for the Gaussian process.")]
DataFile = Annotated[str, typer.Argument(help="A saved n-point function or ensemble, or -.", show_default=False)]


def _theory(action: str, propagator: str = "free", normal_ordered: bool = False) -> Theory:
    from ..theory.action import Theory

    return Theory.parse(action, propagator=cast(Any, propagator), normal_ordered=normal_ordered)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"feynnn {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Feynman diagrams, perturbative correlators and network ensembles for the NN-QFT correspondence."""


@app.command()
def diagrams(
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
        bool, typer.Option("--no-self-energies", help="Without 1- and 2-line insertions.")
    ] = False,
    loops: Annotated[int | None, typer.Option(help="Only diagrams with this number of loops.")] = None,
    external: Annotated[str, typer.Option(help="labelled or indistinguishable.")] = "labelled",
    count: Annotated[bool, typer.Option("--count", help="Only count, without generating.")] = False,
    draw: Annotated[str | None, typer.Option(help="Draw them into this .svg or .tex file.")] = None,
    as_json: Json = False,
    output: Output = None,
) -> None:
    """Generate Feynman diagrams: feynnn diagrams 'lam*f**4' -n 4 --order 2 --kind connected."""
    theory = _theory(action, propagator, normal_ordered)
    exact = parsing.order_of(order)
    if count:
        if no_self_loops or no_snails or no_self_energies or loops is not None or external != "labelled" or draw:
            raise InputError(
                "--count counts whole classes without generating; leave out the filters, or leave out --count"
            )
        from ..diagrams.counting import count as count_diagrams

        c = count_diagrams(theory, n, order=exact, kind=cast(Any, kind))
        record = {"number": c.number, "weight": str(c.weight), "multiplicity": c.multiplicity}
        table = "\n".join(f"{k:<13} {'unknown' if v is None else v}" for k, v in record.items())
        out.show_record(record, table, as_json=as_json, output=output)
        return
    from ..diagrams.generation import generate

    found = generate(
        theory,
        n,
        order=exact,
        kind=cast(Any, kind),
        self_loops=not no_self_loops,
        snails=not no_snails,
        self_energies=not no_self_energies,
        loops=loops,
        external=cast(Any, external),
    )
    if draw is not None:
        from ..views.drawing import draw as draw_diagrams

        suffix = Path(draw).suffix
        style = "tikz" if suffix == ".tex" else suffix.lstrip(".") or "svg"
        out.write_text(draw, draw_diagrams(found, format=cast(Any, style)))
    out.show(found, as_json=as_json, output=output)


@app.command()
def expression(
    action: Action,
    n: N = 4,
    max_order: MaxOrder = "1",
    kind: Kind = "vacuum-free",
    propagator: Propagator = "free",
    normal_ordered: NormalOrdered = False,
    grouped: Annotated[bool, typer.Option("--grouped", help="One term for each topology, as on the slides.")] = False,
    ratio: Annotated[bool, typer.Option("--ratio", help="Numerator, Z/Z_0 and their ratio.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX.")] = False,
    as_json: Json = False,
) -> None:
    """Print the expansion: feynnn expression 'lam*f**4 + kap*f**6' -n 6 --propagator exact --grouped."""
    from ..diagrams.generation import generate
    from ..perturbation.expressions import expression as expression_of
    from ..perturbation.expressions import ratio as ratio_of
    from ..perturbation.expressions import to_latex
    from ..perturbation.formulas import formula

    theory = _theory(action, propagator, normal_ordered)
    top = parsing.order_of(max_order, "--max-order")
    if ratio and (grouped or kind != "vacuum-free"):
        raise InputError("--ratio shows every diagram; leave out --grouped and --kind")
    if ratio:
        r = ratio_of(theory, n, max_order=top)
        parts = {"numerator": r.numerator, "denominator": r.denominator, "series": r.series}
        record: dict[str, object] = {k: to_latex(e) if latex else str(e) for k, e in parts.items()}
        out.show_record(record, r.to_latex() if latex else r, as_json=as_json)
    elif grouped:
        f = formula(theory, n, max_order=top, kind=cast(Any, kind))
        terms = [
            {"coefficient": str(t.coefficient), "order": t.diagram.order, "copies": t.diagram.copies,
             "edges": [list(e) for e in t.diagram.edges]}
            for t in f.terms
        ]  # fmt: skip
        record = {"n": n, "kind": kind, "terms": terms, "latex": f.to_latex()}
        out.show_record(record, f.to_latex() if latex else f, as_json=as_json)
    else:
        import sympy

        orders = theory.orders_up_to(top)
        sets = [generate(theory, n, order=o, kind=cast(Any, kind)) for o in orders]
        total = sympy.Add(*(expression_of(s) for s in sets))
        text = to_latex(total) if latex else str(total)
        out.show_record({"n": n, "kind": kind, "expression": text}, text, as_json=as_json)


@app.command()
def correlator(
    action: Action,
    points: Points,
    cutoff: CutoffValue,
    n: N = 4,
    kernel: KernelName = "gauss",
    sigma_w: SigmaW = 1.0,
    sigma_b: SigmaB = 1.0,
    mass: Mass = 1.0,
    d_in: DIn = 1,
    without_bias: WithoutBias = False,
    coupling: Annotated[list[str] | None, typer.Option(help="Value of a coupling, lam=0.01; repeatable.")] = None,
    max_order: MaxOrder = "1",
    kind: Kind = "vacuum-free",
    propagator: Propagator = "free",
    normal_ordered: NormalOrdered = False,
    rtol: Rtol = 1e-10,
    as_json: Json = False,
    output: Output = None,
) -> None:
    """Compute a perturbative correlator: the coefficients by order, or its value when couplings are given."""
    from ..perturbation.correlator import Correlator
    from ..perturbation.quadrature import Cutoff

    k = parsing.kernel_of(kernel, sigma_w=sigma_w, sigma_b=sigma_b, mass=mass, d_in=d_in)
    g = Correlator(
        _theory(action, propagator, normal_ordered),
        n,
        kernel=k,
        vertex_kernel=k.without_bias() if without_bias else None,
        cutoff=Cutoff(parsing.number_of(cutoff, "--cutoff")),
        kind=cast(Any, kind),
    )
    x = parsing.points_of(points)
    top = parsing.order_of(max_order, "--max-order")
    if coupling:
        out.show(
            g.evaluate(x, parsing.couplings_of(coupling), max_order=top, rtol=rtol), as_json=as_json, output=output
        )
        return
    coefficients = list(g.series(x, max_order=top, rtol=rtol).values())
    if as_json or output is not None:
        out.show(coefficients, as_json=as_json, output=output)
    else:
        print("\n\n".join(map(str, coefficients)))


@app.command()
def exact(
    network: NetworkName,
    points: Points,
    width: Width = "20",
    n: N = 4,
    sigma_w: SigmaW = 1.0,
    sigma_b: SigmaB = 1.0,
    connected: Annotated[bool, typer.Option("--connected", help="The connected function.")] = False,
    as_json: Json = False,
    output: Output = None,
) -> None:
    """Print the exact n-point function of a finite-width network: feynnn exact erf --width 20 --points 0.2,0.4."""
    from ..networks.finite_width import exact as exact_of
    from ..networks.network import Network

    x = parsing.points_of(points)
    net = Network(network, width=parsing.width_of(width), d_in=x.shape[1], sigma_w=sigma_w, sigma_b=sigma_b)
    out.show(exact_of(net, x, n=n, connected=connected), as_json=as_json, output=output)


@app.command()
def sample(
    network: NetworkName,
    points: Points,
    width: Width = "20",
    n_nets: Annotated[int, typer.Option(help="Total number of networks.")] = 10**6,
    n_experiments: Annotated[int, typer.Option(help="Independent experiments they are divided into.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed; the result does not depend on the workers.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes.")] = 1,
    sigma_w: SigmaW = 1.0,
    sigma_b: SigmaB = 1.0,
    store: Annotated[str | None, typer.Option(help="Checkpoint: an interrupted run goes on where it was.")] = None,
    n: N = 4,
    connected: Annotated[bool, typer.Option("--connected", help="Show the connected function.")] = False,
    as_json: Json = False,
    output: Output = None,
) -> None:
    """Sample an ensemble of random networks; save it with -o, or print its n-point function with errors."""
    from ..networks.network import Network
    from ..sampling.ensemble import sample as sample_of

    x = parsing.points_of(points)
    net = Network(network, width=parsing.width_of(width), d_in=x.shape[1], sigma_w=sigma_w, sigma_b=sigma_b)
    if output is not None:
        out.prepare_folder(Path(output).parent)
    with out.pool(workers) as executor:
        r = sample_of(
            net,
            x,
            n_nets=n_nets,
            seed=seed,
            n_experiments=n_experiments,
            orders=sorted({2, 4, 6, n}),
            executor=executor,
            store=store,
            progress=True,
        )
    out.show(r if output is not None else r.estimate(n, connected=connected), as_json=as_json, output=output)


@app.command()
def match(
    data: DataFile,
    action: Action,
    cutoff: CutoffValue,
    kernel: KernelName = "gauss",
    sigma_w: SigmaW = 1.0,
    sigma_b: SigmaB = 1.0,
    mass: Mass = 1.0,
    d_in: DIn = 1,
    without_bias: WithoutBias = False,
    rtol: Rtol = 1e-10,
    as_json: Json = False,
    output: Output = None,
) -> None:
    """Match couplings: feynnn match g4.json 'lam*f**4' --kernel erf --without-bias --cutoff 100."""
    from ..matching.fitting import match as match_of
    from ..perturbation.quadrature import Cutoff

    k = parsing.kernel_of(kernel, sigma_w=sigma_w, sigma_b=sigma_b, mass=mass, d_in=d_in)
    m = match_of(
        parsing.npoint_of(data),
        _theory(action, "exact"),
        kernel=k,
        vertex_kernel=k.without_bias() if without_bias else None,
        cutoff=Cutoff(parsing.number_of(cutoff, "--cutoff")),
        rtol=rtol,
    )
    out.show(m, as_json=as_json, output=output)


@app.command()
def flow(
    data: DataFile,
    action: Action,
    cutoffs: Annotated[str, typer.Option(help="Increasing cutoffs, 7,10,15,...")] = "7,10,20,50,100",
    kernel: KernelName = "gauss",
    sigma_w: SigmaW = 1.0,
    sigma_b: SigmaB = 1.0,
    mass: Mass = 1.0,
    d_in: DIn = 1,
    without_bias: WithoutBias = False,
    rtol: Rtol = 1e-8,
    as_json: Json = False,
    output: Output = None,
) -> None:
    """Follow a coupling: feynnn flow g4.json 'lam*f**4' --kernel relu --sigma-b 0 --cutoffs 7,10,100."""
    from ..matching.running import flow as flow_of

    k = parsing.kernel_of(kernel, sigma_w=sigma_w, sigma_b=sigma_b, mass=mass, d_in=d_in)
    f = flow_of(
        parsing.npoint_of(data),
        _theory(action, "exact"),
        kernel=k,
        vertex_kernel=k.without_bias() if without_bias else None,
        cutoffs=parsing.numbers_of(cutoffs, "--cutoffs"),
        rtol=rtol,
    )
    out.show(f, as_json=as_json, output=output)


@study_app.command()
def hms(
    scale: Annotated[str, typer.Option(help="small (about a minute) or paper (the slides' size).")] = "small",
    output: Annotated[
        str, typer.Option("--output", "-o", help="Folder for report.html and study.json.")
    ] = "hms-report",
    seed: Annotated[int, typer.Option(help="Seed of every ensemble.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes that sample.")] = 2,
    network: Annotated[list[str] | None, typer.Option(help="Only this network; repeatable.")] = None,
    as_json: Json = False,
) -> None:
    """Reproduce the slides: Halverson, Maiti, Stoner, Neural networks and quantum field theory."""
    from ..storage import to_json
    from ..studies import hms as study
    from ..studies.tables import summary

    names = tuple(network) if network else study.NETWORKS
    study.check(scale, names)
    out.check_workers(workers)
    folder = Path(output)
    out.prepare_folder(folder)
    from ..views.figures import style
    from ..views.hms_report import hms_page

    with style():  # a missing matplotlib is said before the work, not after it
        pass
    with out.pool(workers) as executor:
        result = study.run(
            cast(Any, scale),
            seed=seed,
            networks=names,
            executor=executor,
            progress=out.Progress(),
        )
    record = to_json(result.to_dict(), indent=1)
    out.write_text(folder / "study.json", record + "\n")
    out.write_text(folder / "report.html", hms_page(result))
    if as_json:
        print(record)
    else:
        print(summary(result))


@app.command()
def report(
    files: Annotated[list[str], typer.Argument(help="Saved results, in order.", show_default=False)],
    output: Annotated[str, typer.Option("--output", "-o", help="The HTML file.")] = "report.html",
    title: Annotated[str, typer.Option(help="Title of the page.")] = "feynnn report",
) -> None:
    """Collect saved results in one self-contained HTML page: feynnn report g4.json lam.json -o report.html."""
    from ..storage import load
    from ..views.pages import report as report_of

    report_of([load(f) for f in files], output, title=title)
    typer.echo(f"wrote {output}", err=True)
