// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"fmt"
	"strings"
	"testing"

	"justnews/test/bed"
)

const (
	systemd1   = "org.freedesktop.systemd1"
	manager    = systemd1 + " /org/freedesktop/systemd1 " + systemd1 + ".Manager "
	startByBus = "busctl call org.justnews.MPS1 /org/justnews/MPS1 org.justnews.MPS1 Start"
	mpsObject  = systemd1 + " /org/freedesktop/systemd1/unit/justnews_2dmps_2eservice " + systemd1 + ".Unit "
	gateDir    = "/run/justnews-gate"
)

// attacks are calls to systemd's manager, other than our own Start, that would start, stop
// or change something if they were allowed.
func attacks() []string {
	var all []string
	for _, mode := range []string{"replace", "fail", "isolate", "flush", "ignore-dependencies", "ignore-requirements", "replace-irreversibly", "lenient", "triggering"} {
		for _, method := range []string{"StartUnit", "StopUnit", "RestartUnit", "TryRestartUnit", "ReloadUnit", "ReloadOrRestartUnit", "ReloadOrTryRestartUnit"} {
			all = append(all, manager+method+" ss "+mpsUnit+" "+mode)
		}
		all = append(all, manager+"StartUnitReplace sss "+mpsUnit+" "+mpsUnit+" "+mode,
			manager+"StartUnitWithFlags sst "+mpsUnit+" "+mode+" 0",
			manager+"EnqueueUnitJob sss "+mpsUnit+" start "+mode,
			mpsObject+"Start s "+mode, mpsObject+"Restart s "+mode, mpsObject+"Stop s "+mode, mpsObject+"EnqueueJob ss start "+mode)
	}
	return append(all,
		manager+`StartTransientUnit "ssa(sv)a(sa(sv))" `+mpsUnit+" flush 1 Description s x 0",
		manager+`StartTransientUnit "ssa(sv)a(sa(sv))" justnews-planted.service replace 1 Description s x 0`,
		manager+"KillUnit ssi "+mpsUnit+" all 9", manager+"ResetFailedUnit s "+mpsUnit, manager+"ResetFailed",
		manager+`SetUnitProperties "sba(sv)" `+mpsUnit+" true 1 Description s x", manager+"CleanUnit sas "+mpsUnit+" 1 all",
		manager+"FreezeUnit s "+mpsUnit, manager+"Reload", manager+"Reexecute", manager+"ClearJobs", manager+"CancelJob u 1",
		manager+"SetEnvironment as 1 X=1", manager+"MaskUnitFiles asbb 1 "+mpsUnit+" true true", manager+"LinkUnitFiles asbb 1 /tmp/x.service true true",
		"org.justnews.MPS1 /org/justnews/MPS1 org.freedesktop.DBus.Introspectable Introspect",
		"org.justnews.MPS1 /org/justnews/MPS1 org.freedesktop.DBus.Peer Ping",
		"org.justnews.MPS1 /org/justnews/MPS1 org.justnews.MPS1 Stop",
		"org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus RequestName su org.justnews.MPS1 0",
	)
}

// callers are the ways in which a process can have the agents' user or group.
func callers() map[string]string {
	return map[string]string{
		"as justnews":                     "runuser -u justnews -- ",
		"from the sandbox of an agent":    "sandboxed justnews ",
		"in the group by the unit's word": "sandboxed other ",
	}
}

// sandboxed runs a command in an agent's packaged sandbox.
const sandboxed = `#!/bin/sh
user=$1; shift
dir=/run/systemd/system
sed -e '/^Exec/d' -e '/^Restart/d' -e "s/^User=.*/User=$user/" -e 's/^Type=.*/Type=oneshot/' -e '/^EnvironmentFile/d' -e 's/^\(Wants\|After\|PartOf\)=.*//' -e 's/%i/attack/' \
	/usr/lib/systemd/system/justnews@.service >$dir/attack.service
[ "$user" = justnews ] || sed -i 's/^Group=.*/Group=other/' $dir/attack.service
printf '[Service]\nExecStart=/bin/sh /tmp-attack\nStandardOutput=truncate:/var/attack.out\nStandardError=inherit\n' >>$dir/attack.service
printf '%s\n' "$*" >/tmp-attack
systemctl daemon-reload
systemctl reset-failed attack.service 2>/dev/null
systemctl start attack.service
status=$?
cat /var/attack.out
exit $status
`

