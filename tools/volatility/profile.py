# SPDX-License-Identifier: GPL-2.0
"""Profiles: what a network does to the paths of a client, as YAML (Documentation/volatility.md).

read() checks a file and tells every error with its place; timeline() makes of it what happens at
which millisecond, the same for the same seed.
"""

import difflib
import random
import re

import yaml

DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
UNIT_MS = {"ms": 1, "s": 1000, "m": 60000, "h": 3600000}
NAME = re.compile(r"[a-z][a-z0-9-]{0,9}")
DURATION_ALLOWED = "a time as 300ms, 20s, 2m, 1h, or [least, most]"
UPLINKS_MOST = 6
FADE_STEP_MS = 1000

# What a path can be; all but "up" kill a binding over it.
PATHS = {
    "up": "as it should be",
    "carrier_down": "the cable is out; the interface stays configured",
    "link_down": "the interface is switched off, its routes go with it",
    "black_hole": "packets vanish both ways, and nothing tells",
    "black_hole_up": "packets to the gateway vanish",
    "black_hole_down": "packets from the gateway vanish",
    "route_lost": "the client's default route over it is gone",
}
# What happens in an instant.
INSTANTS = {
    "nat_rotate": "the NAT forgets its mappings and gives another public address and other ports",
    "address_change": "the client gets an address of another network there",
}
# Of each direction: least, most, default.
CONDITIONS = {
    "delay_ms": (0, 5000, 10), "jitter_ms": (0, 2000, 0), "rate_mbit": (0.05, 1000, 50),
    "buffer_ms": (1, 10000, 100), "loss_percent": (0, 100, 0), "reorder_percent": (0, 50, 0),
    "corrupt_percent": (0, 50, 0), "duplicate_percent": (0, 50, 0),
}
# Gilbert-Elliott: chances for a packet to enter and to leave the bad state, and of loss in it.
BURST = {"enter_percent": (0, 100), "leave_percent": (0.01, 100), "loss_percent": (0, 100)}
WAYS = ("up", "down")


class ProfileError(Exception):
    """Everything that is wrong with a profile, for people."""


class Reader:
    """Walks the nodes of a YAML file and notes each error with its line and field."""

    def __init__(self, file, text):
        self.file, self.errors = file, []
        try:
            self.root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raise ProfileError(f"{file}:{mark.line + 1 if mark else 1}: not YAML: "
                               f"{getattr(error, 'problem', error)}") from None
        if self.root is None:
            raise ProfileError(f"{file}:1: the file is empty\n    allowed: a mapping with "
                               "uplinks and phases")

    def error(self, node, field, what, allowed):
        error = f"{self.file}:{node.start_mark.line + 1}: {field}: {what}\n    allowed: {allowed}"
        # what holds for both directions is read for each
        if error not in self.errors:
            self.errors.append(error)

    def mapping(self, node, field, known, required=()):
        """{key: node} of the known keys."""
        found = {}
        if not isinstance(node, yaml.MappingNode):
            self.error(node, field, "not a mapping", "a mapping with " + ", ".join(known))
            return found
        for key, value in node.value:
            name = f"{field}.{key.value}" if field else str(key.value)
            if key.value in found:
                self.error(key, name, "stands twice", "once")
            elif known is not ANY and key.value not in known:
                close = difflib.get_close_matches(str(key.value), list(known), 1)
                self.error(key, name, "unknown key" +
                           (f"; did you mean '{close[0]}'?" if close else ""), ", ".join(known))
            else:
                found[key.value] = value
        for key in required:
            if key not in found:
                self.error(node, f"{field}.{key}" if field else key, "is missing", "one of it")
        return found

    def sequence(self, node, field, what):
        if isinstance(node, yaml.SequenceNode) and node.value:
            return list(enumerate(node.value))
        self.error(node, field, "not a list with something in it", what)
        return []

    def scalar(self, node, field, allowed):
        if isinstance(node, yaml.ScalarNode):
            return yaml.safe_load(yaml.serialize(node))
        self.error(node, field, "not a single value", allowed)
        return None

    def text(self, node, field):
        value = self.scalar(node, field, "text")
        if isinstance(value, str):
            return value
        self.error(node, field, f"{value!r} is not text", "text")
        return ""

    def choice(self, node, field, choices):
        value = self.scalar(node, field, ", ".join(choices))
        # YAML 1.1 knows "on" and "off" as something else than words
        if isinstance(value, str) and value in choices:
            return value
        close = difflib.get_close_matches(str(value), list(choices), 1)
        self.error(node, field, f"'{value}' is unknown" +
                   (f"; did you mean '{close[0]}'?" if close else ""), ", ".join(choices))
        return next(iter(choices))

    def flag(self, node, field):
        value = self.scalar(node, field, "true, false")
        if not isinstance(value, bool):
            self.error(node, field, f"'{value}' is neither true nor false", "true, false")
        return bool(value)

    def whole(self, node, field, least, most):
        value = self.scalar(node, field, f"{least} to {most}")
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.error(node, field, f"'{value}' is not allowed", f"a whole number from {least} to {most}")
        return least

    def range(self, node, field, one, allowed):
        """[least, most] of a value that may be drawn, twice the same for one that is not."""
        if not isinstance(node, yaml.SequenceNode):
            value = one(self.scalar(node, field, allowed))
            pair = [value, value]
        else:
            pair = [one(self.scalar(item, field, allowed)) for item in node.value]
        if len(pair) == 2 and None not in pair and pair[0] <= pair[1]:
            return pair
        self.error(node, field, "not allowed", allowed)
        return [0, 0]

    def number(self, node, field, least, most):
        def one(value):
            good = isinstance(value, (int, float)) and not isinstance(value, bool) \
                and least <= value <= most
            return value if good else None
        return self.range(node, field, one, f"{least} to {most}, or [least, most]")

    def duration(self, node, field, least=0):
        def one(value):
            found = duration_ms(value) if isinstance(value, str) else None
            return found if found is not None and found >= least else None
        return self.range(node, field, one,
                          DURATION_ALLOWED + (f"; {least}ms or longer" if least else ""))


