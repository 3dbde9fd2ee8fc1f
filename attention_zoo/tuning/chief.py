"""The chief of a search: it decides what is tried, and workers try it."""

from __future__ import annotations

import contextlib
import queue
import shlex
import time
from collections.abc import Sequence
from concurrent import futures
from pathlib import Path

import grpc
from keras_tuner.src import protos

from attention_zoo.tuning.crew import Crew
from attention_zoo.tuning.desk import LIMITS, Desk
from attention_zoo.tuning.engine import Engine
from attention_zoo.tuning.folder import TuningError
from attention_zoo.tuning.place import Place, check_free
from attention_zoo.tuning.trials import Spectator

#: Seconds between two looks at the workers.
_LOOK = 0.2
#: Seconds that idle workers have to hear that the search is over.
_FAREWELL = 5.0


def lead(
    engine: Engine, folder: Path, token: str, spectator: Spectator, *,
    workers: int | None = None, place: Place | None = None, wait: float = 60.0,
) -> None:  # fmt: skip
    """Hand out trials until the search ends.

    Args:
        engine: of the search.
        folder: of the search.
        token: what workers know from the folder.
        spectator: is told what they do, in this thread.
        workers: how many to start here; None for those that come to `place`.
        place: where to listen, None for any port of this machine alone.
        wait: seconds without any worker after which the search is given up.

    Raises:
        TuningError: if no worker comes, or they cannot go on.
        ValueError: if it cannot listen there.
        OSError: if the search's state cannot be written.
    """
    desk = Desk(engine, token)
    engine.save()
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(_server(desk, place))
        crew = stack.enter_context(Crew(workers, folder, port)) if workers else None
        heard = time.monotonic()
        while not desk.finished:
            _tell(desk, spectator)
            if desk.error is not None:
                raise desk.error
            if crew is not None:
                crew.look_after(desk)
            desk.release_silent()
            heard = time.monotonic() if desk.seen or crew is not None else heard
            if place is not None and time.monotonic() - heard > wait:
                raise TuningError(
                    f"No worker has been here for {wait:g} s, so the search ends; what was found "
                    f"is kept: go on with --resume. {welcome(place, folder)}"
                )
        _tell(desk, spectator)
        limit = time.monotonic() + _FAREWELL
        while desk.seen and time.monotonic() < limit:
            time.sleep(_LOOK)


def welcome(place: Place, folder: Path) -> str:
    """How workers come to a chief."""
    here = place.host in ("0.0.0.0", "::")
    address = f"THIS_MACHINE:{place.port}" if here else place.address
    out = shlex.quote(str(folder))
    return f"Start workers with: attention-zoo tune --role worker --address {address} --out {out}"


def _tell(desk: Desk, spectator: Spectator) -> None:
    """What happened, or a moment's rest."""
    with contextlib.suppress(queue.Empty):
        name, arguments = desk.events.get(timeout=_LOOK)
        while True:
            getattr(spectator, name)(*arguments)
            name, arguments = desk.events.get_nowait()


@contextlib.contextmanager
def _server(desk: Desk, place: Place | None):  # type: ignore[no-untyped-def]
    if place is not None:
        check_free(place)
    # Without so_reuseport=0 a second chief at the same port would take half of the workers
    options: Sequence[tuple[str, int]] = [("grpc.so_reuseport", 0), *LIMITS]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64), options=options)
    protos.get_service_grpc().add_OracleServicer_to_server(desk, server)
    address = place.address if place is not None else "127.0.0.1:0"
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise ValueError(f"`address`: a chief cannot listen at {address}: {error}") from None
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=0.5).wait(2)
