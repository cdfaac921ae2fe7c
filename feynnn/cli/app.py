"""The commands; each is the library call of the same name and reads its options in the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from .. import __version__
from ..errors import InputError
from . import output as out
from . import parsing
from .atlas import app as atlas_app
from .diagrams import list_diagrams
from .options import (
    Action,
    CutoffValue,
    DataFile,
    DIn,
    Json,
    KernelName,
    Kind,
    Mass,
    MaxOrder,
    N,
    NetworkName,
    NormalOrdered,
    Output,
    Points,
    Propagator,
    Rtol,
    SigmaB,
    SigmaW,
    Width,
    WithoutBias,
    theory_of,
)

app = typer.Typer(
    name="feynnn",
    help="Feynman diagrams, perturbative correlators and network ensembles for the NN-QFT correspondence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
study_app = typer.Typer(help="Reproduce a published study.", no_args_is_help=True)
app.add_typer(study_app, name="study")
app.add_typer(atlas_app, name="atlas")


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


app.command("diagrams")(list_diagrams)


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

    theory = theory_of(action, propagator, normal_ordered)
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
    plan: Annotated[bool, typer.Option("--plan", help="Print what it would take, and compute nothing.")] = False,
    as_json: Json = False,
    output: Output = None,
) -> None:
    """Compute a correlator: feynnn correlator 'lam*f**4' --points 0,0.5 --without-bias --cutoff inf.

    The coefficients by order, or its value when couplings are given: --coupling lam=0.01. With --plan only the meshes,
    multiplications and memory that it would take.
    """
    from ..perturbation.correlator import Correlator
    from ..perturbation.quadrature import Cutoff

    out.check_files(output=output)
    if plan and coupling:
        raise InputError("--plan is the same for all values of the couplings; leave out --coupling")
    k = parsing.kernel_of(kernel, sigma_w=sigma_w, sigma_b=sigma_b, mass=mass, d_in=d_in)
    g = Correlator(
        theory_of(action, propagator, normal_ordered),
        n,
        kernel=k,
        vertex_kernel=k.without_bias() if without_bias else None,
        cutoff=Cutoff(parsing.number_of(cutoff, "--cutoff")),
        kind=cast(Any, kind),
    )
    x = parsing.points_of(points)
    top = parsing.order_of(max_order, "--max-order")
    if plan:
        p = g.plan(x, max_order=top)
        out.show_record(p.to_dict(), p, as_json=as_json, output=output)
        return
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

    out.check_files(output=output)
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
    """Sample random networks: feynnn sample erf --width 5 --points 0.2,0.4 --n-nets 20000 -o run.json.

    Without -o the n-point function is printed with its errors.
    """
    from ..networks.network import Network
    from ..sampling.ensemble import sample as sample_of

    x = parsing.points_of(points)
    net = Network(network, width=parsing.width_of(width), d_in=x.shape[1], sigma_w=sigma_w, sigma_b=sigma_b)
    if output is not None:
        out.prepare_folder(Path(output).parent)
        out.check_files(output=output, store=store)
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
    normal_ordered: NormalOrdered = False,
    rtol: Rtol = 1e-10,
    as_json: Json = False,
    output: Output = None,
) -> None:
    """Match couplings: feynnn match g4.json 'lam*f**4' --kernel erf --without-bias --cutoff 100."""
    from ..matching.fitting import match as match_of
    from ..perturbation.quadrature import Cutoff

    out.check_files(output=output)
    k = parsing.kernel_of(kernel, sigma_w=sigma_w, sigma_b=sigma_b, mass=mass, d_in=d_in)
    m = match_of(
        parsing.npoint_of(data),
        theory_of(action, "exact", normal_ordered),
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
    normal_ordered: NormalOrdered = False,
    rtol: Rtol = 1e-8,
    as_json: Json = False,
    output: Output = None,
) -> None:
    """Follow a coupling: feynnn flow g4.json 'lam*f**4' --kernel relu --sigma-b 0 --cutoffs 7,10,100."""
    from ..matching.running import flow as flow_of

    out.check_files(output=output)
    k = parsing.kernel_of(kernel, sigma_w=sigma_w, sigma_b=sigma_b, mass=mass, d_in=d_in)
    f = flow_of(
        parsing.npoint_of(data),
        theory_of(action, "exact", normal_ordered),
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
    """Reproduce the slides of Halverson, Maiti and Stoner: feynnn study hms --scale small -o hms-report."""
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

    out.check_files(output=output)
    report_of([load(f) for f in files], output, title=title)
    typer.echo(f"wrote {output}", err=True)
