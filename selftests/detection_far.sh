#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A silent path of 200 ms is left within 1.2 s by policy fast, whichever of its ways is silent.
. "$(dirname "$(realpath "$0")")/lib-detection.sh"

test_main "black_hole fast 200 both 1200" \
	"black_hole fast 200 up 1200" \
	"black_hole fast 200 down 1200"
