// SPDX-License-Identifier: Apache-2.0

package emit_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/emit"
	"justnews/internal/plan"
)

func baseOf(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, plan.BaseDir, plan.BaseName))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wantClosed(t *testing.T, dir string) {
	t.Helper()
	base := baseOf(t, dir)
	if !strings.Contains(base, plan.Gate+"\n") || !strings.Contains(base, "\nRestart=on-failure\n") {
		t.Errorf("the base does not keep the gates shut:\n%s", base)
	}
}

func TestGenerate_HangingConfigurationKeepsGatesShut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		g := generator(t.TempDir(), t.TempDir())
		g.Load = func() (*config.Config, []diag.Problem) { <-hang; return &config.Config{}, nil }
		began := time.Now()
		g.GiveUp = func(status diag.Status, problems []diag.Problem) {
			if took := time.Since(began); took != emit.Limit {
				t.Errorf("ended after %s", took)
			}
			if status == 0 || len(problems) != 1 || problems[0].Code != diag.GeneratorTimeout {
				t.Errorf("status %d, problems %v", status, problems)
			}
			wantClosed(t, g.Dir)
			close(hang)
		}
		g.Run()
		if tree := readTree(t, g.Dir); len(tree) != 2 {
			t.Errorf("what came too late was written: %v", tree)
		}
		wantClosed(t, g.Dir)
	})
}

func TestGenerate_PanicKeepsGatesShut(t *testing.T) {
	g := generator(t.TempDir(), t.TempDir())
	g.Load = func() (*config.Config, []diag.Problem) { panic("a bug") }
	status, problems := g.Run()
	if status != diag.StatusInternal || len(problems) != 1 || !strings.Contains(problems[0].Message, "a bug") {
		t.Errorf("status %d, problems %v", status, problems)
	}
	wantClosed(t, g.Dir)
}

func TestGenerate_NoConfigurationAndNoProblemKeepsGatesShut(t *testing.T) {
	g := generator(t.TempDir(), t.TempDir())
	g.Load = func() (*config.Config, []diag.Problem) { return nil, nil }
	if status, _ := g.Run(); status == 0 {
		t.Error("status 0")
	}
	wantClosed(t, g.Dir)
}

func TestGenerate_UnrepresentableValueKeepsGatesShut(t *testing.T) {
	g := generator(t.TempDir(), t.TempDir())
	g.Load = func() (*config.Config, []diag.Problem) {
		good := config.Service{Exec: config.DefaultExec, User: "justnews", Group: "justnews", WorkingDirectory: "/", ProtectHome: "yes"}
		bad := good
		bad.Exec = []string{"+/bin/true"}
		return &config.Config{Service: good, Instances: []config.Instance{{Name: "scout", Enabled: true, Service: bad}}}, nil
	}
	status, problems := g.Run()
	if status != diag.StatusConfig || len(problems) != 1 || problems[0].Code != diag.UnitText {
		t.Errorf("status %d, problems %v", status, problems)
	}
	if tree := readTree(t, g.Dir); len(tree) != 2 {
		t.Errorf("more than the base and the link to the path unit was written: %v", tree)
	}
	wantClosed(t, g.Dir)
}

