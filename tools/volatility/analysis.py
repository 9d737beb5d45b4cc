# SPDX-License-Identifier: GPL-2.0
"""What a volatility run amounts to: from the files that tools/volatility/run wrote to the report."""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../lib"))

from audit import BOUND, audit_records, is_transition
from measure import measure, statistics
from probe import Probe

ENDS = ("gateway", "client")
INSTANTS = ("nat_rotate", "address_change")
# A path that is well again may be declared dead still, by what was on its way then.
GRACE_MS = 1000


def lines(path):
    """Of a file of JSON lines; the last one may be torn where a run was killed."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True)
            if line.endswith("\n")]


class Paths:
    """When each uplink was dead, as it was really done."""

    def __init__(self, events, end_ms):
        self.dead = []          # {uplink, path, from_ms, to_ms}
        open_ones = {}
        for event in events:
            if event["do"] == "path":
                self.path(event, open_ones)
        for dead in open_ones.values():
            self.dead.append({**dead, "to_ms": end_ms})
        self.dead.sort(key=lambda dead: dead["from_ms"])

    def path(self, event, open_ones):
        before = open_ones.pop(event["uplink"], None)
        if before:
            self.dead.append({**before, "to_ms": event["ts_ms"] + event["took_ms"]})
        if event["path"] != "up":
            open_ones[event["uplink"]] = {"uplink": event["uplink"], "path": event["path"],
                                          "from_ms": event["ts_ms"]}

    def all_dead_ms(self, uplinks, begin, end):
        """For how long in that time every uplink was dead."""
        near = [dead for dead in self.dead if dead["from_ms"] < end and begin < dead["to_ms"]]
        edges = sorted({begin, end, *(moment for dead in near
                                      for moment in (dead["from_ms"], dead["to_ms"])
                                      if begin < moment < end)})
        return sum(after - before for before, after in zip(edges, edges[1:])
                   if all(any(dead["uplink"] == uplink and dead["from_ms"] <= before
                              and after <= dead["to_ms"] for dead in near)
                          for uplink in uplinks))


def uplink_at(transitions, ts_ms):
    """The client's transport at a moment, by its own log."""
    used = None
    for record in transitions:
        if record["ts_ms"] > ts_ms:
            break
        used = record["transport"]["name"] if record["to"] in BOUND else None
    return used


def deaths_of(events, paths, client):
    """Whatever killed the path in use: for measure()."""
    found = []
    for dead in paths.dead:
        if uplink_at(client, dead["from_ms"]) == dead["uplink"]:
            found.append({"ms": dead["from_ms"], "until_ms": dead["to_ms"] + GRACE_MS,
                          "what": dead["path"], "uplink": dead["uplink"]})
    for event in events:
        # A mapping is gone with the last that is done, an address with the first.
        moment = event["ts_ms"] + (event["took_ms"] if event["do"] == "nat_rotate" else 0)
        if event["do"] in INSTANTS and uplink_at(client, moment) == event["uplink"]:
            found.append({"ms": moment, "what": event["do"], "uplink": event["uplink"]})
    return sorted(found, key=lambda death: death["ms"])


def recoveries_explain(recoveries, deaths, paths, uplinks):
    """Adds to each recovery what killed the path, and how long it took while some path was well."""
    for recovery in recoveries:
        death = next((death for death in deaths if death["ms"] == recovery["death_ms"]), None)
        recovery["what"] = death["what"] if death else None
        recovery["uplink"] = death["uplink"] if death else None
        if recovery["to_ms"] is None:
            recovery["with_path_ms"] = None
            continue
        dead_ms = paths.all_dead_ms(uplinks, recovery["death_ms"] or recovery["from_ms"],
                                    recovery["to_ms"])
        recovery["with_path_ms"] = round(max(0.0, recovery["ms"] - dead_ms), 3)


def policy_in_full(records, policy):
    name = policy if isinstance(policy, str) else "profile"
    return next((record["details"] for record in records
                 if record["event"] == "POLICY" and record["policy"] == name), None)


