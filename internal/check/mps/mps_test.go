// SPDX-License-Identifier: Apache-2.0

package mps_test

import (
	"strings"
	"testing"

	"justnews/internal/check/mps"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

const (
	pipeDir = "/run/nvidia-mps"
	mpsUnit = "justnews-mps.service"
	program = "/usr/bin/nvidia-cuda-mps-control"
)

func agent() *int {
	uid := 990
	return &uid
}

// liveMPS is what a look at a healthy daemon of the unit finds.
func liveMPS(change ...func(*facts.MPS)) facts.MPS {
	m := facts.MPS{
		Directory: facts.Directory{Exists: true, IsDir: true, Mode: 0o755, UID: 990},
		Lock:      facts.MPSLock{Exists: true, Held: true, PID: 41}, Socket: true, SocketUID: 990, Listeners: 1,
		Daemon: &facts.MPSProcess{PID: 41, UID: 990, State: "S", Exe: program, Args: []string{program, "-f"}, Unit: mpsUnit, PipeDirectory: pipeDir},
	}
	for _, f := range change {
		f(&m)
	}
	return m
}

func deadMPS(change ...func(*facts.MPS)) facts.MPS {
	m := facts.MPS{}
	for _, f := range change {
		f(&m)
	}
	return m
}

func wantMPS(change ...func(*mps.Wanted)) mps.Wanted {
	w := mps.Wanted{MPS: config.MPS{PipeDirectory: pipeDir, Unit: mpsUnit}, UnitActive: true, MainPID: 41, UID: agent()}
	for _, f := range change {
		f(&w)
	}
	return w
}

func byHand(w *mps.Wanted) { w.Unit, w.UnitActive, w.MainPID = "", false, 0 }

func TestDaemon_EachLookIsJudged(t *testing.T) {
	for name, c := range map[string]struct {
		m        facts.MPS
		w        mps.Wanted
		code     diag.Code // "": nothing is wrong
		severity diag.Severity
		says     string // in message, seen, expected or fix
	}{
		"the unit's daemon":                      {liveMPS(), wantMPS(), "", 0, ""},
		"a daemon outside any unit, run by hand": {liveMPS(func(m *facts.MPS) { m.Daemon.Unit = "" }), wantMPS(byHand), "", 0, ""},
		"hidden, and the socket's owner tells":   {liveMPS(func(m *facts.MPS) { m.Daemon = nil }), wantMPS(), "", 0, ""},
		"another network namespace":              {liveMPS(func(m *facts.MPS) { m.Listeners = 0 }), wantMPS(), "", 0, ""},

		"nothing": {deadMPS(), wantMPS(), diag.MPSDead, diag.Error, "does not exist"},
		"an empty directory": {
			deadMPS(func(m *facts.MPS) { m.Directory = facts.Directory{Exists: true, IsDir: true} }), wantMPS(), diag.MPSDead, diag.Error, "no lock in",
		},
		"a leftover of a daemon that has exited": {
			liveMPS(func(m *facts.MPS) { m.Lock, m.Daemon, m.Listeners = facts.MPSLock{Exists: true}, nil, 0 }),
			wantMPS(), diag.MPSDead, diag.Error, "not locked; the socket is stale",
		},
		"its unit's daemon ended at once": {
			deadMPS(), wantMPS(func(w *mps.Wanted) { w.OwnUnit, w.MainPID = true, 0 }), diag.MPSDead, diag.Error, "exited as soon as it was started",
		},
		"no unit, no daemon": {deadMPS(), wantMPS(byHand), diag.MPSDead, diag.Error, "CUDA_MPS_PIPE_DIRECTORY=/run/nvidia-mps nvidia-cuda-mps-control -d"},
		"a lock that cannot be read": {
			deadMPS(func(m *facts.MPS) { m.Lock = facts.MPSLock{Exists: true, Err: "permission denied"} }),
			wantMPS(), diag.MPSDirectory, diag.Error, "permission denied",
		},
		"a file in its place, which is closed as well": {
			deadMPS(func(m *facts.MPS) { m.Directory = facts.Directory{Exists: true, Mode: 0o644, Blocked: pipeDir} }),
			wantMPS(), diag.MPSDirectory, diag.Error, "rm -- /run/nvidia-mps; ",
		},
		"closed": {
			liveMPS(func(m *facts.MPS) { m.Directory.Blocked, m.Directory.Mode = pipeDir, 0o700 }),
			wantMPS(), diag.MPSDirectory, diag.Error, "mode 0700, UID 990",
		},
		"closed above": {deadMPS(func(m *facts.MPS) { m.Directory.Blocked = "/run" }), wantMPS(), diag.MPSDirectory, diag.Error, "chmod 0755 -- /run; "},
		"the directory was deleted under it": {
			deadMPS(func(m *facts.MPS) { m.Listeners = 1 }), wantMPS(), diag.MPSSplit, diag.Error, "its lock is not in the directory",
		},
		"hidden by a /tmp of one's own": {
			deadMPS(func(m *facts.MPS) { m.Listeners = 1 }),
			wantMPS(func(w *mps.Wanted) { w.PipeDirectory, w.PrivateTmp = "/tmp/nvidia-mps", true }),
			diag.MPSEnvironment, diag.Error, "PrivateTmp=",
		},
		"only elsewhere": {
			deadMPS(func(m *facts.MPS) {
				m.Elsewhere = []string{"/tmp/nvidia-mps"}
				m.Others = []facts.MPSProcess{{PID: 50, UID: 0, Args: []string{program, "-d"}, PipeDirectory: "/tmp/nvidia-mps"}}
			}),
			wantMPS(), diag.MPSElsewhere, diag.Error, "/tmp/nvidia-mps (PID 50, UID 0)",
		},
		"the unit's runs elsewhere": {
			deadMPS(func(m *facts.MPS) {
				m.Elsewhere = []string{"/run/other"}
				m.Others = []facts.MPSProcess{{PID: 41, Args: []string{program, "-f"}, Unit: mpsUnit, PipeDirectory: "/run/other"}}
			}),
			wantMPS(), diag.MPSEnvironment, diag.Error, "CUDA_MPS_PIPE_DIRECTORY=/run/other",
		},

		"two daemons": {
			liveMPS(func(m *facts.MPS) { m.Listeners = 2 }), wantMPS(), diag.MPSSplit, diag.Error, "2 daemons listen",
		},
		"the socket was deleted": {liveMPS(func(m *facts.MPS) { m.Socket = false }), wantMPS(), diag.MPSSplit, diag.Error, "no control socket"},
		"it has its lock and is about to listen": {
			liveMPS(func(m *facts.MPS) { m.Socket, m.Listeners = false, 0 }), wantMPS(), diag.MPSDead, diag.Error, "does not listen",
		},
		"something else holds the lock": {
			liveMPS(func(m *facts.MPS) { m.Daemon.Exe = "/usr/bin/python3.11" }), wantMPS(), diag.MPSStray, diag.Error, "kill -TERM 41; ",
		},
		"another daemon than the unit's": {
			liveMPS(func(m *facts.MPS) { m.Daemon.Unit = "other.service" }), wantMPS(func(w *mps.Wanted) { w.MainPID = 40 }),
			diag.MPSStray, diag.Error, "systemctl stop -- other.service; ",
		},
		"another daemon than the unit's was, and systemd is silent": {
			liveMPS(), wantMPS(func(w *mps.Wanted) { w.MainPID, w.Silent = 40, true }), diag.MPSTimeout, diag.Error, "the unit's main process was PID 40",
		},
		"a stray that the unit's own found, and systemd is silent": {
			liveMPS(), wantMPS(func(w *mps.Wanted) { w.OwnUnit, w.MainPID, w.Silent = true, 40, true }), diag.MPSStray, diag.Error, "kill -TERM 41; ",
		},
		"its unit had no main process, and systemd is silent": {
			liveMPS(func(m *facts.MPS) { m.Daemon.State = "T" }), wantMPS(func(w *mps.Wanted) { w.MainPID, w.Silent = 0, true }), diag.MPSWedged, diag.Error, "stopped",
		},
		"its unit's own, stopped, and systemd is silent": {
			liveMPS(func(m *facts.MPS) { m.Daemon.State = "T" }), wantMPS(func(w *mps.Wanted) { w.Silent = true }), diag.MPSWedged, diag.Error, "stopped",
		},
		"a person's daemon": {
			liveMPS(func(m *facts.MPS) { m.Daemon.Unit = "user@1000.service" }), wantMPS(func(w *mps.Wanted) { w.MainPID = 40 }),
			diag.MPSStray, diag.Error, "kill -TERM 41; ",
		},
		"its unit is active and a process of another namespace holds the lock": {
			liveMPS(func(m *facts.MPS) { m.Lock.PID, m.Daemon = 0, nil }), wantMPS(), diag.MPSStray, diag.Error, "another PID namespace",
		},
		"a stray that the unit's own found": {
			liveMPS(), wantMPS(func(w *mps.Wanted) { w.OwnUnit, w.MainPID = true, 0 }), diag.MPSStray, diag.Error, "which has ended",
		},
		"stopped":             {liveMPS(func(m *facts.MPS) { m.Daemon.State = "T" }), wantMPS(), diag.MPSWedged, diag.Error, "systemctl kill -s SIGKILL"},
		"stopped by a tracer": {liveMPS(func(m *facts.MPS) { m.Daemon.State = "t" }), wantMPS(), diag.MPSWedged, diag.Error, "state t"},
		"stopped, by hand":    {liveMPS(func(m *facts.MPS) { m.Daemon.State = "T" }), wantMPS(byHand), diag.MPSWedged, diag.Error, "kill -KILL 41; env CUDA"},
		"another user's":      {liveMPS(func(m *facts.MPS) { m.Daemon.UID = 1000 }), wantMPS(), diag.MPSUser, diag.Error, "daemon of UID 1000"},
		"another user's, hidden": {
			liveMPS(func(m *facts.MPS) { m.Daemon, m.SocketUID = nil, 1000 }), wantMPS(), diag.MPSUser, diag.Error, "daemon of UID 1000",
		},
		"another user's, who cannot be read": {
			liveMPS(func(m *facts.MPS) { m.Daemon.UID, m.SocketUID = -1, 1000 }), wantMPS(), diag.MPSUser, diag.Error, "daemon of UID 1000",
		},
		"an impostor that answers, with unknown agents": {
			liveMPS(func(m *facts.MPS) { m.Daemon.UID, m.Daemon.Exe = 1000, "" }), wantMPS(byHand, func(w *mps.Wanted) { w.UID = nil }),
			diag.MPSUser, diag.Warning, "daemon of UID 1000",
		},
		"root's": {liveMPS(func(m *facts.MPS) { m.Daemon.UID = 0 }), wantMPS(), diag.MPSUser, diag.Warning, "one user at a time"},
		"one more elsewhere": {
			liveMPS(func(m *facts.MPS) { m.Elsewhere = []string{"/tmp/a b"} }), wantMPS(), diag.MPSElsewhere, diag.Warning, "sh '/tmp/a b'",
		},
		"its program was replaced": {
			liveMPS(func(m *facts.MPS) { m.Daemon.Exe += " (deleted)" }), wantMPS(), diag.MPSStray, diag.Warning, "(deleted)",
		},
		"a directory for all": {liveMPS(func(m *facts.MPS) { m.Directory.Mode = 0o777 }), wantMPS(), diag.MPSDirectory, diag.Warning, "chmod 0755 -- /run/nvidia-mps"},
		"a look that was not whole": {
			liveMPS(func(m *facts.MPS) { m.Err = "net/unix: permission denied" }), wantMPS(), diag.MPSSplit, diag.Warning, "net/unix: permission denied",
		},
	} {
		t.Run(name, func(t *testing.T) {
			problems := mps.Daemon(c.m, c.w)
			if c.code == "" {
				if len(problems) > 0 {
					t.Errorf("%+v", problems)
				}
				return
			}
			if len(problems) != 1 {
				t.Fatalf("%+v", problems)
			}
			p := problems[0]
			findings.Sound(t, p)
			if p.Code != c.code || p.Severity != c.severity || !strings.Contains(p.Message+"|"+p.Seen+"|"+p.Expected+"|"+p.Fix.String(), c.says) {
				t.Errorf("%+v\nwant %s %s: %q", p, c.severity, c.code, c.says)
			}
		})
	}
}

func TestDaemon_DeletedDirectoryIsHiddenOnlyByPrivateTmp(t *testing.T) {
	for _, c := range []struct {
		dir        string
		exists     bool
		privateTmp bool
		want       diag.Code
	}{
		{"/tmp/nvidia-mps", false, true, diag.MPSEnvironment}, {"/var/tmp/mps", false, true, diag.MPSEnvironment},
		{"/tmp/nvidia-mps", false, false, diag.MPSSplit}, {"/run/nvidia-mps", false, true, diag.MPSSplit}, {"/tmp/nvidia-mps", true, true, diag.MPSSplit},
	} {
		m := facts.MPS{Listeners: 1, Directory: facts.Directory{Exists: c.exists, IsDir: c.exists}}
		problems := mps.Daemon(m, wantMPS(func(w *mps.Wanted) { w.PipeDirectory, w.PrivateTmp = c.dir, c.privateTmp }))
		if len(problems) != 1 || problems[0].Code != c.want {
			t.Errorf("%+v: %+v", c, problems)
		}
	}
}

func TestDaemon_FixOfASplitStopsEveryDaemon(t *testing.T) {
	second := facts.MPSProcess{PID: 50, Args: []string{program, "-d"}, PipeDirectory: pipeDir}
	console := facts.MPSProcess{PID: 51, Args: []string{program}, PipeDirectory: pipeDir}
	other := facts.MPSProcess{PID: 52, Args: []string{program, "-d"}, PipeDirectory: "/tmp/nvidia-mps"}
	for _, c := range []struct {
		others []facts.MPSProcess
		pid    int
		want   string
	}{
		{[]facts.MPSProcess{second, console, other}, 41, "kill -KILL 41 50; "},
		{[]facts.MPSProcess{console, other}, 41, "pkill -KILL -f '[n]vidia-cuda-mps-control'; "},
		{nil, 0, "pkill -KILL -f '[n]vidia-cuda-mps-control'; "},
	} {
		m := liveMPS(func(m *facts.MPS) { m.Listeners, m.Others, m.Lock.PID = 2, c.others, c.pid })
		if fix := mps.Daemon(m, wantMPS(func(w *mps.Wanted) { w.MainPID = c.pid }))[0].Fix.String(); !strings.HasPrefix(fix, c.want) {
			t.Errorf("%s, want %s", fix, c.want)
		}
	}
}

func TestDaemon_EachAnswerIsJudged(t *testing.T) {
	console := facts.MPSProcess{PID: 60, UID: 1000, Args: []string{program}}
	gates := facts.MPSProcess{PID: 61, Args: []string{program}, Parent: "justnews-gate"}
	for name, c := range map[string]struct {
		kind facts.MPSAnswerKind
		m    facts.MPS
		w    mps.Wanted
		code diag.Code
		says string
	}{
		"not asked":       {facts.MPSNotAsked, liveMPS(), wantMPS(), diag.MPSWedged, "was not queried"},
		"an unknown kind": {facts.MPSAnswerKind(99), liveMPS(), wantMPS(), diag.MPSWedged, "was not queried"},
		"busy":            {facts.MPSBusy, liveMPS(), wantMPS(), diag.MPSBusy, "closes every connection"},
		"busy with a console": {
			facts.MPSBusy, liveMPS(func(m *facts.MPS) { m.Others = []facts.MPSProcess{gates, console} }), wantMPS(), diag.MPSBusy, "kill -TERM 60; ",
		},
		"busy with gates and daemons": {
			facts.MPSBusy, liveMPS(func(m *facts.MPS) { m.Others = []facts.MPSProcess{gates, {PID: 62, Args: []string{program, "-d"}}} }),
			wantMPS(), diag.MPSBusy, "closes every connection",
		},
		"busy with a console that is hidden": {
			facts.MPSBusy, liveMPS(func(m *facts.MPS) { m.Connections = 1 }), wantMPS(), diag.MPSBusy, "1 connection to",
		},
		"empty":                {facts.MPSEmpty, liveMPS(), wantMPS(), diag.MPSEmpty, "returned an empty response"},
		"empty by a console":   {facts.MPSEmpty, liveMPS(func(m *facts.MPS) { m.Others = []facts.MPSProcess{console} }), wantMPS(), diag.MPSBusy, "open console"},
		"no daemon":            {facts.MPSNoDaemon, liveMPS(), wantMPS(), diag.MPSDead, "finds no daemon"},
		"hung":                 {facts.MPSHung, liveMPS(), wantMPS(), diag.MPSWedged, "systemctl kill -s SIGKILL -- justnews-mps.service; "},
		"cut off":              {facts.MPSCutOff, liveMPS(), wantMPS(), diag.MPSTimeout, "justnews-gate retry"},
		"hung, by hand":        {facts.MPSHung, liveMPS(), wantMPS(byHand), diag.MPSWedged, "kill -KILL 41; "},
		"hung, and not to see": {facts.MPSHung, liveMPS(func(m *facts.MPS) { m.Lock.PID = 0 }), wantMPS(byHand), diag.MPSWedged, "pkill -KILL -f '[n]vidia-cuda-mps-control'; "},
		"timed out waiting":    {facts.MPSNoTurn, liveMPS(), wantMPS(), diag.MPSTimeout, "timed out waiting"},
		"denied":               {facts.MPSDenied, liveMPS(), wantMPS(), diag.MPSUser, "refuses this user"},
		"no libcuda":           {facts.MPSLibrary, liveMPS(), wantMPS(), diag.MPSLibrary, "libcuda.so.1"},
		"no program":           {facts.MPSProgramMissing, liveMPS(), wantMPS(), diag.MPSMissing, "not installed"},
		"no program to run":    {facts.MPSProgramDenied, liveMPS(), wantMPS(), diag.MPSMissing, "cannot be executed"},
		"nonsense":             {facts.MPSNonsense, liveMPS(), wantMPS(), diag.MPSNonsense, "is invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := mps.Control(facts.MPSAnswer{Kind: c.kind, Detail: "evidence\x1b"}, c.m, c.w)
			if len(problems) != 1 || problems[0].Severity != diag.Error {
				t.Fatalf("%+v", problems)
			}
			p := problems[0]
			findings.Sound(t, p)
			if p.Code != c.code || !strings.Contains(p.Message+"|"+p.Seen+"|"+p.Fix.String(), c.says) || !strings.Contains(p.Seen, "evidence") {
				t.Errorf("%+v\nwant %s: %q", p, c.code, c.says)
			}
		})
	}
	if problems := mps.Control(facts.MPSAnswer{Kind: facts.MPSAnswered}, facts.MPS{}, wantMPS()); len(problems) != 0 {
		t.Errorf("answered: %+v", problems)
	}
}

