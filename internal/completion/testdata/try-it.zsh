#compdef try-it
# SPDX-License-Identifier: Apache-2.0
# zsh completion of try-it, made by: try-it completion zsh

_try-it() {
	local curcontext=$curcontext context state state_descr line
	typeset -A opt_args
	local -a commands=(
		'check:Check the host.'
		'gate:One gate.'
		'config:The configuration.'
	)
	_arguments -s -S -C \
		'-h[Show context-sensitive help.]' \
		'--help[Show context-sensitive help.]' \
		'--config=[Read only this file.]:FILE:_files' \
		'-c[It'\''s \[a\] colour\: auto, \\ or never.]:WHEN:(auto always never)' \
		'--color=[It'\''s \[a\] colour\: auto, \\ or never.]:WHEN:(auto always never)' \
		'-q[Say less.]' \
		'--quiet[Say less.]' \
		'--no-quiet[Not\: Say less.]' \
		'--timeout=[How long.]:TIME: ' \
		'1: :->command' \
		'*:: :->rest'
	case $state in
	command) _describe command commands ;;
	rest)
		case $words[1] in
		check) _try-it_check ;;
		gate) _try-it_gate ;;
		config) _try-it_config ;;
		esac
		;;
	esac
}

_try-it_check() {
	_arguments -s -S -C \
		'-h[Show context-sensitive help.]' \
		'--help[Show context-sensitive help.]' \
		'--config=[Read only this file.]:FILE:_files' \
		'-c[It'\''s \[a\] colour\: auto, \\ or never.]:WHEN:(auto always never)' \
		'--color=[It'\''s \[a\] colour\: auto, \\ or never.]:WHEN:(auto always never)' \
		'-q[Say less.]' \
		'--quiet[Say less.]' \
		'--no-quiet[Not\: Say less.]' \
		'--timeout=[How long.]:TIME: '
}

_try-it_gate() {
	_arguments -s -S -C \
		'-h[Show context-sensitive help.]' \
		'--help[Show context-sensitive help.]' \
		'--config=[Read only this file.]:FILE:_files' \
		'-c[It'\''s \[a\] colour\: auto, \\ or never.]:WHEN:(auto always never)' \
		'--color=[It'\''s \[a\] colour\: auto, \\ or never.]:WHEN:(auto always never)' \
		'-q[Say less.]' \
		'--quiet[Say less.]' \
		'--no-quiet[Not\: Say less.]' \
		'1:INSTANCE:{compadd -- ${(f)"$(printf '\''%s\n'\'' memory scout 2>/dev/null)"}}' \
		'2:CODE:(MODEL-FAILED MODEL-MISSING)'
}

_try-it_config() {
	local curcontext=$curcontext context state state_descr line
	typeset -A opt_args
	local -a commands=(
		'show:Show it.'
		'verify:Verify it.'
	)
	_arguments -s -S -C \
		'-h[Show context-sensitive help.]' \
		'--help[Show context-sensitive help.]' \
		'--config=[Read only this file.]:FILE:_files' \
		'-c[It'\''s \[a\] colour\: auto, \\ or never.]:WHEN:(auto always never)' \
		'--color=[It'\''s \[a\] colour\: auto, \\ or never.]:WHEN:(auto always never)' \
		'-q[Say less.]' \
		'--quiet[Say less.]' \
		'--no-quiet[Not\: Say less.]' \
		'1: :->command' \
		'*:: :->rest'
	case $state in
	command) _describe command commands ;;
	rest)
		case $words[1] in
		show) _try-it_config_show ;;
		verify) _try-it_config_verify ;;
		esac
		;;
	esac
}

_try-it_config_show() {
	_arguments -s -S -C \
		'-h[Show context-sensitive help.]' \
		'--help[Show context-sensitive help.]' \
		'--config=[Read only this file.]:FILE:_files' \
		'-c[It'\''s \[a\] colour\: auto, \\ or never.]:WHEN:(auto always never)' \
		'--color=[It'\''s \[a\] colour\: auto, \\ or never.]:WHEN:(auto always never)' \
		'-q[Say less.]' \
		'--quiet[Say less.]' \
		'--no-quiet[Not\: Say less.]' \
		'--origin[Name the lines.]'
}

_try-it_config_verify() {
	_arguments -s -S -C \
		'-h[Show context-sensitive help.]' \
		'--help[Show context-sensitive help.]' \
		'--config=[Read only this file.]:FILE:_files' \
		'-c[It'\''s \[a\] colour\: auto, \\ or never.]:WHEN:(auto always never)' \
		'--color=[It'\''s \[a\] colour\: auto, \\ or never.]:WHEN:(auto always never)' \
		'-q[Say less.]' \
		'--quiet[Say less.]' \
		'--no-quiet[Not\: Say less.]' \
		'*:INSTANCE:{compadd -- ${(f)"$(printf '\''%s\n'\'' memory scout 2>/dev/null)"}}'
}

if [ "$funcstack[1]" = _try-it ]; then
	_try-it "$@"
else
	compdef _try-it try-it
fi
