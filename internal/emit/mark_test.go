// SPDX-License-Identifier: Apache-2.0

package emit_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/emit"
	"justnews/internal/facts"
	"justnews/internal/plan"
	"justnews/internal/unitname"
)

// completeOrUnmarked fails if an instance has its mark, but not all of its drop-ins with
// the expected content. It returns how many instances have their mark.
func completeOrUnmarked(t *testing.T, what string, cfg *config.Config, dir string) (marked int) {
	t.Helper()
	tree, whole := readTree(t, dir), map[string]string{}
	files, _ := emit.Render(plan.Build(cfg, plan.Machine{}))
	for _, f := range files {
		whole[f.Path()] = string(f.Text)
	}
	for _, i := range cfg.Instances {
		want, err := plan.Mark(cfg, i.Name)
		if err != nil {
			t.Fatal(err)
		}
		last := tree[strings.TrimPrefix(want.DropIns[len(want.DropIns)-1], plan.GeneratorDir+"/")]
		if !strings.Contains(last, "UnsetEnvironment="+facts.MarkVariable+"="+want.Mark) {
			continue
		}
		marked++
		for _, path := range append(want.DropIns, plan.GeneratorDir+"/"+plan.BaseDir+"/"+plan.BaseName, plan.GeneratorDir+"/"+unitname.MPS+".d/60-justnews-mps.conf") {
			path = strings.TrimPrefix(path, plan.GeneratorDir+"/")
			if strings.TrimSuffix(tree[path], "\n") != strings.TrimSuffix(whole[path], "\n") {
				t.Errorf("%s: %s is marked, and %s is\n%s", what, i.Name, path, tree[path])
			}
		}
	}
	return marked
}

// baseShuts checks that the base, which masks the packaged one, is there as a whole or not at
// all. An empty one would be an open gate.
func baseShuts(t *testing.T, what, dir string) {
	t.Helper()
	base, err := os.ReadFile(filepath.Join(dir, plan.BaseDir, plan.BaseName))
	if err == nil && (!strings.Contains(string(base), plan.Gate+"\n") || !strings.Contains(string(base), "\nNotifyAccess=exec\n")) {
		t.Errorf("%s: the base is %q", what, base)
	}
}

func TestKilled_AtAnyByteIncompleteInstancesHaveNoMark(t *testing.T) {
	cfg := manyInstances(3)
	files, _ := emit.Render(plan.Build(cfg, plan.Machine{}))
	for n := 1; n <= len(files); n++ {
		dir := t.TempDir()
		if err := emit.Write(dir, files[:n]); err != nil {
			t.Fatal(err)
		}
		completeOrUnmarked(t, "killed after "+files[n-1].Path(), cfg, dir)
		text := files[n-1].Text
		for cut := len(text) - 1; cut >= 0 && n > 1; cut-- {
			if cut < len(text)-64 { // the mark is the last line
				cut = max(0, cut-63)
			}
			if err := os.WriteFile(filepath.Join(dir, files[n-1].Path()), text[:cut], 0o644); err != nil {
				t.Fatal(err)
			}
			completeOrUnmarked(t, "killed in "+files[n-1].Path()+" at "+strconv.Itoa(cut), cfg, dir)
		}
	}
}

