"""The command line: parse, call, print."""

from __future__ import annotations

import json
import shlex
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Annotated, Unpack

import typer
from rich.console import Console
from typer.exceptions import TyperException

from search.cli.options import (
    AsJson,
    DataRoot,
    Debug,
    Device,
    JsonBesideProgress,
    OfLimit,
    Storage,
    StudyName,
    StudyPath,
    TrialNumber,
    with_run_options,
)
from search.cli.output import (
    print_error,
    print_table,
    print_text,
    usage_message,
    width_of_output,
)
from search.cli.studies import studies_app
from search.errors import InputError, exit_code_of
from search.storage.urls import DEFAULT_STORAGE
from search.workers.options import RunOptions
from trainer.errors import DataError

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


app.add_typer(studies_app, name="studies")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("flyweight"))
        raise typer.Exit


@app.callback()
def flyweight(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="show the version"),
    ] = False,
) -> None:
    """Find the best small CNN that fits a hard budget."""


@app.command()
def init(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help="such as mnist, folder:PATH or npz:PATH")
    ],
    parameters: Annotated[
        int | None, typer.Option("--parameters", min=1, metavar="N", help="limit; by default 20000")
    ] = None,
    board: Annotated[
        str | None, typer.Option("--board", metavar="NAME", help="board whose memory is the limit")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="name of the study")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.toml", help="by default NAME.toml")
    ] = None,
    debug: Debug = False,
) -> None:
    """Write a commented study file for a data set and a budget."""
    from search.init import init as write_study

    path = write_study(dataset, out, parameters=parameters, board=board, name=name)
    print_text(f"written: {path}\nnext: flyweight validate {shlex.quote(str(path))}")


@app.command()
def data(
    what: Annotated[
        str,
        typer.Argument(
            metavar="DATASET|STUDY", help="data set, folder:PATH, study file or name of a study"
        ),
    ],
    as_json: AsJson = False,
    root: DataRoot = None,
    storage: Storage = DEFAULT_STORAGE,
    debug: Debug = False,
) -> None:
    """Look at all of a data set: parts, classes, what is passed over, broken or there twice."""
    from search.data.command import data as search_data
    from search.data.text import found_text

    findings = search_data(what, storage=storage, data=root)
    if as_json:
        print_text(json.dumps(findings.to_dict(), indent=2))
    else:
        print_text(found_text(findings))
    for problem in findings.problems:
        print_error(DataError(problem))
    if findings.problems:
        raise typer.Exit(InputError.exit_code)


@app.command()
@with_run_options
def run(
    study: StudyPath,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, metavar="N", help="trained trials in total")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", min=0, metavar="S", help="stop after this many seconds"),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", min=0, metavar="M", help="stop after this many minutes"),
    ] = None,
    artifacts: Annotated[
        Path | None,
        typer.Option("--artifacts", metavar="DIR", help="folder for the weights of a new study"),
    ] = None,
    **options: Unpack[RunOptions],
) -> None:
    """Search a study: begin it or resume it."""
    from search.cli.summary import run_summary
    from search.run.command import run as search_run

    if minutes is not None:
        if timeout is not None:
            raise InputError("--minutes and --timeout say the same; give one of them")
        timeout = minutes * 60
    result = search_run(
        study,
        trials=trials,
        timeout=timeout,
        artifacts=artifacts,
        **options,
    )
    print_text(run_summary(result, str(study)))


@app.command()
def status(
    study: Annotated[
        str | None,
        typer.Argument(metavar="STUDY", help="study file or name; by default all studies"),
    ] = None,
    as_json: AsJson = False,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="write one line for each trial of STUDY"),
    ] = None,
    storage: Storage = DEFAULT_STORAGE,
    debug: Debug = False,
) -> None:
    """Show the state of a study, also while it runs."""
    from search.status import status as search_status
    from search.status import status_text, write_csv

    if csv is not None:
        if study is None:
            raise InputError("--csv writes the trials of one study; name it: status STUDY --csv")
        write_csv(study, csv, storage=storage)
    states = search_status(study, storage=storage)
    if as_json:
        plain = [state.to_dict() for state in states]
        print_text(json.dumps(plain if study is None else plain[0], indent=2))
    else:
        print_text("\n\n".join(status_text(state) for state in states))