def verify(jvpnctl, path):
    done = subprocess.run((jvpnctl, "--json", "audit", "verify", path), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return {"verified": done.returncode == 0, "said": done.stdout.strip()}


def build_of(top, programs, run):
    git = subprocess.run(("git", "-C", str(top), "describe", "--always", "--dirty", "--tags"),
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    version = subprocess.run((programs / "jvpnctl", "--version"), stdout=subprocess.PIPE, text=True)
    module = (run.get("module_sha256") or "unknown")[:16]
    return git.stdout.strip() or f"{version.stdout.strip()}, jvpn.ko sha256 {module}"


def tcp_of(run, samples):
    """Octets and connections; how long the longest pause was between samples."""
    last = run.get("tcp") or next((sample["tcp"] for sample in reversed(samples)
                                   if sample["tcp"]), None)
    if not last:
        return None
    pause = longest = 0.0
    for before, after in zip(samples, samples[1:]):
        same = (before["tcp"] or {}).get("octets") == (after["tcp"] or {}).get("octets")
        pause = pause + after["t"] - before["t"] if same else 0.0
        longest = max(longest, pause)
    return {**last, "longest_pause_s": round(longest, 1)}


def problems_of(run, report, guest_status):
    problems = []
    if run["error"]:
        status = f" (the guest ended with status {guest_status})" if guest_status > 1 else ""
        problems.append(f"the run failed: {run['error'].strip()}{status}")
    elif guest_status and not run["interrupted"]:
        problems.append(f"the run was complete, and the guest ended with status {guest_status}")
    if run["interrupted"]:
        problems.append(f"stopped after {report['ran_s']} of {report['duration_s']} s")
    words = {"dual_binding": "a session had two bindings", "silent_reset":
             "something changed without a record", "ambiguous_ownership": "an owner was in doubt"}
    for key, text in words.items():
        if report.get(key):
            first = next(finding for finding in report["findings"] if finding["kind"] == key)
            problems.append(f"{text} ({report[key]} times, first: {first['end']} line "
                            f"{first['line']}: {first['text']})")
    for end, verdict in report["audit"].items():
        if not verdict["verified"]:
            problems.append(f"the {end}'s audit log is refuted: {verdict['said'][-500:]}")
    if report["tcp"] and report["tcp"]["wrong"]:
        problems.append(f"the TCP transfer delivered {report['tcp']['wrong']} wrong blocks")
    return problems


def end_ms_of(run, events, samples):
    if run.get("ended_ms"):
        return run["ended_ms"]
    times = [record["ts_ms"] for record in (*events, *samples)]
    return max(times, default=run.get("began_ms", 0))


def report_make(directory, top, programs, guest_status):
    """(report, extras): extras are what the page draws beyond the report."""
    plan, run = (json.loads((directory / f"{name}.json").read_text()) for name in ("plan", "run"))
    if run["cut_off"] and (directory / "stop").exists():
        run |= {"error": None, "interrupted": True}
    events, samples = lines(directory / "events.jsonl"), lines(directory / "samples.jsonl")
    end_ms = end_ms_of(run, events, samples)
    logs = {end: directory / f"{end}.audit" for end in ENDS}
    probe_path = directory / "probe.csv"
    have_logs = all(log.exists() for log in logs.values())
    paths = Paths(events, end_ms)
    report = {
        "profile": plan["profile"], "about": plan["about"], "seed": plan["seed"],
        "duration_s": plan["duration_ms"] / 1000,
        "ran_s": round((end_ms - run["began_ms"]) / 1000, 1) if "began_ms" in run else 0,
        "interrupted": run["interrupted"], "policy": None, "policy_asked": plan["policy"],
        "traffic": plan["traffic"], "uplinks": plan["uplinks"],
    }
    if have_logs:
        report |= measured(logs, plan, events, paths, probe_path)
    probe = Probe(probe_path) if probe_path.exists() else None
    report |= {
        "probe": {"interval_ms": plan["traffic"]["probe_ms"], **probe.totals()} if probe else None,
        "tcp": tcp_of(run, samples),
        "audit": {end: verify(programs / "jvpnctl", log) for end, log in logs.items()
                  if log.exists()},
        "steps_late_ms": max((round(event["t"] * 1000 - run["began"] * 1000 - event["at_ms"])
                              for event in events), default=0),
        "kernel": run["kernel"], "lane": run["lane"], "machine": run["machine"],
        "cpus": run["cpus"], "native_speed": not run["slow"],
        "module_sha256": run["module_sha256"], "build": build_of(top, programs, run),
        "host_load": round(os.getloadavg()[0], 1), "host_cpus": os.cpu_count(),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "profile_text": plan["profile_text"],
    }
    report["audit_verified"] = have_logs and all(verdict["verified"]
                                                 for verdict in report["audit"].values())
    report["problems"] = problems_of(run, report, guest_status)
    return report, {"plan": plan, "run": run, "events": events, "samples": samples,
                    "probe": probe, "paths": paths, "end_ms": end_ms}


def measured(logs, plan, events, paths, probe_path):
    records = audit_records(logs["gateway"])
    client = [record for record in audit_records(logs["client"]) if is_transition(record)]
    deaths = deaths_of(events, paths, client)
    found = measure(logs["gateway"], logs["client"],
                    [probe_path] if probe_path.exists() else [], deaths)
    recoveries_explain(found["recoveries"], deaths, paths, plan["uplinks"])
    return {
        "policy": policy_in_full(records, plan["policy"]), **found, "deaths": deaths,
        "recovery_with_path_ms": statistics(
            [recovery["with_path_ms"] for recovery in found["recoveries"]
             if recovery["with_path_ms"] is not None and recovery["event"] == "TRANSPORT_DEAD"]),
        "recovery_by_cause": {what: statistics(
            [recovery["with_path_ms"] for recovery in found["recoveries"]
             if recovery["what"] == what and recovery["with_path_ms"] is not None])
            for what in sorted({death["what"] for death in deaths})},
    }
