// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// reapScript ends a machine and removes everything that belongs to it. It starts before the
// machine does, and acts when its standard input ends: when the test closes the pipe, or
// when the test process is gone for any reason (after a go test timeout or SIGKILL none of
// our cleanup runs). So there is one way to clean up, and it always runs.
//
// $1 machine name, $2 scratch directory, $3 cgroup2 mount
const reapScript = `
trap '' INT TERM HUP
cat >/dev/null
name=$1 scratch=$2 cgroups=$3
group=$cgroups/$name
if [ -d "$group" ]; then
	# No process of the machine is outside its group, nspawn itself included.
	echo 1 >"$group/cgroup.kill" || for procs in $(find "$group" -name cgroup.procs); do
		while read -r pid; do kill -9 "$pid"; done <"$procs"
	done
	until grep -qx 'populated 0' "$group/cgroup.events"; do sleep 0.01; done
	find "$group" -depth -type d -exec rmdir {} +
fi
# nspawn, killed, leaves these. On a hybrid host it also mirrors the group.
if [ -d "/sys/fs/cgroup/systemd/$name" ]; then
	find "/sys/fs/cgroup/systemd/$name" -depth -type d -exec rmdir {} +
fi
rm -f "/run/systemd/nspawn/locks/$(stat -c 'inode-%d:%i' "$scratch/root" 2>/dev/null)"
if [ -d "/run/systemd/nspawn/unix-export/$name" ]; then
	umount -l "/run/systemd/nspawn/unix-export/$name" 2>/dev/null
	rmdir "/run/systemd/nspawn/unix-export/$name"
fi
if [ -d "/run/systemd/nspawn/propagate/$name" ]; then
	rm -rf "/run/systemd/nspawn/propagate/$name"
fi
if mountpoint -q "$scratch/root"; then
	umount "$scratch/root" || umount -l "$scratch/root"
fi
rm -rf --one-file-system "$scratch"
`

// reaper is the process that runs reapScript.
type reaper struct {
	cmd  *exec.Cmd
	pipe io.WriteCloser
	said bytes.Buffer
}

// newReaper arms a reaper. It keeps the lock open, so that the place is free only
// when the machine is gone.
func newReaper(name, scratch, cgroups string, lock *os.File) (*reaper, error) {
	r := &reaper{cmd: exec.Command("sh", "-c", reapScript, "justnews-bed-reaper", name, scratch, cgroups)}
	r.cmd.Stdout, r.cmd.Stderr = &r.said, &r.said
	if lock != nil {
		r.cmd.ExtraFiles = []*os.File{lock}
	}
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // not affected by Ctrl-C
	pipe, err := r.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	r.pipe = pipe
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the reaper: %w", err)
	}
	return r, nil
}

// reap ends the machine and returns when nothing of it is left.
func (r *reaper) reap() error {
	_ = r.pipe.Close()
	err := r.cmd.Wait()
	if err != nil || r.said.Len() > 0 {
		return fmt.Errorf("cannot clean up after the machine: %w\n%s", err, r.said.Bytes())
	}
	return nil
}

// sweep removes what machines of a place left behind whose reaper was also killed. The
// caller has the place, so none of them can be running.
func sweep(scratches, cgroups string) error {
	entries, err := os.ReadDir(scratches)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		r, err := newReaper(e.Name(), filepath.Join(scratches, e.Name()), cgroups, nil)
		if err != nil {
			return err
		}
		if err := r.reap(); err != nil {
			return err
		}
	}
	return nil
}

// Leftovers lists what the machines of a test process have left on this host: mounts,
// cgroups, scratch directories, nspawn's own files. A test checks that it is empty while the
// process has no machine.
func Leftovers(pid int) ([]string, error) {
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	cgroups, err := unifiedCgroup()
	if err != nil {
		return nil, err
	}
	var left []string
	its := fmt.Sprintf("%s%d-", machinePrefix, pid)
	for _, pattern := range []string{
		filepath.Join(cache, scratchName+"*", its+"*"),
		filepath.Join(cgroups, its+"*"),
		"/sys/fs/cgroup/systemd/" + its + "*",
		"/run/systemd/nspawn/*/" + its + "*",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		left = append(left, found...)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, "/"+its) {
			left = append(left, "mount: "+strings.TrimSpace(line))
		}
	}
	return left, nil
}
