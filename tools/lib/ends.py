# SPDX-License-Identifier: GPL-2.0
"""The two ends of a tunnel, each a real daemon with its device, and the module beneath them."""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from audit import is_transition
from hosts import Failure, call, wait_for

DEVICE = "jvpn0"
PORT = 51900


class Module:
    """jvpn.ko, loaded for this run unless it was there already."""

    def __init__(self):
        self.ours = False

    def load(self):
        self.ours = not pathlib.Path("/sys/module/jvpn").exists()
        if self.ours:
            module = os.environ["JVPN_KO"]
            needs = call("modinfo", "-F", "depends", module).strip()
            for need in filter(None, needs.split(",")):
                call("modprobe", need)
            call("insmod", module)

    def unload(self):
        if self.ours:
            subprocess.run(("rmmod", "jvpn"))


class AuditLog:
    """Follows a growing audit log, for the transitions of one end."""

    def __init__(self, path):
        self.path = path
        self.offset = 0
        self.transitions = []

    def read(self):
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self.offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self.offset += len(line)
                    self._take(json.loads(line))
        return self.transitions

    def _take(self, record):
        if is_transition(record):
            self.transitions.append(record)

    def attached_after(self, count):
        """The transition that bound the session anew, if more than count are known."""
        found = self.read()
        return found[-1] if len(found) > count and found[-1]["to"] == "ATTACHED" else None


class End:
    """One daemon with its device: the gateway or the client."""

    def __init__(self, network, host, work, out, programs, log_level="info"):
        self.network, self.host, self.programs = network, host, programs
        self.dir = work / host
        self.audit = AuditLog(out / f"{host}.audit")
        self.log, self.log_level = out / f"{host}.log", log_level
        self.config = self.dir / f"{DEVICE}.yaml"
        self.process = None
        self.dir.mkdir(mode=0o700)

    def key_make(self):
        key = call(self.programs / "jvpnctl", "genkey")
        path = self.dir / "private.key"
        path.touch(mode=0o600)
        path.write_text(key)
        self.public_key = call(self.programs / "jvpnctl", "pubkey", text=key).strip()

    def config_write(self, body, address=None):
        addresses = f"addresses: [{address}], " if address else ""
        self.config.write_text(f"""
role: {self.host}
node: {self.host}
device: {{{addresses}name: {DEVICE}}}
private_key_file: {self.dir}/private.key
runtime_dir: {self.dir}
control_socket: {self.dir}/control
audit: {{sink: file, file: {self.audit.path}}}
log_level: {self.log_level}
{body}
""")
        call(self.programs / "jvpnctl", "config", "check", str(self.config))

    def start(self):
        self.process = subprocess.Popen(
            self.network.within(self.host, str(self.programs / "jvpnd"), str(self.config)),
            stdin=subprocess.DEVNULL, stdout=self.log.open("wb"), stderr=subprocess.STDOUT)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=20)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()

    def alive(self):
        if self.process.poll() is not None:
            raise Failure(f"the daemon of the {self.host} ended: {self.log.read_text()[-2000:]}")
        return True

    def ctl(self, *arguments):
        return self.network.run(self.host, str(self.programs / "jvpnctl"), "--socket",
                                f"{self.dir}/control", "--device", DEVICE, *arguments)

    def sessions(self):
        return json.loads(self.ctl("--json", "session", "list"))["sessions"]

    def session_id(self):
        """Of the one live session of this end."""
        live = [s for s in self.sessions() if s["state"] != "TERMINATED"]
        if len(live) != 1:
            raise Failure(f"the {self.host} shows {len(live)} live sessions instead of one")
        return live[0]["session_id"]

    def audit_verify(self):
        done = subprocess.run((str(self.programs / "jvpnctl"), "--json", "audit", "verify",
                               str(self.audit.path)), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        return {"verified": done.returncode == 0, "output": done.stdout}


def ends_start(gateway, client, patience=30.0):
    """Both daemons, until the two ends are bound to each other."""
    gateway.start()
    wait_for("the start of the gateway's daemon", lambda: gateway.alive()
             and (gateway.dir / "control").exists(), patience)
    client.start()
    for end in (client, gateway):
        wait_for(f"a session of the {end.host}", lambda end=end: end.alive()
                 and end.audit.attached_after(0), patience)
