// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/facts"
)

// proc is one process of a made-up /proc. "-" for a file: the caller may not
// read it.
type proc struct {
	pid, uid, parent int
	comm, state, exe string
	args             []string
	environ, cgroup  string
}

// root makes a directory with these processes and this table of sockets.
func root(t *testing.T, unix string, processes ...proc) string {
	t.Helper()
	dir := t.TempDir()
	write := func(path, text string) {
		path = filepath.Join(dir, "proc", path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("net/unix", unix)
	write("version", "not a process")
	for _, p := range processes {
		at := strconv.Itoa(p.pid)
		write(at+"/comm", p.comm+"\n")
		write(at+"/status", fmt.Sprintf("Name:\t%s\nState:\t%s (what it means)\nPPid:\t%d\nUid:\t0\t%d\t0\t0\nNoValue:\n", p.comm, p.state, p.parent, p.uid))
		write(at+"/cmdline", strings.Join(p.args, "\x00")+"\x00")
		write(at+"/cgroup", p.cgroup)
		if p.environ != "-" {
			write(at+"/environ", p.environ)
		}
		if p.exe != "-" {
			if err := os.Symlink(p.exe, filepath.Join(dir, "proc", at, "exe")); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func daemonProcess(pid int) proc {
	return proc{
		pid: pid, uid: 990, parent: 1, comm: comm, state: "S", exe: Program, args: []string{Program, "-f"},
		environ: "PATH=/usr/bin\x00CUDA_MPS_PIPE_DIRECTORY=/run/nvidia-mps\x00", cgroup: "0::/system.slice/justnews-mps.service\n",
	}
}

func with(p proc, change func(*proc)) proc {
	change(&p)
	return p
}

func TestProcess_OnlyLiveControlProgramsAreListed(t *testing.T) {
	for name, c := range map[string]struct {
		p      proc
		listed bool
		daemon bool
	}{
		"a daemon in the foreground":                  {daemonProcess(7), true, true},
		"a daemon in the background":                  {with(daemonProcess(7), func(p *proc) { p.args[1] = "-d" }), true, true},
		"a console":                                   {with(daemonProcess(7), func(p *proc) { p.args = p.args[:1] }), true, false},
		"a console with another flag":                 {with(daemonProcess(7), func(p *proc) { p.args[1] = "-v" }), true, false},
		"a daemon whose program was replaced":         {with(daemonProcess(7), func(p *proc) { p.exe += " (deleted)" }), true, true},
		"another user's daemon":                       {with(daemonProcess(7), func(p *proc) { p.exe, p.environ = "-", "-" }), true, true},
		"a zombie":                                    {with(daemonProcess(7), func(p *proc) { p.state = "Z" }), false, false},
		"a server, of which the kernel keeps as much": {with(daemonProcess(7), func(p *proc) { p.exe = "/usr/sbin/nvidia-cuda-mps-server" }), false, false},
		"a server whose program was replaced": {with(daemonProcess(7), func(p *proc) {
			p.exe, p.args = "/usr/sbin/nvidia-cuda-mps-server (deleted)", []string{"nvidia-cuda-mps-server"}
		}), false, false},
		"another user's server": {with(daemonProcess(7), func(p *proc) {
			p.exe, p.args = "-", []string{"/usr/sbin/nvidia-cuda-mps-server"}
		}), false, false},
		"anything else": {with(daemonProcess(7), func(p *proc) { p.comm = "nvidia-smi" }), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := Prober{Root: root(t, "", c.p)}.processes()
			if err != nil || (len(all) == 1) != c.listed {
				t.Fatalf("%+v, %v", all, err)
			}
			if c.listed && all[0].Daemon() != c.daemon {
				t.Errorf("%+v: a daemon: %v", all[0], all[0].Daemon())
			}
		})
	}
}

func TestProcess_OnlyReadableFactsAreReported(t *testing.T) {
	dir := root(t, "",
		proc{pid: 1, comm: "systemd", state: "S", exe: "-", environ: "-"},
		daemonProcess(7),
		with(daemonProcess(8), func(p *proc) {
			p.exe, p.environ, p.parent, p.args, p.cgroup = "-", "-", 0, nil, "0::/user.slice/user-1000.slice/session-3.scope\n"
		}))
	p := Prober{Root: dir}
	whole, _ := p.process(7)
	want := facts.MPSProcess{
		PID: 7, UID: 990, State: "S", Exe: Program, Args: []string{Program, "-f"}, Parent: "systemd",
		Unit: "justnews-mps.service", PipeDirectory: "/run/nvidia-mps",
	}
	if diff := cmp.Diff(want, whole); diff != "" {
		t.Error(diff)
	}
	hidden, _ := p.process(8)
	if want := (facts.MPSProcess{PID: 8, UID: 990, State: "S", Args: []string{""}, Unit: "session-3.scope"}); !cmp.Equal(want, hidden) {
		t.Error(cmp.Diff(want, hidden))
	}
	if one, ok := p.process(9); ok {
		t.Errorf("there is no process 9: %+v", one)
	}
	if _, err := (Prober{Root: filepath.Join(dir, "none")}).processes(); err == nil {
		t.Error("no /proc, and no error")
	}
}

func TestProcess_PipeDirectoryComesFromItsEnvironment(t *testing.T) {
	for environ, want := range map[string]string{
		"":                                       defaultPipeDirectory,
		"CUDA_MPS_PIPE_DIRECTORY=\x00":           defaultPipeDirectory,
		"CUDA_MPS_PIPE_DIRECTORY=/a/\x00":        "/a",
		"XCUDA_MPS_PIPE_DIRECTORY=/a\x00":        defaultPipeDirectory,
		"CUDA_MPS_PIPE_DIRECTORY=/a b/../c":      "/c",
		"A=1\x00CUDA_MPS_PIPE_DIRECTORY=/b=\x00": "/b=",
	} {
		if got := pipeDirectory(split([]byte(environ))); got != want {
			t.Errorf("%q: %q, want %q", environ, got, want)
		}
	}
}

func TestProcess_UnitIsASystemUnit(t *testing.T) {
	for groups, want := range map[string]string{
		"0::/system.slice/justnews-mps.service\n":                                        "justnews-mps.service",
		"0::/system.slice/system-justnews.slice/justnews@scout.service\n":                "justnews@scout.service",
		"0::/system.slice/justnews-mps.service/below/x.service\n":                        "justnews-mps.service",
		"0::/user.slice/user-1000.slice/session-3.scope\n":                               "session-3.scope",
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/$(reboot).service\n": "user@1000.service",
		"4:memory:/\n1:name=systemd:/system.slice/x.service\n0::/":                       "x.service",
		"0::/\n": "",
		"":       "",
	} {
		if got := unit(groups); got != want {
			t.Errorf("%q: %q, want %q", groups, got, want)
		}
	}
}

// A user may start many processes, with megabytes of arguments.
func TestProcess_ArgumentsAreLimited(t *testing.T) {
	large := with(daemonProcess(7), func(p *proc) { p.args = append(p.args, strings.Repeat("x", 2<<20)) })
	found, err := Prober{Root: root(t, "", large)}.processes()
	if err != nil || len(found) != 1 || !found[0].Daemon() {
		t.Fatalf("%+v, %v", found, err)
	}
	if n := len(strings.Join(found[0].Args, "")); n > maxArgs {
		t.Errorf("%d bytes of arguments are kept", n)
	}
}
