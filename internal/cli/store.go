// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	checkstore "justnews/internal/check/store"
	"justnews/internal/diag"
	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/plan"
	"justnews/internal/probe/store"
	"justnews/internal/requirement"
	"justnews/internal/safefile"
)

// DigestDir is where root's hashes of the Model Store are remembered.
const DigestDir = "/var/lib/justnews-gate"

// TakeDigestLog returns the log of the preload if that is what stdout is, as
// justnews-preload.service has it: PID 1 opened it, in a directory of root's.
// From then on stdout is stderr, and no child of ours inherits the log.
func TakeDigestLog(stdout *os.File) *os.File {
	out, err := safefile.Fstat(stdout)
	if err != nil || !out.Mode.IsRegular() {
		return nil
	}
	log, err := safefile.Lstat(filepath.Join(DigestDir, digest.PreloadLog))
	if err != nil || !log.Same(out) || log.Trust(0) != nil {
		return nil
	}
	fd, err := unix.FcntlInt(stdout.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil
	}
	if unix.Dup3(int(os.Stderr.Fd()), int(stdout.Fd()), 0) != nil {
		_ = unix.Close(fd)
		return nil
	}
	return os.NewFile(uintptr(fd), digest.PreloadLog)
}

type modelStore struct {
	store.Store
	deep bool
	// names compares blobs with the digests that are their names: more reading
	// than a gate asks for.
	names bool
}

// As looks as another user, as far as this process can.
func (m modelStore) As(uid int) gate.ModelStore {
	user, err := store.LookupUser(strconv.Itoa(uid), "")
	if err != nil {
		user = store.User{Name: "UID " + strconv.Itoa(uid), UID: uid}
	}
	m.Store = store.New(m.Root, &user, m.Cache)
	return m
}

// Prove compares the content with the manifest.
func (m modelStore) Prove(ctx context.Context, trees []facts.StoreTree, tell func(digest.Progress)) []facts.StoreProof {
	return m.Store.Prove(ctx, trees, store.Proving{Deep: m.deep, Names: m.names, Tell: tell})
}

// Recall returns the earlier results about the content.
func (m modelStore) Recall(ctx context.Context, trees []facts.StoreTree) []facts.StoreProof {
	return m.Store.Prove(ctx, trees, store.Proving{Remembered: true})
}

// openStore opens a run's Model Store, and this host's cache of its files. The note
// describes what cannot be tried.
func (a *app) openStore(w requirement.Run) (m modelStore, note *diag.Problem, shut func()) {
	var loader *store.User
	if w.Loader.User != "" {
		// Every unit has the group justnews besides its own (justnews@.service).
		user, err := store.LookupUser(w.Loader.User, w.Loader.Group, "justnews")
		if err == nil {
			loader = &user
		} else {
			note = new(checkstore.NoLoader(w.Loader.User, err.Error()))
		}
	}
	m.Store = store.New(a.below(w.Models.Root), loader, a.digests())
	return m, note, m.Cache.Close
}

// digests opens the cache of digests. Root trusts digests computed by root, other users also
// the preload's: an agent can forge anything that the agents' user can write.
func (a *app) digests() *digest.Cache {
	dir, err := safefile.OpenRoot(cmp.Or(a.DigestDir, DigestDir))
	if err != nil {
		return digest.Open(nil)
	}
	defer func() { _ = dir.Close() }()
	owner := 0
	if a.DigestDir != "" { // of a test
		owner = os.Geteuid()
	}
	root := []int{owner}
	if os.Geteuid() == owner {
		return digest.Open([]digest.Source{{Dir: dir, Trusted: root, Write: true}})
	}
	return digest.Open([]digest.Source{
		{Dir: dir, Trusted: root},
		{Dir: dir, Name: digest.PreloadLog, Trusted: root, Out: a.DigestLog},
	})
}

func (a *app) getenv(name string) string {
	if value, ok := a.Lookup(name); ok {
		return value
	}
	return ""
}

// mountEvery is how often a mount that is not there is asked for.
const mountEvery = 500 * time.Millisecond

// awaitMounts waits for what systemd is to mount on the way to the Model Store
// and to its map, where they are not there: at a boot a mount may come after
// the gate. A mount that never comes is named when the time of ctx is over.
func (a *app) awaitMounts(ctx context.Context, w requirement.Run, units gate.Units, o gate.Observer) []diag.Problem {
	if units == nil || !w.RequireModels || !w.Orchestrator.Here {
		return nil
	}
	until, _ := ctx.Deadline()
	for {
		missing := a.missing(w)
		if len(missing) == 0 {
			return nil
		}
		unit, found := absentMount(ctx, units, missing)
		switch {
		case !found:
			return nil // then the store and the map are judged as they are
		case unit.ActiveState == "failed":
			return []diag.Problem{checkstore.MountMissing(unit, missing[0])}
		}
		o.Progress(gate.Progress{
			Step: "store", Text: "waiting for " + unit.Name, Left: time.Until(until),
		})
		select {
		case <-ctx.Done():
			return []diag.Problem{checkstore.MountMissing(unit, missing[0])}
		case <-time.After(mountEvery):
		}
	}
}

// missing returns which of the store and the map are not there. An empty
// directory is what a store is mounted on.
func (a *app) missing(w requirement.Run) []string {
	var paths []string
	root := a.below(w.Models.Root)
	if entries, err := os.ReadDir(root); os.IsNotExist(err) || err == nil && len(entries) == 0 {
		paths = append(paths, root)
	}
	if file := a.below(w.Models.Map); file != "" {
		if _, err := os.Stat(file); os.IsNotExist(err) {
			paths = append(paths, file)
		}
	}
	return paths
}

// absentMount returns the unit of a mount that is configured on the way to one
// of the paths, and not active.
func absentMount(ctx context.Context, units gate.Units, paths []string) (facts.Unit, bool) {
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			continue
		}
		for _, name := range plan.MountUnits(abs) {
			u, err := units.Unit(ctx, name)
			if err == nil && u.LoadState == "loaded" && u.ActiveState != "active" {
				return u, true
			}
		}
	}
	return facts.Unit{}, false
}
