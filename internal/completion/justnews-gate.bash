# SPDX-License-Identifier: Apache-2.0
# bash completion of justnews-gate, as printed by: justnews-gate completion bash

_justnews_gate() {
	local cur=${COMP_WORDS[COMP_CWORD]} words=() word line begun quoted
	COMPREPLY=()
	type -P justnews-gate >/dev/null || return
	# bash cuts --flag=value in three, and leaves the quotes.
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == '=' ]] || words+=("${word//[\"\'\\]/}")
	done
	[[ $cur == '=' ]] && cur=''
	begun=${cur//[\"\'\\]/}
	while IFS= read -r line; do
		case $line in
		files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		directories) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
		*)
			word=${line%%$'\t'*}
			# Some names come from outside: one quoted word each, and in an
			# open quote only those that need no quotes.
			printf -v quoted %q "$word"
			[[ $word == "$begun"* && ($cur != [\"\']* || $quoted == "$word") ]] && COMPREPLY+=("$quoted")
			;;
		esac
	done < <(command justnews-gate candidates -- "${words[@]}" "$begun" 2>/dev/null)
}
complete -F _justnews_gate justnews-gate
