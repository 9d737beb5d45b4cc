# SPDX-License-Identifier: GPL-2.0
"""Reading audit logs (Documentation/audit.md), for the programs in tools/."""

import json
import pathlib

# States that have exactly one binding; the others have none.
BOUND = ("ATTACHED", "VOLATILE")


class Unreadable(Exception):
    """A log that cannot be read; the message is for people."""


def audit_records(path):
    """Every record of a log. A torn last line is left out: its writer was stopped there."""
    records = []
    lines = pathlib.Path(path).read_bytes().split(b"\n")
    torn = lines.pop()
    for number, line in enumerate(lines, 1):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            raise Unreadable(f"{path}:{number}: not a record: {error}") from None
    if torn:
        try:
            records.append(json.loads(torn))
        except ValueError:
            pass
    return records


def is_transition(record):
    return "from" in record and record["event"] not in ("REFUSED", "ADOPTED")


def audit_read(path, session):
    """The transitions of one session."""
    return [record for record in audit_records(path)
            if record["session_id"] == session and is_transition(record)]


def transport_text(transport):
    if not transport:
        return None
    words = [transport["name"] + ":"] if "name" in transport else []
    words.append(transport["protocol"])
    address, _, port = transport.get("local", "").rpartition(":")
    # A wildcard says less than the interface, and at the gateway nothing.
    if address.strip("[]") not in ("", "0.0.0.0", "::"):
        words += [transport["local"], "-"]
    elif "interface" in transport:
        words += [f"{transport['interface']}:{port}", "-"]
    return " ".join(words + [transport.get("remote", "?")])


def transitions_of(records):
    return [{"version": record["state_version"], "from": record["from"], "to": record["to"],
             "reason": record["reason"], "ts_ms": record["ts_ms"],
             "transport": transport_text(record["transport"]),
             "lost_transport": transport_text(record["lost"]), "epoch": record["epoch"],
             "origin": record["origin"]} for record in records]
