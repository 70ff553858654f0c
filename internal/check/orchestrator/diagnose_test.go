// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"strings"
	"testing"

	"justnews/internal/check/store"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

const root = "/opt/justnews/models"

// whole is a look at a store in which nothing is wrong with a model of scout.
func whole() (facts.Store, store.Wanted) {
	want := facts.StoreWant{Agent: "scout", Model: "org/bert", ID: "org/bert", Owner: "scout"}
	return facts.Store{
		Root: root, User: "justnews", Loader: "justnews", Free: 1 << 40, Agents: []string{"scout"},
		Trees: []facts.StoreTree{
			{Owner: "scout", Name: "v1", Path: root + "/scout/versions/v1", Named: root + "/scout/current", Current: facts.CurrentLink, IDs: []string{"org/bert"}},
		},
		Models: []facts.StoreModel{{Want: want, Dir: root + "/scout", Bytes: 1000, Files: 4}},
	}, store.Wanted{Models: config.Models{Strict: true, Map: "/etc/justnews/AGENT_MODEL_MAP.json"}}
}

func treeFault(kind facts.FaultKind, path string) func(*facts.Store) {
	return func(s *facts.Store) {
		s.Trees[0].Path, s.Trees[0].Fault = "", &facts.StoreFault{Kind: kind, Path: path}
	}
}

func modelFault(f facts.StoreFault) func(*facts.Store) {
	return func(s *facts.Store) { s.Models[0].Faults = []facts.StoreFault{f} }
}

func deniedBy(d facts.StoreDenial) func(*facts.Store) {
	return modelFault(facts.StoreFault{Kind: facts.Denied, Path: "/the/file", Denial: &d})
}

