// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"justnews/test/reference"
	"justnews/test/reference/store"
)

// scene is one host: a cache that an attacker can write, and what must not change.
type scene struct {
	t      *testing.T
	cache  string // $CACHE_DIRECTORY of the gate
	victim string // another user's directory
	env    []string
	prefix []string // what the gate is run by
}

func (s *scene) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// plant links path below the cache to a file or directory of the victim.
func (s *scene) plant(link func(target, name string) error, victim, path string) {
	s.t.Helper()
	at := filepath.Join(s.cache, path)
	s.check(os.MkdirAll(filepath.Dir(at), 0o700))
	s.check(link(filepath.Join(s.victim, victim), at))
}

// tree is everything below a directory: names, modes, owners, contents.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := ""
		if d.Type().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = string(data)
		}
		// Not the count of links: replacing one of a file's names lowers it.
		all[path] = fmt.Sprint(info.Mode(), " ", info.Sys().(*syscall.Stat_t).Uid, " ", text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// attack is one change to the directory of the records.
type attack struct {
	name  string
	root  bool // only root can play it
	lost  bool // the summary can't be kept, and RECORD-UNWRITTEN says so
	mount bool // needs a mount namespace
	setUp func(*scene)
}

func attacks() []attack {
	hide := func(path string) func(*scene) {
		return func(s *scene) { s.plant(os.Symlink, ".", path) }
	}
	inNamespace := func(script string) func(*scene) {
		return func(s *scene) {
			s.prefix = []string{"unshare", "-m", "sh", "-c", script + ` && exec "$@"`, "sh"}
			s.env = append(s.env, "CACHE="+s.cache)
		}
	}
	return []attack{
		{name: "nothing", setUp: func(*scene) {}},
		{name: "link at the directory", lost: true, setUp: hide("preflight")},
		{name: "link at the instance's directory", lost: true, setUp: hide("preflight/scout")},
		{name: "link at latest.json", setUp: func(s *scene) { s.plant(os.Symlink, "precious", "preflight/scout/latest.json") }},
		{name: "hard link at latest.json", setUp: func(s *scene) { s.plant(os.Link, "precious", "preflight/scout/latest.json") }},
		{name: "dangling link at latest.json", setUp: func(s *scene) { s.plant(os.Symlink, "none", "preflight/scout/latest.json") }},
		{name: "fifo at latest.json", setUp: func(s *scene) {
			s.plant(func(_, at string) error { return syscall.Mkfifo(at, 0o600) }, "", "preflight/scout/latest.json")
		}},
		{name: "directory at latest.json", lost: true, setUp: func(s *scene) {
			s.check(os.MkdirAll(filepath.Join(s.cache, "preflight/scout/latest.json/x"), 0o700))
		}},
		{name: "file at the directory", lost: true, setUp: func(s *scene) {
			s.check(os.WriteFile(filepath.Join(s.cache, "preflight"), nil, 0o600))
		}},
		{name: "directory that others may write", lost: true, setUp: func(s *scene) {
			s.check(os.Mkdir(filepath.Join(s.cache, "preflight"), 0o700))
			s.check(os.Chmod(filepath.Join(s.cache, "preflight"), 0o777))
		}},
		{name: "cache of another user", root: true, lost: true, setUp: func(s *scene) { s.check(os.Chown(s.cache, 12345, 12345)) }},
		{name: "instance's directory of another user", root: true, lost: true, setUp: func(s *scene) {
			s.check(os.MkdirAll(filepath.Join(s.cache, "preflight/scout"), 0o755))
			s.check(os.Chown(filepath.Join(s.cache, "preflight/scout"), 12345, 12345))
		}},
		{name: "home of another user", root: true, lost: true, setUp: func(s *scene) {
			s.check(os.Chown(s.victim, 12345, 12345))
			s.env = append(s.env, "CACHE_DIRECTORY=", "HOME="+s.victim)
		}},
		{name: "cache that is nowhere", lost: true, setUp: func(s *scene) { s.env = append(s.env, "CACHE_DIRECTORY=/nonexistent/cache") }},
		{name: "no place at all", lost: true, setUp: func(s *scene) { s.env = append(s.env, "CACHE_DIRECTORY=relative", "HOME=") }},
		{name: "no byte may be written", lost: true, setUp: func(s *scene) {
			s.prefix = []string{"sh", "-c", `ulimit -f 0 && exec "$@"`, "sh"}
		}},
		{name: "full disk", root: true, mount: true, lost: true, setUp: inNamespace(
			`mount -t tmpfs -o size=4k,mode=0700 none "$CACHE" && { head -c 8192 /dev/zero >"$CACHE/full" 2>/dev/null; true; }`)},
		{name: "no inode", root: true, mount: true, lost: true, setUp: inNamespace(`mount -t tmpfs -o nr_inodes=1,mode=0700 none "$CACHE"`)},
		{name: "read-only", root: true, mount: true, lost: true, setUp: inNamespace(`mount -t tmpfs -o ro,mode=0700 none "$CACHE"`)},
	}
}

func TestRecords_ForgedRecordsChangeNoVerdict(t *testing.T) {
	url := readyOrchestrator(t)
	good := filepath.Join(t.TempDir(), "good.toml")
	text := fmt.Sprintf("[orchestrator]\nurl = %q\ninstance = \"\"\n[bus]\ninstance = \"\"\n[instances.scout]\nport = 8002\nrequire_bus = false\n", url)
	if err := os.WriteFile(good, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			if a.root && os.Geteuid() != 0 {
				t.Skip("only root can play this")
			}
			if a.mount && exec.CommandContext(t.Context(), "unshare", "-m", "true").Run() != nil {
				t.Skip("no mount namespace here")
			}
			a.play(t, good, 0)
			if !testing.Short() {
				a.play(t, "/nonexistent.toml", 78)
			}
		})
	}
}

