// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"justnews/internal/cli"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/journal"
	"justnews/internal/preflight"
	"justnews/internal/probe/gpu"
	"justnews/internal/process"
	"justnews/test/reference"
	"justnews/test/reference/store"
)

// TestMain makes this binary justnews-gate as well, for the scripts and for the
// tests that need a process of their own.
func TestMain(m *testing.M) {
	syscall.Umask(0o022) // a configuration that others may write is refused
	// For the programs: the race detector has each sleep for a second at its end.
	if err := os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0"); err != nil {
		panic(err) // it fails for an empty name only
	}
	testscript.Main(m, map[string]func(){"justnews-gate": gateMain})
}

func init() { runtime.LockOSThread() } // as in cmd/justnews-gate

// gateMain is cmd/justnews-gate without a terminal.
func gateMain() {
	ctx, stop := process.UntilSignal(context.Background(), syscall.SIGTERM, os.Interrupt)
	m := cli.Machine{
		Stdout: os.Stdout, Stderr: os.Stderr, Lookup: os.LookupEnv,
		NoSystemd: os.Getenv("JUSTNEWS_TEST_NO_SYSTEMD") != "", // whatever this machine is
		Log:       journal.NewLog(os.Stderr, os.Getenv("JOURNAL_STREAM")), Version: "v0-test",
		// Not this machine's: a script says what it finds, by default none.
		MetricsDir: or(os.Getenv("JUSTNEWS_TEST_METRICS"), "/nonexistent/metrics"),
		DigestDir:  filepath.Join(os.Getenv("HOME"), "digests"),
		GPU:        gpu.Prober{Helper: or(os.Getenv("JUSTNEWS_TEST_NVML"), "/nonexistent/justnews-nvml"), Root: os.Getenv("JUSTNEWS_TEST_ROOT")},
		Host:       roomyHost(or(os.Getenv("JUSTNEWS_TEST_ROOT"), "/nonexistent")),
		// A script that wants headings says that a person looks.
		StderrTerminal: os.Getenv("JUSTNEWS_TEST_TERMINAL") != "", Width: func() int { return 80 },
	}
	if os.Getenv("JUSTNEWS_TEST_EXIT") != "" { // else nothing ends a slow machine's script early
		m.Exit, m.Kill = os.Exit, process.Kill
	}
	status := process.OffMain(func() diag.Status { return cli.Run(ctx, m, os.Args[1:]) })
	stop()
	os.Exit(int(status))
}

// roomyHost is a machine on which nothing is amiss but what lies below root.
func roomyHost(root string) *preflight.Host {
	h := preflight.Real(root, false)
	h.Space = func(path string) facts.Space {
		return facts.Space{Path: path, At: path, Free: 1 << 40, Inodes: 1 << 20}
	}
	h.Limits = func() facts.Limits { return facts.Limits{Swap: 1 << 30, SwapKnown: true, OpenMax: 1 << 20} }
	h.GateOff = func() (string, bool) { return "", false }
	return &h
}

func TestScripts(t *testing.T) {
	built, root := build(t), filepath.Join(t.TempDir(), "models")
	if _, err := store.Make(root); err != nil { // one for all: no script damages it
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", built+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("GORACE", os.Getenv("GORACE"))
			if err := os.Mkdir(filepath.Join(env.WorkDir, "digests"), 0o755); err != nil {
				return err
			}
			env.Setenv("ESC", "\x1b[2J\u202e\n\xff")
			brief := briefSeconds(t)
			env.Setenv("BRIEF", strconv.Itoa(brief))
			env.Setenv("SHORT", strconv.Itoa(2*brief))
			env.Setenv("LONG", strconv.Itoa(6*brief))
			env.Values["running"] = map[string]string{"store": root}
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "systemd" {
				return false, fmt.Errorf("there is no condition %s", name)
			}
			_, err := os.Stat("/run/systemd/system")
			return err == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": statusCommand, "orchestrator": orchestratorCommand, "bus": busCommand,
			"config": configCommand, "valid": validCommand, "harmless": harmlessCommand,
			"narrow": narrowCommand,
			"models": modelsCommand, "damage": damageCommand, "repair": repairCommand, "aged": agedCommand, "unmanifested": unmanifestedCommand,
		},
	})
}