func TestDaemon_OnlyAnActiveServerOfTheUserCounts(t *testing.T) {
	answered := facts.MPSAnswer{Kind: facts.MPSAnswered}
	ours := facts.MPSServer{PID: 70, UID: 990, State: "ACTIVE", Alive: true}
	root := liveMPS(func(m *facts.MPS) { m.Daemon.UID = 0 })
	for name, c := range map[string]struct {
		servers []facts.MPSServer
		m       facts.MPS
		uid     *int
		active  bool
		seen    string
	}{
		"active":                                  {[]facts.MPSServer{ours}, liveMPS(), agent(), true, ""},
		"the second of two":                       {[]facts.MPSServer{{PID: 71, UID: 1000, State: "ACTIVE"}, ours}, liveMPS(), agent(), true, ""},
		"no state to ask for (535), alive":        {[]facts.MPSServer{{PID: 70, UID: 990, Alive: true}}, liveMPS(), agent(), true, ""},
		"of whomever, where agents are not known": {[]facts.MPSServer{{PID: 70, UID: 1000, State: "ACTIVE"}}, liveMPS(), nil, true, ""},
		"hidden, of a daemon of the agents' own":  {[]facts.MPSServer{{PID: 70, UID: -1, State: "ACTIVE"}}, liveMPS(), agent(), true, ""},
		"hidden, of root's daemon":                {[]facts.MPSServer{{PID: 70, UID: -1, State: "ACTIVE"}}, root, agent(), false, "of an unknown user"},
		"root's, of a daemon of the agents' own":  {[]facts.MPSServer{{PID: 70, UID: 0, State: "ACTIVE"}}, liveMPS(), agent(), false, "of UID 0"},
		"no state, not alive":                     {[]facts.MPSServer{{PID: 70, UID: 990}}, liveMPS(), agent(), false, "is not running"},
		"initializing":                            {[]facts.MPSServer{{PID: 70, UID: 990, State: "INITIALIZING", Alive: true}}, liveMPS(), agent(), false, "INITIALIZING"},
		"faulty":                                  {[]facts.MPSServer{{PID: 70, UID: 990, State: "FAULT", Alive: true}}, liveMPS(), agent(), false, "FAULT"},
		"another user's":                          {[]facts.MPSServer{{PID: 70, UID: 1000, State: "ACTIVE", Alive: true}}, liveMPS(), agent(), false, "UID 1000"},
		"its state could not be asked":            {[]facts.MPSServer{{PID: 70, UID: 990, Alive: true, Err: "broken off"}}, liveMPS(), agent(), false, "broken off"},
		"none":                                    {nil, liveMPS(), agent(), false, "lists no server"},
	} {
		t.Run(name, func(t *testing.T) {
			w := wantMPS(func(w *mps.Wanted) { w.UID = c.uid })
			problems := mps.Servers(c.servers, answered, c.m, w)
			if s := mps.ActiveServer(c.servers, c.m, w); (s != nil) != c.active || (s != nil) != (len(problems) == 0) {
				t.Fatalf("%+v, %+v", s, problems)
			}
			for _, p := range problems {
				findings.Sound(t, p)
				code := diag.MPSServer
				if c.seen == "INITIALIZING" {
					code = diag.MPSTimeout
				}
				if p.Code != code || p.Severity != diag.Error || !strings.Contains(p.Seen, c.seen) {
					t.Errorf("%+v, want %q", p, c.seen)
				}
			}
			lost := mps.Servers(c.servers, facts.MPSAnswer{Kind: facts.MPSEmpty}, c.m, w)
			if len(lost) != 1 || lost[0].Code != diag.MPSEmpty {
				t.Errorf("without a list: %+v", lost)
			}
		})
	}
}

