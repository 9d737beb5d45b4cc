# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Runs the symbolic model of reattach, where there is a ProVerif: no Debian suite has it. Sourced
# by run.

# proverif_verdict FILE: true, false or undecided.
proverif_verdict()
{
	local answer

	(ulimit -v $((MODEL_MEMORY * 1024)) && timeout "$MODEL_LIMIT" proverif "$1") > "$1.log" 2>&1 || true
	answer=$(grep -oE '^RESULT .* is (true|false)' "$1.log" | grep -oE '(true|false)$' | sort -u)
	case $answer in
	true | false) echo "$answer" ;;
	*) echo undecided ;;
	esac
}

proverif_suite()
{
	local variant query wanted file n=0
	local -a options

	if ! command -v proverif > /dev/null; then
		skip "proverif: reattach" "no ProVerif on this machine, and no Debian package of it"
		return
	fi
	while IFS=$'\t' read -r variant query wanted; do
		file=$MODEL_BUILD/proverif/$((++n)).pv
		read -ra options <<< "$variant"
		cpp -P -undef -w "${options[@]}" "-D$query" "$MODEL_DIR/proverif/reattach.pv.in" > "$file"
		result "$(proverif_verdict "$file")" "$wanted" "proverif: $variant $query is $wanted" "$file.log"
	done < <(grep -v '^#' "$MODEL_DIR/proverif/expected")
}