@app.command()
def dashboard(
    study: Annotated[
        str | None,
        typer.Argument(metavar="STUDY", help="study file or name; by default all studies"),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="N", help="port; 0 for any free one")
    ] = 8080,
    storage: Storage = DEFAULT_STORAGE,
    debug: Debug = False,
) -> None:
    """Open optuna-dashboard on this machine, read-only, until Ctrl-C."""
    from search.dashboard.server import dashboard as search_dashboard

    search_dashboard(study, port=port, storage=storage)


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="study or ladder files")],
    debug: Debug = False,
) -> None:
    """Check study and ladder files; show every error with its place, and what a space holds."""
    from search.validate import describe
    from search.validate import validate as search_validate

    errors = search_validate(files)
    wrong = {error.path for error in errors}
    for path in files:
        if path not in wrong:
            print_text("\n    ".join([f"{path}: ok", *describe(path)]))
    for error in errors:
        print_error(error)
    if errors:
        raise typer.Exit(InputError.exit_code)


@app.command()
@with_run_options
def explain(
    what: Annotated[
        str, typer.Argument(metavar="STUDY|MODEL", help="a study, or an exported folder")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="LADDER.toml", help="write a ladder")
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, metavar="N", help="trainings of each step")
    ] = 3,
    trial: TrialNumber = None,
    as_json: JsonBesideProgress = False,
    **options: Unpack[RunOptions],
) -> None:
    """From a plain skeleton to the champion, one choice at a time: what each was worth."""
    from search.explain.command import explain as search_explain
    from search.explain.result import explained_table

    if as_json:
        options["console"] = Console(stderr=True)
    explained = search_explain(what, out, seeds=seeds, trial=trial, **options)
    if as_json:
        print_text(json.dumps(explained.to_dict(), indent=2))
    else:
        print_table(explained_table(explained))
    if out is not None and not as_json:
        print_text(f"written: {out}; next: flyweight ladder {shlex.quote(str(out))}")


@app.command()
def show(
    what: Annotated[
        str,
        typer.Argument(
            metavar="LAYERS|STUDY|MODEL",
            help="layers with ; between them, a study, an exported folder, or LADDER.toml#STEP",
        ),
    ],
    trial: TrialNumber = None,
    parameters: OfLimit = None,
    input_shape: Annotated[
        str | None,
        typer.Option("--input", metavar="CxHxW", help="images of LAYERS; by default 1x28x28"),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE.svg", help="write a picture")
    ] = None,
    as_json: AsJson = False,
    storage: Storage = DEFAULT_STORAGE,
    debug: Debug = False,
) -> None:
    """Show a network line by line: maps, parameters, MACs, what one output sees."""
    from search.show import show as search_show
    from search.show import shown_table, shown_text, write_picture

    shown = search_show(
        what, trial=trial, parameters=parameters, input_shape=input_shape, storage=storage
    )
    if picture is not None:
        write_picture(shown, picture)
    if as_json:
        print_text(json.dumps(shown.to_dict(), indent=2))
    else:
        print_table(shown_table(shown))
        print_text(shown_text(shown))


@app.command()
def schema(debug: Debug = False) -> None:
    """Print the JSON schema of study files, by which editors complete and check them."""
    from search.schema import schema as study_schema

    print_text(json.dumps(study_schema(), indent=2))


