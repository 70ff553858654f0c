// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io/fs"

	"justnews/internal/check"
	checkstore "justnews/internal/check/store"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/probe/store"
	"justnews/internal/report"
	"justnews/internal/seal"
)

type sealCommand struct {
	Agent string `arg:"" help:"The agent whose current version and adapters to seal."`
}

// Run seals the versions in the directory of an agent.
func (c *sealCommand) Run(a *app) error {
	s, problems := a.survey([]string{c.Agent})
	if s == nil {
		return a.sealed(c.Agent, nil, problems)
	}
	defer s.shut()
	if a.ctx.Err() != nil {
		return a.sealed(c.Agent, nil, append(problems, stoppedVerify(a.ctx)))
	}
	// What would not load is not sealed. A missing manifest is the reason to seal.
	problems = append(problems, checkstore.Judge(s.look, s.want)...)
	if len(diag.Errors(problems)) > 0 {
		return a.sealed(c.Agent, nil, problems)
	}
	tell, done := a.hashing()
	defer done()
	var proofs []facts.StoreProof
	for _, t := range s.look.Trees {
		if t.Owner != c.Agent {
			continue
		}
		p, err := s.store.Seal(a.ctx, t, store.Proving{Tell: tell})
		switch {
		case a.ctx.Err() != nil:
			return a.sealed(c.Agent, proofs, append(problems, stoppedVerify(a.ctx)))
		case err != nil:
			problems = append(problems, unsealed(c.Agent, t, err))
		default:
			proofs = append(proofs, p)
			problems = append(problems, checkstore.Proofs([]facts.StoreProof{p}, s.look, s.want)...)
		}
	}
	done()
	return a.sealed(c.Agent, proofs, problems)
}

func unsealed(agent string, t facts.StoreTree, err error) diag.Problem {
	p := diag.Problem{
		Code: diag.RecordUnwritten, Subject: agent, Message: err.Error(), Seen: t.Path,
		Expected: "a version that this user may write to", Fix: diag.Do(diag.Run("sudo", "justnews-gate", "models", "seal", "--", agent)),
	}
	if errors.Is(err, fs.ErrPermission) {
		p.Code = diag.StorePermission
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
