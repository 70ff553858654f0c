// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// write makes a file that is old enough to be remembered.
func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// age waits until changes of the files would show.
func age(t testing.TB, paths ...string) {
	t.Helper()
	for _, path := range paths {
		for id := identity(t, path); !id.settled(time.Now()); {
			runtime.Gosched()
		}
	}
}

func identity(t testing.TB, path string) Identity {
	t.Helper()
	id, _, err := Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func noise(n int) []byte {
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n)})
	_, _ = r.Read(data)
	return data
}

// writers are the caches that cacheIn opened, by directory.
var writers sync.Map

// cacheIn opens a cache over one directory, as the next process would after the
// one before has ended.
func cacheIn(t testing.TB, dir string) *Cache {
	t.Helper()
	if before, ok := writers.LoadAndDelete(dir); ok {
		before.(*Cache).Close()
	}
	c := cacheBeside(t, dir)
	writers.Store(dir, c)
	return c
}

// cacheBeside opens a cache while others are open.
func cacheBeside(t testing.TB, dir string) *Cache {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := Open([]Source{{Dir: root, Write: true, Trusted: []int{os.Geteuid()}}})
	t.Cleanup(func() { c.Close(); _ = root.Close() })
	return c
}

func jobs(t testing.TB, paths ...string) []Job {
	t.Helper()
	var all []Job
	for _, path := range paths {
		all = append(all, File(path, identity(t, path)))
	}
	return all
}

func TestDigest_IsRightForEveryLength(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	var want []Sum
	for _, n := range []int{0, 1, 63, 64, smallStream - 1, smallStream, smallStream + 1, chunk - 1, chunk, chunk + 1, 3*chunk + 17, ahead + chunk} {
		path := filepath.Join(dir, fmt.Sprint(n))
		write(t, path, noise(n))
		paths, want = append(paths, path), append(want, sha256.Sum256(noise(n)))
	}
	for i, r := range (Engine{}).Run(t.Context(), jobs(t, paths...)) {
		if r.Err != nil || !r.Done || r.Sum != want[i] {
			t.Errorf("%s: %v %v", paths[i], r.Sum, r.Err)
		}
	}
	// With and without another processor that reads ahead.
	for i, path := range paths {
		for _, helped := range []bool{false, true} {
			read := 0
			h, reader := sha256.New(), newReader(func(n int) { read += n })
			reader.helped = helped
			segments := []Segment{{Prefix: "a", Path: path, Identity: identity(t, path)}, {Prefix: "b", Path: path, Identity: identity(t, path)}}
			if err := reader.copyInto(t.Context(), h, segments); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			both := sha256.Sum256(slices.Concat([]byte("a"), data, []byte("b"), data))
			if Sum(h.Sum(nil)) != both || read != 2*len(data) || want[i] != sha256.Sum256(data) {
				t.Errorf("%s, helped %v: another digest, %d bytes read", path, helped, read)
			}
		}
	}
}

func TestDigest_GOMAXPROCSIsRestored(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	done := AllProcessors()
	if runtime.NumCPU() > 1 && runtime.GOMAXPROCS(0) == 1 {
		t.Error("hashing has one processor")
	}
	again := AllProcessors()
	done()
	done()
	again()
	if n := runtime.GOMAXPROCS(0); n != 1 {
		t.Errorf("%d processors afterwards", n)
	}
}

func TestDigest_UnchangedFileIsReadOnce(t *testing.T) {
	files, places := t.TempDir(), t.TempDir()
	path := filepath.Join(files, "weights")
	write(t, path, noise(3*chunk))
	age(t, path)
	first := Engine{Cache: cacheIn(t, places)}.Run(t.Context(), jobs(t, path))[0]
	again := Engine{Cache: cacheIn(t, places)}.Run(t.Context(), jobs(t, path))[0]
	if first.Cached || !again.Cached || again.Sum != first.Sum {
		t.Errorf("first %+v, again %+v", first, again)
	}
	if fresh := (Engine{Cache: cacheIn(t, places), Fresh: true}).Run(t.Context(), jobs(t, path))[0]; fresh.Cached {
		t.Error("a fresh run believes the cache")
	}
	before := identity(t, path)
	write(t, path, noise(3*chunk + 1)[1:]) // as long, other bytes, and the old time stamp
	if err := os.Chtimes(path, time.Time{}, time.Unix(0, before.Mtime)); err != nil {
		t.Fatal(err)
	}
	if changed := (Engine{Cache: cacheIn(t, places)}).Run(t.Context(), jobs(t, path))[0]; changed.Cached || changed.Sum == first.Sum {
		t.Errorf("after a change: %+v", changed)
	}
}

