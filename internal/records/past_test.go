// SPDX-License-Identifier: Apache-2.0

package records

import (
	"errors"
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

func TestTheSummariesOfAllPlacesAreFoundNewestFirst(t *testing.T) {
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
}

func TestAUnitsOwnCacheIsReadOnce(t *testing.T) {
	base, _ := caches(t)
	past, unusable := Find(base, Dirs{Cache: filepath.Join(base, "scout")})
	if want := "preload/host=preload scout/scout=scout"; told(past) != want || len(unusable) != 0 {
		t.Errorf("got %s, %v; want %s", told(past), unusable, want)
	}
}

// What a unit, or who runs as its user, may have planted in its cache is named
// and neither read nor followed.
func TestWhatNoRunLeftIsNamedAndNotRead(t *testing.T) {
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

func TestWhatBelongsToAnotherUserIsNotRead(t *testing.T) {
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

func TestAFileThatAPersonNamesIsReadThroughALink(t *testing.T) {
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

// Whoever runs as a unit's user may fill its cache. Root's history must not read
// all of that into memory.
func TestAUnitsCacheIsReadUpToALimit(t *testing.T) {
	for name, c := range map[string]struct {
		files int
		size  int64
		want  int
	}{
		"many":  {unitSummaries + 50, 10, unitSummaries},
		"large": {100, maxSummary, unitBytes / maxSummary},
	} {
		base, _ := caches(t)
		dir := filepath.Join(base, "scout/preflight")
		newest := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
		for i := range c.files {
			file := filepath.Join(dir, "summary_"+newest.Add(-time.Duration(i)*time.Minute).Format(stamp)+"_scout.json")
			if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, c.size)); err != nil {
				t.Fatal(err)
			}
		}
		past, unusable := Find(base, Dirs{})
		past = slices.DeleteFunc(past, func(p Past) bool { return p.Unit != "scout" })
		if len(past) != c.want || !past[0].Time.Equal(newest) {
			t.Errorf("%s: %d summaries, want %d", name, len(past), c.want)
		}
		if len(unusable) != 1 || unusable[0].Path != dir || !strings.Contains(unusable[0].Err.Error(), "not read") {
			t.Errorf("%s: %v", name, unusable)
		}
	}
}
