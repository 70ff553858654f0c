# SPDX-License-Identifier: Apache-2.0
# fish completion of justnews-gate, as printed by: justnews-gate completion fish

function __justnews_gate_candidates
	command -q justnews-gate; or return
	set -l words (commandline -opc)
	set -l token (commandline -ct)
	set -l begun (string replace -ra '["\'\\\\]' '' -- $token)
	for line in (command justnews-gate candidates -- $words[2..-1] "$begun" 2>/dev/null)
		switch $line
			case files
				complete -C "'' $token"
			case directories
				__fish_complete_directories $token
			case '*'
				# fish itself would search the help, too.
				string match -qi -- "*$begun*"\t'*' $line; and printf '%s\n' $line
		end
	end
end
complete -c justnews-gate -f -a '(__justnews_gate_candidates)'
