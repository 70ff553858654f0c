// SPDX-License-Identifier: Apache-2.0

package completion

import (
	"cmp"
	"fmt"
	"strings"

	"justnews/internal/lists"
)

// bash follows the words before the cursor to a command, then offers what can
// be entered. It does not need bash-completion.
func (t *tree) bash() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# SPDX-License-Identifier: Apache-2.0
# bash completion of %[1]s, made by: %[1]s completion bash

%[2]s() {
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
`, t.program, t.function())
	for _, f := range t.flags {
		if f.takes != "" {
			fmt.Fprintf(&b, "\t\t%s) value=%s ;;\n", f.either("|"), f.long)
		}
	}
	b.WriteString("\t\t-*) ;;\n\t\t*)\n\t\t\tcase $path/$word in\n")
	for _, n := range t.nodes[1:] {
		fmt.Fprintf(&b, "\t\t\t%[1]s) path=%[1]s ;;\n", n.path)
	}
	b.WriteString("\t\t\t*) ((n++)) ;;\n\t\t\tesac\n\t\t\t;;\n\t\tesac\n\tdone\n")
	b.WriteString("\t[[ $cur == '=' ]] && cur=''\n\tif [[ -n $value ]]; then\n\t\tcase $value in\n")
	for _, f := range t.flags {
		if offer := f.values.bash(); offer != "" {
			fmt.Fprintf(&b, "\t\t%s) %s ;;\n", f.long, offer)
		}
	}
	b.WriteString("\t\tesac\n\t\treturn\n\tfi\n\tif [[ $cur == -* ]]; then\n\t\tcase $path in\n")
	for _, n := range t.nodes {
		fmt.Fprintf(&b, "\t\t%s) mapfile -t COMPREPLY < <(compgen -W %s -- \"$cur\") ;;\n", cmp.Or(n.path, "''"), quote(strings.Join(n.flagNames(), " ")))
	}
	b.WriteString("\t\tesac\n\t\treturn\n\tfi\n\tcase $path:$n in\n")
	for _, n := range t.nodes {
		if words := lists.Map(n.children, func(c node) string { return c.name }); len(words) > 0 {
			fmt.Fprintf(&b, "\t%s:0) %s ;;\n", n.path, Values{Words: words}.bash())
		}
		for i, a := range n.args {
			if offer := a.values.bash(); offer != "" {
				fmt.Fprintf(&b, "\t%s:%s) %s ;;\n", n.path, a.position(i), offer)
			}
		}
	}
	fmt.Fprintf(&b, "\tesac\n}\ncomplete -F %s %s\n", t.function(), t.program)
	return b.String()
}

// bash returns the command that fills COMPREPLY, "" if there is none. The
// output of a command consists of names from outside: compgen -W would expand
// them, and so execute $( ). They are offered as one quoted word each.
func (v Values) bash() string {
	var generate string
	switch {
	case v.Command != "":
		return `mapfile -t COMPREPLY < <(` + v.Command + ` 2>/dev/null | while IFS= read -r word; do [[ $word == "$cur"* ]] && printf '%q\n' "$word"; done)`
	case v.Files:
		return `compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur")`
	case v.Dirs:
		return `compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur")`
	case len(v.Words) > 0:
		generate = "-W " + quote(strings.Join(v.Words, " "))
	default:
		return ""
	}
	return "mapfile -t COMPREPLY < <(compgen " + generate + ` -- "$cur")`
}

func (f flag) either(separator string) string {
	if f.short == "" {
		return f.long
	}
	return f.long + separator + f.short
}

func (n node) flagNames() []string {
	var names []string
	for _, f := range n.flags {
		names = append(names, f.long)
		if f.short != "" {
			names = append(names, f.short)
		}
	}
	return names
}

// position is the pattern of the number of arguments before this one.
func (a arg) position(i int) string {
	if a.many {
		return "*"
	}
	return fmt.Sprint(i)
}
