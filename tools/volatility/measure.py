#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Measures a session's life from the audit logs of its two ends; prints JSON.

It reads logs alone (Documentation/audit.md) and asks no program of the project, so that what it
finds stands beside what "jvpnctl audit verify" finds. Documentation/volatility.md tells what each
number means.
"""

import argparse
import json
import math
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../lib"))

from audit import BOUND, Unreadable, audit_records, is_transition, transitions_of
from probe import DIRECTIONS, Probe

# What makes a binding where there was none.
BINDS = ("HANDSHAKE_DONE", "REATTACH_COMMIT")
# What takes the binding away and leaves the session alive.
LOSES = ("TRANSPORT_DEAD", "JUMP")
# A gap of the probe worth counting; beneath it is the ordinary unrest of a machine.
GAP_LEAST_S = 0.05
# An injected death is taken for the cause of a loss that follows within this time, unless it says
# itself when the path was well again.
DEATH_WINDOW_MS = 60000


def number(value):
    return round(value, 3)


def statistics(values):
    """Of nothing, there is no average: null, never 0."""
    ordered = sorted(values)
    if not ordered:
        return {"count": 0, "avg": None, "p95": None, "max": None}
    return {"count": len(ordered), "avg": number(sum(ordered) / len(ordered)),
            "p95": number(ordered[math.ceil(0.95 * len(ordered)) - 1]),
            "max": number(ordered[-1])}


def count_by(pairs):
    counts = {}
    for key, count in pairs:
        counts[key] = counts.get(key, 0) + count
    return dict(sorted(counts.items()))


class Session:
    """What one end's log says about one session so far."""

    def __init__(self, session_id, peer):
        self.id, self.peer = session_id, peer
        self.state, self.version, self.transport = "BIRTH", 0, None
        self.node = None
        self.began = self.ended = None      # (boot, boot_ms) of first binding and of TERMINATED
        self.began_line = None

    def follow(self, record):
        self.state, self.version = record["to"], record["state_version"]
        self.transport = record["transport"] if record["to"] in BOUND else None
        self.node = record["node"]


