# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Searches the symbolic models with Maude. Sourced by run.

declare -a MAUDE_PROPERTIES MAUDE_VARIANTS MAUDE_POSSIBLE MAUDE_MUTANTS

# maude_property MODEL NAME TEXT: what must be. The model's bad(NAME, state) is its opposite.
maude_property()
{
	MAUDE_PROPERTIES+=("$1	$2	$3")
}

# maude_variant MODEL TEXT FLAGS HOLDS FAILS: HOLDS and FAILS are names of properties; those of
# FAILS are expected to be refuted, which is the limit of what the protocol can do.
maude_variant()
{
	MAUDE_VARIANTS+=("$1	$2	$3	$4	$5")
}

# maude_possible MODEL CONDITION TEXT: what must be reachable, besides the honest exchange.
maude_possible()
{
	MAUDE_POSSIBLE+=("$1	$2	$3")
}

# maude_mutant MODEL NAME FLAGS TEXT: what refutes the property.
maude_mutant()
{
	MAUDE_MUTANTS+=("$1	$2	$3	$4")
}

# maude_bad NAME...: the condition that one of these properties is violated.
maude_bad()
{
	local name text="bad($1, S:State)"

	shift
	for name; do
		text="$text or-else bad($name, S:State)"
	done
	echo "$text"
}

# maude_search FILE MODEL START FLAGS CONDITION: found, none or undecided.
maude_search()
{
	local file=$1 model=$2 flag

	{
		printf 'load %s\n' "$MODEL_DIR/maude/adversary.maude" "$MODEL_DIR/maude/$model.maude"
		echo "mod RUN is including ${model^^} ."
		for flag in $4; do
			echo "	eq on($flag) = true ."
		done
		echo endm
		echo "search [1] $3 =>* S:State such that $5 ."
	} > "$file"
	(ulimit -v $((MODEL_MEMORY * 1024)) -t "$MODEL_LIMIT" && exec maude -no-banner -no-advise \
		-batch "$file" < /dev/null) > "$file.log" 2>&1 || true
	if grep -q Warning "$file.log"; then
		echo undecided
	elif grep -q '^No solution\.$' "$file.log"; then
		echo none
	elif grep -q '^Solution 1 ' "$file.log"; then
		echo found
	else
		echo undecided
	fi
}

# maude_effort FILE: how much was searched.
maude_effort()
{
	sed -nE 's/^states: ([0-9]+) .* in ([0-9]+)ms cpu.*/\1 states, \2 ms/p' "$1.log" 2> /dev/null
}

# maude_verdict FILE MODEL START FLAGS NAME...: holds, refuted or undecided.
maude_verdict()
{
	case $(maude_search "${@:1:4}" "$(maude_bad "${@:5}")") in
	none) echo holds ;;
	found) echo refuted ;;
	*) echo undecided ;;
	esac
}

# maude_wanted NAME: is it among MODELS, if any are named?
maude_wanted()
{
	[ -z "${MODELS:-}" ] || [[ " $MODELS " = *" $1 "* ]]
}

# maude_next: the caller's file becomes the name of another search.
maude_next()
{
	printf -v file '%s/maude/%03d.maude' "$MODEL_BUILD" "$((++maude_searches))"
}

# maude_variant_run MODEL TEXT FLAGS HOLDS FAILS: first all that must hold at once; one by one
# if that does not hold.
maude_variant_run()
{
	local model=$1 text="$1, $2" flags=$3 verdict=undecided one name file
	local -a holds fails

	read -ra holds <<< "$4"
	read -ra fails <<< "$5"
	maude_next
	result "$(maude_search "$file" "$model" few "$flags" "complete(S:State)")" found \
		"$text: the honest exchange is possible" "$file.log"
	if [ ${#holds[@]} -gt 0 ]; then
		maude_next
		verdict=$(maude_verdict "$file" "$model" start "$flags" "${holds[@]}")
		result "$verdict" holds "$text: explored ($(maude_effort "$file"))" "$file.log"
	fi
	for name in "${holds[@]}"; do
		one=$verdict
		if [ "$verdict" != holds ]; then
			maude_next
			one=$(maude_verdict "$file" "$model" start "$flags" "$name")
		fi
		result "$one" holds "$text: $name" "$file.log"
	done
	for name in "${fails[@]}"; do
		maude_next
		result "$(maude_verdict "$file" "$model" few "$flags" "$name")" refuted \
			"$text: $name fails, as expected" "$file.log"
	done
}

# maude_covered MODEL NAME: the property holds in some variant, and some mutant refutes it.
maude_covered()
{
	printf '%s\n' "${MAUDE_VARIANTS[@]}" |
		awk -F '\t' -v m="$1" -v n=" $2 " '$1 == m && index(" " $4 " ", n) { f = 1 } END { exit !f }' &&
		printf '%s\n' "${MAUDE_MUTANTS[@]}" |
		awk -F '\t' -v m="$1" -v n="$2" '$1 == m && $2 == n { f = 1 } END { exit !f }'
}

maude_suite()
{
	local model name text flags holds fails file verdict maude_searches=0

	. "$MODEL_DIR/maude/suite.sh"
	while IFS=$'\t' read -r model name text; do
		maude_wanted "$model" || continue
		maude_covered "$model" "$name" && verdict=yes || verdict=no
		result "$verdict" yes "$model: $name ($text) has a variant and a mutant" "$MODEL_DIR/maude/suite.sh"
	done < <(printf '%s\n' "${MAUDE_PROPERTIES[@]}")
	while IFS=$'\x1f' read -r model text flags holds fails; do
		maude_wanted "$model" || continue
		maude_variant_run "$model" "$text" "$flags" "$holds" "$fails"
	done < <(printf '%s\n' "${MAUDE_VARIANTS[@]}" | tr '\t' '\037')
	while IFS=$'\t' read -r model name text; do
		maude_wanted "$model" || continue
		maude_next
		result "$(maude_search "$file" "$model" start "" "$name(S:State)")" found "$model: $text" "$file.log"
	done < <(printf '%s\n' "${MAUDE_POSSIBLE[@]}")
	while IFS=$'\x1f' read -r model name flags text; do
		maude_wanted "$model" || continue
		maude_next
		result "$(maude_verdict "$file" "$model" few "$flags" "$name")" refuted \
			"$model: $name is refuted when $text" "$file.log"
	done < <(printf '%s\n' "${MAUDE_MUTANTS[@]}" | tr '\t' '\037')
}
