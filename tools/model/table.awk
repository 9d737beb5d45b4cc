# SPDX-License-Identifier: GPL-2.0
# The transition table of Documentation/state-machine.md as the entries of a C array:
# { states before, event, state after, reasons }, sets as bits.
function bits(list, prefix,    names, n, i, out)
{
	n = split(list, names, / *, */)
	for (i = 1; i <= n; i++)
		out = out (i > 1 ? " | " : "") "1u << " prefix names[i]
	return out
}
/^\| [0-9]+ \|/ {
	n = split($0, cell, / *\| */)
	if (n != 7)
		next
	from = cell[3] == "any but TERMINATED" ? "BIRTH, ATTACHED, VOLATILE, RECOVERING, DEGRADED" : cell[3]
	printf "{ %s, JVPN_EVENT_%s, JVPN_STATE_%s, %s },\n", bits(from, "JVPN_STATE_"), cell[4],
		cell[5], bits(cell[6], "JVPN_REASON_")
}
