// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"justnews/internal/check"
	checkstore "justnews/internal/check/store"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/lists"
	"justnews/internal/modelmap"
	"justnews/internal/probe/store"
	"justnews/internal/report"
	"justnews/internal/requirement"
	"justnews/internal/seal"
	"justnews/internal/spell"
)

type modelsCommand struct {
	Verify verifyCommand `cmd:"" help:"Check that every model is in the Model Store, readable, and matches its manifest."`
	Seal   sealCommand   `cmd:"" help:"Write a manifest that lists every file of an agent's current version."`
}

type verifyCommand struct {
	Agents []instance `arg:"" optional:"" name:"agent" help:"Check only what these agents need; default: all agents in the map."`
	Deep   bool       `name:"deep" help:"Read every file again even if its hash is known, and try more directory orders for a checksum."`
}

// Run checks the Model Store.
func (c *verifyCommand) Run(a *app) error {
	began := time.Now()
	s, problems := a.survey(lists.Map(c.Agents, func(i instance) string { return string(i) })...)
	if s == nil {
		return a.verified(&report.Verification{Problems: problems}, problems)
	}
	defer s.shut()
	s.store.deep, s.store.names = c.Deep, true
	look := s.look
	problems = append(problems, checkstore.Judge(look, s.want)...)
	tell, done := a.hashing()
	proofs := s.store.Prove(a.ctx, s.look.Trees, tell)
	done()
	if a.ctx.Err() != nil {
		return a.verified(&report.Verification{Problems: problems}, append(problems, stoppedVerify(a.ctx)))
	}
	problems = append(problems, checkstore.Proofs(proofs, look, s.want)...)
	v := report.Verification{Root: look.Root, User: look.User, Free: look.Free, Elapsed: report.Seconds(time.Since(began)),
		Models: report.VerifiedModels(look), Trees: report.VerifiedTrees(look, proofs)}
	return a.verified(&v, problems)
}

func stoppedVerify(ctx context.Context) diag.Problem {
	return diag.Found(diag.Interrupted, "", "ended by a signal while hashing",
		context.Cause(ctx).Error(), "", diag.Advise("run the same command again: finished hashes are remembered"))
}

// surveyed is the Model Store as a command of a person sees it.
type surveyed struct {
	store modelStore
	look  facts.Store
	want  checkstore.Wanted
	shut  func()
}

// survey reads configuration and map and looks at the store. It returns nil
// where there is nothing to look at.
func (a *app) survey(agents ...string) (*surveyed, []diag.Problem) {
	cfg, problems := config.Load(a.source())
	if cfg == nil {
		return nil, problems
	}
	w, more := requirement.ForHost(cfg, a.lookup(cfg, ""), requirement.Flags{})
	if problems = append(problems, more...); len(diag.Errors(problems)) > 0 {
		return nil, problems
	}
	file := modelmap.ReadFile(a.below(w.Models.Map))
	problems = append(problems, mapProblems(file, w)...)
	problems = append(problems, checkstore.MapInstances(file.Map, w.Models.Map, cfg.InstanceNames())...)
	m, note, shut := a.openStore(w)
	if note != nil {
		problems = append(problems, *note)
	}
	s := &surveyed{store: m, shut: shut, want: checkstore.Wanted{Models: w.Models, Listed: file.Map, Thorough: true}}
	wants := checkstore.Wants(file.Map)
	if file.Map == nil {
		wants = found(a.ctx, m)
	}
	wants, more = choose(wants, agents, func() []facts.StoreWant { return found(a.ctx, m) })
	if problems = append(problems, more...); len(diag.Errors(more)) > 0 {
		shut()
		return nil, problems
	}
	s.look = m.Look(a.ctx, wants)
	return s, problems
}

// found lists the content of the store, if no map says what it should be.
func found(ctx context.Context, m modelStore) []facts.StoreWant {
	var agents, wants []facts.StoreWant
	for _, name := range m.Look(ctx, nil).Agents {
		agents = append(agents, facts.StoreWant{Agent: name, Owner: name})
	}
	for _, t := range m.Look(ctx, agents).Trees {
		ids := t.IDs
		if len(ids) == 0 {
			ids = []string{""}
		}
		for _, id := range ids {
			wants = append(wants, facts.StoreWant{Agent: t.Owner, Owner: t.Owner, Model: cmp.Or(id, "(the version itself)"), ID: id})
		}
	}
	return wants
}

// choose keeps what some agents need, or what is in their directories: the store can
// have an agent that the map does not list.
func choose(wants []facts.StoreWant, agents []string, inStore func() []facts.StoreWant) ([]facts.StoreWant, []diag.Problem) {
	if len(agents) == 0 {
		return wants, nil
	}
	var chosen, store []facts.StoreWant
	var problems []diag.Problem
	for _, agent := range agents {
		mine := of(wants, agent)
		if len(mine) == 0 {
			if store == nil {
				store = inStore()
			}
			if mine = of(store, agent); len(mine) == 0 {
				return nil, []diag.Problem{unknownAgent(agent, slices.Concat(wants, store))}
			}
			problems = append(problems, checkstore.NotListed(agent))
		}
		chosen = append(chosen, mine...)
	}
	return chosen, problems
}

func of(wants []facts.StoreWant, agent string) []facts.StoreWant {
	return lists.Filter(wants, func(w facts.StoreWant) bool { return w.Agent == agent || w.Owner == agent })
}