func bootPrivileges(t *testing.T, suite string) *site {
	t.Helper()
	return bootMPS(t, suite, mpsConfig("", "memory", "scout"), func(tree *bed.Tree) {
		tree.WriteFile("/usr/local/bin/sandboxed", sandboxed, 0o755)
		tree.Run("useradd", "--no-create-home", "--user-group", "other")
		tree.WriteFile("/etc/systemd/system/slow.service", "[Service]\nType=oneshot\nExecStart=/bin/sleep infinity\n")
		tree.WriteFile("/etc/systemd/system/queued.service", "[Unit]\nAfter=slow.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n")
	})
}

// An agent can get nothing from systemd except the start of MPS through our own service,
// which does not affect the host's jobs.
func TestPolkit_AgentsCanStartOnlyMPS(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		t.Parallel()
		s := bootPrivileges(t, suite)
		s.WaitUnits("active/running", units("memory", "scout")...)
		s.Systemctl(append([]string{"stop"}, units("memory", "scout")...)...)
		s.Systemctl("start", "--no-block", "slow.service", "queued.service")
		queue := func() string {
			return strings.Join(strings.Fields(s.Sh("systemctl list-jobs --no-legend --plain | grep -E 'slow|queued' | awk '{print $2, $3}' | sort").Stdout), " ")
		}
		want := queue()
		if !strings.Contains(want, "queued.service") || !strings.Contains(want, "slow.service") {
			t.Fatalf("the queue is %q", want)
		}
		for name, as := range callers() {
			t.Run(name, func(t *testing.T) {
				s := &site{Machine: s.Machine, t: t}
				s.Systemctl("stop", mpsUnit)
				var script strings.Builder
				for _, a := range attacks() {
					fmt.Fprintf(&script, "busctl --timeout=20 call %s >/dev/null 2>&1 && echo ALLOWED %q; ", a, a)
				}
				s.WriteFile("/var/attacks.sh", script.String()+"true\n", 0o755)
				out := s.Sh(as + "sh /var/attacks.sh").Stdout
				for line := range strings.Lines(out) {
					t.Errorf("%s", line)
				}
				if u := s.Unit(mpsUnit); !u.Is("inactive/dead") {
					t.Errorf("%v", u)
				}
				if got := queue(); got != want {
					t.Errorf("the queue is %q, was %q", got, want)
				}
				if r := s.Sh(as + startByBus); r.Err != nil {
					t.Errorf("Start: %v\n%s%s", r.Err, r.Stdout, r.Stderr)
				}
				s.WaitUnit(mpsUnit, "active/running")
				if got := queue(); got != want {
					t.Errorf("after Start the queue is %q, was %q", got, want)
				}
			})
		}
		s.WaitJournal("justnews-mps-start.service", "start "+mpsUnit+" for uid ")
		// A user in neither group is refused, and the name belongs to root.
		s.Systemctl("stop", mpsUnit)
		if r := s.Sh("runuser -u nobody -- " + startByBus); r.Err == nil || !strings.Contains(r.Stderr, "ccess denied") {
			t.Errorf("nobody: %v\n%s%s", r.Err, r.Stdout, r.Stderr)
		}
		if u := s.Unit(mpsUnit); !u.Is("inactive/dead") {
			t.Errorf("%v", u)
		}
		// A flood: one start, and an answer to each call.
		s.Sh("runuser -u justnews -- sh -c 'for i in $(seq 100); do " + startByBus + " >/dev/null 2>&1 & done; wait'")
		s.WaitUnit(mpsUnit, "active/running")
		if got := strings.Count(s.Journal(mpsUnit), "Starting "); got > 12 {
			t.Errorf("%d starts", got)
		}
		// Without polkit, too.
		s.Systemctl("stop", mpsUnit)
		s.Systemctl("mask", "--runtime", "--now", "polkit.service")
		s.gateBy("justnews").passed(t, "without polkit")
		s.WaitFor("the idle service to end", bed.Patience, func() bool { return s.Unit("justnews-mps-start.service").Is("inactive/dead") })
	})
}