// play runs one gate against one attack.
func (a attack) play(t *testing.T, config string, want int) {
	t.Helper()
	s := &scene{t: t, cache: t.TempDir(), victim: t.TempDir()}
	s.env = []string{"PATH=" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE"), "HOME=" + t.TempDir(), "CACHE_DIRECTORY=" + s.cache}
	s.check(os.WriteFile(filepath.Join(s.victim, "precious"), []byte("precious"), 0o600))
	a.setUp(s)
	before := tree(t, s.victim)
	status, stdout, stderr := s.run("justnews-gate", "--config", config, "--json", "--gate-only", "scout")
	if status != want {
		t.Errorf("exit status %d, want %d: %s", status, want, stderr)
	}
	if err := validate("summary", stdout); err != nil {
		t.Errorf("%v: %s", err, stdout)
	}
	for what, text := range map[string]string{"stdout": stdout, "stderr": stderr} {
		if said := strings.Contains(text, "RECORD-UNWRITTEN"); said != a.lost {
			t.Errorf("%s says RECORD-UNWRITTEN: %v, want %v: %s", what, said, a.lost, text)
		}
	}
	if diff := cmp.Diff(before, tree(t, s.victim)); diff != "" {
		t.Errorf("the victim changed:\n%s", diff)
	}
}

// run runs a command in the scene.
func (s *scene) run(args ...string) (status int, stdout, stderr string) {
	s.t.Helper()
	args = append(s.prefix, args...)
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), out.String(), errs.String()
	}
	s.check(err)
	return 0, out.String(), errs.String()
}

// readyOrchestrator returns the URL of one that has its 16 models loaded.
func readyOrchestrator(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "models")
	if _, err := store.Make(root); err != nil {
		t.Fatal(err)
	}
	s, err := reference.Start(reference.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := s.Open(ctx); err != nil {
		t.Fatal(err)
	}
	return s.URL()
}

// TestRecords_ErrorTextIsCutEverywhere has an orchestrator whose one failed
// model comes with nearly all that a body may hold.
func TestRecords_ErrorTextIsCutEverywhere(t *testing.T) {
	long := strings.Repeat("\\u001b[2Jtrace\\n\\u202e", 5_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/health":
			fmt.Fprint(w, `{"status":"ok"}`)
		case "/ready":
			fmt.Fprint(w, `{"ready":true}`)
		default:
			fmt.Fprintf(w, `{"all_ready":false,"in_progress":false,"summary":{"total":1,"done":0,"failed":1},"started_at":1.5,"errors":[{"agent":"scout","model":"m","error":"%s"}]}`, long)
		}
	}))
	defer server.Close()
	s := &scene{t: t, cache: t.TempDir()}
	config := filepath.Join(t.TempDir(), "j.toml")
	s.check(os.WriteFile(config, fmt.Appendf(nil, "[orchestrator]\nurl = %q\ninstance = \"\"\n[bus]\ninstance = \"\"\n[instances.scout]\nport = 8002\n", server.URL), 0o644))
	s.env = []string{"PATH=" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE"), "CACHE_DIRECTORY=" + s.cache}
	for _, args := range [][]string{{"gate", "scout", "--timeout", strconv.Itoa(2 * briefSeconds(t))}, {"status"}, {"--json", "status"}} {
		status, stdout, stderr := s.run(append([]string{"justnews-gate", "--config", config, "-v"}, args...)...)
		if status != 1 {
			t.Errorf("%q: exit status %d: %.2000s", args, status, stderr)
		}
		if why := harm(stdout + stderr); why != "" {
			t.Errorf("%q: %s", args, why)
		}
		if len(stdout)+len(stderr) > 60_000 || !strings.Contains(stdout+stderr, "... (cut, ") {
			t.Errorf("%q: %d and %d bytes: %.3000s", args, len(stdout), len(stderr), stderr)
		}
	}
	latest, err := os.ReadFile(filepath.Join(s.cache, "preflight/scout/latest.json"))
	s.check(err)
	if why := harm(string(latest)); why != "" || len(latest) > 60_000 {
		t.Errorf("the record: %d bytes, %s", len(latest), why)
	}
}