class Log:
    """One end's log, replayed: its transitions and whatever contradicts itself in it."""

    def __init__(self, path, end, max_sessions=1):
        self.path, self.end, self.max_sessions = pathlib.Path(path), end, max_sessions
        self.records = audit_records(path)
        self.transitions, self.refusals, self.findings = [], [], []
        self.sessions = {}
        self.boot, self.boot_id = 0, None
        self.unrecorded = 0                 # records that the log itself says are missing
        self.continued = False
        for self.line, record in enumerate(self.records, 1):
            self.read(record)
        self.overlaps_find()

    def find(self, kind, text):
        self.findings.append({"kind": kind, "end": self.end, "line": self.line, "text": text})

    def read(self, record):
        event = record["event"]
        if event == "AUDIT_OPEN":
            self.open(record)
        elif event == "LOST":
            self.unrecorded += record["details"]["count"]
        elif event == "REFUSED":
            self.refusals.append(record)
            self.refusal(record)
        elif event == "ADOPTED":
            self.adoption(record)
        elif is_transition(record):
            self.transitions.append(record)
            self.transition(record)

    def open(self, record):
        boot_id = record.get("details", {}).get("boot_id")
        if self.line == 1:
            self.continued = record.get("reason") != "NEW"
        elif boot_id != self.boot_id:
            self.boot += 1
        self.boot_id = boot_id

    def session(self, record):
        known = self.sessions.get(record["session_id"])
        if known:
            return known
        peer = (record.get("details") or {}).get("peer")
        return self.sessions.setdefault(record["session_id"], Session(record["session_id"], peer))

    def skipped(self, session, missing):
        """True if the log owns up to the records that are missing."""
        first_seen = session.version == 0 and self.continued
        if first_seen:
            return True
        if 0 < missing <= self.unrecorded:
            self.unrecorded -= missing
            return True
        return False

    def transition(self, record):
        session = self.session(record)
        where = f"session {session.id[:8]} version {record['state_version']}: "
        missing = record["state_version"] - session.version - 1
        consistent = missing == 0 and record["from"] == session.state
        if not consistent and not self.skipped(session, missing):
            self.find("silent_reset", where + f"{record['from']} follows {session.state} of "
                      f"version {session.version} without a record of what lies between")
        elif session.state == "TERMINATED":
            self.find("silent_reset", where + "a terminated session came back")
        self.dual_find(session, record, where)
        self.owner_find(session, record, where)
        session.follow(record)
        self.life(session, record)

    def dual_find(self, session, record, where):
        if record["to"] not in BOUND:
            if record["transport"]:
                self.find("dual_binding", where + f"a transport is bound in {record['to']}")
        elif session.state in BOUND:
            if record["event"] in BINDS:
                self.find("dual_binding", where + f"bound anew while {session.state}, with nothing "
                          "that ended the binding before")
            elif record["transport"] != session.transport:
                self.find("dual_binding", where + f"{record['event']} shows another transport")

    def owner_find(self, session, record, where):
        if session.node not in (None, record["node"]) and record["reason"] != "OWNER_MOVED" \
                and session.state != "TERMINATED":
            self.find("ambiguous_ownership", where + f"node {record['node']} acts on a session of "
                      f"node {session.node}")
        if record["reason"] == "OWNERSHIP_AMBIGUOUS":
            self.find("ambiguous_ownership", where + "ended because its owner was in doubt")

    def life(self, session, record):
        now = (self.boot, record.get("boot_ms", record["ts_ms"]))
        if session.began is None and record["to"] in BOUND:
            session.began, session.began_line = now, self.line
        if record["to"] == "TERMINATED":
            session.ended = now

    def adoption(self, record):
        session = self.session(record)
        missing = record["state_version"] - session.version
        if session.version and missing != record.get("missed", 0):
            self.find("silent_reset", f"session {session.id[:8]}: adopted at version "
                      f"{record['state_version']}, {missing} after the last known one, of which "
                      f"{record.get('missed', 0)} are owned up to")
        session.follow(record)
        self.life(session, record)

    def refusal(self, record):
        session = self.sessions.get(record["session_id"])
        if session and record.get("state_version", session.version) != session.version:
            self.find("silent_reset", f"session {session.id[:8]}: a refusal shows version "
                      f"{record['state_version']}, the last transition {session.version}")

    def overlaps_find(self):
        """A peer has its inner addresses once: two live sessions of it are two owners of them."""
        lives = sorted((s for s in self.sessions.values() if s.began and s.peer),
                       key=lambda s: s.began)
        for index, session in enumerate(lives):
            rivals = [other for other in lives[:index] if other.peer == session.peer
                      and (other.ended is None or other.ended > session.began)]
            if len(rivals) >= self.max_sessions:
                self.line = session.began_line
                text = (f"session {session.id[:8]} of {session.peer} began while "
                        f"{', '.join(other.id[:8] for other in rivals)} had not ended")
                self.find("silent_reset", text)
                self.find("ambiguous_ownership", text)

    def terminations(self):
        return {record["session_id"]: record["reason"] for record in self.transitions
                if record["to"] == "TERMINATED"}

    def refused(self):
        return count_by((record["reason"], record.get("count", 1)) for record in self.refusals)

    def times(self):
        return [record["ts_ms"] for record in self.records]

    def states(self, until):
        """(session id, state, from ms, to ms), the last one until the given moment."""
        spans, last = [], {}
        for record in self.transitions:
            before = last.get(record["session_id"])
            if before:
                spans.append((record["session_id"], before["to"], before["ts_ms"],
                              record["ts_ms"]))
            last[record["session_id"]] = record
        return spans + [(key, record["to"], record["ts_ms"], max(until, record["ts_ms"]))
                        for key, record in last.items() if record["to"] != "TERMINATED"]


