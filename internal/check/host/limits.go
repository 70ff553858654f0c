// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"slices"
	"strings"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// What a host of models needs at least: upstream asks for 10 GB of disk and
// 65536 open files.
const (
	gib         = 1 << 30
	enoughSpace = 10 * gib
	noSpace     = 1 * gib
	fewInodes   = 10_000
	EnoughFiles = 65536
)

// Space judges the free space of the file systems, each once, however many of the paths
// are on it.
func Space(all []facts.Space) []diag.Problem {
	var problems []diag.Problem
	var seen []uint64
	for _, s := range all {
		if s.Err != "" || slices.Contains(seen, s.Device) {
			continue
		}
		seen = append(seen, s.Device)
		var on []string
		for _, other := range all {
			if other.Err == "" && other.Device == s.Device {
				on = append(on, other.Path)
			}
		}
		p := diag.Problem{
			Code: diag.DiskSpace, Severity: diag.Warning, Subject: s.At, Expected: "10 GiB or more",
			Fix: diag.Advise("free space there").Looking(diag.Run("du", "-xh", "--max-depth=2", "--", s.At)),
		}
		switch {
		case s.Free < enoughSpace:
			p.Message = "little space is left for " + strings.Join(on, ", ")
			p.Seen = check.Size(s.Free)
			if s.Free < noSpace {
				p.Severity = diag.Error
			}
		case !s.NoInodes && s.Inodes < fewInodes:
			p.Message = "few free inodes are left for " + strings.Join(on, ", ")
			p.Seen, p.Expected = fmt.Sprintf("%d free inodes", s.Inodes), fmt.Sprintf("%d or more", fewInodes)
		default:
			continue
		}
		problems = append(problems, p)
	}
	return problems
}

// Limits judges what bounds all processes of a host.
func Limits(l facts.Limits) []diag.Problem {
	var problems []diag.Problem
	if l.OpenMax > 0 && l.OpenMax < EnoughFiles {
		problems = append(problems, diag.Found(diag.LimitNOFILE, "fs.nr_open", "the kernel allows a process fewer open files than a unit asks for",
			fmt.Sprint(l.OpenMax), fmt.Sprintf("%d or more", EnoughFiles), diag.Do(diag.Run("sysctl", "-w", "fs.nr_open=1048576"))).As(diag.Warning))
	}
	if l.SwapKnown && l.Swap == 0 {
		problems = append(problems, diag.New(diag.SwapNone, "swap", "there is no swap: a warm-up that needs more memory than is available is killed",
			diag.Advise("no action is needed if the memory is sufficient, otherwise add a swap file, see mkswap(8) and swapon(8)")).As(diag.Notice))
	}
	if l.TmpNoexec {
		problems = append(problems, diag.Found(diag.TmpNoexec, "/tmp", "/tmp is mounted noexec: libraries that a kernel compiler or a Python wheel puts there cannot be loaded",
			"noexec", "exec",
			diag.Advise("remove noexec from its line in /etc/fstab or from tmp.mount", diag.Run("mount", "-o", "remount,exec", "/tmp"))).As(diag.Warning))
	}
	return problems
}

// RemovesIPC judges whether a logout takes the shared memory of a running unit
// away.
func RemovesIPC(u facts.Unit, a facts.Account, l facts.Limits) []diag.Problem {
	if !l.RemoveIPC || a.KeepsIPC {
		return nil
	}
	return []diag.Problem{diag.Found(diag.IPCRemoved, u.Name, "when the last session of its user ends, logind removes its files in shared memory",
		fmt.Sprintf("User=%s with the UID %d, and RemoveIPC=yes", diag.Clean(a.User), a.UID), "a system user, a lingering user, or RemoveIPC=no in /etc/systemd/logind.conf",
		diag.Do(diag.Run("loginctl", "enable-linger", "--", a.User))).As(diag.Warning)}
}