@app.command()
@with_run_options
def calibrate(
    study: StudyName,
    candidates: Annotated[
        int,
        typer.Option("--candidates", min=3, metavar="N", help="random candidates to train"),
    ] = 12,
    seeds: Annotated[
        int,
        typer.Option("--seeds", min=2, metavar="N", help="more seeds of each of the three best"),
    ] = 3,
    as_json: JsonBesideProgress = False,
    **options: Unpack[RunOptions],
) -> None:
    """Train random candidates: how much seeds differ, and after which epoch pruning is safe."""
    from search.calibrate.command import calibrate as search_calibrate
    from search.cli.summary import calibration_summary

    if as_json:
        options["console"] = Console(stderr=True)
    result = search_calibrate(study, candidates=candidates, seeds=seeds, **options)
    if as_json:
        print_text(json.dumps(result.to_dict(), indent=2))
    else:
        print_text(calibration_summary(result))


@app.command()
@with_run_options
def confirm(
    study: StudyName,
    top: Annotated[
        int | None,
        typer.Option("--top", min=1, metavar="K", help="candidates to retrain; by default 3"),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", min=1, metavar="N", help="retrainings of each; by default 5"),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="begin another confirm after a finished one")
    ] = False,
    selection: Annotated[
        bool, typer.Option("--selection", help="stop before the test set; run again to go on")
    ] = False,
    **options: Unpack[RunOptions],
) -> None:
    """Retrain the best trials, choose on validation, measure the choice on the test set once."""
    from search.cli.summary import confirm_summary
    from search.confirm.command import confirm as search_confirm
    from search.study.study import open_study

    result = search_confirm(
        study, top=top, seeds=seeds, again=again, selection=selection, **options
    )
    stored = open_study(study, options["storage"], writing=False)
    print_text(confirm_summary(stored, result))


@app.command()
def replay(
    study: StudyName,
    trial: Annotated[int, typer.Option("--trial", min=0, metavar="N", help="number of the trial")],
    storage: Storage = DEFAULT_STORAGE,
    data: DataRoot = None,
    device: Device = None,
    debug: Debug = False,
) -> None:
    """Train a trial once more; say whether it is the same bit for bit, or what differs."""
    from search.replay import replay as search_replay
    from search.replay import replay_text

    result = search_replay(study, trial, storage=storage, data=data, device=device)
    print_text(replay_text(result))
    if not result.same:
        raise typer.Exit(1)


@app.command()
def report(
    study: StudyName,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE.html", help="write one page")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE.md", help="the same without pictures")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="write one line for each trial")
    ] = None,
    storage: Storage = DEFAULT_STORAGE,
    debug: Debug = False,
) -> None:
    """Write a study as one page to keep, mail or hand in."""
    from search.report.command import report as search_report
    from search.status import write_csv

    written: tuple[Path, ...] = ()
    if out is not None or markdown is not None or csv is None:
        written = search_report(study, out=out, markdown_out=markdown, storage=storage)
    if csv is not None:
        write_csv(study, csv, storage=storage)
        written += (csv,)
    print_text("\n".join(f"written: {path}" for path in written))


