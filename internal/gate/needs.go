// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// awaitNeeds tries the probes that the instance needs, all at once, until all
// have passed. One that has passed is not asked again.
func awaitNeeds(ctx context.Context, r *runner) outcome {
	missing := r.req.Needs
	last := map[string]facts.Need{}
	for every := pollFirst; ; every = slower(every) {
		found := r.tryAll(ctx, missing)
		var still []config.Probe
		for _, p := range missing {
			if found[p.Name].OK {
				continue
			}
			still = append(still, p)
			if ctx.Err() == nil || last[p.Name].Detail == "" {
				last[p.Name] = found[p.Name]
			}
		}
		if missing = still; len(missing) == 0 {
			return outcome{passed: true, detail: "needs met"}
		}
		if problems := r.renew(ctx); problems != nil {
			return outcome{detail: problems[0].Message, problems: problems}
		}
		r.say("needs", "waiting for "+needNames(missing, last), len(r.req.Needs)-len(missing), len(r.req.Needs))
		if !pause(ctx, r.jitter(every)) {
			return outcome{detail: "missing " + needNames(missing, last), problems: unmet(missing, last, r)}
		}
	}
}

func (r *runner) tryAll(ctx context.Context, probes []config.Probe) map[string]facts.Need {
	var mu sync.Mutex
	var wg sync.WaitGroup
	found := make(map[string]facts.Need, len(probes))
	for _, p := range probes {
		wg.Go(func() {
			need := r.world.Needs.Try(ctx, p.Name)
			mu.Lock()
			defer mu.Unlock()
			found[p.Name] = need
		})
	}
	wg.Wait()
	return found
}

func needNames(probes []config.Probe, last map[string]facts.Need) string {
	var parts []string
	for _, p := range probes {
		parts = append(parts, fmt.Sprintf("%s (%s)", p.Name, last[p.Name].Detail))
	}
	return strings.Join(parts, ", ")
}

func unmet(probes []config.Probe, last map[string]facts.Need, r *runner) []diag.Problem {
	var problems []diag.Problem
	for _, p := range probes {
		expected, fix := needWanted(p)
		problems = append(problems, diag.Problem{
			Code: diag.NeedUnmet, Subject: p.Name,
			Message: fmt.Sprintf("the %s probe did not pass within %s", p.Kind, r.req.Timeout.Value),
			Seen:    last[p.Name].Detail, Expected: expected, Fix: fix,
		})
	}
	return problems
}

// needWanted returns when a probe passes, and how to make it pass.
func needWanted(p config.Probe) (expected string, fix diag.Fix) {
	server := "start the server behind %q"
	switch p.Kind {
	case "tcp":
		return "a listener on " + p.Address, diag.Advise(fmt.Sprintf(server, p.Address), diag.Retry())
	case "http":
		return "a 2xx answer from " + p.URL, diag.Advise(fmt.Sprintf(server, p.URL), diag.Retry())
	case "unit":
		return p.Unit + " active", diag.Advise("fix the error in the unit's status", diag.Run("systemctl", "start", "--", p.Unit), diag.Retry()).Looking(diag.Run("systemctl", "status", "--", p.Unit))
	default:
		return p.Path + " exists", diag.Advise("put it there", diag.Retry()).Looking(diag.Run("ls", "-ld", "--", p.Path))
	}
}
