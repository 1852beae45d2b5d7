#!/usr/bin/env python3
"""Stands for systemctl below the root that FAKE_ROOT names: it starts and stops the one service as its unit says, and
waits for its READY=1. Paths of the unit and of the options are below that root, and the port is a free one."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = os.environ["FAKE_ROOT"]
STATE = pathlib.Path(ROOT + "/run/fake-systemd")
UNIT = pathlib.Path(ROOT + "/etc/systemd/system/postrider.service")
LOADED, PID, ENABLED, JOURNAL = (STATE / name for name in ("loaded", "pid", "enabled", "journal"))


def below_root(path):
    return ROOT + path


def lines_of(path):
    lines = (line.strip() for line in pathlib.Path(path).read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def running():
    try:
        pid = int(PID.read_text())
        # The third word after the name in brackets is the state; Z has ended already.
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return pid if state != "Z" else None
    except (OSError, ValueError):
        return None


def start():
    if running():
        return
    unit = lines_of(LOADED)
    assert unit["Type"] == "notify", unit
    options = lines_of(below_root(unit["EnvironmentFile"]))
    options["POSTRIDER_DATA"] = below_root(options["POSTRIDER_DATA"])
    options["POSTRIDER_LISTEN"] = "127.0.0.1:0"
    notify = STATE / "notify"
    notify.unlink(missing_ok=True)
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(str(notify))
    told.settimeout(0.05)
    program, *words = unit["ExecStart"].split()
    environment = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": str(notify),
                   "WATCHDOG_USEC": str(int(unit["WatchdogSec"]) * 1_000_000), **options}
    with JOURNAL.open("ab") as journal:
        process = subprocess.Popen([below_root(program), *words], env=environment, stdin=subprocess.DEVNULL,
                                   stdout=journal, stderr=journal, start_new_session=True)
    PID.write_text(str(process.pid))
    while process.poll() is None:
        try:
            if b"READY=1" in told.recv(4096).split(b"\n"):
                return
        except TimeoutError:
            pass
    PID.unlink()
    sys.exit("Job for postrider.service failed because the control process exited with error code.")


def stop():
    if pid := running():
        os.kill(pid, signal.SIGTERM)
        while running():
            time.sleep(0.01)
    PID.unlink(missing_ok=True)


STATE.mkdir(parents=True, exist_ok=True)
match [word for word in sys.argv[1:] if not word.startswith("-")]:
    case ["daemon-reload"]:
        if UNIT.exists():
            shutil.copy(UNIT, LOADED)
        else:
            LOADED.unlink(missing_ok=True)
    case ["enable", "postrider.service"]:
        ENABLED.touch()
    case ["disable", "postrider.service"]:
        ENABLED.unlink(missing_ok=True)
    case ["start", "postrider.service"]:
        start()
    case ["stop", "postrider.service"]:
        stop()
    case ["reset-failed", "postrider.service"]:
        pass
    case ["is-active", "postrider.service"]:
        sys.exit(0 if running() else 3)
    case other:
        sys.exit(f"no such command: {other}")