@app.command()
def compare(
    studies: Annotated[
        list[str], typer.Argument(metavar="STUDY STUDY...", help="study files, or studies' names")
    ],
    as_json: AsJson = False,
    storage: Annotated[
        list[str] | None,
        typer.Option(
            "--storage", metavar="URL", help="URL of the study database; may be given per study"
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Show studies side by side."""
    from search.compare import compare as search_compare
    from search.compare import compared_table, compared_text

    compared = search_compare(*studies, storage=storage or DEFAULT_STORAGE)
    if as_json:
        print_text(json.dumps([each.to_dict() for each in compared], indent=2))
        return
    print_table(compared_table(compared))
    if remarks := compared_text(compared):
        print_text(remarks)


@app.command()
def export(
    study: StudyName,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="folder to write to")],
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="torch (unless told), onnx, int8, c, c-int8; several get one folder each in DIR",
        ),
    ] = None,
    trial: TrialNumber = None,
    parameters: OfLimit = None,
    step: Annotated[
        str | None,
        typer.Option("--step", metavar="NAME", help="a replayed step, where STUDY is a ladder"),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="data sets, for --step and int8")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="replace an exported network of another study")
    ] = False,
    storage: Storage = DEFAULT_STORAGE,
    debug: Debug = False,
) -> None:
    """Write the champion (before a confirm: the best trial) as a Python package, ONNX or C."""
    from search.cli.summary import export_summary
    from search.export.command import export as search_export
    from search.export.formats import DEFAULT_FORMATS, chosen_formats

    chosen = chosen_formats(formats or DEFAULT_FORMATS)
    trained = search_export(
        study,
        out,
        chosen,
        trial=trial,
        parameters=parameters,
        step=step,
        data=data,
        force=force,
        storage=storage,
    )
    print_text(export_summary(trained, out, chosen))


@app.command()
def predict(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="folder of an export: torch, onnx or int8")
    ],
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="image files")],
    top: Annotated[
        int, typer.Option("--top", min=1, metavar="N", help="classes to show for each image")
    ] = 1,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say what an exported network makes of image files."""
    from search.predict import predict as search_predict
    from search.predict import prediction_text

    found = search_predict(model, images)
    if as_json:
        print_text(json.dumps([each.to_dict() for each in found], indent=2))
    else:
        print_text(prediction_text(found, top))


@app.command()
@with_run_options
def ladder(
    files: Annotated[
        list[Path], typer.Argument(metavar="LADDER.toml...", help="one or more ladder files")
    ],
    step: Annotated[
        list[str] | None,
        typer.Option(
            "--step", metavar="NAME", help="step to replay, by default all; may be repeated"
        ),
    ] = None,
    parameters: Annotated[
        int | None,
        typer.Option("--parameters", min=1, metavar="N", help="leave out steps that have more"),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            "--epochs",
            min=1,
            metavar="N",
            help="epochs of every replay, at least floor_epochs; by default each step's own",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, metavar="N", help="replays of each step")
    ] = 1,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="write one line for each replay")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="write a report")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="write a page to hand in")
    ] = None,
    as_json: JsonBesideProgress = False,
    **options: Unpack[RunOptions],
) -> None:
    """Train hand-made networks again and compare them with their authors' figures."""
    from search.ladder.command import ladder as search_ladder
    from search.ladder.page import ladder_page
    from search.ladder.report import (
        analysis_text,
        ladder_tables,
        step_to_dict,
        write_csv,
        write_markdown,
    )
    from search.pages.html import html as page_html
    from search.text_files import check_place, write_text

    command = shlex.join(["flyweight", *sys.argv[1:]])
    for report in filter(None, (csv, markdown, html)):
        check_place(report)
    if as_json:
        options["console"] = Console(stderr=True)
    results = search_ladder(
        *files,
        steps=step or (),
        parameters=parameters,
        epochs=epochs,
        seeds=seeds,
        **options,
    )
    width = width_of_output()
    if as_json:
        print_text(json.dumps([step_to_dict(result, results) for result in results], indent=2))
    else:
        for table in ladder_tables(results, width):
            print_table(table)
        print_text(analysis_text(results, width))
    if csv is not None:
        write_csv(results, csv)
    if markdown is not None:
        write_markdown(results, command, markdown)
    if html is not None:
        write_text(html, page_html(ladder_page(results, command)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    An error is one line on standard error; ``--debug`` adds the traceback.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    # A shell starts background commands with SIGINT ignored; kill -INT must end those too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _as_interrupt)
    # Under nohup the hang-up signal is ignored, and must stay so.
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        signal.signal(hangup, _as_interrupt)
    try:
        code = app(args=list(arguments), prog_name="flyweight", standalone_mode=False)
        return int(code or 0)
    except TyperException as error:
        print(f"flyweight: {usage_message(error)}", file=sys.stderr)
        return InputError.exit_code
    except (Exception, KeyboardInterrupt) as error:
        if "--debug" in arguments:
            traceback.print_exc()
        print_error(error)
        return exit_code_of(error)


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
