#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of analysis.py: what killed a path, and how long there was none. Speaks TAP."""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(os.path.realpath(__file__)).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from analysis import GRACE_MS, Paths, deaths_of, lines, recoveries_explain
from tap import run


def path(ts_ms, uplink, state):
    return {"do": "path", "ts_ms": ts_ms, "took_ms": 0, "uplink": uplink, "path": state}


EVENTS = [
    path(0, "a", "up"), path(0, "b", "up"),
    path(1000, "a", "black_hole"), path(2000, "b", "link_down"),
    path(5000, "b", "up"), path(6000, "a", "up"),
    {"do": "nat_rotate", "ts_ms": 7000, "took_ms": 0, "uplink": "b"},
    {"do": "nat_rotate", "ts_ms": 7500, "took_ms": 0, "uplink": "a"},
    path(9000, "a", "black_hole"),
]


def bound(ts_ms, name):
    return {"ts_ms": ts_ms, "to": "ATTACHED" if name else "RECOVERING",
            "transport": {"name": name} if name else None}


CLIENT = [bound(0, "a"), bound(1300, None), bound(1350, "b"), bound(2010, None), bound(5100, "b")]


def dead_paths(results):
    paths = Paths(EVENTS, 10000)
    results.equal("what is dead at the end is dead until the end",
                  [(dead["uplink"], dead["from_ms"], dead["to_ms"]) for dead in paths.dead],
                  [("a", 1000, 6000), ("b", 2000, 5000), ("a", 9000, 10000)])
    for claim, uplinks, begin, end, wanted in (
            ("only the time in which all were dead counts", "ab", 0, 10000, 3000),
            ("and only that within the time asked for", "ab", 1500, 4000, 2000),
            ("one that is well is enough", "ab", 9000, 10000, 0),
            ("of a single uplink, all its dead times", "a", 0, 10000, 6000)):
        results.equal(claim, paths.all_dead_ms(uplinks, begin, end), wanted)


def deaths(results):
    found = deaths_of(EVENTS, Paths(EVENTS, 10000), CLIENT)
    results.equal("a death counts where the session was bound to what died",
                  [(death["ms"], death["what"], death["uplink"]) for death in found],
                  [(1000, "black_hole", "a"), (2000, "link_down", "b"),
                   (7000, "nat_rotate", "b")])
    results.equal("it ends a little after the path is well again; a mapping never comes back",
                  [death.get("until_ms") for death in found],
                  [6000 + GRACE_MS, 5000 + GRACE_MS, None])


def explanations(results):
    paths = Paths(EVENTS, 10000)
    recoveries = [{"death_ms": 2000, "from_ms": 2010, "to_ms": 5100, "ms": 3100},
                  {"death_ms": None, "from_ms": 8000, "to_ms": None, "ms": None}]
    recoveries_explain(recoveries, deaths_of(EVENTS, paths, CLIENT), paths, ("a", "b"))
    results.equal("the time without any path is taken off; what never ended has none",
                  [(recovery["what"], recovery["with_path_ms"]) for recovery in recoveries],
                  [("link_down", 100.0), (None, None)])


def files(results):
    with tempfile.TemporaryDirectory() as directory:
        said = 'progress\n@client.audit {"a": 1}\n@client.audit {"a": 2}\n@run.json {"b": 1}\n' \
               '@run.json {"b": 2}\nmore\n@../evil x\n'
        done = subprocess.run((HERE / "collect", directory), input=said, stdout=subprocess.PIPE,
                              text=True)
        folder = pathlib.Path(directory)
        results.equal("collect passes words on and keeps files",
                      (done.stdout, lines(folder / "client.audit"), lines(folder / "run.json")),
                      ("progress\nmore\n@../evil x\n", [{"a": 1}, {"a": 2}], [{"b": 2}]))
        (folder / "torn").write_text('{"a": 1}\n{"a": ')
        results.equal("a torn last line is left out", lines(folder / "torn"), [{"a": 1}])


sys.exit(run(dead_paths, deaths, explanations, files))
