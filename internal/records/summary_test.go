// SPDX-License-Identifier: Apache-2.0

package records

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"justnews/test/busy"
)

var noon = time.Date(2026, 8, 1, 12, 0, 0, 123456789, time.FixedZone("CEST", 7200))

// unit is the environment of a unit with a cache directory.
func unit(t *testing.T) Dirs {
	t.Helper()
	return Dirs{Cache: t.TempDir(), Home: "/nonexistent"}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSummary_IsWrittenUnderItsTimeAndAsLatest(t *testing.T) {
	d := unit(t)
	for instance, place := range map[string]string{"scout": "scout", "": "host"} {
		got, err := Write(d, instance, noon, []byte("{}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if want := d.Preflight() + "/summary_20260801T100000.123456Z_" + place + ".json"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		for _, p := range []string{got, filepath.Join(d.Preflight(), place, "latest.json")} {
			if text := read(t, p); text != "{}\n" {
				t.Errorf("%s holds %q", p, text)
			}
		}
	}
	for _, p := range []string{"preflight", "preflight/scout"} {
		if info, err := os.Stat(filepath.Join(d.Cache, p)); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", p, info, err)
		}
	}
}

func TestSummary_InteractiveRunsUseTheUsersCache(t *testing.T) {
	home := t.TempDir()
	got, err := Write(Dirs{Home: home}, "", noon, []byte("{}"))
	if err != nil || filepath.Dir(got) != filepath.Join(home, ".cache/justnews/preflight") {
		t.Errorf("%s, %v", got, err)
	}
	xdg := filepath.Join(t.TempDir(), "cache")
	got, err = Write(Dirs{XDG: xdg, Home: home}, "", noon, []byte("{}"))
	if err != nil || filepath.Dir(got) != filepath.Join(xdg, "justnews/preflight") {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := Write(Dirs{}, "", noon, nil); err == nil {
		t.Errorf("written nowhere: %s", got)
	}
}

func TestSummary_DirectoriesComeFromTheEnvironment(t *testing.T) {
	env := map[string]string{
		"CACHE_DIRECTORY": "/var/cache/justnews/scout:/var/cache/other",
		"XDG_CACHE_HOME":  "relative", "HOME": "/home/u/",
	}
	got := Environment(func(key string) string { return env[key] })
	if want := (Dirs{Cache: "/var/cache/justnews/scout", Home: "/home/u"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got.Preflight() != "/var/cache/justnews/scout/preflight" || (Dirs{}).Preflight() != "" {
		t.Errorf("got %q", got.Preflight())
	}
}

func TestSummary_TwoRunsInOneMicrosecondAreBothKept(t *testing.T) {
	d := unit(t)
	a, errA := Write(d, "scout", noon, []byte("a"))
	b, errB := Write(d, "scout", noon, []byte("b"))
	if errA != nil || errB != nil || a == b || read(t, a) != "a" || read(t, b) != "b" {
		t.Errorf("%s, %v; %s, %v", a, errA, b, errB)
	}
}

func TestSummary_NewestFiftyOfAnInstanceAreKept(t *testing.T) {
	d := unit(t)
	if _, err := Write(d, "scout_two", noon.Add(-time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	strange := []string{"summary_scout.json", "summary_20260101T000000.000000Z_scout.json.bak", "notes_scout.json"}
	for _, name := range strange {
		if err := os.WriteFile(filepath.Join(d.Preflight(), name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for n := range keep + 5 {
		if _, err := Write(d, "scout", noon.Add(time.Duration(n)*time.Second), nil); err != nil {
			t.Fatal(err)
		}
	}
	names, err := filepath.Glob(filepath.Join(d.Preflight(), "summary_*Z_scout.json"))
	if err != nil || len(names) != keep {
		t.Fatalf("%d summaries, %v; want %d", len(names), err, keep)
	}
	if want := "summary_20260801T100005.123456Z_scout.json"; filepath.Base(names[0]) != want {
		t.Errorf("the oldest is %s, want %s", names[0], want)
	}
	for _, name := range append(strange, "summary_20260801T090000.123456Z_scout_two.json") {
		if _, err := os.Stat(filepath.Join(d.Preflight(), name)); err != nil {
			t.Errorf("another's file was pruned: %v", err)
		}
	}
}

func TestSummary_NoNameEscapesTheDirectory(t *testing.T) {
	outside := t.TempDir()
	for what, plant := range map[string]func(d Dirs) error{
		"preflight is a link": func(d Dirs) error { return os.Symlink(outside, d.Preflight()) },
		"preflight is a link inside": func(d Dirs) error {
			return errors.Join(os.Mkdir(d.Cache+"/real", 0o700), os.Symlink("real", d.Preflight()))
		},
		"preflight is for all": func(d Dirs) error {
			return errors.Join(os.Mkdir(d.Preflight(), 0o700), os.Chmod(d.Preflight(), 0o777))
		},
		"preflight is a file": func(d Dirs) error { return os.WriteFile(d.Preflight(), nil, 0o600) },
	} {
		d := unit(t)
		if err := plant(d); err != nil {
			t.Fatal(err)
		}
		if got, err := Write(d, "scout", noon, []byte("x")); err == nil {
			t.Errorf("%s: written to %s", what, got)
		}
	}
	onlyFiles(t, outside)
	for _, instance := range []string{"../x", "a/b", "..", ".", "/"} {
		if got, err := Write(unit(t), instance, noon, nil); err == nil {
			t.Errorf("instance %q: written to %s", instance, got)
		}
	}
}

// A FIFO without a writer would block whoever opens it.
func TestSummary_DirectoryThatIsAFIFOIsRefused(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o700); err != nil {
		t.Fatal(err)
	}
	for what, d := range map[string]Dirs{"CACHE_DIRECTORY": {Cache: fifo}, "XDG_CACHE_HOME": {XDG: fifo}} {
		if got, err := Write(d, "scout", noon, nil); err == nil || !strings.Contains(err.Error(), "not a directory") {
			t.Errorf("%s: written to %q: %v", what, got, err)
		}
	}
}

func TestSummary_PlantedLatestIsReplacedNotFollowed(t *testing.T) {
	d := unit(t)
	victim := filepath.Join(t.TempDir(), "victim")
	latest := filepath.Join(d.Preflight(), "scout", "latest.json")
	if err := errors.Join(
		os.WriteFile(victim, []byte("precious"), 0o600),
		os.MkdirAll(filepath.Dir(latest), 0o700),
		os.Symlink(victim, latest),
	); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(d, "scout", noon, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if read(t, victim) != "precious" || read(t, latest) != "new" {
		t.Errorf("victim %q, latest %q", read(t, victim), read(t, latest))
	}
}

func TestSummary_HomeOfAnotherUserIsNotUsed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a directory of another user")
	}
	theirs := t.TempDir()
	if err := os.Chown(theirs, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	for what, d := range map[string]Dirs{
		"HOME":                      {Home: theirs},
		"XDG_CACHE_HOME":            {XDG: theirs},
		"a missing XDG_CACHE_HOME":  {XDG: filepath.Join(theirs, "cache")},
		"CACHE_DIRECTORY":           {Cache: theirs},
		"HOME behind a good prefix": {Home: theirs + "/."},
	} {
		if got, err := Write(d, "", noon, nil); err == nil {
			t.Errorf("%s: written to %s", what, got)
		}
	}
	onlyFiles(t, theirs)
}

func TestSummary_FailedWriteLeavesNothingBehind(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	if err := root.MkdirAll("taken/x", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replace(root, "taken", []byte("x"), 0o600); err == nil {
		t.Error("a directory was replaced by a file")
	}
	onlyFiles(t, root.Name(), "taken")
}

// TestSummary_FullDiskIsAnErrorAndLeavesNothingBehind writes from a process of its
// own: the limit that plays the full disk would also cut the test's own logs.
func TestSummary_FullDiskIsAnErrorAndLeavesNothingBehind(t *testing.T) {
	const inChild = "JUSTNEWS_TEST_FULL_DISK"
	if cache := os.Getenv(inChild); cache != "" {
		limit := syscall.Rlimit{Cur: 16, Max: 16}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		_, err := Write(Dirs{Cache: cache}, "scout", noon, make([]byte, 4096))
		fmt.Fprintf(os.Stderr, "full disk: %v\n", errors.Is(err, syscall.EFBIG))
		os.Exit(0)
	}
	d := unit(t)
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.testlogfile=")
	child.Env = append(os.Environ(), inChild+"="+d.Cache)
	var said strings.Builder
	child.Stderr = &said
	if err := child.Run(); err != nil || !strings.Contains(said.String(), "full disk: true") {
		t.Errorf("%v: %s", err, said.String())
	}
	onlyFiles(t, d.Preflight())
}

// A directory that someone has filled neither keeps a run's summary from being
// written nor holds the run up; each run removes some.
func TestSummary_OverfullDirectoryIsCleanedUpInSteps(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 40,000 files")
	}
	cache := t.TempDir()
	dir := filepath.Join(cache, "preflight")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	const planted = 40_000
	for i := range planted {
		name := fmt.Sprintf("summary_20200101T000000.%06dZ_scout.json", i)
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	began, mark := time.Now(), busy.Now()
	for range 10 {
		path, err := Write(Dirs{Cache: cache}, "scout", time.Now(), []byte("new"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, filepath.Join(dir, "scout", "latest.json")} {
			if text, err := os.ReadFile(name); err != nil || string(text) != "new" {
				t.Fatalf("%s: %q %v", name, text, err)
			}
		}
	}
	took := mark.Less(time.Since(began)) / 10
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v each, %d are left", took, len(entries))
	if took > time.Second || len(entries) >= planted {
		t.Errorf("%v each, %d are left", took, len(entries))
	}
}

// The clock was in the future for a while: what it left must not displace what comes after.
func TestSummary_ClockThatWasAheadDisplacesNoNewSummary(t *testing.T) {
	d := unit(t)
	ahead := noon.AddDate(10, 0, 0)
	for n := range 60 {
		if _, err := Write(d, "scout", ahead.Add(time.Duration(n)*time.Minute), []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	var written []string
	for n := range 60 {
		path, err := Write(d, "scout", noon.Add(time.Duration(n)*time.Minute), []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		written = append(written, path)
	}
	left, err := filepath.Glob(filepath.Join(d.Preflight(), "summary_*"))
	if err != nil || !slices.Equal(left, written[10:]) {
		t.Errorf("%v, %v; want the 50 newest", left, err)
	}
}

// A run that took longer than another one, which began later, does not remove its summary.
func TestSummary_RunsThatOverlapAreBothKept(t *testing.T) {
	d := unit(t)
	for n := range 50 {
		if _, err := Write(d, "", noon.Add(-time.Duration(n)*time.Minute), []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	later, err := Write(d, "", noon.Add(time.Minute), []byte("{}"))
	if err == nil {
		_, err = Write(d, "", noon, []byte("{}"))
	}
	if _, gone := os.Lstat(later); err != nil || gone != nil {
		t.Errorf("%v, %v", err, gone)
	}
}
