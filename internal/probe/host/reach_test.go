// SPDX-License-Identifier: Apache-2.0

package host

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"justnews/internal/facts"
)

// places lays out what a service may want to reach, open to all but one
// directory.
func places(t *testing.T) Host {
	t.Helper()
	h := Host{Root: t.TempDir()}
	for dir, mode := range map[string]os.FileMode{"/open": 0o755, "/shut": 0o700, "/mine": 0o777} {
		if err := os.Mkdir(h.path(dir), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(h.path(dir), mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]os.FileMode{"/open/run": 0o755, "/open/text": 0o644, "/shut/run": 0o755} {
		if err := os.WriteFile(h.path(name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	// The path leads through the test's directory, which is closed to others.
	for dir := h.Root; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func TestReach_ReportsTheComponentThatDeniesAccess(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can check access as another user")
	}
	h, nobody := places(t), facts.Account{User: "nobody", UID: 65534, GIDs: []int{65534}}
	for _, c := range []struct {
		path   string
		want   facts.Access
		ok     bool
		at     string
		detail string
	}{
		{"/open/run", facts.Run, true, "/open/run", ""},
		{"/open/text", facts.Run, false, "/open/text", "permission denied"},
		{"/open", facts.Run, false, "/open", "is a directory"},
		{"/shut/run", facts.Run, false, "/shut", "permission denied"},
		{"/open/none/x", facts.Run, false, "/open/none", "does not exist"},
		{"/open", facts.Enter, true, "/open", ""},
		{"/open/run", facts.Enter, false, "/open/run", "is not a directory"},
		{"/shut", facts.Enter, false, "/shut", "permission denied"},
		{"/mine", facts.Write, true, "/mine", ""},
		{"/mine/new/dir", facts.Write, true, "/mine", ""},
		{"/open", facts.Write, false, "/open", "permission denied"},
		{"/open/new", facts.Write, false, "/open", "permission denied"},
	} {
		r := h.Reach(nobody, c.path, c.want)
		if !r.Known || r.OK != c.ok || r.At != c.at || r.Detail != c.detail {
			t.Errorf("%s %s: %+v, want ok %t, %q %q", c.want, c.path, r, c.ok, c.at, c.detail)
		}
	}
	if r := h.Reach(facts.Account{User: "root"}, "/shut/run", facts.Run); !r.OK {
		t.Errorf("root, after nobody was tried: %+v", r)
	}
}

func TestReach_WithoutRootOnlyTheCallersPathsAreTried(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can try as anybody")
	}
	if r := places(t).Reach(facts.Account{User: "root"}, "/open/run", facts.Run); r.Known || !strings.Contains(r.Detail, "only root") {
		t.Errorf("%+v", r)
	}
}

func TestSpace_IsThatOfTheNearestDirectory(t *testing.T) {
	h := places(t)
	s := h.Space("/open/not/yet")
	if s.Err != "" || s.At != "/open" || s.Free == 0 || s.Device == 0 {
		t.Errorf("%+v", s)
	}
}

func TestLimits_AreReadFromTheProcess(t *testing.T) {
	h := tree(t, map[string]string{"/proc/meminfo": "MemTotal: 1 kB\nSwapTotal:       2048 kB\n", "/proc/sys/fs/nr_open": "1048576\n"})
	if l := h.Limits(); !l.SwapKnown || l.Swap != 2<<20 || l.OpenMax != 1<<20 || l.TmpNoexec {
		t.Errorf("%+v", l)
	}
	if l := (Host{Root: t.TempDir()}).Limits(); l.SwapKnown || l.OpenMax != 0 {
		t.Errorf("without /proc: %+v", l)
	}
}

func TestReach_HolderOfAPortIsFound(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	port := server.Addr().(*net.TCPAddr).Port
	found, err := Host{}.Ports([]int{port, 1})
	if err != nil || len(found[port].Processes) != 1 || found[port].Processes[0].PID != os.Getpid() || !slices.Equal(found[port].UIDs, []int{os.Geteuid()}) || len(found[1].UIDs) != 0 {
		t.Errorf("%+v, %v; want PID %d", found, err, os.Getpid())
	}
}

func TestReach_AccountHasItsGroups(t *testing.T) {
	if a := (Host{}).Account("root", "root"); a.Err != "" || a.UID != 0 || len(a.GIDs) == 0 || a.GIDs[0] != 0 {
		t.Errorf("%+v", a)
	}
	if a := (Host{}).Account("no-such-user", "root"); !strings.Contains(a.Err, `no user "no-such-user"`) {
		t.Errorf("%+v", a)
	}
	if a := (Host{}).Account("root", "no-such-group"); !strings.Contains(a.Err, `no group "no-such-group"`) {
		t.Errorf("%+v", a)
	}
}

func TestReach_AccountBelowARootComesFromItsFiles(t *testing.T) {
	h := Host{Root: t.TempDir()}
	if a := h.Account("nobody_knows", "nor_this"); a.Err != "" {
		t.Errorf("a root without users: %+v", a)
	}
	files := map[string]string{"passwd": "justnews:x:997:998::/:/bin/sh\n", "group": "agents:x:998:\n"}
	if err := os.Mkdir(h.path("/etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(h.path("/etc/"+name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for names, want := range map[[2]string]string{
		{"justnews", "agents"}: "", {"997", "998"}: "", {"justnews", ""}: "",
		{"root", "agents"}: `no user "root"`, {"justnews", "root"}: `no group "root"`,
	} {
		if a := h.Account(names[0], names[1]); (a.Err == "") != (want == "") || !strings.Contains(a.Err, want) {
			t.Errorf("%v: %q, want %q", names, a.Err, want)
		}
	}
}
