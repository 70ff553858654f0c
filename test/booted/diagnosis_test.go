// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/internal/diag"
	"justnews/test/bed"
	"justnews/test/busy"
)

var diagnosisTable = flag.Bool("diagnosis", false, "diagnose every fault and rewrite docs/diagnosis.md (the newest suite)")

// firstError is the first error in a record, or in status if no gate was reached.
type firstError struct {
	diag.Problem

	By string // whose record
}

// How a host came up after its first finding.
const (
	byPaste  = "paste"          // the commands of the fix alone
	byAdvice = "advice, paste"  // a person follows the advice, then runs the commands
	byItself = "advice"         // the advice alone: the host heals by itself
	byNobody = "**not at all**" // not within the time
)

// TestDiagnosis compares the first finding of every fault with the true cause, and follows
// its fix literally: complete commands are run as printed; advice is replaced by the
// script that removes the fault.
func TestDiagnosis(t *testing.T) {
	t.Parallel()
	rows := map[string][3]string{}
	if *diagnosisTable {
		t.Cleanup(func() { writeDiagnosis(t, rows) }) // also of a run that was stopped
	}
	bed.Newest(t, func(t *testing.T, suite string) {
		s := boot(t, suite, unhurried())
		s.everythingUp(0)
		for _, f := range slices.Concat(faults, misconfigured, mistaken) {
			if !*diagnosisTable && !f.quick {
				continue
			}
			t.Run(f.name, func(t *testing.T) {
				inner := &site{Machine: s.Machine, t: t}
				if row := inner.diagnoses(t, f); !t.Failed() {
					rows[f.name] = row
				}
			})
		}
	})
}

// diagnoses returns a row of the table: the code, whether it names the cause, and how the
// host came up.
func (s *site) diagnoses(t *testing.T, f fault) [3]string {
	t.Helper()
	s.Systemctl("stop", target)
	s.stopAll()
	s.Sh("rm -rf /var/cache/justnews/*/preflight")
	s.must(f.inject)
	s.Systemctl("start", "--no-block", target)
	var found firstError
	began := bed.Monotonic()
	s.WaitFor("a finding", 2*time.Minute, func() bool {
		// If a gate is reached, its record has more than the status.
		found = s.firstFinding(f.refused != "" || bed.Monotonic()-began < 10*time.Second)
		return found.Code != "" || f.refused == "" && s.comesUp(0)
	})
	if found.Code == "" {
		s.must(f.remove)
		return [3]string{"none", "yes", "itself: it held nothing up"}
	}
	row := [3]string{string(found.Code), "yes", ""}
	text := found.Problem.String() + " " + found.Seen + " " + found.Expected + " " + found.Fix.String()
	for _, word := range f.names {
		if !strings.Contains(text, word) {
			row[1] = "**no**"
			t.Errorf("%s, reported by %s, does not name %q:\n%s\n%s", found.Code, found.By, word, found.Problem.String(), found.Fix)
		}
	}
	if row[2] = s.followFix(t, f, found); row[2] == byNobody {
		t.Errorf("not up after the fix of %s was followed: %s", found.Code, found.Fix)
		s.must(f.remove)
		s.Systemctl("daemon-reload")
		s.Sh("justnews-gate retry")
		s.everythingUp(0)
	}
	t.Logf("%s: %s, %s", f.name, row[0], row[2])
	return row
}

// followFix follows a fix, and returns how the host came up.
func (s *site) followFix(t *testing.T, f fault, found firstError) string {
	t.Helper()
	how := byPaste
	if found.Fix.Advice != "" || len(found.Fix.Commands) == 0 {
		s.must(f.remove)
		if how = byAdvice; len(found.Fix.Commands) == 0 {
			how = byItself
		}
	}
	for _, c := range found.Fix.Commands {
		t.Logf("pasting: %s", c)
		if r := s.Sh(c.String()); r.Err != nil {
			t.Logf("%v: %s%s", r.Err, r.Stdout, r.Stderr)
		}
	}
	if s.comesUp(promised("trixie")) {
		if how == byPaste {
			s.Sh(f.remove) // what the fix has left of it
		}
		return how
	}
	return byNobody
}

func (s *site) comesUp(within time.Duration) bool {
	s.t.Helper()
	for began, mark := time.Now(), busy.Now(); ; time.Sleep(200 * time.Millisecond) {
		if !slices.ContainsFunc(s.Units(units(append(agents(), orchestrator)...)...), func(u bed.Unit) bool { return !u.Is("active/running") }) {
			return true
		}
		if mark.Less(time.Since(began)) > within {
			return false
		}
	}
}

