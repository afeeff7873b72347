"""Starts and stops the servers of one run.

Every run has a folder, keys and free loopback ports of its own, so that runs
can go on side by side. Processes are known by their id and start time: a
process that took over the id later is left alone.
"""

import contextlib
import json
import os
import signal
import socket
import string
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import trust
from .command import Failed, environment, need
from .lab import Lab
from .paths import BIN, HERE, RUNS, missing, program

# Without these nobody can sign anything.
ESSENTIAL = ("keys", "issuer", "ctlog", "fulcio", "timestamp-server", "cosign", "oras")
START_SECONDS = 120
STOP_SECONDS = 5


def start():
    """A new run: folder, keys, servers, trust roots."""
    for name in ESSENTIAL:
        if not program(name):
            raise Failed(f"the suite cannot do without {name}: {missing(name)}")
    RUNS.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=RUNS))
    lab = Lab(folder, free_ports(Lab.PORTS))
    for name in ("home", "log", "data", "work"):
        (folder / name).mkdir()
    try:
        need(BIN / "keys", folder / "keys", home=lab.home)
        need(BIN / "keys", folder / "other-keys", home=lab.home)
        for name, argv, ready in commands(lab):
            launch(lab, name, argv)
            wait(lab, name, ready)
        trust.make(lab)
        lab.save()
    except BaseException:
        stop(folder)
        raise
    return lab


def commands(lab):
    """Name, command and address of every server, in an order in which each finds what it needs."""
    keys, data, port = lab.folder / "keys", lab.folder / "data", lab.port
    yield "issuer", [BIN / "issuer", lab.address("issuer")], f"{lab.email.issuer}/keys"
    yield (
        "ctlog",
        [BIN / "ctlog", "--address", lab.address("ctlog"), "--origin", trust.CT_ORIGIN, "--folder", data / "ctlog"]
        + ["--key", keys / "ctlog.key", "--roots", keys / "fulcio-root.pem"],
        f"{lab.url('ctlog')}/ct/v1/get-roots",
    )
    fulcio = fill("fulcio.yaml", lab.folder, email=lab.email.issuer, ci=lab.ci.issuer)
    yield (
        "fulcio",
        [BIN / "fulcio", "serve", "--host", "127.0.0.1", "--port", port["fulcio"]]
        + ["--grpc-host", "127.0.0.1", "--grpc-port", port["fulcio-grpc"], "--metrics-port", port["fulcio-metrics"]]
        # An abstract socket: a file would outlive the process and keep the next one from starting.
        + ["--legacy-unix-domain-socket", f"@interop-fulcio-{port['fulcio']}"]
        + ["--ca", "fileca", "--fileca-cert", keys / "fulcio-chain.pem", "--fileca-key", keys / "fulcio.key"]
        + ["--fileca-key-passwd", "", "--fileca-watch=false", "--config-path", fulcio]
        + ["--ct-log-url", lab.url("ctlog"), "--ct-log-public-key-path", keys / "ctlog.pub"],
        f"{lab.url('fulcio')}/healthz",
    )
    yield (
        "timestamp-server",
        [BIN / "timestamp-server", "--port", port["tsa"], "--key", keys / "tsa.key", "--chain", keys / "tsa-chain.pem"],
        f"{lab.url('tsa')}/ping",
    )
    if program("rekor-v2"):
        yield (
            "rekor-v2",
            [BIN / "rekor-v2", "serve", "--http-port", port["rekor-v2"], "--grpc-port", port["rekor-v2-grpc"]]
            + ["--http-metrics-port", port["rekor-v2-metrics"], "--storage-dir", data / "rekor-v2"]
            # Readers take the name in the checkpoint from the host of the URL in the trust root.
            + ["--hostname", "localhost", "--signer-filepath", keys / "rekor2.key"]
            # An entry is answered when a checkpoint covers it; the default waits 10 s.
            + ["--checkpoint-interval", "500ms", "--batch-max-age", "50ms"],
            f"{lab.url('rekor-v2')}/healthz",
        )
    if program("rekor-v1") and program("trillian"):
        yield "trillian", [BIN / "trillian", lab.address("trillian")], lab.address("trillian")
        yield (
            "rekor-v1",
            [BIN / "rekor-v1", "serve", "--rekor_server.address", "127.0.0.1", "--port", port["rekor-v1"]]
            + ["--rekor_server.hostname", "localhost", "--rekor_server.signer", keys / "rekor1.key"]
            + ["--trillian_log_server.address", "127.0.0.1", "--trillian_log_server.port", port["trillian"]],
            f"{lab.url('rekor-v1')}/ping",
        )
    if program("olareg"):
        yield "olareg", [BIN / "olareg", lab.address("olareg")], f"{lab.url('olareg')}/v2/"
    if program("docker-registry"):
        config = fill(
            "docker-registry.yaml", lab.folder, address=lab.address("docker-registry"), folder=data / "docker-registry"
        )
        yield "docker-registry", [BIN / "docker-registry", "serve", config], f"{lab.url('docker-registry')}/v2/"


def fill(template, run, **values):
    """A configuration file, with addresses filled in."""
    text = string.Template((HERE / "config" / template).read_text()).substitute(values)
    path = run / template
    path.write_text(text)
    return path


def free_ports(names):
    """A port that is free now for each name. All are held until all are known."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    ports = {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}
    for one in sockets:
        one.close()
    return ports


def launch(lab, name, argv):
    with open(lab.folder / "log" / f"{name}.log", "wb") as log:
        child = subprocess.Popen(
            [str(argument) for argument in argv],
            cwd=lab.folder / "data",
            env=environment(lab.home),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with open(lab.folder / "processes", "a") as file:
        json.dump({"name": name, "pid": child.pid, "started": started(child.pid)}, file)
        file.write("\n")


def wait(lab, name, ready):
    """Waits until a server answers; one that ended never will."""
    pid = processes(lab.folder)[-1]["pid"]
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if started(pid) is None or ended(pid):
            break
        if answers(ready):
            return
        time.sleep(0.05)
    log = (lab.folder / "log" / f"{name}.log").read_text(errors="replace")
    raise Failed(f"{name} did not start:\n{log[-2000:]}")


def answers(ready):
    if not ready.startswith("http"):
        host, port = ready.split(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0
    try:
        with urllib.request.urlopen(ready, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def ended(pid):
    """Takes leave of a child that has ended; False while it runs or is not ours."""
    try:
        return os.waitpid(pid, os.WNOHANG) != (0, 0)
    except ChildProcessError:
        return False


def processes(folder):
    try:
        return [json.loads(line) for line in (folder / "processes").read_text().splitlines()]
    except FileNotFoundError:
        return []


def started(pid):
    """When a process was started, in ticks since the machine was; None if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name, in parentheses, may contain anything; field 22 is counted from behind it.
    return int(stat.rpartition(")")[2].split()[19])


def stop(folder):
    """Stops the servers of a run, the last one first."""
    alive = [p for p in reversed(processes(folder)) if started(p["pid"]) == p["started"]]
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for process in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process["pid"], sign)
        deadline = time.monotonic() + STOP_SECONDS
        while alive and time.monotonic() < deadline:
            alive = [p for p in alive if not ended(p["pid"]) and started(p["pid"]) == p["started"]]
            time.sleep(0.02)
    (folder / "processes").unlink(missing_ok=True)
