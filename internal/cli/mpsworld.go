// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"os/user"
	"slices"
	"strconv"

	"justnews/internal/account"
	"justnews/internal/config"
	"justnews/internal/gate"
	"justnews/internal/hostlock"
	"justnews/internal/probe/mps"
	"justnews/internal/requirement"
)

// openMPS puts the probe of NVIDIA MPS together with the lock around all
// questions to the daemon of that pipe directory.
func (x *world) openMPS(w requirement.Run) {
	prober := mps.Prober{PipeDirectory: w.MPS.PipeDirectory}
	lock, err := hostlock.Open(hostlock.Name("mps", w.MPS.PipeDirectory))
	if err == nil {
		prober.Turn = lock
		x.close = append(x.close, lock.Unlock)
	}
	if x.Lock == nil { // else openLock has said it
		x.noteLock(lock, err)
	}
	x.MPS = prober
}

// self is what this process knows of itself. In a unit it runs as the program
// that it gates; by hand the program's user is looked up.
func (a *app) self(w requirement.Run, cfg *config.Config) gate.Self {
	s := gate.Self{Environment: a.Lookup, User: strconv.Itoa(os.Geteuid())}
	if u, err := user.LookupId(s.User); err == nil {
		s.User = u.Username
	}
	if a.inUnit() {
		uid := os.Geteuid()
		s.AgentUID, s.InUnit = &uid, true
		return s
	}
	if u, err := (account.Host{}).User(agentUser(cfg, w.Instance)); err == nil {
		s.AgentUID = &u.UID
	}
	return s
}

// agentUser returns User= of an instance, or of those with MPS, who share one.
func agentUser(cfg *config.Config, instance string) string {
	if i, ok := cfg.Instance(instance); ok {
		return i.Service.User
	}
	if len(cfg.Instances) == 0 {
		return "justnews"
	}
	withMPS := slices.IndexFunc(cfg.Instances, func(i config.Instance) bool { return i.MPS.Enabled })
	return cfg.Instances[max(withMPS, 0)].Service.User
}
