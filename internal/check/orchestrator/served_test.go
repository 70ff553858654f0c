// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"testing"

	"justnews/internal/check/orchestrator"
	"justnews/internal/facts"
)

func TestServed_OnlyTheUnitsSocketCounts(t *testing.T) {
	uid := 990
	origin := func(change func(*orchestrator.Origin)) orchestrator.Origin {
		o := orchestrator.Origin{Unit: unitIn("active", "running"), Groups: []uint64{4711, 4712}, Manager: []uint64{7}}
		o.Unit.UID, o.Unit.ControlGroup, o.Unit.MainPID = &uid, "/system.slice/x.service", 42
		if change != nil {
			change(&o)
		}
		return o
	}
	socket := func(o *orchestrator.Origin) { o.Unit.TriggeredBy = []string{"orchestrator.socket"} }
	gone := func(o *orchestrator.Origin) {
		o.Unit.ActiveState, o.Unit.SubState, o.Unit.ControlGroup, o.Unit.MainPID, o.Groups = "activating", "auto-restart", "", 0, nil
	}
	for name, tc := range map[string]struct {
		server facts.Server
		origin orchestrator.Origin
		want   facts.AnswerKind
	}{
		"its own group":                          {facts.Server{Local: true, Group: 4711}, origin(nil), facts.Answered},
		"a group below its own":                  {facts.Server{Local: true, Group: 4712}, origin(nil), facts.Answered},
		"its group, a worker of another user":    {facts.Server{Local: true, Group: 4711, UID: 0, Accepted: true}, origin(nil), facts.Answered},
		"another unit, the same user":            {facts.Server{Local: true, Group: 4800, UID: uid, Accepted: true}, origin(nil), facts.Foreign},
		"another unit, root's":                   {facts.Server{Local: true, Group: 4800, UID: 0, Accepted: true}, origin(nil), facts.Foreign},
		"the unit is between two tries":          {facts.Server{Local: true, Group: 4800}, origin(gone), facts.Foreign},
		"its group cannot be examined":           {facts.Server{Local: true, Group: 4711}, origin(func(o *orchestrator.Origin) { o.Groups = nil }), facts.Unattributed},
		"nothing is known":                       {facts.Server{Local: true}, origin(nil), facts.Unattributed},
		"another host":                           {facts.Server{Group: 4711, UID: uid, Accepted: true}, origin(nil), facts.Foreign},
		"cgroup v1: its user":                    {facts.Server{Local: true, Group: 1, UID: uid, Accepted: true}, origin(nil), facts.Answered},
		"cgroup v1: not accepted yet":            {facts.Server{Local: true, Group: 1, UID: uid}, origin(nil), facts.Unattributed},
		"cgroup v1: another user":                {facts.Server{Local: true, Group: 1, UID: 1000, Accepted: true}, origin(nil), facts.Foreign},
		"cgroup v1: its user, and not running":   {facts.Server{Local: true, Group: 1, UID: uid, Accepted: true}, origin(gone), facts.Foreign},
		"cgroup v1: its user is not known":       {facts.Server{Local: true, Group: 1, UID: uid, Accepted: true}, origin(func(o *orchestrator.Origin) { o.Unit.UID = nil }), facts.Unattributed},
		"cgroup v1: not running, as nobody":      {facts.Server{Local: true, Group: 1, UID: uid, Accepted: true}, origin(func(o *orchestrator.Origin) { gone(o); o.Unit.UID = nil }), facts.Foreign},
		"cgroup v1: nothing is known":            {facts.Server{Local: true, Group: 1, UID: uid, Accepted: true}, orchestrator.Origin{}, facts.Unattributed},
		"cgroup v1: the unit is its root":        {facts.Server{Local: true, Group: 1, UID: 1000, Accepted: true}, origin(func(o *orchestrator.Origin) { o.Groups = []uint64{1} }), facts.Foreign},
		"cgroup v1: a service without a process": {facts.Server{Local: true, Group: 1, UID: uid, Accepted: true}, origin(func(o *orchestrator.Origin) { o.Unit.MainPID = 0 }), facts.Answered},
		"cgroup v1: it reloads":                  {facts.Server{Local: true, Group: 1, UID: uid, Accepted: true}, origin(func(o *orchestrator.Origin) { o.Unit.ActiveState, o.Unit.MainPID = "reloading", 0 }), facts.Answered},
		"cgroup v1: it starts":                   {facts.Server{Local: true, Group: 1, UID: uid, Accepted: true}, origin(func(o *orchestrator.Origin) { o.Unit.ActiveState = "activating" }), facts.Answered},
		"a socket unit's listener":               {facts.Server{Local: true, Group: 7, UID: uid, Accepted: true}, origin(socket), facts.Answered},
		"a socket unit's, another accepted":      {facts.Server{Local: true, Group: 7, UID: 1000, Accepted: true}, origin(socket), facts.Foreign},
		"systemd's group without a socket":       {facts.Server{Local: true, Group: 7, UID: uid, Accepted: true}, origin(nil), facts.Foreign},
		"an unknown unit":                        {facts.Server{Local: true, Group: 4711}, orchestrator.Origin{}, facts.Foreign},
	} {
		got, seen := orchestrator.Served(tc.server, tc.origin)
		if got != tc.want || (seen == "") != (got == facts.Answered) {
			t.Errorf("%s: %d %q, want %d", name, got, seen, tc.want)
		}
	}
}

func TestServed_NamesTheOwnerOfAConnectionThatWasAccepted(t *testing.T) {
	o := orchestrator.Origin{Unit: unitIn("active", "running"), Groups: []uint64{4711}}
	for want, s := range map[string]facts.Server{
		"the socket that answers belongs to a process outside justnews@gpu_orchestrator.service (active/running), its owner is UID 1000": {Local: true, Group: 7, UID: 1000, Accepted: true},
		"the socket that answers belongs to a process outside justnews@gpu_orchestrator.service (active/running)":                        {Local: true, Group: 7},
	} {
		if _, seen := orchestrator.Served(s, o); seen != want {
			t.Errorf("%q, want %q", seen, want)
		}
	}
}