func TestDigest_RecentlyChangedFileIsNotCached(t *testing.T) {
	path, cache := filepath.Join(t.TempDir(), "weights"), cacheIn(t, t.TempDir())
	write(t, path, noise(1000))
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(maxSkew/2)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if r := (Engine{Cache: cache}).Run(t.Context(), jobs(t, path))[0]; r.Err != nil || r.Cached {
			t.Errorf("%+v", r)
		}
	}
	now := time.Now()
	for age, want := range map[time.Duration]bool{
		0: false, tick / 2: false, 2 * tick: true, 56 * 365 * 24 * time.Hour: true,
		// A file server's clock is ahead; the host's clock was set back.
		-time.Second: false, -maxSkew / 2: false, -2 * maxSkew: true, -56 * 365 * 24 * time.Hour: true,
	} {
		at := now.Add(-age).UnixNano() | 1 // no whole second
		for _, other := range []int64{at, 1, now.Add(100 * time.Hour).UnixNano()} {
			for _, id := range []Identity{{Ctime: at, Mtime: other}, {Ctime: other | 1, Mtime: at}} {
				if got := id.settled(now); got != want {
					t.Errorf("changed %v ago, %+v: settled %v", age, id, got)
				}
			}
		}
	}
	whole := now.Truncate(time.Second).Add(-time.Second).UnixNano()
	if (Identity{Ctime: whole, Mtime: whole}).settled(now) {
		t.Error("on a file system with whole seconds, a file is settled after one")
	}
}

func TestDigest_ForeignCacheEntriesAreIgnored(t *testing.T) {
	files := t.TempDir()
	path := filepath.Join(files, "weights")
	write(t, path, noise(1000))
	age(t, path)
	for name, spoil := range map[string]func(log string) error{
		"a byte of the value flipped": func(log string) error { return flip(log, 60) },
		"a byte of the sum flipped":   func(log string) error { return flip(log, 90) },
		"torn":                        func(log string) error { return os.Truncate(log, recordBytes-10) },
		"writable by others":          func(log string) error { return os.Chmod(log, 0o666) },
		"a link": func(log string) error {
			return errors.Join(os.Rename(log, log+".real"), os.Symlink(log+".real", log))
		},
		"a FIFO":    func(log string) error { return errors.Join(os.Remove(log), unix.Mkfifo(log, 0o600)) },
		"another's": func(log string) error { return os.Chown(log, 4242, -1) },
	} {
		t.Run(name, func(t *testing.T) {
			if name == "another's" && os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			places := t.TempDir()
			want := Engine{Cache: cacheIn(t, places)}.Run(t.Context(), jobs(t, path))[0]
			if err := spoil(filepath.Join(places, RootLog)); err != nil {
				t.Fatal(err)
			}
			got := Engine{Cache: cacheIn(t, places)}.Run(t.Context(), jobs(t, path))[0]
			if got.Cached || got.Sum != want.Sum || got.Err != nil {
				t.Errorf("%+v", got)
			}
		})
	}
}

func flip(path string, at int) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[at] ^= 1
	return os.WriteFile(path, data, 0o640)
}

func TestDigest_TornRecordDoesNotAffectOthers(t *testing.T) {
	files, places := t.TempDir(), t.TempDir()
	one, two := filepath.Join(files, "one"), filepath.Join(files, "two")
	write(t, one, noise(10))
	write(t, two, noise(20))
	age(t, one, two)
	Engine{Cache: cacheIn(t, places)}.Run(t.Context(), jobs(t, one))
	log := filepath.Join(places, RootLog)
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(log, append(data, data[:41]...), 0o640); err != nil { // a writer died
		t.Fatal(err)
	}
	Engine{Cache: cacheIn(t, places)}.Run(t.Context(), jobs(t, two))
	for i, r := range (Engine{Cache: cacheIn(t, places)}).Run(t.Context(), jobs(t, one, two)) {
		if !r.Cached {
			t.Errorf("file %d was read again", i)
		}
	}
}

func TestDigest_OverlongLogIsRestarted(t *testing.T) {
	files, places := t.TempDir(), t.TempDir()
	path := filepath.Join(files, "weights")
	write(t, path, noise(10))
	age(t, path)
	cacheIn(t, places)
	if err := os.Truncate(filepath.Join(places, RootLog), maxLog); err != nil {
		t.Fatal(err)
	}
	Engine{Cache: cacheIn(t, places)}.Run(t.Context(), jobs(t, path))
	if info, err := os.Stat(filepath.Join(places, RootLog)); err != nil || info.Size() != recordBytes {
		t.Errorf("%v %v", info.Size(), err)
	}
	if r := (Engine{Cache: cacheIn(t, places)}).Run(t.Context(), jobs(t, path))[0]; !r.Cached {
		t.Error("it is not readable")
	}
}

// Seventeen caches over one directory stand for seventeen gates after a preload.
func TestDigest_SeventeenReadersReadNoHashedFile(t *testing.T) {
	files, places := t.TempDir(), t.TempDir()
	var paths []string
	for i := range 40 {
		path := filepath.Join(files, fmt.Sprint(i))
		write(t, path, noise(i*10_000+1))
		paths = append(paths, path)
	}
	age(t, paths...)
	all := jobs(t, paths...)
	Engine{Cache: cacheIn(t, places)}.Run(t.Context(), all)
	var w sync.WaitGroup
	for range 17 {
		c := cacheBeside(t, places)
		w.Go(func() {
			for i, r := range (Engine{Cache: c}).Run(t.Context(), all) {
				if r.Err != nil || r.Sum != sha256.Sum256(noise(i*10_000+1)) || !r.Cached {
					t.Errorf("file %d: %+v", i, r)
				}
			}
		})
	}
	w.Wait()
}