// A file stands where a directory has to be, behind others that were written before. The host
// heals at the next reload.
func TestGenerate_FailedWriteShutsTheGatesAndHeals(t *testing.T) {
	g := generator(t.TempDir(), t.TempDir())
	g.Load = func() (*config.Config, []diag.Problem) { return manyInstances(3), nil }
	planted := plan.HealTarget + ".d"
	if err := os.WriteFile(filepath.Join(g.Dir, planted), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if status, problems := g.Run(); status != diag.StatusConfig || len(problems) != 1 || problems[0].Code != diag.GeneratorWrite {
		t.Errorf("status %d, problems %v", status, problems)
	}
	tree := readTree(t, g.Dir)
	if _, heals := tree["justnews.target.wants/"+plan.HealUnit]; !heals || len(tree) != 3 {
		t.Errorf("not only the planted file, the base and the link to the path unit: %v", slices.Sorted(maps.Keys(tree)))
	}
	wantClosed(t, g.Dir)
}

func TestGenerate_FIFOAsConfigurationIsAProblem(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "etc/justnews"), 0o755); err != nil {
		t.Fatal(err)
	}
	mkfifo(t, filepath.Join(root, "etc/justnews/justnews.toml"))
	mkfifo(t, filepath.Join(root, "etc/justnews/global.env"))
	g := generator(root, t.TempDir())
	if status, _ := g.Run(); status != diag.StatusConfig {
		t.Errorf("status %d", status)
	}
	wantClosed(t, g.Dir)
}

// Only a full file system is fixed by freeing space.
func TestGenerate_FixIsForWhatCannotBeWritten(t *testing.T) {
	g := generator(t.TempDir(), "/dev/null")
	if status, problems := g.Run(); status != diag.StatusConfig || len(problems) == 0 || strings.Contains(problems[len(problems)-1].Fix.String(), "free space") {
		t.Errorf("status %d, problems %v", status, problems)
	}
}

// Two libraries are there while systemd is being upgraded, or in an image of several
// distributions: what the older one does not know is left out.
func TestLook_TakesTheOldestSystemd(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"usr/lib/systemd/libsystemd-shared-257.13.so", "usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so", "usr/lib64/systemd/libsystemd-shared-x.so"} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	none := func(string) string { return "" }
	if got := emit.Look(root, none).Systemd; got != 252 {
		t.Errorf("version %d, want 252", got)
	}
	if got := emit.Look(t.TempDir(), none).Systemd; got != 0 {
		t.Errorf("version %d without a library", got)
	}
}

func TestGenerate_WritesNothingInTheInitrdOrForAUser(t *testing.T) {
	for _, set := range []string{"SYSTEMD_IN_INITRD=1", "SYSTEMD_SCOPE=user"} {
		g := generator(t.TempDir(), t.TempDir())
		g.Getenv = func(name string) string {
			value, found := strings.CutPrefix(set, name+"=")
			if !found {
				return ""
			}
			return value
		}
		status, problems := g.Run()
		if status != 0 || len(problems) > 0 || len(readTree(t, g.Dir)) > 0 {
			t.Errorf("%s: status %d, problems %v, files %v", set, status, problems, readTree(t, g.Dir))
		}
	}
}

func TestDryRun_PrintsWhatWouldBeWritten(t *testing.T) {
	root := copyTree(t, "testdata/02-one/root")
	written, printed := generator(root, t.TempDir()), generator(root, t.TempDir())
	written.Run()
	var out bytes.Buffer
	printed.DryRun, printed.Stdout = true, &out
	if status, problems := printed.Run(); status != 0 {
		t.Fatal(problems)
	}
	for name, text := range readTree(t, written.Dir) {
		want := "# " + filepath.Join(printed.Dir, name) + "\n" + text
		if target, isLink := strings.CutPrefix(text, "-> "); isLink {
			want = "# " + filepath.Join(printed.Dir, name) + " -> " + target + "\n"
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if len(readTree(t, printed.Dir)) > 0 {
		t.Error("a dry run wrote files")
	}
}

func TestGenerate_BaseIsWrittenBeforeAllElse(t *testing.T) {
	root := copyTree(t, "testdata/01-seventeen/root")
	cfg, problems := config.Load(config.Source{Root: root, Owner: os.Getuid()})
	if cfg == nil {
		t.Fatal(problems)
	}
	files, problems := emit.Render(plan.Build(cfg, plan.Machine{}))
	if len(problems) > 0 || files[0].Path() != plan.BaseDir+"/"+plan.BaseName {
		t.Errorf("first is %s, problems %v", files[0].Path(), problems)
	}
}
