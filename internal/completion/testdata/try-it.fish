# SPDX-License-Identifier: Apache-2.0
# fish completion of try-it, made by: try-it completion fish

# True at a command, which is its path, after a number of its arguments ("any").
function __try_it_at
	set -l path ''
	set -l skip 0
	set -l n 0
	for word in (commandline -opc)[2..-1]
		if test $skip -eq 1
			set skip 0
			continue
		end
		switch $word
			case --config
				set skip 1
			case --color -c
				set skip 1
			case --timeout
				set skip 1
			case '-*'
			case '*'
				switch $path/$word
					case /check /gate /config /config/show /config/verify
						set path $path/$word
					case '*'
						set n (math $n + 1)
				end
		end
	end
	test "$path" = "$argv[1]"; and test "$argv[2]" = any -o "$argv[2]" = $n
end

complete -c try-it -f
complete -c try-it -n '__try_it_at "" 0' -a check -d 'Check the host.'
complete -c try-it -n '__try_it_at "" 0' -a gate -d 'One gate.'
complete -c try-it -n '__try_it_at "" 0' -a config -d 'The configuration.'
complete -c try-it -n '__try_it_at "" any' -l help -s h -d 'Show context-sensitive help.'
complete -c try-it -n '__try_it_at "" any' -l config -x -a '(__fish_complete_path (commandline -ct))' -d 'Read only this file.'
complete -c try-it -n '__try_it_at "" any' -l color -s c -x -a 'auto always never' -d 'It\'s [a] colour: auto, \\ or never.'
complete -c try-it -n '__try_it_at "" any' -l quiet -s q -d 'Say less.'
complete -c try-it -n '__try_it_at "" any' -l no-quiet -d 'Not: Say less.'
complete -c try-it -n '__try_it_at "" any' -l timeout -x -d 'How long.'
complete -c try-it -n '__try_it_at /check any' -l help -s h -d 'Show context-sensitive help.'
complete -c try-it -n '__try_it_at /check any' -l config -x -a '(__fish_complete_path (commandline -ct))' -d 'Read only this file.'
complete -c try-it -n '__try_it_at /check any' -l color -s c -x -a 'auto always never' -d 'It\'s [a] colour: auto, \\ or never.'
complete -c try-it -n '__try_it_at /check any' -l quiet -s q -d 'Say less.'
complete -c try-it -n '__try_it_at /check any' -l no-quiet -d 'Not: Say less.'
complete -c try-it -n '__try_it_at /check any' -l timeout -x -d 'How long.'
complete -c try-it -n '__try_it_at /gate 0' -a '(printf \'%s\\n\' memory scout 2>/dev/null)'
complete -c try-it -n '__try_it_at /gate 1' -a 'MODEL-FAILED MODEL-MISSING'
complete -c try-it -n '__try_it_at /gate any' -l help -s h -d 'Show context-sensitive help.'
complete -c try-it -n '__try_it_at /gate any' -l config -x -a '(__fish_complete_path (commandline -ct))' -d 'Read only this file.'
complete -c try-it -n '__try_it_at /gate any' -l color -s c -x -a 'auto always never' -d 'It\'s [a] colour: auto, \\ or never.'
complete -c try-it -n '__try_it_at /gate any' -l quiet -s q -d 'Say less.'
complete -c try-it -n '__try_it_at /gate any' -l no-quiet -d 'Not: Say less.'
complete -c try-it -n '__try_it_at /config 0' -a show -d 'Show it.'
complete -c try-it -n '__try_it_at /config 0' -a verify -d 'Verify it.'
complete -c try-it -n '__try_it_at /config any' -l help -s h -d 'Show context-sensitive help.'
complete -c try-it -n '__try_it_at /config any' -l config -x -a '(__fish_complete_path (commandline -ct))' -d 'Read only this file.'
complete -c try-it -n '__try_it_at /config any' -l color -s c -x -a 'auto always never' -d 'It\'s [a] colour: auto, \\ or never.'
complete -c try-it -n '__try_it_at /config any' -l quiet -s q -d 'Say less.'
complete -c try-it -n '__try_it_at /config any' -l no-quiet -d 'Not: Say less.'
complete -c try-it -n '__try_it_at /config/show any' -l help -s h -d 'Show context-sensitive help.'
complete -c try-it -n '__try_it_at /config/show any' -l config -x -a '(__fish_complete_path (commandline -ct))' -d 'Read only this file.'
complete -c try-it -n '__try_it_at /config/show any' -l color -s c -x -a 'auto always never' -d 'It\'s [a] colour: auto, \\ or never.'
complete -c try-it -n '__try_it_at /config/show any' -l quiet -s q -d 'Say less.'
complete -c try-it -n '__try_it_at /config/show any' -l no-quiet -d 'Not: Say less.'
complete -c try-it -n '__try_it_at /config/show any' -l origin -d 'Name the lines.'
complete -c try-it -n '__try_it_at /config/verify any' -a '(printf \'%s\\n\' memory scout 2>/dev/null)'
complete -c try-it -n '__try_it_at /config/verify any' -l help -s h -d 'Show context-sensitive help.'
complete -c try-it -n '__try_it_at /config/verify any' -l config -x -a '(__fish_complete_path (commandline -ct))' -d 'Read only this file.'
complete -c try-it -n '__try_it_at /config/verify any' -l color -s c -x -a 'auto always never' -d 'It\'s [a] colour: auto, \\ or never.'
complete -c try-it -n '__try_it_at /config/verify any' -l quiet -s q -d 'Say less.'
complete -c try-it -n '__try_it_at /config/verify any' -l no-quiet -d 'Not: Say less.'
