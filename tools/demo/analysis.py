# SPDX-License-Identifier: GPL-2.0
"""What a run of the demo amounts to: from its raw files to the report."""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../lib"))

from audit import audit_read, transitions_of
from probe import DIRECTIONS, Probe

# What the tunnel promises for a round trip of 20 ms at native speed.
TARGETS = {
    "link_down": {"gap_ms": 80, "goal_ms": 45, "lost": ("up",)},
    "nat_rebind": {"gap_ms": 120, "goal_ms": None, "lost": ()},
    "operator": {"gap_ms": 50, "goal_ms": None, "lost": ("up", "down")},
}
# A packet sent this long before an event may be its victim.
BEFORE = 0.2


def milliseconds(seconds):
    return None if seconds is None else round(seconds * 1000, 1)


def jump_of(event, probe, offset):
    end = event.get("end") or event["start"] + 3
    jump = {"kind": event["kind"], "text": event["text"],
            "ts_ms": round((event["start"] + offset) * 1000), "bound_ms":
            milliseconds(event["bound"] - event["start"]) if "bound" in event else None}
    gaps = {way: probe.gap(way, event["start"], end) for way in DIRECTIONS}
    for way in DIRECTIONS:
        jump[f"gap_{way}_ms"] = milliseconds(gaps[way][0]) if gaps[way] else None
        jump[f"lost_{way}"] = probe.lost(way, event["start"] - BEFORE, end)
    jump["gap_ms"] = None if None in gaps.values() else max(jump["gap_up_ms"], jump["gap_down_ms"])
    target = TARGETS[event["kind"]]
    jump["target_gap_ms"], jump["goal_gap_ms"] = target["gap_ms"], target["goal_ms"]
    jump["target_lost_zero"] = list(target["lost"])
    jump["within_target"] = bool(
        jump["gap_ms"] is not None and jump["gap_ms"] <= target["gap_ms"]
        and not any(jump[f"lost_{way}"] for way in target["lost"]))
    return jump


def build_name(top):
    done = subprocess.run(("git", "-C", str(top), "describe", "--always", "--dirty", "--tags"),
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip() or "unknown"


def problems_of(run, report):
    """Why the demo has failed; empty when it has not."""
    # What else is missing then is its consequence.
    if run["error"]:
        return [run["error"]]
    problems = []
    if not report["transfer_ok"]:
        equal = run.get("sha256") == run.get("sha256_expected")
        problems.append(f"the transfer failed: curl ended with {run.get('curl_exit')}, "
                        f"{report['bytes']} of {run.get('bytes_expected')} bytes, SHA-256 "
                        f"{'equal' if equal else 'different'}")
    if not report["session_id_before"] or report["session_id_before"] != report["session_id_after"]:
        problems.append(f"the session is not the same: {report['session_id_before']} before, "
                        f"{report['session_id_after']} after")
    for name in ("session_before", "session_after"):
        if len(set(run.get(name, {}).values())) > 1:
            problems.append(f"{name}: the two ends name different sessions: {run[name]}")
    for end, transitions in (("gateway", report["transitions"]),
                             ("client", report["client_transitions"])):
        versions = [transition["version"] for transition in transitions]
        if versions != list(range(1, len(versions) + 1)) or not versions:
            problems.append(f"the {end}'s versions are not consecutive: {versions}")
    for end, verdict in run.get("audit", {}).items():
        if not verdict["verified"]:
            problems.append(f"the {end}'s audit log is refuted: {verdict['output'].strip()[-500:]}")
    return problems + jump_problems(run, report)


def jump_problems(run, report):
    problems = [f"{event['kind']}: the download was over before it" for event in run["events"]
                if not event.get("during_download", True)]
    kinds = [jump["kind"] for jump in report["jumps"]]
    problems += [f"{kind} did not take place" for kind in TARGETS if kind not in kinds]
    problems += [f"{jump['kind']}: the tunnel carried nothing afterwards"
                 for jump in report["jumps"] if jump["gap_ms"] is None]
    return problems


def report_make(directory, top):
    """(report, extras): extras are what the page draws beyond the report."""
    run = json.loads((directory / "run.json").read_text())
    ids = [run.get(name, {}).get("gateway") for name in ("session_before", "session_after")]
    records = {end: audit_read(directory / f"{end}.audit", ids[0])
               if (directory / f"{end}.audit").exists() else [] for end in ("gateway", "client")}
    probe = Probe(directory / "probe.csv") if (directory / "probe.csv").exists() else None
    audit = run.get("audit", {})
    report = {
        "session_id_before": ids[0], "session_id_after": ids[1],
        "transfer_ok": bool(run.get("curl_exit") == 0 and run.get("sha256")
                            and run["sha256"] == run["sha256_expected"]
                            and run["bytes"] == run["bytes_expected"]),
        "bytes": run.get("bytes", 0), "sha256": run.get("sha256"),
        "transfer_seconds": round(run["download_end"] - run["download_start"], 2)
        if "download_end" in run else None,
        "limit_mbit": run.get("limit_mbit"), "capacity_mbit": run.get("capacity_mbit"),
        "transitions": transitions_of(records["gateway"]),
        "client_transitions": transitions_of(records["client"]),
        "jumps": [jump_of(event, probe, run["realtime_offset"]) for event in run["events"]
                  if event["kind"] in TARGETS] if probe else [],
        "audit_verified": bool(audit) and all(verdict["verified"] for verdict in audit.values()),
        "kernel": run["kernel"], "lane": run["lane"], "machine": run["machine"],
        "cpus": run["cpus"], "targets_apply": not run["slow"],
        "rtt_ms": round(sum(run["rtt_ms"].values()) / len(run["rtt_ms"]), 2)
        if "rtt_ms" in run else None, "rtt_ms_of": run.get("rtt_ms"),
        "probe": {"interval_ms": run["probe_ms"], **probe.totals()} if probe else None,
        "host_load": round(os.getloadavg()[0], 1), "host_cpus": os.cpu_count(),
        "build": build_name(top), "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    report["problems"] = problems_of(run, report)
    report["targets_met"] = bool(report["jumps"]) and all(jump["within_target"]
                                                          for jump in report["jumps"])
    return report, {"run": run, "records": records, "probe": probe}
