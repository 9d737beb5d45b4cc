# SPDX-License-Identifier: GPL-2.0
# The states of uapi/linux/jvpn.h as preprocessor names for Promela, and how many events and
# reasons there are (the highest of each).
/^enum jvpn_(state|event|reason) \{/ { kind = $2; value = 0; next }
/^\};/ { kind = "" }
kind && /^\tJVPN_[A-Z_0-9]+,/ {
	name = $1
	sub(/,/, "", name)
	if (kind == "jvpn_state") {
		sub(/JVPN_STATE_/, "", name)
		print "#define " name " " value
	}
	last[kind] = value++
}
END {
	print "#define STATES " last["jvpn_state"]
	print "#define EVENTS " last["jvpn_event"]
	print "#define REASONS " last["jvpn_reason"]
}
