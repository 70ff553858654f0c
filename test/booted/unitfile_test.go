// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"justnews/internal/unitfile"
	"justnews/test/bed"
)

var (
	brokenUnits = flag.Int("broken-units", 100, "how many unit files TestUnitFile_IsReadAsSystemdReadsIt compares")
	brokenSeed  = flag.Uint64("broken-seed", 1, "the seed of TestUnitFile_IsReadAsSystemdReadsIt")
)

// drawBroken writes a unit file with errors between settings that show whether systemd
// read them: each sets a variable of its own.
func drawBroken(random *rand.Rand) string {
	pick := func(all ...string) string { return all[random.IntN(len(all))] }
	var text strings.Builder
	text.WriteString(pick("", "\ufeff", "\n", "# comment\n") + "[Service]" + pick("\n", "\r\n", " \n"))
	for n := range 12 {
		fmt.Fprintf(&text, "%sEnvironment%s=%sV%d=1%s", pick("", "", " ", "\t"), pick("", "", " "), pick("", " "), n, pick("\n", "\n", "\r\n", " \n", "\r", "\n\r", "\\\n\n", " \\\n", " \\\n;x\n", "\\\\\n"))
		if random.IntN(3) == 0 {
			text.WriteString(pick("nothing\n", "=x\n", "[Service\n", "[Service]\n", "[Unit]\n", "[]\n", "[Service]x\n", "[ Service ]\n", "Description=\xff\n", "\xff\n", "# \xff\n", "Nice=abc\n", "Unknown=1\n",
				"ExecStartPre=bin/x\n", "ExecStartPre=/bin/sh 'x\n", "ExecStartPre=-/bin/true \\q\n", "ExecStartPre=/bin/true ;\n", "ExecStartPre=/bin/true ; bin/x\n", "ExecStartPre=\n", "ExecStartPre=@/bin/true\n",
				"ExecStartPre=/bin/true %\n", "ExecStartPre=~/x\n", "ExecStartPre=/bin/\n", "Description=a\x00b\n", "X-Own=\\\n", ".include /etc/x\n", ";[Unit]\n", "ExecStopPost=x/y\n", "ExecStartPre=\"/bin/sh\n", "ExecStartPre=-:+/bin/true\n", "ExecStartPre='bin/x'\n",
				"ExecStartPre=${X}/y\n", "Description="+strings.Repeat("x", 1<<20)+"\n"))
		}
	}
	return text.String() + pick("", "\n", "\\", "ExecStart=/bin/true\n")
}

// A file that somebody else wrote is read like systemd reads it: with the same settings,
// and as far.
func TestUnitFile_IsReadAsSystemdReadsIt(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		m := bed.Boot(t, bed.Options{Suite: suite})
		m.WaitIdle()
		random := rand.New(rand.NewPCG(*brokenSeed, 0))
		texts := map[string]string{}
		for n := range *brokenUnits {
			name := fmt.Sprintf("broken-%d.service", n)
			texts[name] = drawBroken(random)
			m.WriteFile("/etc/systemd/system/"+name, texts[name])
		}
		m.Must("systemctl", "daemon-reload")
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			shown := m.Must("systemctl", "show", "--value", "--property=Environment", name)
			got := ownVariables(shown, false) // quoted for a shell
			settings, faults := unitfile.Scan([]byte(texts[name]))
			var want []string
			for _, s := range settings {
				if s.Section == "Service" && s.Key == "Environment" {
					want = append(want, ownVariables(s.Value, true)...)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s of seed %d: systemd read %q, Scan %q and %v\n%q", name, *brokenSeed, got, want, faults, strings.ReplaceAll(texts[name], strings.Repeat("x", 1<<20), "x…"))
			}
		}
	})
}

// ownVariables returns the names of the variables of drawBroken that a list of assignments sets.
func ownVariables(list string, unescape bool) (names []string) {
	words, _ := unitfile.Words(list, unescape)
	for _, word := range words {
		if name, _, ok := strings.Cut(word, "="); ok && strings.HasPrefix(name, "V") {
			names = append(names, name)
		}
	}
	return names
}
