// SPDX-License-Identifier: Apache-2.0

package completion

import (
	"cmp"
	"fmt"
	"strings"
)

// fish uses a function of ours to find the position of the cursor, and has a
// line for everything that can be entered there.
func (t *tree) fish() string {
	var b strings.Builder
	at := "_" + t.function() + "_at"
	fmt.Fprintf(&b, `# SPDX-License-Identifier: Apache-2.0
# fish completion of %[1]s, made by: %[1]s completion fish

# True at a command, which is its path, after a number of its arguments ("any").
function %[2]s
	set -l path ''
	set -l skip 0
	set -l n 0
	for word in (commandline -opc)[2..-1]
		if test $skip -eq 1
			set skip 0
			continue
		end
		switch $word
`, t.program, at)
	for _, f := range t.flags {
		if f.takes != "" {
			fmt.Fprintf(&b, "\t\t\tcase %s\n\t\t\t\tset skip 1\n", f.either(" "))
		}
	}
	b.WriteString("\t\t\tcase '-*'\n\t\t\tcase '*'\n\t\t\t\tswitch $path/$word\n\t\t\t\t\tcase")
	for _, n := range t.nodes[1:] {
		b.WriteString(" " + n.path)
	}
	b.WriteString("\n\t\t\t\t\t\tset path $path/$word\n\t\t\t\t\tcase '*'\n\t\t\t\t\t\tset n (math $n + 1)\n\t\t\t\tend\n\t\tend\n\tend\n" +
		"\ttest \"$path\" = \"$argv[1]\"; and test \"$argv[2]\" = any -o \"$argv[2]\" = $n\nend\n\n")
	fmt.Fprintf(&b, "complete -c %s -f\n", t.program)
	for _, n := range t.nodes {
		when := func(n node, position string) string {
			return fmt.Sprintf("complete -c %s -n %s", t.program, fishQuote(at+" "+cmp.Or(n.path, `""`)+" "+position))
		}
		for _, c := range n.children {
			fmt.Fprintf(&b, "%s -a %s -d %s\n", when(n, "0"), c.name, fishQuote(c.help))
		}
		for i, a := range n.args {
			position := a.position(i)
			if a.many {
				position = "any"
			}
			if offer := a.values.fish(); offer != "" {
				fmt.Fprintf(&b, "%s%s\n", when(n, position), offer)
			}
		}
		for _, f := range n.flags {
			line := when(n, "any") + " -l " + strings.TrimPrefix(f.long, "--")
			if f.short != "" {
				line += " -s " + strings.TrimPrefix(f.short, "-")
			}
			if f.takes != "" {
				line += " -x" + f.values.fish()
			}
			fmt.Fprintf(&b, "%s -d %s\n", line, fishQuote(f.help))
		}
	}
	return b.String()
}

// fish returns the arguments of complete for the values, "" if there are none.
func (v Values) fish() string {
	switch {
	case v.Command != "":
		return " -a " + fishQuote("("+v.Command+" 2>/dev/null)")
	case v.Files:
		return " -a '(__fish_complete_path (commandline -ct))'"
	case v.Dirs:
		return " -a '(__fish_complete_directories (commandline -ct))'"
	case len(v.Words) > 0:
		return " -a " + fishQuote(strings.Join(v.Words, " "))
	}
	return ""
}
