// SPDX-License-Identifier: Apache-2.0

package records

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// caches are the cache directories of two units with a summary each, and a
// person's own with one.
func caches(t *testing.T) (string, Dirs) {
	t.Helper()
	base, home := t.TempDir(), t.TempDir()
	for i, unit := range []string{"scout", "preload"} {
		dir := filepath.Join(base, unit)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		instance := []string{"scout", ""}[i]
		if _, err := Write(Dirs{Cache: dir}, instance, noon.Add(time.Duration(i)*time.Minute), []byte(unit)); err != nil {
			t.Fatal(err)
		}
	}
	own := Dirs{Home: home}
	if _, err := Write(own, "scout", noon.Add(-time.Hour), []byte("own")); err != nil {
		t.Fatal(err)
	}
	return base, own
}

func told(past []Past) string {
	var all []string
	for _, p := range past {
		all = append(all, p.Unit+"/"+p.Instance+"="+string(p.Data))
	}
	return strings.Join(all, " ")
}

func TestPast_SummariesOfAllDirectoriesAreSortedNewestFirst(t *testing.T) {
	base, own := caches(t)
	past, unusable := Find(base, own)
	if want := "preload/host=preload scout/scout=scout /scout=own"; told(past) != want || len(unusable) != 0 {
		t.Errorf("got %s, %v; want %s", told(past), unusable, want)
	}
	if !past[1].Time.Equal(noon.Truncate(time.Microsecond)) || past[1].Path != filepath.Join(base, "scout/preflight/summary_20260801T100000.123456Z_scout.json") {
		t.Errorf("%+v", past[1])
	}
	if past, unusable := Find(filepath.Join(base, "nothing"), Dirs{Home: filepath.Join(base, "nobody")}); len(past)+len(unusable) != 0 {
		t.Errorf("of places that do not exist: %v, %v", past, unusable)
	}
	if past, unusable := Find(base, Dirs{Home: "/dev/null"}); len(past) != 2 || len(unusable) != 0 {
		t.Errorf("with a home that is no directory: %v, %v", past, unusable)
	}
}

func TestPast_SummaryCutByAPowerFailureIsIgnored(t *testing.T) {
	base, own := caches(t)
	if err := os.WriteFile(filepath.Join(base, "scout/preflight/summary_20260801T110000.000000Z_scout.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if past, unusable := Find(base, own); len(past) != 3 || len(unusable) != 0 {
		t.Errorf("%s, %v", told(past), unusable)
	}
}

func TestPast_UnitCacheIsReadOnce(t *testing.T) {
	base, _ := caches(t)
	past, unusable := Find(base, Dirs{Cache: filepath.Join(base, "scout")})
	if want := "preload/host=preload scout/scout=scout"; told(past) != want || len(unusable) != 0 {
		t.Errorf("got %s, %v; want %s", told(past), unusable, want)
	}
}

// What a unit, or who runs as its user, may have planted in its cache is named
// and neither read nor followed.
func TestPast_ForeignFilesAreReportedAndNotRead(t *testing.T) {
	const name = "summary_20260801T110000.000000Z_scout.json"
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, plant := range map[string]func(dir string) error{
		"a link":         func(dir string) error { return os.Symlink(secret, filepath.Join(dir, name)) },
		"a second name":  func(dir string) error { return os.Link(secret, filepath.Join(dir, name)) },
		"a FIFO":         func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, name), 0o600) },
		"a foreign name": func(dir string) error { return os.WriteFile(filepath.Join(dir, "notes.json"), nil, 0o600) },
		"a wrong time": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, strings.Replace(name, "0801T", "1301T", 1)), nil, 0o600)
		},
		"others may write": func(dir string) error {
			path := filepath.Join(dir, name)
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o622))
		},
		"too large": func(dir string) error {
			return errors.Join(os.WriteFile(filepath.Join(dir, name), nil, 0o600), os.Truncate(filepath.Join(dir, name), maxSummary+1))
		},
		"the directory is a link": func(dir string) error {
			return errors.Join(os.Rename(dir, dir+"-elsewhere"), os.Symlink(dir+"-elsewhere", dir))
		},
		"others may write the directory": func(dir string) error { return os.Chmod(dir, 0o777) },
	} {
		base, own := caches(t)
		if err := plant(filepath.Join(base, "scout/preflight")); err != nil {
			t.Fatal(err)
		}
		past, unusable := Find(base, own)
		if len(unusable) != 1 || !strings.HasPrefix(unusable[0].Path, filepath.Join(base, "scout")) {
			t.Errorf("%s: %v", what, unusable)
		}
		if slices.ContainsFunc(past, func(p Past) bool { return string(p.Data) == "secret" }) || len(past) < 2 {
			t.Errorf("%s: %s", what, told(past))
		}
	}
}

func TestPast_FilesOfOtherUsersAreNotRead(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	base, own := caches(t)
	file := filepath.Join(base, "scout/preflight/summary_20260801T100000.123456Z_scout.json")
	if err := os.Chown(file, 4711, -1); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(own.Preflight(), 4711, -1); err != nil {
		t.Fatal(err)
	}
	past, unusable := Find(base, own)
	if told(past) != "preload/host=preload" || len(unusable) != 2 {
		t.Errorf("%s, %v", told(past), unusable)
	}
	if err := os.Chown(base, 4711, -1); err != nil {
		t.Fatal(err)
	}
	if past, unusable := Find(base, Dirs{}); len(past) != 0 || len(unusable) != 1 {
		t.Errorf("%s, %v", told(past), unusable)
	}
}

func TestPast_FileGivenByNameMayBeALink(t *testing.T) {
	base, _ := caches(t)
	link := filepath.Join(t.TempDir(), "latest.json")
	if err := os.Symlink(filepath.Join(base, "scout/preflight/scout/latest.json"), link); err != nil {
		t.Fatal(err)
	}
	if p, err := ReadFile(link); err != nil || string(p.Data) != "scout" || p.Path != link {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := ReadFile(base); err == nil {
		t.Error("a directory was read")
	}
	if _, err := ReadFile(filepath.Join(base, "nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// An agent can fill its own cache: what is read and reported of it has
// a bound. The newest come first.
func TestPast_NumberOfFilesReadIsLimited(t *testing.T) {
	base, own := caches(t)
	dir := filepath.Join(base, "scout", "preflight")
	big := strings.Repeat("x", maxSummary)
	for i := range 100 {
		name := fmt.Sprintf("summary_20250101T000000.%06dZ_scout.json", i)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(big), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	past, unusable := Find(base, own)
	bytes := 0
	for _, p := range past {
		bytes += len(p.Data)
	}
	if bytes > 10<<20 || len(past) < 4 || string(past[1].Data) != "scout" || len(unusable) != 1 || !strings.Contains(unusable[0].Err.Error(), "more files") {
		t.Errorf("%d bytes of %d summaries, %v", bytes, len(past), unusable)
	}
	for i := range 300 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("strange", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, unusable := Find(base, own); len(unusable) > 60 {
		t.Errorf("%d things are named", len(unusable))
	}
}
