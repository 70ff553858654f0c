// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"justnews/internal/check/orchestrator"
	"justnews/internal/facts"
)

// Groups looks up control groups by a unit's ControlGroup=.
type Groups interface {
	Groups(group string) []uint64
}

// Origin proves whose answers those of one address are, for orchestrator.WithProof. Many
// goroutines may use it at once.
type Origin struct {
	Unit   string // that the configuration names, "": no unit of this host
	Away   bool   // the URL led to another host when the run began
	Units  Units  // nil: there is no systemd to ask
	Groups Groups
	// Must is set in a process that systemd started: what cannot be asked is then
	// unproven. Elsewhere nothing is asked where there is no systemd.
	Must bool

	mu    sync.Mutex // not held while systemd is asked, which may take long
	known orchestrator.Origin
	asked time.Time
	err   error
}

// manager is the control group of systemd itself (systemd.special(7)), in which
// the listeners of socket units are made.
const manager = "/init.scope"

// Prove reports facts.Answered if an answer of server counts, else why it does not.
func (o *Origin) Prove(ctx context.Context, server facts.Server) (kind facts.AnswerKind, why string) {
	if o.Away && server.Local {
		// Whether there is a Model Store to check was decided by the address.
		return facts.Unattributed, "the URL pointed to another host before, and now points to this host"
	}
	if o.Unit == "" || o.Units == nil && !o.Must {
		return facts.Answered, ""
	}
	known, due, err := o.last()
	// The number of a control group is never reused: one that belonged to this unit and
	// still has sockets belongs to it now. systemd is asked only about others.
	if ofGroups(server, known.Groups) {
		return facts.Answered, ""
	}
	if due {
		known, err = o.ask(ctx, known, server)
	}
	switch {
	case ctx.Err() != nil && err != nil:
		return facts.NoAnswer, "the time was up before it was known whose answer this is"
	case err != nil:
		return facts.Unattributed, "systemd cannot be queried about " + o.Unit + ": " + err.Error()
	}
	return orchestrator.Served(server, known)
}

var errNoSystemd = errors.New("there is no connection to systemd")

func ofGroups(s facts.Server, groups []uint64) bool {
	return s.Local && s.Group > 1 && slices.Contains(groups, s.Group)
}

// last returns the known unit, whether systemd has to be queried again, and the last error.
func (o *Origin) last() (known orchestrator.Origin, due bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.known, time.Since(o.asked) >= unitEvery, o.err
}

// ask queries systemd about the unit that an answer of s should come from. The control
// group is enough to recognize it; to refuse it, more has to be known. With an error it
// returns what was known before.
func (o *Origin) ask(ctx context.Context, known orchestrator.Origin, s facts.Server) (orchestrator.Origin, error) {
	began := time.Now()
	groups, err := o.groups(ctx)
	recognized := ofGroups(s, groups)
	switch {
	case recognized:
		known.Groups = groups
	case err == nil:
		var now orchestrator.Origin
		if now, err = o.question(ctx); err == nil {
			known = now
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.known, o.err = known, err
	if !recognized {
		o.asked = began
	}
	return known, err
}

func (o *Origin) groups(ctx context.Context) ([]uint64, error) {
	if o.Units == nil {
		return nil, errNoSystemd
	}
	unit, err := o.Units.Unit(ctx, o.Unit, "ControlGroup")
	if err != nil {
		return nil, err
	}
	return o.Groups.Groups(unit.ControlGroup), nil
}

func (o *Origin) question(ctx context.Context) (orchestrator.Origin, error) {
	unit, err := o.Units.Unit(ctx, o.Unit)
	if err != nil {
		return orchestrator.Origin{}, err
	}
	known := orchestrator.Origin{Unit: unit, Groups: o.Groups.Groups(unit.ControlGroup), Manager: o.Groups.Groups(manager)}
	for _, name := range unit.TriggeredBy {
		if !strings.HasSuffix(name, ".socket") {
			continue
		}
		// Where systemd filters packets, it makes a listener in the control group of
		// the socket unit.
		if socket, err := o.Units.Unit(ctx, name); err == nil {
			known.Manager = append(known.Manager, o.Groups.Groups(socket.ControlGroup)...)
		}
	}
	return known, nil
}

// Learn returns units through which the run asks systemd for reasons of its own: the control
// groups of the origin's unit are kept, which saves a question.
func (o *Origin) Learn(units Units) Units { return learning{units, o} }

type learning struct {
	Units
	origin *Origin
}

func (l learning) Unit(ctx context.Context, name string, only ...string) (facts.Unit, error) {
	unit, err := l.Units.Unit(ctx, name, only...)
	if o := l.origin; err == nil && name == o.Unit && o.Groups != nil && unit.ControlGroup != "" {
		groups := o.Groups.Groups(unit.ControlGroup)
		o.mu.Lock()
		defer o.mu.Unlock()
		o.known.Groups = append(slices.Clip(o.known.Groups), groups...)
	}
	return unit, err
}
