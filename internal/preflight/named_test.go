// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

const modelMap = "/etc/justnews/AGENT_MODEL_MAP.json"

const starter = "/usr/local/bin/justnews-start-agent.sh"

func TestNamed_ReportsWhatTheConfigurationNamesAndIsNotThere(t *testing.T) {
	missing := func(w *world, path string) { w.out(path, path, "does not exist") }
	denied := func(w *world, user string) {
		was := w.job.Host.Reach
		w.job.Host.Reach = func(as facts.Account, path string, want facts.Access) facts.Reach {
			if path == starter && as.User == user && as.UID == 997 {
				return facts.Reach{Path: path, At: path, User: as.User, Known: true, Detail: "permission denied"}
			}
			return was(as, path, want)
		}
	}
	for name, c := range map[string]struct {
		toml   string
		change func(w *world)
		want   []string // code and subject
	}{
		"all is there":       {toml, func(*world) {}, nil},
		"no instance":        {"", func(w *world) { missing(w, "/models") }, []string{"CONFIG-EMPTY"}},
		"the common program": {toml, func(w *world) { missing(w, starter) }, []string{"SERVICE-PATH 4 instances"}},
		"an instance's program": {toml + "service = { exec = [\"/opt/scout\"] }\n", func(w *world) { missing(w, "/opt/scout") },
			[]string{"SERVICE-PATH scout"}},
		"a working directory":                         {toml + "service = { working_directory = \"/opt/x\" }\n", func(w *world) { missing(w, "/opt/x") }, []string{"SERVICE-PATH scout"}},
		"the root directory as the working directory": {toml + "service = { working_directory = \"/\" }\n", func(w *world) { missing(w, "/") }, nil},
		"a granted directory":                         {toml + "service = { read_write_paths = [\"/srv/x\"] }\n", func(w *world) { missing(w, "/srv/x") }, []string{"DIRECTORY-READONLY scout"}},
		"a directory that is granted twice":           {toml + "service = { read_write_paths = [\"/srv/x\", \"/srv/x\"] }\n", func(w *world) { missing(w, "/srv/x") }, []string{"DIRECTORY-READONLY scout"}},
		"a credential":                                {toml + "service = { credentials = [\"db:/etc/db\"] }\n", func(w *world) { missing(w, "/etc/db") }, []string{"SERVICE-PATH scout"}},
		"the Model Store":                             {toml, func(w *world) { missing(w, "/models") }, []string{"STORE-ROOT"}},
		"a Model Store that nothing needs":            {toml + "[orchestrator]\nkind = \"ollama\"\nurl = \"http://127.0.0.1:11434\"\ninstance = \"\"\nunit = \"ollama.service\"\n[models]\nexpected = [\"llama3.2\"]\n", func(w *world) { missing(w, "/models") }, nil},
		"a user": {toml, func(w *world) {
			w.job.Host.Account = func(user, group string) facts.Account {
				return facts.Account{User: user, Group: group, Err: "there is no user " + user}
			}
		}, []string{"USER-UNKNOWN 4 instances"}},
		"a user of one instance, who may not run the program": {toml + "service = { user = \"adra\" }\n", func(w *world) {
			w.job.Host.Root = ""
			denied(w, "adra")
		}, []string{"SERVICE-PATH scout"}},
		"a user of a root, whose users are others":   {toml, func(w *world) { denied(w, "justnews") }, nil},
		"a configuration that the gates cannot read": {toml, func(w *world) { w.out(w.job.Config.Files[0], w.job.Config.Files[0], "permission denied") }, []string{"CONFIG-UNREADABLE 4 instances"}},
		"a map that the gates cannot read":           {toml, func(w *world) { w.out(modelMap, "/etc/justnews", "permission denied") }, []string{"MAP-UNREADABLE mcp_bus, memory, scout"}},
		"a map that is not there":                    {toml, func(w *world) { w.out(modelMap, modelMap, "does not exist") }, nil},
		"a map that is a directory":                  {toml, func(w *world) { w.out(modelMap, modelMap, "is a directory") }, nil},
		"a user who cannot be tried": {toml, func(w *world) {
			w.job.Host.Root = ""
			was := w.job.Host.Reach
			w.job.Host.Reach = func(as facts.Account, path string, want facts.Access) facts.Reach {
				if path == starter && as.UID == 997 {
					return facts.Reach{Path: path, Detail: "only root can check access as another user"}
				}
				return was(as, path, want)
			}
			missing(w, starter)
		}, []string{"SERVICE-PATH 4 instances"}},
	} {
		w := newWorld(t)
		c.change(w)
		var got []string
		cfg := load(t, c.toml)
		cfg.Files = w.job.Config.Files
		for _, p := range Named(cfg, "/models", w.job.Host) {
			got = append(got, strings.TrimSpace(string(p.Code)+" "+subject(p)))
			if p.Severity != diag.Warning || p.Fix.String() == "" {
				t.Errorf("%s: %s %s, fix %q", name, p.Severity, p, p.Fix)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// subject is that of a problem, but for the file of a configuration without instances.
func subject(p diag.Problem) string {
	if p.Code == diag.ConfigEmpty {
		return ""
	}
	return p.Subject
}

func TestNamed_WhatThisProcessMayNotSeeIsNotMissing(t *testing.T) {
	w, cfg := newWorld(t), load(t, toml)
	w.out(starter, "/usr/local", "permission denied")
	findings := func() int { return len(Named(cfg, "/models", w.job.Host)) }
	if os.Geteuid() == 0 {
		if findings() == 0 {
			t.Error("root is denied nothing that others may do")
		}
		if err := syscall.Seteuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = syscall.Seteuid(0) }()
	}
	if got := findings(); got != 0 {
		t.Errorf("%d findings", got)
	}
	if w.out(starter, "/usr/local", "does not exist"); findings() != 1 {
		t.Errorf("%d findings of a missing program", findings())
	}
}