func TestDiagnose_ModelErrorIsExplainedByDiskAndMemory(t *testing.T) {
	fault := func(kind facts.FaultKind) func(*Evidence) {
		return func(v *Evidence) {
			modelFault(facts.StoreFault{Kind: kind, Path: "/m/x", Detail: "evidence"})(&v.Store)
		}
	}
	for name, c := range map[string]struct {
		message string
		spoil   func(*Evidence)
		code    diag.Code
		says    string
		not     string
		unknown bool
	}{
		"a missing snapshot": {message: "STRICT_MODEL_STORE=1 but failed to load model", spoil: fault(facts.NoSnapshot), code: diag.StoreSnapshot, says: "/m/x contains no snapshot"},
		"a corrupt file":     {message: "failed to load model", spoil: fault(facts.Cut), code: diag.StoreCorrupt},
		"a permission": {message: "[Errno 13] Permission denied", spoil: func(v *Evidence) {
			deniedBy(facts.StoreDenial{Path: "/d", Dir: true, Needs: "x", Class: "others"})(&v.Store)
		}, code: diag.StorePermission, says: "chmod o+x -- /d; justnews-gate retry"},
		"the whole store":                     {message: "x", spoil: func(v *Evidence) { v.Store.Fault = &facts.StoreFault{Kind: facts.Absent, Path: root} }, code: diag.StoreRoot},
		"its version":                         {message: "x", spoil: func(v *Evidence) { treeFault(facts.Dangling, "/c")(&v.Store) }, code: diag.StoreVersion},
		"the disk is sound":                   {message: "something odd", says: "it is complete on disk and readable by justnews: " + root + "/scout with 4 files, 1000 bytes"},
		"and says what the message points to": {message: "file not found", says: "the message points to files that are missing (from the message alone, not verified)"},
		"a warning explains nothing":          {message: "x", spoil: func(v *Evidence) { v.Store.Trees[0].Staged = []string{"/s.tmp"} }, says: "it is complete on disk"},
		"proven content": {message: "x", spoil: func(v *Evidence) {
			v.Proofs = []facts.StoreProof{{Path: v.Store.Trees[0].Path, Verdict: facts.Whole}}
		}, says: "every byte as manifested"},
		"a flipped byte": {message: "x", spoil: func(v *Evidence) {
			v.Proofs = []facts.StoreProof{{Path: v.Store.Trees[0].Path, Verdict: facts.Differs, Orders: 1, Tried: 1, By: "manifest"}}
		}, code: diag.StoreCorrupt},
		"memory": {message: "CUDA out of memory. Tried to allocate 2 GiB", spoil: func(v *Evidence) {
			v.Memory = facts.Memory{Available: 5e8, SwapTotal: 0, SwapFree: 0, Kills: 2, GroupKills: -1}
			v.Limits = []string{"LimitAS=1000000"}
		}, code: diag.ModelMemory, says: "477 MiB of memory available, no swap, the kernel has killed 2 processes since boot because memory ran out, LimitAS=1000000"},
		"a download":                         {message: "We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the cached files", spoil: func(v *Evidence) { v.Store.Models = nil }, code: diag.ModelDownload, says: `copy the complete snapshot of "org/bert" into the Model Store`},
		"a download and why":                 {message: "Cannot reach huggingface.co: offline mode is enabled", spoil: fault(facts.NoSnapshot), code: diag.ModelDownload, says: "STORE-SNAPSHOT: /m/x contains no snapshot"},
		"a file that exists now":             {message: "failed to load model: no such file or directory", says: "load the models again, since the error may be older than the files"},
		"a permission that has been granted": {message: "[Errno 13] Permission denied", says: "load the models again"},
		"a download of an existing file":     {message: "Cannot reach huggingface.co: offline mode is enabled", code: diag.ModelDownload, says: "load the models again"},
		"a corrupt file that is whole": {message: "SafetensorError: HeaderTooLarge", spoil: func(v *Evidence) {
			v.Proofs = []facts.StoreProof{{Path: v.Store.Trees[0].Path, Verdict: facts.Whole}}
		}, says: "load the models again"},
		"a corrupt file without a manifest": {message: "SafetensorError: HeaderTooLarge", says: "the message points to a file that is corrupt", not: "load the models again"},
		"a download that is allowed":        {message: "couldn't connect to huggingface.co", spoil: func(v *Evidence) { v.Wanted.Strict = false }, says: "points to an attempted download"},
		"a corrupt file in no version": {message: "SafetensorError: HeaderTooLarge", spoil: func(v *Evidence) {
			v.Store.Models[0].Tree = -1
			v.Proofs = []facts.StoreProof{{Path: v.Store.Trees[0].Path, Verdict: facts.Whole}}
		}, says: "the message points to a file that is corrupt", not: "load the models again"},
		"a corrupt file, another version whole": {message: "SafetensorError: HeaderTooLarge", spoil: func(v *Evidence) {
			v.Proofs = []facts.StoreProof{{Path: "/other", Verdict: facts.Whole}, {Path: v.Store.Trees[0].Path, Verdict: facts.NoManifest}}
		}, says: "the message points to a file that is corrupt", not: "load the models again"},
		"one file":                 {message: "x", spoil: func(v *Evidence) { v.Store.Models[0].Files = 1 }, says: "/scout with 1 file, 1000 bytes"},
		"a model without any file": {message: "x", spoil: func(v *Evidence) { v.Store.Models[0].Dir = "" }, unknown: true},
		"a limit of the unit": {message: "failed to load model", spoil: func(v *Evidence) { v.Limits, v.Unit = []string{"LimitAS=infinity", "MemoryMax=999"}, "a.service" },
			code: diag.ModelMemory, says: "the model needs 1000 bytes, more than MemoryMax= of the unit allows; 0 bytes of memory available, no swap, LimitAS=infinity, MemoryMax=999"},
		"a limit, and how to raise it": {message: "failed to load model", spoil: func(v *Evidence) { v.Limits, v.Unit = []string{"MemoryMax=999"}, "a.service" },
			code: diag.ModelMemory, says: "raise MemoryMax= of the orchestrator"},
		"a limit of an unknown unit": {message: "failed to load model", spoil: func(v *Evidence) { v.Limits = []string{"MemoryMax=999"} },
			code: diag.ModelMemory, says: "raise service.memory_max of the orchestrator's instance"},
		"a limit that is enough": {message: "out of memory", spoil: func(v *Evidence) { v.Limits, v.Unit = []string{"MemoryMax=1000"}, "a.service" },
			code: diag.ModelMemory, says: "raise service.memory_max of the orchestrator's instance"},
		"limits without a number": {message: "x", spoil: func(v *Evidence) { v.Limits = []string{"LimitAS=infinity", "LimitDATA"} }, says: "it is complete on disk"},
		"less memory than the model needs": {message: "x", spoil: func(v *Evidence) { v.Memory = facts.Memory{Total: 2000, Available: 499, SwapTotal: 500, SwapFree: 500} },
			code: diag.ModelMemory, says: "the model needs 1000 bytes, more than is free; 499 bytes of memory available, 500 bytes of swap free"},
		"no memory at all": {message: "x", spoil: func(v *Evidence) { v.Memory = facts.Memory{Total: 2000, SwapTotal: 500, SwapFree: 500} },
			code: diag.ModelMemory, says: "more than is free"},
		"no swap left":               {message: "x", spoil: func(v *Evidence) { v.Memory = facts.Memory{Total: 2000, Available: 999, SwapTotal: 500} }, code: diag.ModelMemory, says: "0 bytes of swap free"},
		"as much as the model needs": {message: "x", spoil: func(v *Evidence) { v.Memory = facts.Memory{Total: 2000, Available: 500, SwapFree: 500} }, says: "it is complete on disk"},
		"memory that is not known":   {message: "x", spoil: func(v *Evidence) { v.Memory = facts.Memory{Total: 2000, Available: -1, SwapFree: 0} }, says: "it is complete on disk"},
		"swap that is not known":     {message: "x", spoil: func(v *Evidence) { v.Memory = facts.Memory{Total: 2000, Available: 0, SwapFree: -1} }, says: "it is complete on disk"},
		"a process that was killed": {message: "out of memory", spoil: func(v *Evidence) {
			v.Memory = facts.Memory{Available: -1, SwapTotal: -1, SwapFree: -1, Kills: 1, GroupKills: 1}
		}, code: diag.ModelMemory, says: "the kernel has killed 1 process of its control group because memory ran out, the kernel has killed 1 process since boot because memory ran out\n"},
		"a model from another map": {message: "x", spoil: func(v *Evidence) { v.Store.Models = nil }, unknown: true},
	} {
		t.Run(name, func(t *testing.T) {
			look, w := whole()
			v := Evidence{Store: look, Wanted: w}
			if c.spoil != nil {
				c.spoil(&v)
			}
			d, ok := DiagnoseModel(facts.ModelError{Agent: "scout", Model: "org/bert", Error: c.message}, v)
			text := d.Seen + "\n" + d.Expected + "\n" + d.Fix.String()
			if ok == c.unknown || d.Code != c.code || !strings.Contains(text, c.says) || c.not != "" && strings.Contains(text, c.not) {
				t.Errorf("%v %+v", ok, d)
			}
		})
	}
}

