#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A silent path is left within 250 ms by policy fast, whichever of its ways is silent.
. "$(dirname "$(realpath "$0")")/lib-detection.sh"

test_main "black_hole fast 20 both 250" \
	"black_hole fast 20 up 250" \
	"black_hole fast 20 down 250"