func unknownAgent(agent string, wants []facts.StoreWant) diag.Problem {
	var names []string
	for _, w := range wants {
		names = append(names, w.Agent, w.Owner)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	p := diag.Found(diag.Usage, agent, "neither the map nor the Model Store has such an agent"+spell.Hint(agent, names),
		"", "one of "+strings.Join(names, ", "), diag.Do(diag.Run("justnews-gate", "models", "verify")))
	if len(names) == 0 {
		p.Expected = "a map that lists agents, or a Model Store that has some"
	}
	return p
}

// hashing returns the function that shows the progress: as a live line on a terminal or
// as the status of a unit, otherwise not at all.
func (a *app) hashing() (tell func(digest.Progress), done func()) {
	w := a.watch()
	if w.Log {
		return func(digest.Progress) {}, func() {}
	}
	began := time.Now()
	return func(p digest.Progress) {
		text, left := gate.HashingText(p, time.Since(began))
		w.Progress(gate.Progress{Step: "store", Text: text, Done: int(p.Done >> 20), Total: int(p.Total >> 20), Left: left})
	}, func() { w.Done(gate.Result{}) }
}

func (a *app) verified(v *report.Verification, problems []diag.Problem) error {
	v.Schema, v.Problems = report.SchemaVersion, a.clean(problems)
	v.Models, v.Trees = orEmpty(v.Models), orEmpty(v.Trees)
	status := a.statusOf(problems)
	v.Status = int(status)
	return a.printed(v, status, func() {
		printTrees(a.Stdout, v)
		a.say(problems...)
	})
}

func printTrees(out io.Writer, v *report.Verification) {
	if len(v.Trees) == 0 {
		return
	}
	var bytes, read int64
	files := 0
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, t := range v.Trees {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", report.Brief(cmp.Or(t.Agent, t.Path)), report.Brief(t.Label()), diag.Count(t.Models, "model"), check.Size(t.Bytes), t.Word())
		bytes, read, files = bytes+t.Bytes, read+t.Read, files+t.Files
	}
	_ = w.Flush()
	fmt.Fprintf(out, "%s, %s, %s, of which %s were read, in %s\n",
		diag.Count(len(v.Models), "model"), diag.Count(files, "file"), check.Size(bytes), check.Size(read), report.Span(seconds(v.Elapsed)))
}

type sealCommand struct {
	Agent instance `arg:"" help:"The agent; its current version and adapters are sealed."`
}

// Run seals the versions in the directory of an agent.
func (c *sealCommand) Run(a *app) error {
	agent := string(c.Agent)
	s, problems := a.survey(agent)
	if s == nil {
		return a.sealed(agent, nil, problems)
	}
	defer s.shut()
	if a.ctx.Err() != nil {
		return a.sealed(agent, nil, append(problems, stoppedVerify(a.ctx)))
	}
	// What would not load is not sealed. A missing manifest is the reason to seal.
	problems = append(problems, checkstore.Judge(s.look, s.want)...)
	if len(diag.Errors(problems)) > 0 {
		return a.sealed(agent, nil, problems)
	}
	tell, done := a.hashing()
	defer done()
	var proofs []facts.StoreProof
	for _, t := range s.look.Trees {
		if t.Owner != agent {
			continue
		}
		p, err := s.store.Seal(a.ctx, t, store.Proving{Tell: tell})
		switch {
		case a.ctx.Err() != nil:
			return a.sealed(agent, proofs, append(problems, stoppedVerify(a.ctx)))
		case err != nil:
			problems = append(problems, unsealed(agent, t, err))
		default:
			proofs = append(proofs, p)
			problems = append(problems, checkstore.Proofs([]facts.StoreProof{p}, s.look, s.want)...)
		}
	}
	done()
	return a.sealed(agent, proofs, problems)
}

func unsealed(agent string, t facts.StoreTree, err error) diag.Problem {
	p := diag.Found(diag.RecordUnwritten, agent, err.Error(), t.Path, "a version that can be written to",
		diag.Advise("free space there, or make it writable (its file system may be read-only, or its directory immutable); otherwise seal the version on a host that can write to it, or set models.verify_preload = \"presence\" in /etc/justnews/justnews.toml").
			Looking(diag.Run("findmnt", "-T", t.Path), diag.Run("df", "--", t.Path), diag.Run("lsattr", "-d", "--", t.Path)))
	if errors.Is(err, fs.ErrPermission) {
		p.Code = diag.StorePermission
		if os.Geteuid() != 0 {
			p.Expected, p.Fix = "a version that this user may write to", diag.Do(diag.Run("sudo", "justnews-gate", "models", "seal", "--", agent))
		}
	}
	return p
}

func (a *app) sealed(agent string, proofs []facts.StoreProof, problems []diag.Problem) error {
	out := report.Sealing{Schema: report.SchemaVersion, Agent: agent, Seals: []report.SealedTree{}}
	for _, p := range proofs {
		if p.By == "seal" && p.Verdict == facts.Whole {
			out.Seals = append(out.Seals, report.SealedTree{Version: p.Name, Path: p.Path + "/" + seal.Rel, Files: p.Files, Bytes: p.Bytes})
		}
	}
	if len(out.Seals) == 0 && len(diag.Errors(problems)) == 0 {
		problems = append(problems, checkstore.NothingToSeal(agent))
	}
	status := a.statusOf(problems)
	out.Problems, out.Status = a.clean(problems), int(status)
	return a.printed(out, status, func() {
		for _, s := range out.Seals {
			fmt.Fprintf(a.Stdout, "sealed %s: %s, %s\n", diag.Clean(s.Path), diag.Count(s.Files, "file"), check.Size(s.Bytes))
		}
		a.say(problems...)
	})
}