// briefSeconds returns a deadline for commands that wait until it comes, in seconds: 1 on an
// idle machine. Before they wait they have to read a Model Store and to ask a server, which on
// a busy machine takes longer; how much longer, the start of the same program shows.
func briefSeconds(t *testing.T) int {
	t.Helper()
	began := time.Now()
	if err := exec.CommandContext(t.Context(), "justnews-gate", "--version").Run(); err != nil {
		t.Fatal(err)
	}
	return 1 + int(20*time.Since(began)/time.Second)
}

// build builds the programs that the scripts run besides the gate.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", dir+"/", "../../cmd/justnews-generator").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return dir
}

// statusCommand is exec with the exit status that has to come:
// status 78 justnews-gate config check.
func statusCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND [ARGUMENT...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func running(ts *testscript.TestScript) map[string]string {
	return ts.Value("running").(map[string]string)
}

// orchestratorCommand starts the reference orchestrator over the 16 models of a
// real store, with the behaviours that are named.
func orchestratorCommand(ts *testscript.TestScript, _ bool, args []string) {
	root := running(ts)["store"]
	start(ts, "orchestrator", reference.Options{
		Root: root, Strict: true, Misbehave: args, Backoff: []time.Duration{}, IdleTimeout: time.Second,
	})
	running(ts)["root"] = root
}

func busCommand(ts *testscript.TestScript, _ bool, args []string) {
	start(ts, "bus", reference.Options{Role: reference.Bus, Misbehave: args})
}

func start(ts *testscript.TestScript, name string, o reference.Options) {
	s, err := reference.Start(o)
	ts.Check(err)
	ts.Defer(func() { s.Release(); s.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	ts.Check(s.Open(ctx))
	running(ts)[name] = s.URL()
}

// configCommand writes justnews.toml for what runs; more lines may follow.
func configCommand(ts *testscript.TestScript, _ bool, args []string) {
	r := running(ts)
	closed := "http://127.0.0.1:1"
	text := fmt.Sprintf("[gate]\ntimeout = \"20s\"\n[orchestrator]\nurl = %q\ninstance = \"\"\n[bus]\nurl = %q\ninstance = \"\"\n[models]\nroot = %q\nmap = %q\n[instances.memory]\nport = 8007\n[instances.scout]\nport = 8002\n",
		or(r["orchestrator"], closed), or(r["bus"], "http://127.0.0.1:2"), or(r["root"], "/opt/justnews/models"),
		filepath.Join(or(r["root"], "/nowhere"), "AGENT_MODEL_MAP.json"))
	text += strings.Join(args, "\n") + "\n"
	ts.Check(os.WriteFile(ts.MkAbs("justnews.toml"), []byte(text), 0o644))
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// validCommand validates JSON against a published schema: valid summary stdout.
func validCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: valid SCHEMA FILE")
	}
	err := validate(args[0], ts.ReadFile(args[1]))
	if neg != (err != nil) {
		ts.Fatalf("%s: %v", args[1], err)
	}
}

// harmlessCommand fails where a file has anything that could drive a terminal,
// split a log line or flood a journal.
func harmlessCommand(ts *testscript.TestScript, _ bool, files []string) {
	for _, file := range files {
		if why := harm(ts.ReadFile(file)); why != "" {
			ts.Fatalf("%s: %s", file, why)
		}
	}
}

// narrowCommand fails where a line of stdout or stderr is wider than 80 columns.
func narrowCommand(ts *testscript.TestScript, _ bool, files []string) {
	for _, file := range files {
		for line := range strings.Lines(ts.ReadFile(file)) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
				ts.Fatalf("%s: %d columns: %s", file, n, line)
			}
		}
	}
}
