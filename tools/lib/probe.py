# SPDX-License-Identifier: GPL-2.0
"""What probe.c has written: every packet of the probe."""

import array
import bisect
import pathlib

DIRECTIONS = ("up", "down")


class Probe:
    """When each packet was sent and, if it did, when it arrived; in seconds. Runs last hours:
    what is kept is small."""

    def __init__(self, path):
        self.sent = {way: array.array("d") for way in DIRECTIONS}
        self.arrived = {way: array.array("d") for way in DIRECTIONS}
        with pathlib.Path(path).open() as file:
            next(file, None)
            for line in file:
                # the last line of a probe that was killed
                if not line.endswith("\n"):
                    break
                way, _, sent, arrived = line.split(",")
                self.sent[way].append(int(sent) / 1e9)
                self.arrived[way].append(int(arrived) / 1e9)
        self.arrivals = {way: array.array("d", sorted(filter(None, arrived)))
                         for way, arrived in self.arrived.items()}

    def packets(self, way):
        """(sent, arrived or None) of each."""
        for sent, arrived in zip(self.sent[way], self.arrived[way]):
            yield sent, arrived or None

    def gap(self, way, start, end):
        """(seconds, from, to): the longest time without an arrival that touches [start, end]."""
        times = self.arrivals[way]
        first = max(bisect.bisect_right(times, start) - 1, 0)
        last = bisect.bisect_left(times, end)
        seen = times[first:last + 1]
        # None: nothing came any more, so that the gap has no end.
        if not seen or seen[-1] < start:
            return None
        return max((b - a, a, b) for a, b in zip(seen, seen[1:]))

    def gaps(self, way, least=0.0):
        """(seconds, from, to) of each time without an arrival, from the first packet sent to the
        last one: what never came at the end is a gap as well."""
        sent = self.sent[way]
        if not sent:
            return []
        times = [sent[0], *self.arrivals[way], sent[-1]]
        return [(b - a, a, b) for a, b in zip(times, times[1:]) if b - a >= least and b > a]

    def lost(self, way, start, end):
        return sum(1 for sent, arrived in self.packets(way)
                   if start <= sent < end and arrived is None)

    def totals(self):
        return {way: {"sent": len(self.sent[way]),
                      "lost": len(self.sent[way]) - len(self.arrivals[way])}
                for way in DIRECTIONS}