// strace kills the real program at its first, second, … call that changes a
// file, until it is through.
func TestKilled_AtAnySystemCallIncompleteInstancesHaveNoMark(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace")
	}
	program := filepath.Join(t.TempDir(), "justnews-generator")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/justnews-generator").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	root := copyTree(t, "testdata/10-disabled/root")
	cfg, problems := config.Load(config.Source{Root: root, Owner: os.Getuid()})
	if cfg == nil {
		t.Fatal(problems)
	}
	marked, total := 0, 0
	for _, call := range []string{"mkdirat", "write", "renameat", "symlinkat", "close"} {
		for n := 1; ; n++ {
			dir := t.TempDir()
			err := exec.Command(strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace="+call,
				"-e", "inject="+call+":signal=KILL:when="+strconv.Itoa(n), program, "--root", root, dir).Run()
			if ended, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || ended.ExitCode() > 0) {
				t.Skipf("cannot trace here: %v", err)
			}
			got := completeOrUnmarked(t, "killed at "+call+" "+strconv.Itoa(n), cfg, dir)
			baseShuts(t, "killed at "+call+" "+strconv.Itoa(n), dir)
			marked, total = marked+got, total+1
			if err == nil {
				if got != len(cfg.Instances) {
					t.Errorf("a run that nothing killed marked %d instances", got)
				}
				break
			}
			if n == 200 {
				t.Fatalf("%s: killed 200 times", call)
			}
		}
	}
	if total < 20 || marked == 0 {
		t.Errorf("%d runs, %d marks", total, marked)
	}
}

func TestKilled_OnAFullDiskIncompleteInstancesHaveNoMark(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount small file systems")
	}
	cfg := manyInstances(17)
	full := 0
	try := func(options string) {
		t.Helper()
		dir := t.TempDir()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755,"+options); err != nil {
			t.Skipf("cannot mount a tmpfs: %v", err)
		}
		defer syscall.Unmount(dir, 0)
		g := generator(t.TempDir(), dir)
		g.Load = func() (*config.Config, []diag.Problem) { return cfg, nil }
		status, _ := g.Run()
		marked := completeOrUnmarked(t, options, cfg, dir)
		baseShuts(t, options, dir)
		if (status == diag.StatusReady) != (marked == 17) || status != diag.StatusReady && marked != 0 {
			t.Errorf("%s: status %d with %d instances marked", options, status, marked)
		}
		if marked == 17 {
			full++
		}
	}
	for inodes := 1; inodes <= 100; inodes++ {
		try("size=4m,nr_inodes=" + strconv.Itoa(inodes))
	}
	for pages := 1; pages <= 60; pages++ {
		try("size=" + strconv.Itoa(4*pages) + "k")
	}
	if full == 0 || full == 160 {
		t.Errorf("%d of 160 file systems took everything", full)
	}
}

func TestMark_DependsOnTheConfigurationOnly(t *testing.T) {
	cfg := manyInstances(3)
	of := func(m plan.Machine) []byte {
		files, problems := emit.Render(plan.Build(cfg, m))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		for _, f := range files {
			if f.Path() == "justnews@agent_2.service.d/60-justnews-instance.conf" {
				_, mark, _ := bytes.Cut(f.Text, []byte("UnsetEnvironment="))
				return mark
			}
		}
		return nil
	}
	was := of(plan.Machine{})
	want, err := plan.Mark(cfg, "agent_2")
	if err != nil || string(was) != facts.MarkVariable+"="+want.Mark+"\n" {
		t.Fatalf("%s, want %+v, %v", was, want, err)
	}
	if got := of(plan.Machine{GateOff: true, EnvTimeouts: map[string]time.Duration{"agent_2": time.Hour, "global": 2 * time.Hour}}); !bytes.Equal(got, was) {
		t.Errorf("an environment file changes the mark: %s, %s", was, got)
	}
	seen := map[string]string{string(was): "unchanged"}
	for what, change := range map[string]func(){
		"exec":        func() { cfg.Instances[2].Service.Exec = []string{"/bin/true"} },
		"limit":       func() { cfg.Instances[2].Service.MemoryMax = "4G" },
		"user":        func() { cfg.Instances[2].Service.User = "nobody" },
		"environment": func() { cfg.Instances[2].Environment = map[string]string{"X": "1"} },
		"strict":      func() { cfg.Models.Strict = false },
		"grace":       func() { cfg.Instances[2].Service.StartGrace = time.Minute * 3 },
		"base":        func() { cfg.Gate.Timeout = 7 * time.Second },
	} {
		change()
		got := string(of(plan.Machine{}))
		if other, twice := seen[got]; twice {
			t.Errorf("%s has the mark of %s", what, other)
		}
		seen[got] = what
	}
}
