# SPDX-License-Identifier: Apache-2.0
# bash completion of try-it, made by: try-it completion bash

_try_it() {
	local cur=${COMP_WORDS[COMP_CWORD]} path='' value='' word i n=0
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		# bash cuts --flag=value in three.
		[[ $word == '=' ]] && continue
		if [[ -n $value ]]; then
			value=''
			continue
		fi
		case $word in
		--config) value=--config ;;
		--color|-c) value=--color ;;
		--timeout) value=--timeout ;;
		-*) ;;
		*)
			case $path/$word in
			/check) path=/check ;;
			/gate) path=/gate ;;
			/config) path=/config ;;
			/config/show) path=/config/show ;;
			/config/verify) path=/config/verify ;;
			*) ((n++)) ;;
			esac
			;;
		esac
	done
	[[ $cur == '=' ]] && cur=''
	if [[ -n $value ]]; then
		case $value in
		--config) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		--color) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur") ;;
		esac
		return
	fi
	if [[ $cur == -* ]]; then
		case $path in
		'') mapfile -t COMPREPLY < <(compgen -W '--help -h --config --color -c --quiet -q --no-quiet --timeout' -- "$cur") ;;
		/check) mapfile -t COMPREPLY < <(compgen -W '--help -h --config --color -c --quiet -q --no-quiet --timeout' -- "$cur") ;;
		/gate) mapfile -t COMPREPLY < <(compgen -W '--help -h --config --color -c --quiet -q --no-quiet' -- "$cur") ;;
		/config) mapfile -t COMPREPLY < <(compgen -W '--help -h --config --color -c --quiet -q --no-quiet' -- "$cur") ;;
		/config/show) mapfile -t COMPREPLY < <(compgen -W '--help -h --config --color -c --quiet -q --no-quiet --origin' -- "$cur") ;;
		/config/verify) mapfile -t COMPREPLY < <(compgen -W '--help -h --config --color -c --quiet -q --no-quiet' -- "$cur") ;;
		esac
		return
	fi
	case $path:$n in
	:0) mapfile -t COMPREPLY < <(compgen -W 'check gate config' -- "$cur") ;;
	/gate:0) mapfile -t COMPREPLY < <(printf '%s\n' memory scout 2>/dev/null | while IFS= read -r word; do [[ $word == "$cur"* ]] && printf '%q\n' "$word"; done) ;;
	/gate:1) mapfile -t COMPREPLY < <(compgen -W 'MODEL-FAILED MODEL-MISSING' -- "$cur") ;;
	/config:0) mapfile -t COMPREPLY < <(compgen -W 'show verify' -- "$cur") ;;
	/config/verify:*) mapfile -t COMPREPLY < <(printf '%s\n' memory scout 2>/dev/null | while IFS= read -r word; do [[ $word == "$cur"* ]] && printf '%q\n' "$word"; done) ;;
	esac
}
complete -F _try_it try-it
