# SPDX-License-Identifier: GPL-2.0
# bash completion of jvpnctl(8)

_jvpnctl_verbs() {
	case $1 in
	"") echo init peer genkey pubkey genpsk session transport policy events audit config status reload up down ;;
	session) echo list show explain jump terminate watch ;;
	init) echo gateway client ;;
	peer) echo add remove list ;;
	transport | policy) echo list ;;
	audit) echo verify ;;
	config) echo check ;;
	esac
}

_jvpnctl_options() {
	local common="-i --device --socket --json -h --help"

	case $1 in
	"") echo "$common --version" ;;
	"init gateway") echo "$common --endpoint --port --pool --dir" ;;
	"init client") echo "$common --from --gateway-key --endpoint --routes --dir" ;;
	"peer add") echo "$common --qr --out --public-key --endpoint --address --routes --policy --dir" ;;
	"peer remove" | "peer list") echo "$common --dir" ;;
	"session list") echo "$common --ids" ;;
	"session jump") echo "$common -t --timeout" ;;
	"session terminate") echo "$common --stay-down" ;;
	"session watch") echo "$common -n --interval -c --count" ;;
	events) echo "$common -f --follow" ;;
	"audit verify") echo "$common --head --slack" ;;
	"config check") echo "$common --no-key-files" ;;
	*) echo "$common" ;;
	esac
}

_jvpnctl_sessions() {
	jvpnctl session list --ids 2>/dev/null
}

# Those of files: others are removed in the configuration.
_jvpnctl_peers() {
	jvpnctl peer list 2>/dev/null | awk '$NF == "peers_dir" { print $1 }'
}

# Names in the first column of a table that the daemon gave.
_jvpnctl_transports() {
	jvpnctl transport list 2>/dev/null | awk '$1 == "TRANSPORT" { on = 1; next } on { print $1 }'
}

_jvpnctl() {
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local verb="" i arguments=0

	COMPREPLY=()
	case $previous in
	-i | --device)
		mapfile -t COMPREPLY < <(compgen -W "$(ip -o link show type jvpn 2>/dev/null |
			awk -F': ' '{ print $2 }')" -- "$word")
		return
		;;
	--dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	--socket | --from | --out)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	esac

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-i | --device | --socket | -t | --timeout | -n | --interval | -c | --count | \
			--head | --slack | --endpoint | --port | --pool | --dir | --from | --gateway-key | \
			--routes | --out | --public-key | --address | --policy) ((i++)) ;;
		-*) ;;
		*)
			if [ -z "$verb" ]; then
				verb=${COMP_WORDS[i]}
			elif [[ $verb != *" "* && -n $(_jvpnctl_verbs "$verb") ]]; then
				verb="$verb ${COMP_WORDS[i]}"
			else
				((arguments++))
			fi
			;;
		esac
	done

	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_jvpnctl_options "$verb")" -- "$word")
	elif [[ $verb != *" "* && (-z $verb || -n $(_jvpnctl_verbs "$verb")) ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_jvpnctl_verbs "$verb")" -- "$word")
	elif [[ $verb == "session jump" && $arguments -eq 1 ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_jvpnctl_transports)" -- "$word")
	elif [[ $verb == "peer remove" && $arguments -eq 0 ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_jvpnctl_peers)" -- "$word")
	elif [[ $verb == session\ * && $verb != "session list" && $arguments -eq 0 ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_jvpnctl_sessions)" -- "$word")
	elif [[ $verb == "audit verify" || $verb == "config check" ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}

complete -F _jvpnctl jvpnctl
