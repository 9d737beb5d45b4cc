#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of measure.py with logs that are made up, sound ones and unsound ones. Speaks TAP."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(os.path.realpath(__file__)).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from measure import busiest_minute, measure, statistics
from tap import run

S1, S2 = "5e" * 16, "0d" * 16
A = {"protocol": "udp4", "local": "192.0.2.1:51900", "remote": "198.51.100.2:20001"}
B = {**A, "remote": "203.0.113.2:51901"}
START = 1795241264000


class Made:
    """A log as the daemon writes it, but for what measure.py has no use for (seq, prev, ts)."""

    def __init__(self, node="gw"):
        self.node, self.records, self.bound = node, [], {}
        self.add(0, "AUDIT_OPEN", None, reason="NEW", details={"boot_id": "b1", "offset": 0})

    def add(self, ms, event, session, **fields):
        self.records.append({"ts_ms": START + ms, "boot_ms": 5000 + ms, "event": event,
                             "session_id": session, "node": self.node, **fields})

    def step(self, ms, version, event, states, reason, transport=None, session=S1, **fields):
        begin, end = states
        bound = self.bound.get(session)
        lost = bound if end not in ("ATTACHED", "VOLATILE") else None
        self.bound[session] = transport
        self.add(ms, event, session, **{
            "from": begin, "to": end, "reason": reason, "state_version": version, "epoch": 0,
            "origin": "KERNEL", "transport": transport, "lost": lost,
            "details": {"peer": "client"}, **fields})

    def birth(self, ms=1000, session=S1, **fields):
        self.step(ms, 1, "HANDSHAKE_DONE", ("BIRTH", "ATTACHED"), "HANDSHAKE_OK", A, session,
                  **fields)

    def dead(self, ms, version, reason="LINK_DOWN", begin="ATTACHED", session=S1):
        self.step(ms, version, "TRANSPORT_DEAD", (begin, "RECOVERING"), reason, None, session)

    def commit(self, ms, version, transport=B, session=S1, begin="RECOVERING"):
        self.step(ms, version, "REATTACH_COMMIT", (begin, "ATTACHED"), "REATTACH_OK", transport,
                  session)

    def end(self, ms, version, reason, begin="ATTACHED", session=S1):
        self.step(ms, version, "TERMINATE", (begin, "TERMINATED"), reason, None, session)

    def refused(self, ms, reason, count, version=None, session=S1):
        self.add(ms, "REFUSED", session, reason=reason, request="PROOF", count=count,
                 **({"state_version": version} if version else {}))

    def write(self, path):
        path.write_text("".join(json.dumps(record) + "\n" for record in self.records))


def healthy(node="gw"):
    """Two recoveries, of 40 ms and 120 ms, and a planned jump in the same instant."""
    log = Made(node)
    log.birth()
    log.dead(2000, 2)
    log.commit(2040, 3)
    log.dead(10000, 4, "PROBE_TIMEOUT")
    log.commit(10120, 5, A)
    log.step(20000, 6, "JUMP", ("ATTACHED", "RECOVERING"), "CLIENT_JUMP")
    log.commit(20000, 7, B)
    log.add(61000, "DAEMON_STOP", None)
    return log


def of(gateway, client=None, **options):
    with tempfile.TemporaryDirectory() as directory:
        paths = [pathlib.Path(directory) / end for end in ("gateway", "client")]
        gateway.write(paths[0])
        (client or gateway).write(paths[1])
        return measure(*paths, **options)


def faults(report):
    return tuple(report[kind] for kind in ("dual_binding", "silent_reset", "ambiguous_ownership"))


def gateway_faults(log):
    return faults(of(log, healthy("client")))


def sound_logs(results):
    report = of(healthy(), healthy("client"))
    results.equal("a sound run has no fault", (*faults(report), report["findings"]), (0, 0, 0, []))
    results.equal("recovery from death to ATTACHED", report["recovery_ms"],
                  {"count": 3, "avg": 53.333, "p95": 120, "max": 120})
    results.equal("planned jumps stand apart from deaths",
                  [report["recovery_by_event"][event]["max"] for event in
                   ("TRANSPORT_DEAD", "JUMP")], [120, 0])
    results.equal("switches are the gateway's commits", (report["switches"],
                  report["switches_per_minute"], report["switches_busiest_minute"]), (3, 3.0, 3))
    results.equal("no probe, no gap", report["gap_ms"], None)
    results.equal("transitions as they were", [(t["version"], t["to"], t["reason"], t["transport"])
                  for t in report["transitions"][:2]],
                  [(1, "ATTACHED", "HANDSHAKE_OK",
                    "udp4 192.0.2.1:51900 - 198.51.100.2:20001"),
                   (2, "RECOVERING", "LINK_DOWN", None)])


