// SPDX-License-Identifier: Apache-2.0

package completion

import (
	"fmt"
	"strings"
)

// zsh has a function for each command, on top of zsh's own _arguments.
func (t *tree) zsh() string {
	var b strings.Builder
	fmt.Fprintf(&b, "#compdef %[1]s\n# SPDX-License-Identifier: Apache-2.0\n# zsh completion of %[1]s, made by: %[1]s completion zsh\n", t.program)
	for _, n := range t.nodes {
		t.zshNode(&b, n)
	}
	fmt.Fprintf(&b, `
if [ "$funcstack[1]" = %[1]s ]; then
	%[1]s "$@"
else
	compdef %[1]s %[2]s
fi
`, t.zshFunction(node{}), t.program)
	return b.String()
}

// zshFunction returns the name of a command's function. The program's has the
// name of the file, so that autoloading the file calls it.
func (t *tree) zshFunction(n node) string {
	return "_" + t.program + strings.ReplaceAll(n.path, "/", "_")
}

func (t *tree) zshNode(b *strings.Builder, n node) {
	fmt.Fprintf(b, "\n%s() {\n", t.zshFunction(n))
	if len(n.children) > 0 {
		b.WriteString("\tlocal curcontext=$curcontext context state state_descr line\n\ttypeset -A opt_args\n\tlocal -a commands=(\n")
		for _, c := range n.children {
			fmt.Fprintf(b, "\t\t%s\n", quote(c.name+":"+c.help))
		}
		b.WriteString("\t)\n")
	}
	b.WriteString("\t_arguments -s -S -C")
	for _, f := range n.flags {
		for _, spec := range f.zsh() {
			fmt.Fprintf(b, " \\\n\t\t%s", quote(spec))
		}
	}
	for i, a := range n.args {
		position := fmt.Sprint(i + 1)
		if a.many {
			position = "*"
		}
		fmt.Fprintf(b, " \\\n\t\t%s", quote(fmt.Sprintf("%s:%s:%s", position, a.name, a.values.zsh())))
	}
	if len(n.children) == 0 {
		b.WriteString("\n}\n")
		return
	}
	b.WriteString(" \\\n\t\t'1: :->command' \\\n\t\t'*:: :->rest'\n\tcase $state in\n\tcommand) _describe command commands ;;\n\trest)\n\t\tcase $words[1] in\n")
	for _, c := range n.children {
		fmt.Fprintf(b, "\t\t%s) %s ;;\n", c.name, t.zshFunction(c))
	}
	b.WriteString("\t\tesac\n\t\t;;\n\tesac\n}\n")
}

// zsh returns the specs of a flag: one for each of its names.
func (f flag) zsh() []string {
	var specs []string
	for _, name := range []string{f.short, f.long} {
		if name == "" {
			continue
		}
		help := strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`).Replace(f.help)
		if f.takes == "" {
			specs = append(specs, name+"["+help+"]")
			continue
		}
		if strings.HasPrefix(name, "--") {
			name += "="
		}
		specs = append(specs, fmt.Sprintf("%s[%s]:%s:%s", name, help, f.takes, f.values.zsh()))
	}
	return specs
}

// zsh returns an action of _arguments.
func (v Values) zsh() string {
	switch {
	case v.Command != "":
		return `{compadd -- ${(f)"$(` + v.Command + ` 2>/dev/null)"}}`
	case v.Files:
		return "_files"
	case v.Dirs:
		return "_files -/"
	case len(v.Words) > 0:
		return "(" + strings.Join(v.Words, " ") + ")"
	}
	return " "
}
