#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of profile.py: what it refuses, and what it makes of a profile. Speaks TAP."""

import os
import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(os.path.realpath(__file__)).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from profile import ProfileError, read, timeline
from tap import run

GOOD = """\
about: a test
policy: fast
uplinks:
  lte: {preference: 200, nat: true, conditions: {delay_ms: [20, 30], up: {rate_mbit: 5}}}
  dsl: {nat: false}
phases:
  - name: first
    lasts: 10s
    uplinks:
      lte: {conditions: {loss_percent: 0}, fade_to: {loss_percent: 20}}
    events:
      - {do: nat_rotate, uplink: lte, every: [1s, 3s]}
      - {do: black_hole, uplink: dsl, at: 4s, lasts: 500ms}
  - repeat: 2
    phases:
      - {name: second, lasts: 5s, uplinks: {dsl: {path: link_down}}}
"""


def errors_of(text):
    try:
        read("p.yaml", text)
    except ProfileError as error:
        return str(error).splitlines()
    return []


def refusals(results):
    cases = (
        ("preference: 200", "preferense: 200",
         "p.yaml:4: uplinks.lte.preferense: unknown key; did you mean 'preference'?",
         "    allowed: preference, nat, conditions"),
        ("[20, 30]", "[30, 20]", "p.yaml:4: uplinks.lte.conditions.delay_ms: not allowed",
         "    allowed: 0 to 5000, or [least, most]"),
        ("lasts: 10s", "lasts: 10", "p.yaml:8: phases[0].lasts: not allowed",
         "    allowed: a time as 300ms, 20s, 2m, 1h, or [least, most]; 1ms or longer"),
        ("uplink: dsl, at", "uplink: dls, at",
         "p.yaml:13: phases[0].events[1].uplink: 'dls' is unknown; did you mean 'dsl'?",
         "    allowed: lte, dsl"),
        ("nat_rotate, uplink: lte", "nat_rotate, uplink: dsl",
         "p.yaml:12: phases[0].events[0].uplink: dsl is not behind a NAT", "    allowed: lte"),
        ("at: 4s, lasts: 500ms", "at: 4s", "p.yaml:13: phases[0].events[1].lasts: is missing",
         "    allowed: 'lasts' stands with all but nat_rotate, address_change"),
        ("path: link_down", "path: link_dwon",
         "p.yaml:16: phases[1].phases[0].uplinks.dsl.path: 'link_dwon' is unknown; did you mean "
         "'link_down'?", "    allowed: up, carrier_down, link_down, black_hole, black_hole_up, "
         "black_hole_down, route_lost"),
        ("policy: fast", "policy: [fast]", "p.yaml:2: policy: neither a name nor a policy",
         "    allowed: default, fast, frugal, strict, or a mapping as under 'policies' of jvpnd"),
        ("  dsl: {nat: false}", "  dsl: {nat: 3}",
         "p.yaml:5: uplinks.dsl.nat: '3' is neither true nor false", "    allowed: true, false"),
    )
    for before, after, *wanted in cases:
        assert before in GOOD
        results.equal(f"'{after}' is refused with line, field and what is allowed",
                      errors_of(GOOD.replace(before, after)), wanted)
    two = GOOD.replace("lasts: 10s", "lasts: x").replace("repeat: 2", "repeat: 0")
    results.equal("all errors of a file at once",
                  [line.split(":")[1] for line in errors_of(two) if line[0] != " "], ["8", "14"])
    results.equal("what is no YAML", errors_of("uplinks: {a: 1\nphases: ]")[0].split(":")[:2],
                  ["p.yaml", "2"])
    results.equal("an empty file", errors_of(""), ["p.yaml:1: the file is empty",
                  "    allowed: a mapping with uplinks and phases"])
    results.equal("phases that are missing", errors_of("uplinks: {a: {}}\n")[0],
                  "p.yaml:1: phases: is missing")


def steps(seed=1, duration=40000, text=GOOD):
    return timeline(read("p.yaml", text), seed, duration)


def of(found, do, uplink=None):
    return [step for step in found if step["do"] == do and step.get("uplink") == uplink]


def timelines(results):
    found = steps()
    results.equal("equal seeds, equal timelines", steps(), found)
    results.equal("another seed, another one", steps(seed=2) == found, False)
    results.equal("phases follow each other, repeated, until the time is over",
                  [(step["at_ms"], step["name"]) for step in of(found, "phase")],
                  [(0, "first"), (10000, "second"), (15000, "second"), (20000, "first"),
                   (30000, "second"), (35000, "second")])
    results.equal("an event ends, a phase's path holds for the phase",
                  [(step["at_ms"], step["path"], step.get("until_ms"))
                   for step in of(found, "path", "dsl")][:5],
                  [(0, "up", None), (4000, "black_hole", 4500), (4500, "up", None),
                   (10000, "link_down", 20000), (20000, "up", None)])
    losses = [step["up"]["loss_percent"] for step in of(found, "conditions", "lte")
              if step["at_ms"] < 10000]
    results.equal("a fade goes from one to the other in steps", (len(losses), losses[0], losses[5]),
                  (10, 0, 10.0))
    first = of(found, "conditions", "lte")[0]
    results.equal("a direction's own condition holds for it alone",
                  (first["up"]["rate_mbit"], first["down"]["rate_mbit"]), (5, 50))
    moments = [step["at_ms"] for step in of(found, "nat_rotate", "lte")]
    pauses = [b - a for a, b in zip(moments, moments[1:]) if b < 10000]
    results.equal("drawn times lie in their range", bool(pauses) and 1000 <= min(pauses)
                  and max(pauses) <= 3000, True)
    results.equal("nothing happens past the end", max(step["at_ms"] for step in steps(
        duration=12345)) < 12345, True)


def overlaps(results):
    text = GOOD.replace("uplink: dsl, at: 4s, lasts: 500ms", "uplink: dsl, every: 1s, lasts: 2500ms")
    found = [step["at_ms"] for step in of(steps(text=text), "path", "dsl")
             if step["path"] == "black_hole" and step["at_ms"] < 10000]
    results.equal("an event that another one of its kind still holds is left out", found,
                  [1000, 4000, 7000])


def shipped(results):
    for path in sorted((HERE / "profiles").glob("*.yaml")):
        profile = read(path, path.read_text())
        found = timeline(profile, profile["seed"], profile["duration_ms"])
        kills = [step for step in found if step["do"] in ("nat_rotate", "address_change")
                 or step.get("path", "up") != "up"]
        results.equal(f"{path.stem}: two minutes by default, and something happens in them",
                      (profile["duration_ms"], len(kills) >= 5, bool(profile["about"])),
                      (120000, True, True))


sys.exit(run(refusals, timelines, overlaps, shipped))
