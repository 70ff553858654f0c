// SPDX-License-Identifier: Apache-2.0

package operators

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestSudoers_RefusesNamesWithAMeaningToSudo(t *testing.T) {
	for _, name := range []string{
		"", "ALL", "Adra", "ADMINS", "%wheel", "+netgroup", "#0", "#1000", "1000", "!adra", "-x", "--", ".adra",
		"adra,root", "adra, root", "adra root", "adra\troot", "adra\nroot ALL=(ALL) NOPASSWD: ALL", "adra\r", "adra\x00",
		"adra ALL=(ALL) NOPASSWD: ALL #", "adra:x", "adra=x", `adra\`, `"adra"`, "adra(x)", "adra@host", "adra*", "a?", "ädra", "adra\xff",
		"$(id)", "`id`", "adra;id", "adra|id", "adra/../x", "host$", strings.Repeat("a", 33),
	} {
		if err := CheckUser(name); err == nil {
			t.Errorf("%q is taken for a user", name)
		}
		if text, err := render([]string{"adra", name}); err == nil || text != "" {
			t.Errorf("%q: a rule is written:\n%s", name, text)
		}
	}
	for _, name := range []string{"adra", "_www", "j.doe", "site-1", "a", strings.Repeat("a", 32)} {
		if err := CheckUser(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestSudoers_ReadsBackOnlyItsOwnDropIn(t *testing.T) {
	text, err := render([]string{"site", "adra", "site"})
	if err != nil {
		t.Fatal(err)
	}
	users, err := Users(text)
	if err != nil || !slices.Equal(users, []string{"adra", "site"}) {
		t.Errorf("%q, %v", users, err)
	}
	if text, err := render(nil); text != "" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	for _, foreign := range []string{
		"", "adra ALL=(ALL) NOPASSWD: ALL\n", "adra ALL=(ALL) NOPASSWD: ALL\n" + text,
		strings.Replace(text, "adra, site", "adra, ALL", 1), strings.Replace(text, "adra, site", "", 1),
		strings.Replace(text, "adra, site", "site, adra", 1), strings.Replace(text, "NOSETENV: ", "", 1), text + "adra ALL=(ALL) ALL\n",
	} {
		if users, err := Users(foreign); !errors.Is(err, errForeign) {
			t.Errorf("%q: %q, %v", foreign, users, err)
		}
	}
}

// allowed reports whether sudo would allow arguments: its expressions are
// POSIX's, and Go reads these the same way. test/booted asks the real sudo.
func allowed(t *testing.T, args ...string) bool {
	t.Helper()
	if len(args) == 0 {
		return strings.Contains(rules, Program+` "", `)
	}
	found := regexp.MustCompile(regexp.QuoteMeta(Program)+` (\^.*\$)(?:, \\)?\n`).FindAllStringSubmatch(rules, -1)
	if len(found) != 2 {
		t.Fatalf("%d expressions", len(found))
	}
	return slices.ContainsFunc(found, func(m []string) bool {
		return regexp.MustCompile(strings.ReplaceAll(m[1], `\,`, ",")).MatchString(strings.Join(args, " "))
	})
}

func TestSudoers_AllowsReadOnlyCommandsOnly(t *testing.T) {
	for _, args := range [][]string{
		{}, {"preflight"}, {"preflight", "--timeout", "300"}, {"--gate-only", "mcp_bus"}, {"gate", "mcp_bus"},
		{"gate", "mcp_bus", "--timeout", "300"}, {"gate", "mcp_bus", "--timeout", "5min", "-v", "--json"},
		{"status"}, {"status", "--json"}, {"mps", "status"},
	} {
		if !allowed(t, args...) {
			t.Errorf("%q is refused", args)
		}
	}
	for _, args := range [][]string{
		{"--config", "/etc/shadow", "config", "check"}, {"preflight", "--config", "/etc/shadow"}, {"--root", "/home/adra", "preflight"},
		{"gate", "mcp_bus", "--config=/tmp/x"}, {"gate", "mcp_bus", "--root", "/tmp"}, {"gate", "mcp_bus scout"}, {"gate", "mcp_bus", "scout"},
		{"gate", "mcp_bus\n--config"}, {"gate", "../x"}, {"gate", "MCP"}, {"gate", "a;reboot"}, {"gate", ""}, {"gate"}, {"gate", strings.Repeat("a", 64)},
		{"preflight", "--stop"}, {"preflight", "--timeout"}, {"preflight", "--timeout", "0"}, {"preflight", "--timeout", "300x"},
		{"nopasswd", "install"}, {"nopasswd", "install", "--user", "adra"}, {"preload", "--refresh"}, {"mps", "start"}, {"models", "seal", "scout"},
		{"status", "--watch"}, {"statusx"}, {"xstatus"}, {"status", "-v", "x"}, {"", "status"}, {"status", ""}, {"-o", "json", "status"},
	} {
		if allowed(t, args...) {
			t.Errorf("%q is allowed", args)
		}
	}
}