def counts(results):
    gateway, client = healthy(), Made("client")
    gateway.refused(62000, "STALE_VERSION", 3, version=7)
    gateway.refused(62500, "STALE_VERSION", 4, version=7)
    gateway.refused(63000, "UNKNOWN_SESSION", 1, session=None)
    gateway.end(64000, 8, "TRANSPORT_LOSS_TTL_EXPIRED")
    client.birth()
    client.dead(2000, 2)
    client.step(7000, 3, "BOUND_EXCEEDED", ("RECOVERING", "DEGRADED"), "RECOVERY_WINDOW_EXCEEDED")
    client.step(8500, 4, "RETRY", ("DEGRADED", "RECOVERING"), "COOLDOWN_OVER")
    client.commit(9000, 5)
    client.dead(50000, 6)
    client.end(65000, 7, "LEASE_LOST", begin="RECOVERING")
    client.birth(66000, S2)
    report = of(gateway, client)
    results.equal("refusals by reason, with their counts", report["refused"],
                  {"STALE_VERSION": 7, "UNKNOWN_SESSION": 1})
    results.equal("a session ends once, by the gateway's reason", report["terminations"],
                  {"TRANSPORT_LOSS_TTL_EXPIRED": 1})
    results.equal("each end's own word is kept", report["terminations_of"]["client"],
                  {"LEASE_LOST": 1})
    results.equal("cooldowns and time in DEGRADED", (report["cooldowns"], report["degraded_ms"]),
                  (1, 1500))
    results.equal("a recovery goes on through DEGRADED; one that TERMINATED ended is none",
                  (report["recovery_ms"]["max"], report["unrecovered"]), (7000, 1))
    results.equal("time without any session", report["reconnect_ms"]["max"], 1000)
    results.equal("the new session after the old one's end is no fault", faults(report), (0, 0, 0))


def deaths(results):
    client = healthy("client")
    report = of(healthy(), client, deaths=[START + 1900, START + 9500])
    results.equal("recovery counts from the injected death", report["recovery_ms"]["max"], 620)
    results.equal("what no death explains counts from the loss",
                  [r["ms"] for r in report["recoveries"]], [140, 620, 0])
    healed = [{"ms": START + 9500, "until_ms": START + 9700}]
    results.equal("a death that was healed before the loss is not its cause",
                  [r["ms"] for r in of(healthy(), client, deaths=healed)["recoveries"]],
                  [40, 120, 0])
    stale = [START + 1500, START + 2020]
    results.equal("nor one before the binding was made",
                  [r["ms"] for r in of(healthy(), client, deaths=stale)["recoveries"]],
                  [540, 120, 0])
    results.equal("the first death since the binding is the cause, not the last",
                  of(healthy(), client, deaths=[START + 9000, START + 9900])["recovery_ms"]["max"],
                  1120)


def double_bindings(results):
    log = Made()
    log.birth()
    log.commit(2000, 2, B, begin="ATTACHED")
    results.equal("bound again without having been unbound", gateway_faults(log), (1, 0, 0))
    log = Made()
    log.birth()
    log.step(2000, 2, "QUALITY_LOW", ("ATTACHED", "VOLATILE"), "LOSS_THRESHOLD", B)
    results.equal("another transport without a commit", gateway_faults(log), (1, 0, 0))
    log = Made()
    log.birth()
    log.step(2000, 2, "TRANSPORT_DEAD", ("ATTACHED", "RECOVERING"), "LINK_DOWN", B)
    results.equal("a transport in a state that has none", gateway_faults(log), (1, 0, 0))
    log = Made()
    log.birth()
    log.step(2000, 2, "QUALITY_LOW", ("ATTACHED", "VOLATILE"), "LOSS_THRESHOLD", A)
    log.step(2500, 3, "QUALITY_OK", ("VOLATILE", "ATTACHED"), "HEALTH_RECOVERED", A)
    results.equal("the same transport all along is sound", gateway_faults(log), (0, 0, 0))