func TestDaemon_LockHolderMustBeVisible(t *testing.T) {
	if p := mps.Unseen(liveMPS(), wantMPS()); p != nil {
		t.Errorf("%+v", p)
	}
	for _, m := range []facts.MPS{{}, liveMPS(func(m *facts.MPS) { m.Daemon = nil }), liveMPS(func(m *facts.MPS) { m.Daemon.Exe = "" })} {
		p := mps.Unseen(m, wantMPS())
		if p == nil || p.Severity != diag.Error || p.Code != diag.MPSUser {
			t.Fatalf("%+v", p)
		}
		findings.Sound(t, *p)
	}
}

func TestLimits_DefaultsAreReadBack(t *testing.T) {
	for name, c := range map[string]struct {
		want       config.MPS
		lines      []string
		percentage float64
		seen       string // "": as configured
	}{
		"none asked for":           {config.MPS{}, nil, 100, ""},
		"as configured":            {config.MPS{DefaultMemory: "6G", DefaultThreads: 50}, []string{"6G"}, 50, ""},
		"memory of two GPUs":       {config.MPS{DefaultMemory: "0=6G,1=8G"}, []string{"6G", "8192M"}, 100, ""},
		"of one of two":            {config.MPS{DefaultMemory: "0=6G,1=8G"}, []string{"8G"}, 100, "memory limit 8G"},
		"in another order":         {config.MPS{DefaultMemory: "GPU-a=6G,GPU-b=8G", Devices: []string{"GPU-b", "GPU-a"}}, []string{"8G", "6G"}, 100, ""},
		"swapped":                  {config.MPS{DefaultMemory: "0=6G,1=8G"}, []string{"8G", "6G"}, 100, "memory limit 8G, 6G"},
		"memory was removed":       {config.MPS{DefaultMemory: "6G"}, nil, 100, "memory limit none"},
		"memory is another":        {config.MPS{DefaultMemory: "6G"}, []string{"8G"}, 100, "memory limit 8G"},
		"threads are others":       {config.MPS{DefaultThreads: 50}, nil, 100, "thread percentage 100"},
		"threads are nearly those": {config.MPS{DefaultThreads: 50}, nil, 50.5, "thread percentage 50.5"},
		"neither is a size":        {config.MPS{DefaultMemory: "6Q"}, []string{"7Q"}, 100, "memory limit 7Q"},
		"both":                     {config.MPS{DefaultMemory: "6G", DefaultThreads: 50}, []string{"a", "b\x1b"}, 1, "thread percentage 1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := mps.Defaults(facts.MPSAnswer{Kind: facts.MPSAnswered, Lines: c.lines, Percentage: c.percentage}, wantMPS(func(w *mps.Wanted) {
				w.DefaultMemory, w.Devices, w.DefaultThreads = c.want.DefaultMemory, c.want.Devices, c.want.DefaultThreads
			}))
			if (p == nil) != (c.seen == "") {
				t.Fatalf("%+v", p)
			}
			if p == nil {
				return
			}
			findings.Sound(t, *p)
			if p.Code != diag.MPSLimit || p.Severity != diag.Error || !strings.Contains(p.Seen, c.seen) || p.Expected == "" {
				t.Errorf("%+v, want %q", p, c.seen)
			}
		})
	}
	for size, want := range map[config.Memory]string{"6G": "memory limit 6G", "1=8G": "memory limit 1=8G", "0=6G,1=8G": "memory limit 0=6G, 1=8G"} {
		p := mps.Defaults(facts.MPSAnswer{Kind: facts.MPSAnswered}, wantMPS(func(w *mps.Wanted) { w.DefaultMemory = size }))
		if p == nil || p.Expected != want {
			t.Errorf("%s: %+v, want %s", size, p, want)
		}
	}
	for want, c := range map[bool]config.MPS{false: {}, true: {DefaultThreads: 1}} {
		if mps.LimitsWanted(c) != want {
			t.Errorf("%+v", c)
		}
	}
	if !mps.LimitsWanted(config.MPS{DefaultMemory: "1G"}) {
		t.Error("a memory limit is one")
	}
}

