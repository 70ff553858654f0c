// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/records"
)

const runbook = "man/justnews-systemd.7"

// literals returns the words of a page that are set as literals.
func literals(page string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^\.(?:Pq )?Li (.*)$`).FindAllStringSubmatch(page, -1) {
		for word := range strings.FieldsSeq(m[1]) {
			all = append(all, strings.Trim(word, ","))
		}
	}
	return all
}

func TestRunbook_EveryCodeInTheManualIsInTheCatalogue(t *testing.T) {
	found := 0
	for _, name := range pages(t) {
		if strings.Contains(name, "justnews-problems") {
			continue
		}
		for _, word := range literals(read(t, name)) {
			if !code.MatchString(word) {
				continue
			}
			found++
			if !diag.Code(word).Known() {
				t.Errorf("%s: there is no code %s", name, word)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d codes found", found)
	}
}

// mustNotBeMissing are the causes of the runbook that this page replaces.
var mustNotBeMissing = []diag.Code{
	diag.ModelFailed, diag.MapInvalid, diag.ServicePath, diag.OrchestratorUnit, diag.MPSDead, diag.Ungated, diag.GateOff,
}

func TestRunbook_HasItsCauses(t *testing.T) {
	words := literals(read(t, runbook))
	for _, c := range mustNotBeMissing {
		if !slices.Contains(words, string(c)) {
			t.Errorf("the page does not name %s", c)
		}
	}
	page := read(t, runbook)
	for _, s := range []string{"UNITS", "WHERE TO LOOK", "SYMPTOMS", "QUICK RECOVERY", "OPENING A GATE BY HAND", "PREVENTIVE STEPS"} {
		section(t, page, "Sh", s)
	}
	for _, part := range strings.Split(page, "\n.Ss ")[1:] {
		if !strings.Contains(part, ".It Cause\n") {
			continue
		}
		for _, want := range []string{".It Fix\n", ".It Verify\n"} {
			if !strings.Contains(part, want) {
				t.Errorf("%s: no %s", strings.SplitN(part, "\n", 2)[0], strings.TrimSpace(want))
			}
		}
	}
}

// key matches a key of the configuration with its table.
var key = regexp.MustCompile(`^[a-z]+\.[a-z_]+$`)

func TestRunbook_EveryKeyInTheRunbookIsOne(t *testing.T) {
	known := map[string]bool{}
	for _, table := range config.Tables() {
		for _, k := range table.Keys {
			known[table.Name+"."+k.Name] = true
		}
	}
	found := 0
	for _, word := range literals(read(t, runbook)) {
		if !key.MatchString(word) || strings.HasSuffix(word, ".target") || strings.HasPrefix(word, "justnews.") {
			continue
		}
		if found++; !known[word] {
			t.Errorf("there is no key %s", word)
		}
	}
	if found == 0 {
		t.Error("no key found")
	}
}

func TestRunbook_EveryUnitInTheRunbookIsInstalled(t *testing.T) {
	for _, m := range regexp.MustCompile(`(?m)^\.(?:It )?Pa (justnews[a-z@-]*(?:INSTANCE)?\.(?:service|target|timer))\b`).FindAllStringSubmatch(read(t, runbook), -1) {
		name := strings.ReplaceAll(m[1], "INSTANCE", "")
		if _, err := os.Stat(filepath.Join(repository, "units", name)); err != nil {
			t.Errorf("there is no %s", name)
		}
	}
}

// A start of our units without reset-failed before it is refused once a start
// limit was hit.
func TestRunbook_StartsResetTheStartLimitFirst(t *testing.T) {
	before, found := "", 0
	for line := range strings.Lines(read(t, runbook)) {
		at := strings.Index(line, "systemctl start justnews.target")
		if at >= 0 && !strings.HasPrefix(line, ".Li ") {
			if found++; !strings.Contains(before+line[:at], "reset-failed") {
				t.Errorf("no reset-failed before: %s", line)
			}
		}
		if strings.HasPrefix(line, "justnews-gate retry") { // which resets
			found++
		}
		before = line
	}
	if found < 4 {
		t.Errorf("only %d starts found", found)
	}
}

func TestRunbook_NamesTheRecordsOfAUnit(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "INSTANCE"), 0o755); err != nil {
		t.Fatal(err)
	}
	written, err := records.Write(records.Dirs{Cache: filepath.Join(dir, "INSTANCE")}, "INSTANCE", time.Now(), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	within, _ := filepath.Rel(dir, filepath.Join(filepath.Dir(written), "INSTANCE/latest.json"))
	if want := ".Pa /var/cache/justnews/" + within + " ,"; !strings.Contains(read(t, runbook), want) {
		t.Errorf("%s has no %q", runbook, want)
	}
}