// firstFinding returns the first error in the oldest record of a refusal, or else the
// first in status.
func (s *site) firstFinding(record bool) firstError {
	s.t.Helper()
	var first struct {
		Unit      string         `json:"unit"`
		Run       string         `json:"run"`
		Verdict   string         `json:"verdict"`
		Monotonic float64        `json:"monotonic_s"`
		Problems  []diag.Problem `json:"problems"`
	}
	// One record a line; those of a reload in between do not matter.
	r := s.Sh("find /var/cache/justnews -name 'summary_*.json' -exec sh -c 'for f; do tr -d \"\\n\" <$f; echo; done' sh {} +")
	for line := range strings.Lines(r.Stdout) {
		one := first
		one.Problems, one.Monotonic = nil, 0
		if json.Unmarshal([]byte(line), &one) == nil && one.Verdict == "refused" &&
			// The cause that ended a run is not the one that keeps the host down.
			!slices.ContainsFunc(one.Problems, func(p diag.Problem) bool { return p.Code == diag.Interrupted }) && (first.Monotonic == 0 || one.Monotonic < first.Monotonic) {
			first = one
		}
	}
	if errors := diag.Errors(first.Problems); len(errors) > 0 {
		return firstError{errors[0], "the record of " + cmp.Or(first.Unit, first.Run)}
	}
	if record {
		return firstError{}
	}
	var status struct {
		Problems []diag.Problem `json:"problems"`
	}
	if r := s.Sh("justnews-gate status --json"); json.Unmarshal([]byte(r.Stdout), &status) == nil {
		if errors := diag.Errors(status.Problems); len(errors) > 0 {
			return firstError{errors[0], "status"}
		}
	}
	return firstError{}
}

// misconfigured are faults that a person makes in files read by systemd or the generator:
// an edit and a reload or a restart removes them.
var misconfigured = []fault{
	configured("a value of the wrong type", `sed -i 's/^timeout = .*/timeout = ["60s"]/'`, "justnews.toml:2", "timeout"),
	configured("a value out of range", `sed -i 's/^timeout = .*/timeout = "-5s"/'`, "justnews.toml:2", "timeout"),
	configured("an unknown key", `sed -i 's/^timeout = .*/timeuot = "60s"/'`, "justnews.toml:2", "timeuot", "timeout"),
	configured("a duplicate port", `sed -i 's/^port = 8002/port = 8003/'`, "8003"),
	configured("an instance that waits for itself", `sed -i 's/^port = 8002/port = 8002\nafter = ["scout"]/'`, "scout"),
	configured("a configuration owned by another user", "chown justnews", configFile),
	configured("a world-writable configuration", "chmod 0666", configFile),
	configured("a configuration that the services cannot read", "chmod 0600", configFile),
	{name: "a model's directory is readable by root only", inject: "chown -R root:root " + brokenDir + " && chmod -R go= " + brokenDir, remove: "chmod -R go=rX " + brokenDir, refused: "STORE-PERMISSION", names: []string{brokenDir, "justnews"}, quick: true},
	{name: "a model is only partly copied", inject: broken("half-copied")[0], remove: repaired()[0], refused: "STORE-", names: []string{"v1.tmp"}},
	{name: "the link current is missing", inject: broken("missing-current")[0], remove: "ln -sfn versions/v1 " + modelRoot + "/scout/current", refused: "STORE-VERSION", names: []string{"current"}},
	{name: "the map has a wrong id", inject: broken("wrong-id")[0], remove: repaired()[0], refused: "MAP-NAME", names: []string{"AGENT_MODEL_MAP.json:2"}},
	{name: "a foreign template in /etc", inject: "sed -e '/^\\[Service\\]/a ExecStartPre=/usr/local/bin/justnews-old-check.sh' /usr/lib/systemd/system/justnews@.service > /etc/systemd/system/justnews@.service; systemctl daemon-reload",
		remove: "rm /etc/systemd/system/justnews@.service; systemctl daemon-reload", names: []string{"justnews-old-check.sh"}},
}

// configured is a fault in justnews.toml: a command that changes the file, which is then
// restored.
func configured(name, command string, names ...string) fault {
	return fault{
		name: name, names: names, said: "the generator, at the reload", stays: 2 * time.Second,
		inject: "cp -a " + configFile + " /root/justnews.toml; " + command + " " + configFile + "; systemctl daemon-reload",
		remove: "cp -a /root/justnews.toml " + configFile + "; systemctl daemon-reload",
	}
}