class Any:
    """Keys that the file chooses."""

    def __iter__(self):
        return iter(("names of your own",))


ANY = Any()


def duration_ms(text):
    match = DURATION.fullmatch(text)
    return round(float(match[1]) * UNIT_MS[match[2]]) if match else None


def conditions_read(reader, node, field):
    """{way: {name: [least, most]}}, of what is named."""
    names = (*CONDITIONS, "burst")
    found = reader.mapping(node, field, (*names, *WAYS))
    result = {}
    for way in WAYS:
        own = reader.mapping(found[way], f"{field}.{way}", names) if way in found else {}
        result[way] = {name: condition_read(reader, own.get(name, found.get(name)),
                                            f"{field}.{name}", name)
                       for name in names if name in own or name in found}
    return result


def condition_read(reader, node, field, name):
    if name != "burst":
        return reader.number(node, field, *CONDITIONS[name][:2])
    found = reader.mapping(node, field, BURST, required=BURST)
    return {part: reader.number(found[part], f"{field}.{part}", *BURST[part])
            for part in BURST if part in found}


def uplink_read(reader, node, field):
    found = reader.mapping(node, field, ("preference", "nat", "conditions"))
    return {
        "preference": reader.whole(found["preference"], f"{field}.preference", 0, 1000)
        if "preference" in found else 100,
        "nat": "nat" not in found or reader.flag(found["nat"], f"{field}.nat"),
        "conditions": conditions_read(reader, found["conditions"], f"{field}.conditions")
        if "conditions" in found else {way: {} for way in WAYS},
    }


def uplinks_read(reader, node):
    uplinks = {}
    for name, value in reader.mapping(node, "uplinks", ANY).items():
        if not NAME.fullmatch(str(name)):
            reader.error(value, f"uplinks.{name}", "not a name",
                         "a small letter, then up to nine small letters, digits, hyphens")
        uplinks[name] = uplink_read(reader, value, f"uplinks.{name}")
    if not 1 <= len(uplinks) <= UPLINKS_MOST:
        reader.error(node, "uplinks", f"{len(uplinks)} uplinks", f"1 to {UPLINKS_MOST}")
    return uplinks


def phase_uplink_read(reader, node, field):
    found = reader.mapping(node, field, ("path", "conditions", "fade_to"))
    return {
        "path": reader.choice(found["path"], f"{field}.path", PATHS) if "path" in found else "up",
        **{key: conditions_read(reader, found[key], f"{field}.{key}")
           if key in found else {way: {} for way in WAYS} for key in ("conditions", "fade_to")},
    }


def event_read(reader, node, field, uplinks):
    found = reader.mapping(node, field, ("do", "uplink", "at", "every", "lasts", "conditions"),
                           required=("do", "uplink"))
    if not {"do", "uplink"} <= found.keys():
        return None
    paths = [path for path in PATHS if path != "up"]
    event = {"do": reader.choice(found["do"], f"{field}.do", (*INSTANTS, *paths, "conditions")),
             "uplink": reader.choice(found["uplink"], f"{field}.uplink", uplinks)}
    if ("at" in found) == ("every" in found):
        reader.error(node, field, "needs either 'at' or 'every'",
                     "at: once, so long after the phase began; every: again and again")
    for key, least in (("at", 0), ("every", 1), ("lasts", 1)):
        if key in found:
            event[key] = reader.duration(found[key], f"{field}.{key}", least)
    instant = event["do"] in INSTANTS
    if ("lasts" in found) == instant:
        reader.error(node, f"{field}.lasts", "is meaningless here" if instant else "is missing",
                     f"'lasts' stands with all but {', '.join(INSTANTS)}")
    if ("conditions" in found) != (event["do"] == "conditions"):
        reader.error(node, f"{field}.conditions", "missing or misplaced",
                     "with 'do: conditions', and only there")
    elif "conditions" in found:
        event["conditions"] = conditions_read(reader, found["conditions"], f"{field}.conditions")
    if event["do"] == "nat_rotate" and not uplinks.get(event["uplink"], {}).get("nat"):
        reader.error(found["uplink"], f"{field}.uplink", f"{event['uplink']} is not behind a NAT",
                     ", ".join(name for name in uplinks if uplinks[name]["nat"]) or "no uplink")
    return event


