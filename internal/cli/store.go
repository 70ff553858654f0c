// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"os"

	"justnews/internal/diag"
	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/hostlock"
	"justnews/internal/probe/store"
	"justnews/internal/records"
	"justnews/internal/wish"
)

// modelStore is the Model Store of a run, with what is remembered of it.
type modelStore struct {
	store.Store
	deep bool
}

// Prove compares the content with what was manifested.
func (m modelStore) Prove(ctx context.Context, trees []facts.StoreTree, tell func(digest.Progress)) []facts.StoreProof {
	return m.Store.Prove(ctx, trees, store.Proving{Deep: m.deep, Tell: tell})
}

// Recall says what was found out before of the content.
func (m modelStore) Recall(ctx context.Context, trees []facts.StoreTree) []facts.StoreProof {
	return m.Store.Prove(ctx, trees, store.Proving{Remembered: true})
}

// openStore opens the Model Store that a wish is about, and what this host
// remembers of its files. The note says what cannot be tried.
func (a *app) openStore(w wish.Wish) (m modelStore, note *diag.Problem, shut func()) {
	var loader *store.User
	if w.Loader.User != "" {
		// Every unit has the group justnews besides its own (justnews@.service).
		user, err := store.LookupUser(w.Loader.User, w.Loader.Group, "justnews")
		if err == nil {
			loader = &user
		} else {
			note = noLoader(w.Loader.User, err)
		}
	}
	m.Store = store.New(a.below(w.Models.Root), loader, a.digests(loader))
	return m, note, m.Cache.Close
}

func noLoader(user string, err error) *diag.Problem {
	return &diag.Problem{
		Code: diag.StorePermission, Severity: diag.Notice, Subject: user,
		Message: "whether the orchestrator's user can read the Model Store is not checked: this host has no such user",
		Seen:    err.Error(), Expected: "the user of [service] in /etc/justnews/justnews.toml",
		Fix: diag.Advise("or correct service.user", diag.Run("systemd-sysusers", "justnews.conf")),
	}
}

// digests opens what is remembered of files. First what all processes of one
// user share while this boot lasts: there they also share the work. Then what
// the user keeps for the next boot. What root or the loader found out is
// believed as well: whoever loads the models could deceive nobody more than by
// loading others.
func (a *app) digests(loader *store.User) *digest.Cache {
	self := os.Geteuid()
	var sources []digest.Source
	add := func(root *os.Root, err error, owner int) {
		if err == nil {
			sources = append(sources, digest.Source{Dir: root, Write: owner == self, Trusted: []int{owner}})
		}
	}
	shared := []int{self, 0}
	if loader != nil {
		shared = append(shared, loader.UID)
	}
	seen := map[int]bool{}
	for _, uid := range shared {
		if !seen[uid] {
			seen[uid] = true
			root, err := records.SharedDigests(hostlock.SharedDir, uid)
			add(root, err, uid)
		}
	}
	root, err := records.Environment(a.getenv).Digests()
	add(root, err, self)
	cache := digest.Open(sources)
	for _, s := range sources {
		_ = s.Dir.Close()
	}
	return cache
}

func (a *app) getenv(name string) string {
	value, _ := a.Lookup(name)
	return value
}