class Deaths:
    """Injected deaths of the path in use: when, and until when it stayed dead."""

    def __init__(self, entries):
        self.left = sorted(({"ms": entry} if isinstance(entry, (int, float)) else entry
                            for entry in entries), key=lambda death: death["ms"])

    def cause(self, bound_ms, loss_ms):
        """The first one since the binding was made that can explain its loss; it is used up, and
        so are those before the loss."""
        found = None
        for death in [death for death in self.left if death["ms"] <= loss_ms]:
            self.left.remove(death)
            until = death.get("until_ms", death["ms"] + DEATH_WINDOW_MS)
            if found is None and death["ms"] >= bound_ms and loss_ms <= until:
                found = death["ms"]
        return found


def duration(first, last):
    """Between two records, by the clock that nobody sets."""
    key = "boot_ms" if "boot_ms" in first and "boot_ms" in last else "ts_ms"
    return last[key] - first[key]


def recoveries_of(transitions, deaths):
    """From each loss of a binding to the next ATTACHED of the same session; to_ms null: never."""
    found, open_losses, bound_ms = [], {}, {}
    for record in transitions:
        key = record["session_id"]
        if record["event"] in LOSES and record["from"] in BOUND:
            open_losses[key] = record
        elif record["to"] in BOUND and record["event"] in BINDS:
            if key in open_losses:
                found.append(recovery_of(open_losses.pop(key), record, bound_ms.get(key), deaths))
            bound_ms[key] = record["ts_ms"]
        elif record["to"] == "TERMINATED" and key in open_losses:
            found.append(recovery_of(open_losses.pop(key), None, bound_ms.get(key), deaths))
    return found + [recovery_of(loss, None, bound_ms.get(key), deaths)
                    for key, loss in open_losses.items()]


def recovery_of(loss, bound, bound_ms, deaths):
    death = deaths.cause(bound_ms or 0, loss["ts_ms"])
    lasted = duration(loss, bound) if bound else None
    return {"from_ms": loss["ts_ms"], "to_ms": bound["ts_ms"] if bound else None,
            "event": loss["event"], "reason": loss["reason"], "death_ms": death,
            "loss_ms": lasted,
            "ms": lasted if death is None or lasted is None
            else number(lasted + loss["ts_ms"] - death)}


def reconnects_of(transitions):
    """How long the client was without any session, between one and the next."""
    found, ended = [], None
    for record in sorted(transitions, key=lambda record: record["ts_ms"]):
        if record["to"] == "TERMINATED" and record["from"] != "BIRTH":
            ended = record
        elif record["event"] == "HANDSHAKE_DONE" and ended:
            found.append(duration(ended, record))
            ended = None
    return found


def gap_statistics(probes):
    """Longest gap of all, and of each direction those worth counting."""
    if not probes:
        return None, None
    ways, longest = {}, []
    for way in DIRECTIONS:
        gaps = [gap[0] * 1000 for probe in probes for gap in probe.gaps(way)]
        notable = [gap for gap in gaps if gap >= GAP_LEAST_S * 1000]
        ways[way] = {**statistics(notable), "total": number(sum(notable)),
                     "longest": number(max(gaps)) if gaps else None}
        longest += [max(gaps)] if gaps else []
    return (number(max(longest)) if longest else None), ways


def busiest_minute(times):
    first = most = 0
    for last, time in enumerate(times):
        while times[first] <= time - 60000:
            first += 1
        most = max(most, last - first + 1)
    return most


def state_times(log, until):
    return count_by((state, end - start) for _, state, start, end in log.states(until)
                    if state != "TERMINATED")