def phase_read(reader, node, field, uplinks):
    if isinstance(node, yaml.MappingNode) and any(key.value == "repeat" for key, _ in node.value):
        found = reader.mapping(node, field, ("repeat", "phases"), required=("phases",))
        return {"repeat": reader.number(found["repeat"], f"{field}.repeat", 1, 100000),
                "phases": phases_read(reader, found["phases"], f"{field}.phases", uplinks)
                if "phases" in found else []}
    found = reader.mapping(node, field, ("name", "lasts", "uplinks", "events"),
                           required=("name", "lasts"))
    phase = {"name": reader.text(found["name"], f"{field}.name") if "name" in found else "",
             "lasts": reader.duration(found["lasts"], f"{field}.lasts", 1)
             if "lasts" in found else [1, 1], "uplinks": {}, "events": []}
    if "uplinks" in found:
        for name, value in reader.mapping(found["uplinks"], f"{field}.uplinks", uplinks).items():
            phase["uplinks"][name] = phase_uplink_read(reader, value, f"{field}.uplinks.{name}")
    if "events" in found:
        phase["events"] = [event_read(reader, value, f"{field}.events[{index}]", uplinks)
                           for index, value in reader.sequence(found["events"], f"{field}.events",
                                                               "a list of events")]
    return phase


def phases_read(reader, node, field, uplinks):
    return [phase_read(reader, value, f"{field}[{index}]", uplinks)
            for index, value in reader.sequence(node, field, "a list of phases")]


def traffic_read(reader, node):
    found = reader.mapping(node, "traffic", ("probe_ms", "tcp_mbit"))
    return {key: reader.whole(found[key], f"traffic.{key}", *limits)
            for key, limits in {"probe_ms": (1, 1000), "tcp_mbit": (0, 1000)}.items()
            if key in found}


def plain(node):
    """The value of a node as it stands."""
    return yaml.safe_load(yaml.serialize(node))


def read(file, text):
    """The checked profile. Whether the policy is one is for the daemon to say (see plan)."""
    reader = Reader(file, text)
    found = reader.mapping(reader.root, "", ("about", "duration", "seed", "policy", "traffic",
                                             "uplinks", "phases"), required=("uplinks", "phases"))
    profile = {
        "about": reader.text(found["about"], "about").strip() if "about" in found else "",
        "duration_ms": reader.duration(found["duration"], "duration", 1000)[1]
        if "duration" in found else 120000,
        "seed": reader.whole(found["seed"], "seed", 0, 2 ** 32 - 1) if "seed" in found else 1,
        "policy": plain(found["policy"]) if "policy" in found else "default",
        "policy_line": found["policy"].start_mark.line + 1 if "policy" in found else None,
        "traffic": {"probe_ms": 10, "tcp_mbit": 4,
                    **(traffic_read(reader, found["traffic"]) if "traffic" in found else {})},
        "uplinks": uplinks_read(reader, found["uplinks"]) if "uplinks" in found else {},
    }
    if not isinstance(profile["policy"], (str, dict)):
        reader.error(found["policy"], "policy", "neither a name nor a policy",
                     "default, fast, frugal, strict, or a mapping as under 'policies' of jvpnd")
    profile["phases"] = phases_read(reader, found["phases"], "phases", profile["uplinks"]) \
        if "phases" in found else []
    if reader.errors:
        raise ProfileError("\n".join(reader.errors))
    return profile


# ---- from a profile to what happens when ----

def drawn(rng, pair):
    low, high = pair
    if low == high:
        return low
    return rng.randint(low, high) if isinstance(low, int) and isinstance(high, int) \
        else round(rng.uniform(low, high), 3)


def conditions_drawn(rng, conditions):
    return {way: {name: {part: drawn(rng, pair) for part, pair in value.items()}
                  if name == "burst" else drawn(rng, value)
                  for name, value in conditions[way].items()} for way in WAYS}


def laid_over(below, above):
    return {way: {**below[way], **above[way]} for way in WAYS}


