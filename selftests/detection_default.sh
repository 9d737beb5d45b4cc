#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A silent path is left within 1 s by policy default, whichever of its ways is silent.
. "$(dirname "$(realpath "$0")")/lib-detection.sh"

test_main "black_hole default 20 both 1000" \
	"black_hole default 20 up 1000" \
	"black_hole default 20 down 1000"