// mistaken are faults in a valid configuration: the servers run with it, and nothing else
// starts. They are removed by an edit and a reload, or by the edit of an environment file.
var mistaken = []fault{
	mistake("models.root does not exist", `s|^root = .*|root = "/opt/justnews/nowhere"|`, "STORE-ROOT", "/opt/justnews/nowhere"),
	mistake("models.root is another directory", `s|^root = .*|root = "/usr/share"|`, "STORE-", "/usr/share"),
	mistake("models.map is another file", `s|^map = .*|map = "/etc/hostname"|`, "MAP-", "/etc/hostname"),
	mistake("the orchestrator's command starts another program", `s|^port = 8014|port = 8014\nservice = { exec = ["/bin/sleep", "infinity"] }|`, "", "8014"),
	mistake("the bus's command starts another program", `s|^port = 8000|port = 8000\nservice = { exec = ["/bin/sleep", "infinity"] }|`, "", "8000"),
	mistake("the orchestrator's program exits at once", `s|^port = 8014|port = 8014\nservice = { exec = ["/bin/false"] }|`, "", "gpu_orchestrator"),
	mistake("the bus's program exits at once", `s|^port = 8000|port = 8000\nservice = { exec = ["/bin/false"] }|`, "", "mcp_bus"),
	mistake("the configured user does not exist", `s|^start_grace = .*|&\nuser = "nosuch"|`, "", "nosuch"),
	mistake("the configured working directory does not exist", `s|^start_grace = .*|&\nworking_directory = "/opt/nowhere"|`, "", "/opt/nowhere"),
	mistake("an instance's needs name another port", `s|^port = 8002|&\nneeds = ["db"]\n[probes.db]\nkind = "tcp"\naddress = "127.0.0.1:3306"\n|`, "", "3306"),
	environment("HF_HUB_OFFLINE=0", "STORE-ENVIRONMENT", "HF_HUB_OFFLINE"),
	environment("MODEL_STORE_DRY_RUN=1", "", "MODEL_STORE_DRY_RUN", "/etc/justnews"),
	environment("GPU_ORCHESTRATOR_PORT=9914", "", "8014"),
	environment("MCP_BUS_PORT=9900", "", "8000"),
	environment("MCP_BUS_URL=http://127.0.0.1:9900", "", "9900"),
}

// mistake is an edit of justnews.toml, by sed, that leaves it valid.
func mistake(name, edit, refused string, names ...string) fault {
	f := configured(name, "sed -i '"+edit+"'", names...)
	f.refused, f.said, f.stays = refused, "", 15*time.Second
	return f
}

// environment adds lines to the services' environment file.
func environment(lines, refused string, names ...string) fault {
	return fault{
		name: strings.ReplaceAll(lines, "\n", ", ") + " in global.env", refused: refused, names: names, stays: 5 * time.Second,
		inject: "cp -a /etc/justnews/global.env /root/global.env; printf '%s\\n' '" + lines + "' >> /etc/justnews/global.env",
		remove: "cp -a /root/global.env /etc/justnews/global.env",
	}
}

const diagnosisFile = "../../docs/diagnosis.md"

// writeDiagnosis keeps the previous rows of faults that were not measured.
func writeDiagnosis(t *testing.T, rows map[string][3]string) {
	t.Helper()
	before := diagnosisRows()
	var b strings.Builder
	b.WriteString(diagnosisHead)
	for _, f := range slices.Concat(faults, misconfigured, mistaken) {
		row, known := rows[f.name]
		if !known {
			row = before[f.name]
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.name, quoted(row[0]), row[1], row[2])
	}
	if err := os.WriteFile(diagnosisFile, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// diagnosisRows reads the table.
func diagnosisRows() map[string][3]string {
	rows := map[string][3]string{}
	text, _ := os.ReadFile(diagnosisFile) // none: nothing was measured
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(strings.Trim(line, "|\n "), " | "); len(cells) == 4 {
			rows[cells[0]] = [3]string{strings.Trim(cells[1], "`"), cells[2], cells[3]}
		}
	}
	return rows
}

func quoted(code string) string {
	if code == "none" {
		return code
	}
	return "`" + code + "`"
}

const diagnosisHead = `# Diagnosis, measured

A booted host with 17 instances (systemd 257). Each fault is injected while the instances are stopped, after which
` + "`systemctl start justnews.target`" + ` is refused. The first error is taken from the oldest record of a refusal, or from
` + "`justnews-gate status`" + ` if no gate was reached, and its fix is followed literally: commands are run as printed, and
advice is replaced by an action that removes the fault. Named: the finding contains words, chosen in advance, that
identify the actual cause. Up by: how every instance became active within 60 s.

This table is written by ` + "`go test ./test/booted -run 'TestDiagnosis$' -diagnosis`" + `.

| fault | first finding | named | up by |
|---|---|---|---|
`

// TestDiagnosis_TableHasEveryFault needs no machine.
func TestDiagnosis_TableHasEveryFault(t *testing.T) {
	text, err := os.ReadFile(diagnosisFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range slices.Concat(faults, misconfigured, mistaken) {
		row := "| " + f.name + " | "
		at := strings.Index(string(text), row)
		if at < 0 {
			t.Errorf("docs/diagnosis.md lacks %q; run: go test ./test/booted -run 'TestDiagnosis$' -diagnosis", f.name)
			continue
		}
		line, _, _ := strings.Cut(string(text)[at:], "\n")
		if !strings.Contains(line, " | yes | ") || strings.Contains(line, byNobody) {
			t.Errorf("not named, or not up: %s", line)
		}
	}
}