func TestDiagnose_MemoryNamesOnlyKnownFigures(t *testing.T) {
	for want, m := range map[string]facts.Memory{
		"":                                     {Available: -1, SwapTotal: -1, SwapFree: -1, Kills: -1, GroupKills: -1},
		"no swap":                              {Available: -1},
		"0 bytes of memory available":          {SwapTotal: -1, SwapFree: -1},
		"0 bytes of swap free":                 {Available: -1, SwapTotal: 1},
		"1 bytes of memory available, no swap": {Available: 1},
	} {
		if got := memory(m, nil); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestDiagnose_RunningOrchestratorMustUseTheStoreOffline(t *testing.T) {
	right := map[string]string{"MODEL_STORE_ROOT": root, "STRICT_MODEL_STORE": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "true"}
	with := func(name, value string) map[string]string {
		m := map[string]string{}
		for k, v := range right {
			m[k] = v
		}
		if m[name] = value; value == "" {
			delete(m, name)
		}
		return m
	}
	for name, c := range map[string]struct {
		values map[string]string
		exact  bool
		lax    bool
		seen   string
	}{
		"as configured":                 {values: right, exact: true},
		"a slash too many":              {values: with("MODEL_STORE_ROOT", root+"/"), exact: true},
		"another store":                 {values: with("MODEL_STORE_ROOT", "/srv"), exact: true, seen: "MODEL_STORE_ROOT=/srv in the running process"},
		"no store":                      {values: with("MODEL_STORE_ROOT", ""), exact: true, seen: "MODEL_STORE_ROOT unset"},
		"not strict":                    {values: with("STRICT_MODEL_STORE", "0"), exact: true, seen: "STRICT_MODEL_STORE=0"},
		"strict in words":               {values: with("STRICT_MODEL_STORE", "true"), exact: true, seen: "STRICT_MODEL_STORE=true"},
		"online":                        {values: with("HF_HUB_OFFLINE", ""), exact: true, seen: "HF_HUB_OFFLINE unset"},
		"online on purpose":             {values: with("TRANSFORMERS_OFFLINE", "0"), exact: true, seen: "TRANSFORMERS_OFFLINE=0"},
		"online, and allowed":           {values: with("HF_HUB_OFFLINE", ""), exact: true, lax: true},
		"the unit alone may leave out":  {values: map[string]string{}},
		"the unit alone may contradict": {values: with("HF_HUB_OFFLINE", "0"), seen: "HF_HUB_OFFLINE=0 in the unit"},
	} {
		problems := Environment("justnews@gpu_orchestrator.service", facts.Environment{Values: c.values, Exact: c.exact}, !c.lax, root)
		if c.seen == "" {
			if len(problems) > 0 {
				t.Errorf("%s: %v", name, problems)
			}
			continue
		}
		if len(problems) != 1 || problems[0].Status() != diag.StatusConfig || !strings.Contains(problems[0].Seen, c.seen) {
			t.Errorf("%s: %+v", name, problems)
			continue
		}
		findings.Sound(t, problems[0])
	}
}

func TestDiagnose_OutOfMemoryKillIsReported(t *testing.T) {
	base := facts.Unit{Name: "justnews@gpu_orchestrator.service", LoadState: "loaded", ActiveState: "failed"}
	for name, c := range map[string]struct {
		change func(*facts.Unit)
		memory facts.Memory
		want   diag.Code
	}{
		"systemd counted":                 {func(u *facts.Unit) { u.Result = "oom-kill" }, facts.Memory{Kills: -1}, diag.OrchestratorKill},
		"SIGKILL, and the kernel counted": {func(u *facts.Unit) { u.Result, u.ExecMainCode, u.ExecMainStatus = "signal", facts.CodeKilled, 9 }, facts.Memory{Kills: 1}, diag.OrchestratorKill},
		"SIGKILL, and its group counted":  {func(u *facts.Unit) { u.Result, u.ExecMainCode, u.ExecMainStatus = "signal", facts.CodeKilled, 9 }, facts.Memory{Kills: -1, GroupKills: 1}, diag.OrchestratorKill},
		"the start limit hides the result": {func(u *facts.Unit) {
			u.Result, u.ExecMainCode, u.ExecMainStatus = "start-limit-hit", facts.CodeKilled, 9
		}, facts.Memory{Kills: 3}, diag.OrchestratorKill},
		"SIGKILL by hand": {func(u *facts.Unit) { u.Result, u.ExecMainCode, u.ExecMainStatus = "signal", facts.CodeKilled, 9 }, facts.Memory{}, diag.OrchestratorUnit},
		"SIGSEGV":         {func(u *facts.Unit) { u.Result, u.ExecMainCode, u.ExecMainStatus = "core-dump", facts.CodeDumped, 11 }, facts.Memory{Kills: 1}, diag.OrchestratorUnit},
		"an exit status":  {func(u *facts.Unit) { u.Result, u.ExecMainCode, u.ExecMainStatus = "exit-code", facts.CodeExited, 9 }, facts.Memory{Kills: 1}, diag.OrchestratorUnit},
	} {
		u := base
		c.change(&u)
		problems := ForMemory(Unit(u), u, c.memory)
		if len(problems) != 1 || problems[0].Code != c.want || problems[0].Status() != diag.StatusUnavailable {
			t.Errorf("%s: %+v", name, problems)
			continue
		}
		findings.Sound(t, problems[0])
	}
}

// The start that ran out of memory is one finding among others.
func TestDiagnose_OutOfMemoryKillExplainsTheFailureOnly(t *testing.T) {
	u := facts.Unit{Name: "justnews@gpu_orchestrator.service", LoadState: "loaded", ActiveState: "failed", Result: "oom-kill", Environment: []string{"DRY_RUN=1"}}
	problems := ForMemory(Unit(u), u, facts.Memory{})
	if len(problems) != 2 || problems[0].Code != diag.OrchestratorKill || problems[1].Code != diag.OrchestratorDryRun {
		t.Errorf("%+v", problems)
	}
	u.ActiveState, u.SubState, u.Environment = "inactive", "dead", nil
	if p := ForMemory(Unit(u), u, facts.Memory{}); len(p) != 1 || p[0].Code != diag.OrchestratorUnit || p[0].Severity != diag.Warning {
		t.Errorf("it was stopped: %+v", p)
	}
}