// Nothing waits for a lock: the second writer caches nothing, and is not delayed.
func TestDigest_LogHasOneWriterWithoutBlocking(t *testing.T) {
	files, places := t.TempDir(), t.TempDir()
	path := filepath.Join(files, "weights")
	write(t, path, noise(1000))
	age(t, path)
	held := cacheIn(t, places)
	log, err := os.Open(filepath.Join(places, RootLog))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	// What everybody who may read the log can do.
	if err := unix.Flock(int(log.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	Engine{Cache: cacheBeside(t, places)}.Run(t.Context(), jobs(t, path))
	if info, err := log.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("the second writer wrote %d bytes (%v)", info.Size(), err)
	}
	Engine{Cache: held}.Run(t.Context(), jobs(t, path))
	if info, err := log.Stat(); err != nil || info.Size() != recordBytes {
		t.Errorf("the first writer wrote %d bytes (%v)", info.Size(), err)
	}
	if info, err := os.Stat(filepath.Join(places, lockName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may open the lock: %v %v", info.Mode(), err)
	}
}

// The user of the agents may neither write the log of the preload nor make one.
func TestDigest_LogInAWritableDirectoryIsIgnored(t *testing.T) {
	files, places := t.TempDir(), t.TempDir()
	path := filepath.Join(files, "weights")
	write(t, path, noise(1000))
	age(t, path)
	Engine{Cache: cacheIn(t, places)}.Run(t.Context(), jobs(t, path))
	if r := (Engine{Cache: cacheIn(t, places)}).Run(t.Context(), jobs(t, path))[0]; !r.Cached {
		t.Fatal("it was not remembered")
	}
	if err := os.Chmod(places, 0o777); err != nil {
		t.Fatal(err)
	}
	if r := (Engine{Cache: cacheIn(t, places)}).Run(t.Context(), jobs(t, path))[0]; r.Cached || r.Err != nil {
		t.Errorf("%+v", r)
	}
}

func TestDigest_InheritedLogIsTheOnlyOneWritten(t *testing.T) {
	files, places := t.TempDir(), t.TempDir()
	path := filepath.Join(files, "weights")
	write(t, path, noise(1000))
	age(t, path)
	root, err := os.OpenRoot(places)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	for name, right := range map[string]bool{PreloadLog: true, "another": false} {
		write(t, filepath.Join(places, PreloadLog), nil)
		out, err := os.OpenFile(filepath.Join(places, name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		source := Source{Dir: root, Name: PreloadLog, Trusted: []int{os.Geteuid()}, Out: out}
		c := Open([]Source{source})
		Engine{Cache: c}.Run(t.Context(), jobs(t, path))
		c.Close()
		reader := Open([]Source{{Dir: root, Name: PreloadLog, Trusted: []int{os.Geteuid()}}})
		if r := (Engine{Cache: reader}).Run(t.Context(), jobs(t, path))[0]; r.Cached != right {
			t.Errorf("%s: %+v", name, r)
		}
		reader.Close()
		_ = out.Close()
	}
}

func TestDigest_ReplacedFileIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights")
	write(t, path, noise(1000))
	all := jobs(t, path)
	write(t, path, noise(1001))
	if r := (Engine{}).Run(t.Context(), all)[0]; !errors.Is(r.Err, ErrChanged) {
		t.Errorf("%+v", r)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if r := (Engine{}).Run(t.Context(), all)[0]; !errors.Is(r.Err, os.ErrNotExist) {
		t.Errorf("%+v", r)
	}
}

func TestDigest_RunEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights")
	write(t, path, noise(1000))
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if r := (Engine{}).Run(ctx, jobs(t, path))[0]; !errors.Is(r.Err, cause) || r.Done {
		t.Errorf("%+v", r)
	}
}

func TestDigest_SharedFileIsReadOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights")
	write(t, path, noise(chunk))
	all := jobs(t, path, path)
	r := &run{jobs: all, results: make([]Result, len(all))}
	if queue := r.plan(); len(queue) != 1 {
		t.Errorf("%d jobs are done", len(queue))
	}
	if results := (Engine{}).Run(t.Context(), all); results[0].Sum != results[1].Sum || !results[1].Done {
		t.Errorf("%+v", results)
	}
}

func TestParse_TakesSixtyFourHexadecimalDigits(t *testing.T) {
	sum := Sum(sha256.Sum256(nil))
	if got, ok := Parse(sum.String()); !ok || got != sum {
		t.Errorf("%v %v", got, ok)
	}
	for _, text := range []string{"", "ab", sum.String()[2:], sum.String() + "00", string(bytes.Repeat([]byte("x"), 64))} {
		if _, ok := Parse(text); ok {
			t.Errorf("took %q", text)
		}
	}
}