func TestDaemon_IsAwaitedWhileItCanStart(t *testing.T) {
	warning := diag.Problem{Code: diag.MPSUser, Severity: diag.Warning}
	for name, c := range map[string]struct {
		reached  mps.Rung
		code     diag.Code
		hopeless bool
	}{
		"no daemon yet":                   {mps.NoRung, diag.MPSDead, false},
		"systemd was silent":              {mps.NoRung, diag.MPSTimeout, false},
		"a daemon that went":              {mps.RungDaemon, diag.MPSDead, false},
		"busy":                            {mps.RungDaemon, diag.MPSBusy, false},
		"empty":                           {mps.RungDaemon, diag.MPSEmpty, false},
		"hung":                            {mps.RungDaemon, diag.MPSWedged, false},
		"no server yet":                   {mps.RungControl, diag.MPSServer, false},
		"stopped":                         {mps.NoRung, diag.MPSWedged, false},
		"two daemons":                     {mps.NoRung, diag.MPSSplit, true},
		"another user's":                  {mps.NoRung, diag.MPSUser, true},
		"refused as another user":         {mps.RungDaemon, diag.MPSUser, true},
		"not installed":                   {mps.RungDaemon, diag.MPSMissing, true},
		"no libcuda":                      {mps.RungDaemon, diag.MPSLibrary, true},
		"a limit that the daemon refused": {mps.RungDaemon, diag.MPSLimit, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mps.Hopeless(c.reached, []diag.Problem{warning, {Code: c.code}}, wantMPS()); got != c.hopeless {
				t.Errorf("hopeless: %v", got)
			}
		})
	}
	if mps.Hopeless(mps.NoRung, []diag.Problem{warning}, wantMPS()) {
		t.Error("a warning ends the wait")
	}
	for _, c := range []struct{ own, runs bool }{{false, false}, {false, true}, {true, true}, {true, false}} {
		w := wantMPS(func(w *mps.Wanted) {
			w.OwnUnit, w.MainPID = c.own, map[bool]int{true: 41}[c.runs]
		})
		if got, want := mps.Hopeless(mps.NoRung, nil, w), c.own && !c.runs; got != want {
			t.Errorf("%+v: hopeless is %t", c, got)
		}
		exited := strings.Contains(mps.Daemon(deadMPS(), w)[0].Message, "exited as soon as")
		if want := c.own && !c.runs; exited != want {
			t.Errorf("%+v: exited at once is %t", c, exited)
		}
	}
}

