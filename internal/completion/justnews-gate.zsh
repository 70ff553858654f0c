#compdef justnews-gate
# SPDX-License-Identifier: Apache-2.0
# zsh completion of justnews-gate, as printed by: justnews-gate completion zsh

_justnews-gate() {
	local line word help
	local -a found
	(( $+commands[justnews-gate] )) || return 1
	for line in ${(f)"$(command justnews-gate candidates -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)"}; do
		case $line in
		files) compset -P '--*='; _files; return ;;
		directories) compset -P '--*='; _files -/; return ;;
		esac
		word=${line%%$'\t'*} help=${line#*$'\t'}
		found+=("${${word//\\/\\\\}//:/\\:}${help:+:$help}")
	done
	_describe word found
}

if [ "$funcstack[1]" = _justnews-gate ]; then
	_justnews-gate "$@"
else
	compdef _justnews-gate justnews-gate
fi
