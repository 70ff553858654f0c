// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/internal/facts"
	"justnews/internal/hostlock"
)

func TestDaemon_ServersAreReadFromTheListAndProc(t *testing.T) {
	dir := root(t, "",
		with(daemonProcess(41), func(p *proc) { p.exe = "/usr/sbin/nvidia-cuda-mps-server" }),
		with(daemonProcess(42), func(p *proc) { p.comm = "bash" }), // the number of one that is gone
		with(daemonProcess(43), func(p *proc) { p.state = "Z" }))
	for name, c := range map[string]struct {
		list, status string
		want         []facts.MPSServer
		kind         facts.MPSAnswerKind
	}{
		"active":                  {"echo 41", "echo ACTIVE", []facts.MPSServer{{PID: 41, UID: 990, State: "ACTIVE", Alive: true}}, facts.MPSAnswered},
		"driver 535 cannot tell":  {"echo 41", "echo 'Unknown command: get_server_status 41'", []facts.MPSServer{{PID: 41, UID: 990, Alive: true}}, facts.MPSAnswered},
		"faulty":                  {"echo 41", "echo FAULT", []facts.MPSServer{{PID: 41, UID: 990, State: "FAULT", Alive: true}}, facts.MPSAnswered},
		"another has its number":  {"echo 42", "echo ACTIVE", []facts.MPSServer{{PID: 42, UID: -1, State: "ACTIVE"}}, facts.MPSAnswered},
		"a zombie":                {"echo 43", "echo ACTIVE", []facts.MPSServer{{PID: 43, UID: -1, State: "ACTIVE"}}, facts.MPSAnswered},
		"it cannot be seen":       {"echo 44", "echo ACTIVE", []facts.MPSServer{{PID: 44, UID: -1, State: "ACTIVE"}}, facts.MPSAnswered},
		"no state":                {"echo 41", ":", []facts.MPSServer{{PID: 41, UID: 990, Alive: true, Err: `get_server_status: ""`}}, facts.MPSAnswered},
		"two states":              {"echo 41", "echo ACTIVE; echo FAULT", []facts.MPSServer{{PID: 41, UID: 990, Alive: true, Err: `get_server_status: "ACTIVE; FAULT"`}}, facts.MPSAnswered},
		"the question was broken": {"echo 41", "exit 1", []facts.MPSServer{{PID: 41, UID: 990, Alive: true, Err: `exit status 1, ""`}}, facts.MPSAnswered},
		"two servers":             {"echo 41; echo 44", "echo ACTIVE", []facts.MPSServer{{PID: 41, UID: 990, State: "ACTIVE", Alive: true}, {PID: 44, UID: -1, State: "ACTIVE"}}, facts.MPSAnswered},
		"a word for a number":     {"echo 41x", "echo ACTIVE", nil, facts.MPSNonsense},
		"a number below zero":     {"echo -1", "echo ACTIVE", nil, facts.MPSNonsense},
		"zero":                    {"echo 0", "echo ACTIVE", nil, facts.MPSNonsense},
		"an error for a list":     {"echo 'Server not found'", "echo ACTIVE", nil, facts.MPSNonsense},
		"no list":                 {"exit 1", "echo ACTIVE", nil, facts.MPSBusy},
	} {
		t.Run(name, func(t *testing.T) {
			p := patient(program(t, "while read -r command rest; do case $command in get_server_list) "+c.list+" ;; get_server_status) "+c.status+" ;; *) echo 100.0 ;; esac; done"))
			p.Root = dir
			servers, list := p.Servers(t.Context())
			if !slices.Equal(servers, c.want) || list.Kind != c.kind {
				t.Errorf("%+v, %+v\nwant %+v", servers, list, c.want)
			}
		})
	}
}

// NVIDIA's own control daemon, which needs no GPU to be asked.
func TestDaemon_RealControlDaemonAnswers(t *testing.T) {
	path, err := exec.LookPath("nvidia-cuda-mps-control")
	if err != nil {
		t.Skip("nvidia-cuda-mps-control is not installed (Debian: nvidia-cuda-mps)")
	}
	dir := t.TempDir()
	lock, err := hostlock.Open(hostlock.Name("mps", dir))
	if err != nil {
		t.Fatal(err)
	}
	p := Prober{PipeDirectory: filepath.Join(dir, "pipe"), Program: path, Turn: lock, Timeout: time.Minute}
	if a := p.Ask(t.Context()); a.Kind != facts.MPSNoDaemon {
		t.Fatalf("before it is started: %+v", a)
	}
	daemon := exec.Command(path, "-f")
	daemon.Env = []string{"CUDA_MPS_PIPE_DIRECTORY=" + p.PipeDirectory, "CUDA_MPS_LOG_DIRECTORY=" + dir}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	t.Cleanup(func() { _ = daemon.Process.Kill() })
	for p.Look().Listeners == 0 { // it needs a few milliseconds
		select {
		case err := <-ended:
			t.Skipf("the daemon does not run here: %v", err)
		default:
		}
	}
	m := p.Look()
	if m.Lock.PID != daemon.Process.Pid || !m.Socket || m.Listeners != 1 || m.Daemon == nil || !m.Daemon.Daemon() ||
		m.Daemon.PipeDirectory != p.PipeDirectory || filepath.Base(m.Daemon.Exe) != "nvidia-cuda-mps-control" {
		t.Errorf("%+v\n%+v", m, m.Daemon)
	}
	if a := p.SetLimits(t.Context(), []string{"0 4G"}, 50); a.Kind != facts.MPSAnswered {
		t.Errorf("limits: %+v", a)
	}
	if a := p.Ask(t.Context(), "get_default_device_pinned_mem_limit 0"); a.Kind != facts.MPSAnswered || a.Percentage != 50 || !slices.Equal(a.Lines, []string{"4G"}) {
		t.Errorf("limits read back: %+v", a)
	}
	if servers, list := p.Servers(t.Context()); list.Kind != facts.MPSAnswered || len(servers) != 0 {
		t.Errorf("servers: %+v, %+v", servers, list)
	}
	_ = daemon.Process.Kill()
	if err := <-ended; err == nil {
		t.Error("killed, and it ended well")
	}
	if m := p.Look(); m.Lock.Held || !m.Socket || m.Listeners != 0 {
		t.Errorf("killed: %+v", m)
	}
	if a := p.Ask(t.Context()); a.Kind != facts.MPSNoDaemon || !strings.Contains(a.Detail, "Cannot find") {
		t.Errorf("killed: %+v", a)
	}
}