def recovery_parts(recoveries):
    done = [recovery for recovery in recoveries if recovery["ms"] is not None]
    return {
        "recovery_ms": statistics([recovery["ms"] for recovery in done]),
        "recovery_by_event": {event: statistics([recovery["ms"] for recovery in done
                                                 if recovery["event"] == event])
                              for event in LOSES},
        "recovery_from_death_ms": statistics([recovery["ms"] for recovery in done
                                              if recovery["death_ms"] is not None]),
        "unrecovered": len(recoveries) - len(done),
        "recoveries": recoveries,
    }


def measure(gateway_path, client_path, probe_paths=(), deaths=(), max_sessions=1):
    """Everything that the logs of one run say, as a dictionary for json."""
    gateway, client = (Log(gateway_path, "gateway", max_sessions),
                       Log(client_path, "client", max_sessions))
    times = sorted(gateway.times() + client.times())
    until = times[-1] if times else 0
    attached = [record["ts_ms"] for record in client.transitions if record["to"] in BOUND]
    minutes = (until - attached[0]) / 60000 if attached else 0
    switches = [record["ts_ms"] for record in gateway.transitions
                if record["reason"] == "REATTACH_OK"]
    # The gateway's word on why a session ended is the authority; the client's stands where the
    # gateway never knew the session or never learned of its end.
    endings = {**client.terminations(), **gateway.terminations()}
    findings = gateway.findings + client.findings
    gap, gaps = gap_statistics([Probe(path) for path in probe_paths])
    refused = count_by([*gateway.refused().items(), *client.refused().items()])
    states = {log.end: state_times(log, until) for log in (gateway, client)}
    return {
        **recovery_parts(recoveries_of(client.transitions, Deaths(deaths))),
        "reconnect_ms": statistics(reconnects_of(client.transitions)),
        "gap_ms": gap, "gaps_ms": gaps,
        "duration_ms": number(minutes * 60000),
        "switches": len(switches),
        "switches_per_minute": number(len(switches) / minutes) if minutes else None,
        "switches_busiest_minute": busiest_minute(sorted(switches)),
        "cooldowns": sum(record["to"] == "DEGRADED" for record in client.transitions),
        "degraded_ms": states["client"].get("DEGRADED", 0),
        "state_ms": states,
        "sessions": sum(session.began is not None for session in gateway.sessions.values()),
        "terminations": count_by((reason, 1) for reason in endings.values()),
        "terminations_of": {log.end: count_by((reason, 1) for reason in
                                              log.terminations().values())
                            for log in (gateway, client)},
        "refused": refused,
        "refused_of": {log.end: log.refused() for log in (gateway, client)},
        **{kind: sum(finding["kind"] == kind for finding in findings)
           for kind in ("dual_binding", "silent_reset", "ambiguous_ownership")},
        "findings": findings,
        "transitions": named_transitions(gateway),
        "client_transitions": named_transitions(client),
    }


def named_transitions(log):
    return [{"session_id": record["session_id"], **transition} for record, transition
            in zip(log.transitions, transitions_of(log.transitions))]


def deaths_read(text):
    """Of --death-ms: a file with a JSON list, or the list itself, numbers between commas."""
    if os.path.exists(text):
        return json.loads(pathlib.Path(text).read_text())
    return [float(word) for word in text.split(",") if word.strip()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--audit-gateway", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("--audit-client", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("--probe", type=pathlib.Path, nargs="+", default=[], metavar="FILE",
                        help="what tools/lib/probe.c wrote, inside the tunnel")
    parser.add_argument("--death-ms", type=deaths_read, default=[], metavar="LIST|FILE",
                        help="when the path in use was killed, in ms since 1970: numbers between "
                        "commas, or a file with a JSON list of numbers or {ms, until_ms}")
    parser.add_argument("--max-sessions", type=int, default=1,
                        help="how many sessions a peer may have at a time (1)")
    arguments = parser.parse_args()
    try:
        report = measure(arguments.audit_gateway, arguments.audit_client, arguments.probe,
                         arguments.death_ms, arguments.max_sessions)
    except (Unreadable, OSError) as error:
        print(f"measure.py: error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