def between(start, end, share):
    """Conditions on the way from start to end; what end does not name stays."""
    return {way: {name: round(value + (end[way][name] - value) * share, 3)
                  if name in end[way] and name != "burst" else value
                  for name, value in start[way].items()} for way in WAYS}


DEFAULTS = {way: {name: limits[2] for name, limits in CONDITIONS.items()} for way in WAYS}


class Timeline:
    """The steps of a run, in the order of time."""

    def __init__(self, profile, seed, duration):
        self.profile, self.duration = profile, duration
        self.rng = random.Random(seed)
        self.steps = []

    def add(self, at, do, **fields):
        if at < self.duration:
            self.steps.append({"at_ms": at, "do": do, **fields})

    def make(self):
        now = 0
        while now < self.duration:
            now = self.phases(self.profile["phases"], now)
        self.steps.sort(key=lambda step: step["at_ms"])
        self.ends_find()
        return self.steps

    def phases(self, phases, now):
        for phase in phases:
            if now >= self.duration:
                break
            if "repeat" in phase:
                for _ in range(drawn(self.rng, phase["repeat"])):
                    now = self.phases(phase["phases"], now)
            else:
                now = self.phase(phase, now)
        return now

    def phase(self, phase, start):
        end = start + drawn(self.rng, phase["lasts"])
        self.add(start, "phase", name=phase["name"])
        shown = {name: self.uplink(name, phase["uplinks"].get(name), start, end)
                 for name in self.profile["uplinks"]}
        # (kind, uplink): until when an event has it
        busy = {}
        for event in phase["events"]:
            for at in self.moments(event, start, end):
                self.event(event, at, end, shown[event["uplink"]], busy)
        for name in shown:
            self.fade(name, shown[name], start, end, busy.get(("conditions", name), []))
        return end

    def uplink(self, name, own, start, end):
        """Sets an uplink to how the phase has it. Returns its path and its conditions by time."""
        own = own or {"path": "up", "conditions": {way: {} for way in WAYS},
                      "fade_to": {way: {} for way in WAYS}}
        base = laid_over(DEFAULTS, conditions_drawn(
            self.rng, self.profile["uplinks"][name]["conditions"]))
        first = laid_over(base, conditions_drawn(self.rng, own["conditions"]))
        last = conditions_drawn(self.rng, own["fade_to"])
        self.add(start, "path", uplink=name, path=own["path"])
        self.add(start, "conditions", uplink=name, **first)
        return {"path": own["path"], "fades": any(last[way] for way in WAYS),
                "at": lambda now: between(first, last, (now - start) / (end - start))}

    def moments(self, event, start, end):
        if "at" in event:
            at = start + drawn(self.rng, event["at"])
            return [at] if at < end else []
        found, at = [], start + drawn(self.rng, event["every"])
        while at < end:
            found.append(at)
            at += max(1, drawn(self.rng, event["every"]))
        return found

    def event(self, event, at, phase_end, shown, busy):
        """One event. While one of its kind holds the uplink, another one is left out."""
        name = event["uplink"]
        if event["do"] in INSTANTS:
            self.add(at, event["do"], uplink=name)
            return
        end = min(at + drawn(self.rng, event["lasts"]), phase_end)
        held = busy.setdefault(("conditions" if event["do"] == "conditions" else "path", name), [])
        if any(at < other_end and other_at < end for other_at, other_end in held):
            return
        held.append((at, end))
        if event["do"] == "conditions":
            changed = conditions_drawn(self.rng, event["conditions"])
            self.add(at, "conditions", uplink=name, **laid_over(shown["at"](at), changed))
            if end < phase_end:
                self.add(end, "conditions", uplink=name, **shown["at"](end))
        else:
            self.add(at, "path", uplink=name, path=event["do"])
            if end < phase_end:
                self.add(end, "path", uplink=name, path=shown["path"])

    def fade(self, name, shown, start, end, held):
        if not shown["fades"]:
            return
        for at in range(start + FADE_STEP_MS, end, FADE_STEP_MS):
            if not any(begin <= at < stop for begin, stop in held):
                self.add(at, "conditions", uplink=name, **shown["at"](at))

    def ends_find(self):
        """Says of each dead path when it is well again, and leaves out what changes nothing."""
        now, kept = {}, []
        for step in self.steps:
            key = (step["do"], step.get("uplink"))
            value = {name: step[name] for name in step if name != "at_ms"}
            if step["do"] in ("path", "conditions") and now.get(key) == value:
                continue
            now[key] = value
            kept.append(step)
        ups = {}
        for step in reversed(kept):
            if step["do"] == "path":
                if step["path"] == "up":
                    ups[step["uplink"]] = step["at_ms"]
                else:
                    step["until_ms"] = ups.get(step["uplink"])
        self.steps = kept


def timeline(profile, seed, duration):
    return Timeline(profile, seed, duration).make()