// An agent that exhausts the space and inodes of the shared directory shuts no other gate,
// and systemd can still reload.
func TestPrivilege_AgentCanFillOnlyTheSharedDirectory(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := bootPrivileges(t, suite)
		s.WaitUnits("active/running", units("memory", "scout")...)
		if got := strings.TrimSpace(s.Must("stat", "-f", "-c", "%T %c", gateDir)); got != "tmpfs 4096" {
			t.Fatalf("%s is %q", gateDir, got)
		}
		for path, want := range map[string]string{gateDir: "3771 root:justnews", gateDir + "/metrics": "3775 root:justnews"} {
			if got := strings.TrimSpace(s.Must("stat", "-c", "%a %U:%G", path)); got != want {
				t.Errorf("%s is %s", path, got)
			}
		}
		for name, fill := range map[string]string{
			"inodes": "cd " + gateDir + " && i=0; while : >fill.$$.$i; do i=$((i+1)); done",
			"bytes":  "rm -f " + gateDir + "/fill.*; dd if=/dev/zero of=" + gateDir + "/fill bs=64k",
		} {
			t.Run(name, func(t *testing.T) {
				s := &site{Machine: s.Machine, t: t}
				s.WriteFile("/var/fill.sh", fill+"\n", 0o755)
				// A gate that has just replaced its record gives an inode back.
				s.WaitFor("it is full", bed.Patience, func() bool {
					s.Sh("sandboxed justnews sh /var/fill.sh")
					return s.Sh("runuser -u justnews -- sh -c 'echo x >"+gateDir+"/fill.more'").Err != nil
				})
				s.must("touch /run/room && echo x >/run/room && rm /run/room")
				s.Systemctl("daemon-reload")
				s.gateBy("justnews").passed(t, "full")
				s.Systemctl("restart", unit("scout"))
				s.WaitUnit(unit("scout"), "active/running")
			})
			s.must("rm -f " + gateDir + "/fill*")
		}
		// Sticky: an agent can neither remove nor replace root's files.
		s.must("touch " + gateDir + "/roots")
		if r := s.Sh("runuser -u justnews -- sh -c 'rm -f " + gateDir + "/roots || mv " + gateDir + "/roots " + gateDir + "/x'"); r.Err == nil || !s.Exists(gateDir+"/roots") {
			t.Error("an agent removed root's file")
		}
		// The gates can still write root's record.
		s.must("justnews-gate gate scout --timeout 60")
		s.Systemctl("restart", unit("scout"))
		s.WaitUnit(unit("scout"), "active/running")
		if j := s.Journal(unit("scout")); strings.Contains(j, "METRICS-UNWRITTEN") || strings.Contains(j, "RECORD-UNWRITTEN") {
			t.Errorf("the gate cannot replace what root wrote:\n%s", j)
		}
		// Without the file system the gates use the directory.
		s.Systemctl("stop", target, mpsUnit)
		s.Systemctl("mask", "--runtime", "--now", `run-justnews\x2dgate.mount`)
		s.must("systemd-tmpfiles --create justnews.conf")
		s.Systemctl("start", unit("scout"))
		s.WaitUnit(unit("scout"), "active/running")
	})
}

// Hashes are cached where no agent can write: if an agent that owns the Model Store changes
// one byte and restores the file's times, root and every gate detect it.
func TestPrivilege_AgentsCannotWriteTrustedFiles(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, manifested())
		s.everythingUp(0)
		s.must("chown -R justnews: " + modelRoot)
		if r := s.Run("justnews-gate", "models", "verify"); r.Code != 0 {
			t.Fatalf("a whole store: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		as := func(script string) bed.Result {
			return s.Run("setpriv", "--reuid=justnews", "--regid=justnews", "--init-groups", "sh", "-c", script)
		}
		logs := s.List("/var/lib/justnews-gate")
		if len(logs) < 2 {
			t.Fatalf("the logs are %q, want root's and the preload's", logs)
		}
		for _, name := range logs {
			file := "/var/lib/justnews-gate/" + name
			for _, attack := range []string{"echo >> " + file, "rm -f " + file, "mv " + file + " " + file + ".old", "ln " + file + " /tmp/log", "echo > /var/lib/justnews-gate/root.3"} {
				if r := as(attack); r.Code == 0 && !strings.HasPrefix(attack, "ln ") {
					t.Errorf("an agent can: %s", attack)
				}
			}
		}
		if r := as("f=$(readlink -f " + brokenDir + "/snapshots/*/model.safetensors); touch -r $f /tmp/stamp; printf '\\377' | dd of=$f bs=1 seek=80 conv=notrunc status=none; touch -r /tmp/stamp $f"); r.Code != 0 {
			t.Fatalf("cannot change the weights: %s", r.Stderr)
		}
		if r := s.Run("justnews-gate", "models", "verify", brokenAgent); !strings.Contains(r.Stderr+r.Stdout, "STORE-CORRUPT") || r.Code != 65 {
			t.Errorf("root's look: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		s.Systemctl("stop", target)
		s.stopAll()
		s.Systemctl("start", "--no-block", target)
		s.WaitJournal(preload, "STORE-CORRUPT")
		s.waitRefused(unit("scout"))
	})
}
