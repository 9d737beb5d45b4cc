# SPDX-License-Identifier: GPL-2.0
"""report.html: page.html with the numbers of one run in it."""

import pathlib

from drawing import page_fill, rounded
from network import NAT_OUTER, UPLINK_A, UPLINK_B

# Of a close-up, before the event and after both ends are bound again.
CLOSE_BEFORE = 0.06
CLOSE_AFTER = 0.06
DIRECTIONS = ("up", "down")


def transport_names(transitions):
    """What the gateway's addresses are in the story."""
    names = {}
    for text in filter(None, (transition["transport"] for transition in transitions)):
        remote = text.rsplit(" ", 1)[1]
        if remote.startswith(NAT_OUTER + ":"):
            names[text] = f"Uplink A, NAT port {remote.rsplit(':', 1)[1]}"
        else:
            names[text] = "Uplink B"
    return names


def throughput(samples, zero):
    """Mbit/s received over each uplink, between samples."""
    points = []
    for before, after in zip(samples, samples[1:]):
        seconds = after["t"] - before["t"]
        rates = {key: round(max(after[name][0] - before[name][0], 0) * 8e-6 / seconds, 2)
                 for key, name in (("a", UPLINK_A), ("b", UPLINK_B))}
        points.append({"t": rounded((before["t"] + after["t"]) / 2 - zero), **rates})
    return points


def gaps(times, zero):
    return [(rounded(after - zero), round((after - before) * 1000, 1))
            for before, after in zip(times, times[1:])]


def closeup(event, probe, zero):
    seen = {way: probe.gap(way, event["start"], event.get("end", event["start"] + 3))
            for way in DIRECTIONS}
    # The longest gap may be an ordinary one, anywhere: show those that the event made.
    ends = [gap[2] for gap in seen.values() if gap and gap[1] <= event.get("bound", gap[1])]
    start = event["start"] - CLOSE_BEFORE
    end = max(ends + [event.get("bound", event["start"])]) + CLOSE_AFTER
    return {
        "kind": event["kind"], "at": rounded(event["start"] - zero),
        "done": rounded(event.get("done", event["start"]) - zero),
        "from": rounded(start - zero), "to": rounded(end - zero),
        "gaps": {way: [rounded(gap[1] - zero), rounded(gap[2] - zero)] if gap else None
                 for way, gap in seen.items()},
        "packets": {way: [(rounded(sent - zero), rounded(arrived - zero) if arrived else None)
                          for sent, arrived in probe.packets(way)
                          if (arrived or sent) >= start and sent <= end]
                    for way in DIRECTIONS},
    }


def colors(transitions, names):
    """The throughput of an uplink has the color of its first transport."""
    texts = list(names)
    found = {}
    for key, first in (("a", "Uplink A"), ("b", "Uplink B")):
        index = next((i for i, text in enumerate(texts) if names[text].startswith(first)), 4)
        found[key] = f"var(--p{index % 5})"
    return found


def data_make(report, extras):
    run, probe = extras["run"], extras["probe"]
    zero = run.get("download_start", run["samples"][0]["t"] if run.get("samples") else 0)
    names = transport_names(report["transitions"])
    ends = [run["download_end"]] if "download_end" in run else \
        [sample["t"] for sample in run.get("samples", [])[-1:]] or [zero + 1]
    return {
        "report": report, "start_ms": (zero + run["realtime_offset"]) * 1000,
        "from": 0, "to": rounded(ends[0] - zero),
        "events": [{"kind": event["kind"], "text": event["text"],
                    "t": rounded(event["start"] - zero)} for event in run["events"]],
        "samples": [point for point in throughput(run.get("samples", []), zero)
                    if 0 <= point["t"] <= ends[0] - zero],
        "uplinkColor": colors(report["transitions"], names), "transports": names,
        "gaps": {way: [gap for gap in gaps(probe.arrivals[way], zero)
                       if 0 <= gap[0] <= ends[0] - zero] if probe else [] for way in DIRECTIONS},
        "lost": {way: [rounded(sent - zero) for sent, arrived in probe.packets(way)
                       if arrived is None and zero <= sent <= ends[0]] if probe else []
                 for way in DIRECTIONS},
        "closeups": [closeup(event, probe, zero) for event in run["events"]
                     if event["kind"] in {jump["kind"] for jump in report["jumps"]}]
        if probe else [],
    }


def page_make(report, extras):
    return page_fill(pathlib.Path(__file__).with_name("page.html"), data_make(report, extras))
