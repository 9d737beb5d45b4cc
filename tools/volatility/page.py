# SPDX-License-Identifier: GPL-2.0
"""report.html: page.html with the numbers of one run in it."""

import pathlib

from drawing import page_fill, rounded
from probe import DIRECTIONS

BINS_MOST = 600
# Of hours there are more than a page can show: the longest are kept.
GAPS_MOST = 3000
GAP_LEAST_S = 0.03


def bins_make(probe, begin, end):
    """By equal parts of the run: round trip inside the tunnel, and losses, of packets sent then."""
    count = max(1, min(BINS_MOST, round((end - begin) * 2)))
    width = (end - begin) / count
    bins = [{"up": [0, 0, 0.0, 0.0], "down": [0, 0, 0.0, 0.0]} for _ in range(count)]
    for way in DIRECTIONS:
        for sent, arrived in probe.packets(way):
            index = int((sent - begin) / width)
            if not 0 <= index < count or sent < begin:
                continue
            entry = bins[index][way]
            entry[0] += 1
            if arrived:
                entry[2] += arrived - sent
                entry[3] = max(entry[3], arrived - sent)
            else:
                entry[1] += 1
    return [bin_words(entry, rounded(index * width), rounded(width))
            for index, entry in enumerate(bins)]


def bin_words(entry, start, width):
    came = {way: entry[way][0] - entry[way][1] for way in DIRECTIONS}
    known = all(came.values())
    return {
        "t": start, "w": width,
        "rtt": round(sum(entry[way][2] / came[way] for way in DIRECTIONS) * 1000, 1)
        if known else None,
        "worst": round(sum(entry[way][3] for way in DIRECTIONS) * 1000, 1) if known else None,
        **{f"lost_{way}": round(100 * entry[way][1] / entry[way][0], 1) if entry[way][0] else None
           for way in DIRECTIONS},
    }


def gaps_make(probe, begin, end):
    found = {}
    for way in DIRECTIONS:
        gaps = [gap for gap in probe.gaps(way, GAP_LEAST_S) if gap[2] >= begin and gap[1] <= end]
        gaps = sorted(gaps, reverse=True)[:GAPS_MOST]
        found[way] = sorted([rounded(gap[1] - begin), rounded(gap[0] * 1000)] for gap in gaps)
    return found


def throughput(samples, begin, uplinks):
    """Mbit/s received over each uplink, between samples."""
    step = max(1, len(samples) // BINS_MOST)
    chosen = samples[::step]
    points = []
    for before, after in zip(chosen, chosen[1:]):
        seconds = after["t"] - before["t"]
        rates = {name: received(before, after, f"up-{name}") * 8e-6 / seconds for name in uplinks}
        points.append({"t": rounded((before["t"] + after["t"]) / 2 - begin), "w": rounded(seconds),
                       **{name: round(rate, 3) for name, rate in rates.items()}})
    return points


def received(before, after, interface):
    counts = [sample["octets"].get(interface, [0])[0] for sample in (before, after)]
    return max(0, counts[1] - counts[0])


def conditions(timeline, uplinks, end):
    """What the profile asks of each uplink: round trip and loss, from a moment on."""
    found = {name: [] for name in uplinks}
    for step in timeline:
        if step["do"] == "conditions" and step["at_ms"] / 1000 <= end:
            up, down = step["up"], step["down"]
            found[step["uplink"]].append({
                "t": step["at_ms"] / 1000, "rtt": round(up["delay_ms"] + down["delay_ms"], 1),
                "jitter": max(up["jitter_ms"], down["jitter_ms"]),
                "loss": max(loss_of(up), loss_of(down)),
                "mbit": round(down["rate_mbit"], 1)})
    return found


def loss_of(way):
    """On the average, in percent."""
    burst = way.get("burst")
    if not burst:
        return round(way["loss_percent"], 2)
    enter, leave = burst["enter_percent"], burst["leave_percent"]
    bad = enter / (enter + leave)
    return round(bad * burst["loss_percent"] + (1 - bad) * way["loss_percent"], 2)


def data_make(report, extras):
    run, plan, probe = extras["run"], extras["plan"], extras["probe"]
    begin_ms = run.get("began_ms", extras["end_ms"])
    length = max(1.0, (extras["end_ms"] - begin_ms) / 1000)
    begin = run.get("began", 0.0)
    events = extras["events"]
    return {
        "report": report, "start_ms": begin_ms, "from": 0, "to": rounded(length),
        "phases": [{"t": rounded(event["t"] - begin), "name": event["name"]}
                   for event in events if event["do"] == "phase"],
        "dead": [{"uplink": dead["uplink"], "path": dead["path"],
                  "from": rounded((dead["from_ms"] - begin_ms) / 1000),
                  "to": rounded((dead["to_ms"] - begin_ms) / 1000)}
                 for dead in extras["paths"].dead],
        "instants": [{"t": rounded(event["t"] - begin), "do": event["do"],
                      "uplink": event["uplink"]} for event in events
                     if event["do"] in ("nat_rotate", "address_change")],
        "conditions": conditions(plan["timeline"], plan["uplinks"], length),
        "bins": bins_make(probe, begin, begin + length) if probe else [],
        "gaps": gaps_make(probe, begin, begin + length) if probe else
        {way: [] for way in DIRECTIONS},
        "samples": throughput(extras["samples"], begin, plan["uplinks"]),
    }


def page_make(report, extras):
    return page_fill(pathlib.Path(__file__).with_name("page.html"), data_make(report, extras))