func TestDaemon_UnknownLevelRequiresEverything(t *testing.T) {
	for r, want := range map[mps.Rung]string{-1: "none", mps.NoRung: "none", mps.RungDaemon: "daemon", mps.RungServer: "server", mps.RungServer + 1: "none"} {
		if got := r.String(); got != want {
			t.Errorf("%d: %s, want %s", int(r), got, want)
		}
	}
	for word, want := range map[string]mps.Rung{"daemon": mps.RungDaemon, "control": mps.RungControl, "server": mps.RungServer, "": mps.RungServer, "none": mps.RungServer, "x": mps.RungServer} {
		if got := mps.RungOf(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
	for rung, want := range map[mps.Rung]string{mps.NoRung: "none", mps.RungDaemon: "daemon", mps.RungControl: "control", mps.RungServer: "server", 99: "none", -1: "none"} {
		if got := rung.String(); got != want {
			t.Errorf("%d: %s, want %s", rung, got, want)
		}
	}
}

// Without a listener, a missing directory does not belong to a daemon.
func TestDaemon_MissingPrivateDirectoryWithoutListenerIsADeadDaemon(t *testing.T) {
	problems := mps.Daemon(facts.MPS{}, wantMPS(func(w *mps.Wanted) { w.PipeDirectory, w.PrivateTmp = "/tmp/nvidia-mps", true }))
	if len(problems) != 1 || problems[0].Code != diag.MPSDead {
		t.Errorf("%+v", problems)
	}
}

func TestDaemon_ElsewhereNamesTheDaemonsOfThatDirectory(t *testing.T) {
	const there = "/tmp/mps"
	daemon := func(pid int, dir, unit string) facts.MPSProcess {
		return facts.MPSProcess{PID: pid, UID: 990, Exe: program, Args: []string{program, "-d"}, Unit: unit, PipeDirectory: dir}
	}
	console := facts.MPSProcess{PID: 50, UID: 990, Exe: program, Args: []string{program}, Unit: mpsUnit, PipeDirectory: there}
	for name, c := range map[string]struct {
		others []facts.MPSProcess
		w      mps.Wanted
		code   diag.Code
		has    string
		not    string
	}{
		"a console and another directory's": {[]facts.MPSProcess{console, daemon(51, "/tmp/other", "x.service"), daemon(52, there, "x.service")}, wantMPS(), diag.MPSElsewhere, "52", "51"},
		"a console of the unit":             {[]facts.MPSProcess{console}, wantMPS(), diag.MPSElsewhere, there, "50"},
		"the unit's daemon":                 {[]facts.MPSProcess{daemon(52, there, mpsUnit)}, wantMPS(), diag.MPSEnvironment, "52", ""},
		"the unit's main process":           {[]facts.MPSProcess{daemon(41, there, "")}, wantMPS(), diag.MPSEnvironment, "41", ""},
		"another unit's":                    {[]facts.MPSProcess{daemon(52, there, "x.service")}, wantMPS(), diag.MPSElsewhere, "52", ""},
		"of no unit, and none is known":     {[]facts.MPSProcess{daemon(0, there, "x.service")}, wantMPS(func(w *mps.Wanted) { w.MainPID = 0 }), diag.MPSElsewhere, there, ""},
		"no unit is configured":             {[]facts.MPSProcess{daemon(52, there, "")}, wantMPS(byHand), diag.MPSElsewhere, "52", ""},
	} {
		problems := mps.Daemon(deadMPS(func(m *facts.MPS) { m.Elsewhere, m.Others = []string{there}, c.others }), c.w)
		if len(problems) != 1 || problems[0].Code != c.code || !strings.Contains(problems[0].Seen, c.has) || c.not != "" && strings.Contains(problems[0].Seen, c.not) {
			t.Errorf("%s: %+v, want %s with %q, without %q", name, problems, c.code, c.has, c.not)
		}
	}
}

// The mode is that of the pipe directory, so it is evidence only where that is closed.
func TestDaemon_BlockedDirectoryHasItsMode(t *testing.T) {
	for _, c := range []struct {
		exists  bool
		blocked string
		want    bool
	}{{true, pipeDir, true}, {true, "/run", false}, {false, pipeDir, false}, {false, "/run", false}} {
		problems := mps.Daemon(deadMPS(func(m *facts.MPS) {
			m.Directory = facts.Directory{Exists: c.exists, IsDir: c.exists, Blocked: c.blocked, Mode: 0o700, UID: 7}
		}), wantMPS())
		if len(problems) != 1 || problems[0].Code != diag.MPSDirectory || strings.Contains(problems[0].Seen, "mode 0700, UID 7") != c.want {
			t.Errorf("%+v: %+v", c, problems)
		}
	}
}

func TestOpinion_DifferenceIsAWarning(t *testing.T) {
	for _, c := range []struct {
		opinion facts.MPSOpinion
		reached mps.Rung
		says    string // "": nothing
	}{
		{facts.MPSOpinion{Enabled: true}, mps.NoRung, ""},
		{facts.MPSOpinion{Known: true}, mps.NoRung, ""},
		{facts.MPSOpinion{Known: true, Enabled: true}, mps.RungDaemon, ""},
		{facts.MPSOpinion{Known: true, Enabled: true}, mps.RungServer, ""},
		{facts.MPSOpinion{Known: true, Enabled: true, Source: "mps_enabled"}, mps.NoRung, "reports that MPS is enabled"},
		{facts.MPSOpinion{Known: true, Source: "mps_enabled"}, mps.RungDaemon, "reports that MPS is not enabled"},
	} {
		p := mps.Opinion(c.opinion, c.reached, "http://127.0.0.1:8014")
		if (p == nil) != (c.says == "") {
			t.Errorf("%+v at %s: %+v", c.opinion, c.reached, p)
		}
		if p == nil {
			continue
		}
		findings.Sound(t, *p)
		if p.Code != diag.MPSOpinion || p.Severity != diag.Warning || !strings.Contains(p.Message, c.says) {
			t.Errorf("%+v at %s: %+v", c.opinion, c.reached, p)
		}
	}
}

// A daemon is restarted by its unit, or as the runbook does where it has none, and
// killed by its unit only where that is active.
func TestDaemon_FixUsesTheUnitWhereThereIsOne(t *testing.T) {
	stopped := liveMPS(func(m *facts.MPS) { m.Daemon.State = "T" })
	for name, c := range map[string]struct {
		problems []diag.Problem
		has, not string
	}{
		"a server of the unit":   {mps.Servers(nil, facts.MPSAnswer{Kind: facts.MPSAnswered}, liveMPS(), wantMPS()), "systemctl restart -- " + mpsUnit, "echo quit"},
		"a server of no unit":    {mps.Servers(nil, facts.MPSAnswer{Kind: facts.MPSAnswered}, liveMPS(), wantMPS(byHand)), "echo quit", "systemctl restart"},
		"stopped":                {mps.Daemon(stopped, wantMPS()), "systemctl kill -s SIGKILL -- " + mpsUnit, "kill -s KILL"},
		"stopped, of a dead one": {mps.Daemon(stopped, wantMPS(func(w *mps.Wanted) { w.UnitActive = false })), "41", "systemctl kill"},
		"stopped, of no unit":    {mps.Daemon(stopped, wantMPS(byHand)), "41", "systemctl kill"},
	} {
		if len(c.problems) != 1 || !strings.Contains(c.problems[0].Fix.String(), c.has) || strings.Contains(c.problems[0].Fix.String(), c.not) {
			t.Errorf("%s: %+v, want %q and not %q", name, c.problems, c.has, c.not)
		}
	}
	log := mps.Servers(nil, facts.MPSAnswer{Kind: facts.MPSAnswered}, liveMPS(), wantMPS())[0].Fix.String()
	if !strings.Contains(log, mpsUnit) || strings.Contains(log, "the MPS control daemon") {
		t.Error(log)
	}
}
