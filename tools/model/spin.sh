# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Runs the Promela models with the project's own C files. Sourced by run.

declare -A SPIN_MODEL		# name -> file and options of spin
declare -a SPIN_MODELS SPIN_PROPERTIES SPIN_MUTANTS

# model NAME FILE [-DOPTION...]
model()
{
	SPIN_MODELS+=("$1")
	SPIN_MODEL[$1]=${*:2}
}

# property MODEL ID TEXT: what holds. An ID that begins with L is an LTL formula of the file,
# others are assertions.
property()
{
	SPIN_PROPERTIES+=("$1	$2	$3")
}

# mutant MODEL ID -DOPTION TEXT, or
# mutant MODEL ID FILE SED TEXT: what refutes it. FILE is one of kernel/core.
mutant()
{
	if [ $# = 4 ]; then
		SPIN_MUTANTS+=("$1	$2	$3		$4")
	else
		SPIN_MUTANTS+=("$1	$2	$3	$4	$5")
	fi
}

# spin_lay DIR FILE: the model beside what it includes, and copies of the project's files.
spin_lay()
{
	mkdir -p "$1"
	cp "$MODEL_DIR/spin/$2" "$MODEL_DIR/spin/common.h" "$1"
	cp "$JVPN_TOP"/kernel/core/{fsm,limits}.[ch] "$JVPN_TOP/kernel/core/core.h" "$1"
	awk -f "$MODEL_DIR/names.awk" "$JVPN_TOP/uapi/linux/jvpn.h" > "$1/names.h"
	awk -f "$MODEL_DIR/table.awk" "$JVPN_TOP/Documentation/state-machine.md" > "$1/table.h"
	[ -s "$1/table.h" ] || die "no transition table in Documentation/state-machine.md"
}

# spin_text DIR FILE OPTION...: the model as spin sees it, to tell whether an option matters.
spin_text()
{
	(cd "$1" && gcc -E -P -x c -w "${@:3}" "$2" 2> /dev/null)
}

# spin_optimise: Spin makes one function of a model; of a large one gcc takes minutes to optimise it.
spin_optimise()
{
	[ "$(stat -c %s pan.m)" -lt 300000 ] && echo 2 || echo 0
}

# spin_compile DIR KIND FILE OPTION...: KIND is safety or liveness.
spin_compile()
{
	local dir=$1 kind=$2
	local -a options=(-DSAFETY -DNOCLAIM -DCOLLAPSE)

	shift 2
	[ "$kind" = safety ] || options=(-DNOREDUCE -DCOLLAPSE)
	(cd "$dir" && spin -a "${@:2}" "$1" &&
		gcc "-O$(spin_optimise)" -w "${options[@]}" -DMEMLIM="$MODEL_MEMORY" -I"$JVPN_TOP/uapi" -o pan \
			pan.c fsm.c limits.c) > "$dir/build.log" 2>&1
}

# spin_search DIR OPTION...: holds, refuted or undecided.
spin_search()
{
	local dir=$1 log=$1/pan.log
	shift

	(cd "$dir" && rm -f ./*.trail && timeout "$MODEL_LIMIT" ./pan -n -m2000000 "$@") \
		> "$log" 2>&1 || true
	if grep -qE 'assertion violated|acceptance cycle' "$log" && grep -q 'errors: 1' "$log"; then
		(cd "$dir" && ./pan -r -n "$@" > trail.log 2>&1) || true
		echo refuted
	elif grep -q 'errors: 0' "$log" && ! grep -qE 'max search depth|not complete|out of memory' "$log"
	then
		echo holds
	else
		echo undecided
	fi
}

# spin_check NAME ID FILES-DIR FILE OPTION...: builds and searches for one property.
spin_check()
{
	local dir=$1 id=$2
	shift 2

	case $id in
	L*)
		spin_compile "$dir" liveness "$@" -DONLY=PROP_NONE || return 0
		spin_search "$dir" -a -f -N "$id"
		;;
	*)
		spin_compile "$dir" safety "$@" -DONLY="PROP_$id" || return 0
		spin_search "$dir"
		;;
	esac
}

# spin_states DIR
spin_states()
{
	sed -nE 's/^ *([0-9]+) states, stored.*/\1 states/p' "$1/pan.log" 2> /dev/null
}

# spin_of MODEL ARRAY-LINES...: those of a model.
spin_of()
{
	local name=$1
	shift
	printf '%s\n' "$@" | awk -F '\t' -v name="$name" '$1 == name'
}

# spin_model NAME: first all assertions at once; one by one if that does not hold.
spin_model()
{
	local name=$1 all=$MODEL_BUILD/spin/$1 dir verdict file id text
	local -a spec

	read -ra spec <<< "${SPIN_MODEL[$name]}"
	file=${spec[0]}
	spin_lay "$all" "$file"
	verdict=undecided
	if spin_compile "$all" safety "${spec[@]}" -DONLY=PROP_ALL; then
		verdict=$(spin_search "$all")
	fi
	result "$verdict" holds "$name: no assertion fails, no deadlock ($(spin_states "$all"))" "$all/pan.log"
	while IFS=$'\t' read -r _ id text; do
		dir=$all
		if [ "$verdict" != holds ] || [[ $id = L* ]]; then
			dir=$MODEL_BUILD/spin/$name-$id
			spin_lay "$dir" "$file"
			result "$(spin_check "$dir" "$id" "${spec[@]}")" holds "$name: $id $text" "$dir/pan.log"
		else
			result holds holds "$name: $id $text" "$dir/pan.log"
		fi
		[ -n "$(spin_of "$name" "${SPIN_MUTANTS[@]}" | awk -F '\t' -v id="$id" '$2 == id')" ] ||
			result "without a mutant" "with one" "$name: $id has a mutant" "$dir"
	done < <(spin_of "$name" "${SPIN_PROPERTIES[@]}")
}

# spin_mutate DIR OPTION-OR-FILE SED FILE OPTION...: makes the mistake in DIR, if it still can be.
spin_mutate()
{
	local dir=$1 what=$2 edit=$3
	shift 3

	if [[ $what = -D* ]]; then
		! cmp -s <(spin_text "$dir" "$@") <(spin_text "$dir" "$@" "$what")
	else
		sed -i.orig -E "$edit" "$dir/$what" && ! cmp -s "$dir/$what" "$dir/$what.orig"
	fi
}

# spin_mutant MODEL ID OPTION-OR-FILE SED TEXT
spin_mutant()
{
	local name=$1 id=$2 what=$3 dir verdict
	local -a spec

	read -ra spec <<< "${SPIN_MODEL[$name]}"
	dir=$MODEL_BUILD/spin/$name-$id-mutant-$((++spin_mutants))
	spin_lay "$dir" "${spec[0]}"
	if ! spin_mutate "$dir" "$what" "$4" "${spec[@]}"; then
		verdict="the mutation does not apply any more"
	elif [[ $what = -D* ]]; then
		verdict=$(spin_check "$dir" "$id" "${spec[@]}" "$what")
	else
		verdict=$(spin_check "$dir" "$id" "${spec[@]}")
	fi
	result "${verdict:-does not compile}" refuted "$name: $id is refuted when $5" "$dir/pan.log"
}

spin_suite()
{
	local name id what edit text spin_mutants=0

	. "$MODEL_DIR/spin/suite.sh"
	for name in ${MODELS:-"${SPIN_MODELS[@]}"}; do
		spin_model "$name"
		while IFS=$'\x1f' read -r _ id what edit text; do
			spin_mutant "$name" "$id" "$what" "$edit" "$text"
		done < <(spin_of "$name" "${SPIN_MUTANTS[@]}" | tr '\t' '\037')
	done
}
