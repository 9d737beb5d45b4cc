#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Reads "jvpnctl --json session list" and "transport list" for the tests.

  daemon_json.py session        for each list on standard input one line: live sessions, then id
                                state version epoch peer_version remote interface of the newest
  daemon_json.py history AUDIT  demands that each transition of the kernel's history stands in the
                                audit log exactly once, and nothing twice
  daemon_json.py standby NAME   whether this transport stands by: not in use, and it answered when
                                it was asked last
"""

import json
import sys


def live(sessions):
    return [s for s in sessions if s["state"] != "TERMINATED"]


def print_session(sessions):
    found = live(sessions)
    if not found:
        print("0 - - - - - - -")
        return
    s = max(found, key=lambda s: s["created_ms"] or 0)
    transport = s["transport"] or {}
    values = (len(found), s["session_id"], s["state"], s["state_version"], s["epoch"],
              s["peer_version"], transport.get("remote"), transport.get("interface"))
    print(*("-" if value is None else value for value in values))


def transitions(path):
    with open(path, encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            if record.get("to") and record.get("from") and record["event"] != "REFUSED":
                yield ((record["session_id"], record["state_version"]),
                       (record["from"], record["to"], record["reason"]))


def compare_history(sessions, path):
    written, troubles = {}, []
    for key, value in transitions(path):
        if key in written:
            troubles.append(f"version {key[1]} of {key[0]} is recorded twice")
        written[key] = value
    for s in sessions:
        for t in s["history"]:
            key, value = (s["session_id"], t["state_version"]), (t["from"], t["to"], t["reason"])
            if written.get(key) != value:
                troubles.append(f"version {key[1]}: kernel {value}, log {written.get(key)}")
    print("; ".join(troubles))
    return 1 if troubles else 0


def documents(text):
    """The JSON values that stand in text one after another."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        yield value
        while at < len(text) and text[at].isspace():
            at += 1


def stands_by(transports, name):
    return any(t["name"] == name and t["state"] == "ready" and "rtt_ms" in t
               and "unanswered" not in t for t in transports)


def main():
    if sys.argv[1] == "standby":
        return not stands_by(json.load(sys.stdin)["transports"], sys.argv[2])
    lists = [document["sessions"] for document in documents(sys.stdin.read())]
    if sys.argv[1] == "history":
        return compare_history(lists[0], sys.argv[2])
    for sessions in lists:
        print_session(sessions)
    return 0


sys.exit(main())