def silent_resets(results):
    log = Made()
    log.birth()
    log.dead(2000, 3)
    results.equal("a version was skipped", gateway_faults(log), (0, 1, 0))
    log.records.insert(2, {**log.records[0], "event": "LOST", "details": {"count": 1}})
    results.equal("the log owns up to the record that is missing", gateway_faults(log), (0, 0, 0))
    log = Made()
    log.birth()
    log.commit(2000, 2, begin="RECOVERING")
    results.equal("a state was left without a record", gateway_faults(log), (1, 1, 0))
    log = Made()
    log.birth()
    log.end(2000, 2, "OPERATOR")
    log.commit(3000, 3, begin="TERMINATED")
    results.equal("a terminated session came back", gateway_faults(log), (0, 1, 0))
    log = Made()
    log.birth()
    log.refused(2000, "STALE_VERSION", 1, version=2)
    results.equal("a refusal shows a version that no transition made", gateway_faults(log),
                  (0, 1, 0))
    log = Made()
    log.birth()
    log.birth(2000, S2)
    results.equal("a new session of a peer whose old one has not ended", gateway_faults(log),
                  (0, 1, 1))
    log.end(2000, 2, "POLICY_FAILURE")
    results.equal("one that ended in the same instant, whatever the order of the lines",
                  gateway_faults(log), (0, 0, 0))
    log = Made()
    log.birth()
    log.birth(2000, S2, details={"peer": "another"})
    results.equal("sessions of two peers", gateway_faults(log), (0, 0, 0))


def adoptions(results):
    log = Made()
    log.birth()
    fields = {"to": "ATTACHED", "state_version": 3, "transport": B}
    log.add(2000, "ADOPTED", S1, missed=2, **fields)
    results.equal("adopted, with what was missed", gateway_faults(log), (0, 0, 0))
    log.records[-1]["missed"] = 0
    results.equal("adopted at a version that nothing explains", gateway_faults(log), (0, 1, 0))


def ownership(results):
    log = Made()
    log.birth()
    log.end(2000, 2, "OWNERSHIP_AMBIGUOUS")
    results.equal("ended as ambiguous", gateway_faults(log), (0, 0, 1))
    log = Made()
    log.birth()
    log.dead(2000, 2)
    log.records[-1]["node"] = "gw2"
    results.equal("two nodes act on one session", gateway_faults(log), (0, 0, 1))


def gaps(results):
    rows = ["direction,number,sent_ns,arrived_ns"]
    for number in range(100):
        sent = number * 10_000_000
        up = 0 if 40 <= number < 60 else sent + 5_000_000
        down = 0 if number >= 70 else sent + 5_000_000
        rows += [f"up,{number},{sent},{up}", f"down,{number},{sent},{down}"]
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "probe.csv"
        path.write_text("\n".join(rows) + "\n")
        report = of(healthy(), probe_paths=[path])
    results.equal("longest gap of both directions, one that has no end included",
                  report["gap_ms"], 295.0)
    results.equal("gaps of each direction", (report["gaps_ms"]["up"]["count"],
                  report["gaps_ms"]["up"]["longest"]), (1, 210.0))


def arithmetic(results):
    results.equal("p95 is the smallest value that 95 of 100 do not exceed",
                  statistics(range(1, 101)), {"count": 100, "avg": 50.5, "p95": 95, "max": 100})
    results.equal("of nothing there is no average", statistics([])["avg"], None)
    results.equal("busiest minute", busiest_minute([0, 30000, 59999, 60000, 200000]), 3)


def program(results):
    with tempfile.TemporaryDirectory() as directory:
        paths = [pathlib.Path(directory) / name for name in ("gateway", "client", "deaths")]
        healthy().write(paths[0])
        healthy("client").write(paths[1])
        with paths[1].open("a") as file:
            file.write('{"seq": 9, "torn')
        paths[2].write_text(json.dumps([{"ms": START + 9500}]))
        command = [HERE / "measure.py", "--audit-gateway", paths[0], "--audit-client", paths[1]]
        done = subprocess.run([*command, "--death-ms", paths[2]], stdout=subprocess.PIPE)
        results.equal("as a program, with a torn last line and deaths in a file",
                      (done.returncode, json.loads(done.stdout)["recovery_ms"]["max"]), (0, 620))
        with paths[1].open("a") as file:
            file.write(" line\n")
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        results.equal("a line that is no record is an error that names it",
                      (done.returncode, done.stdout, f"{paths[1]}:10:" in done.stderr),
                      (1, "", True))


sys.exit(run(sound_logs, counts, deaths, double_bindings, silent_resets, adoptions, ownership, gaps,
             arithmetic, program))
