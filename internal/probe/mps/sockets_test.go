// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// As /proc/net/unix has it on a host with control daemons of driver 535, and
// with what is not theirs.
const table = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0005 01 41370 /run/nvidia-mps/control_privileged
0000000000000000: 00000002 00000000 00010000 0005 01 41371 /run/nvidia-mps/control
0000000000000000: 00000003 00000000 00000000 0005 03 41380 /run/nvidia-mps/control
0000000000000000: 00000003 00000000 00000000 0005 03 41381
0000000000000000: 00000003 00000000 00000000 0005 03 41390 /run/nvidia-mps/control_privileged
0000000000000000: 00000002 00000000 00010000 0005 01 51370 /tmp/two words/control_privileged
0000000000000000: 00000002 00000000 00010000 0005 01 51371 /tmp/two words/control
0000000000000000: 00000002 00000000 00010000 0001 01 61371 /run/openvswitch/control
0000000000000000: 00000002 00000000 00000000 0002 01 61372 /run/nvidia-mps/control
0000000000000000: 00000002 00000000 00010000 0001 01 61373 @/abstract/control
0000000000000000: 00000002 00000000 00010000 0001 01 61374 control
0000000000000000: 00000002 00000000 00010000 0005 01 71370 /gone/control_privileged
0000000000000000: 00000002 00000000 00010000 0005 01 71371 /gone/control
0000000000000000: 00000002 00000000 00010000 0005 01 71372 /gone/control
0000000000000000: 00000002 00000000 00010000 0001 01 81372 /run/systemd/notify
0000000000000000: short line
`

func TestSockets_OfAControlDaemonAreReported(t *testing.T) {
	dir := root(t, table)
	for own, want := range map[string]struct {
		listeners, connections int
		elsewhere              []string
	}{
		"/run/nvidia-mps": {1, 2, []string{"/gone", "/tmp/two words"}},
		"/tmp/two words":  {1, 0, []string{"/gone", "/run/nvidia-mps"}},
		// The name of the first was deleted, and a second daemon took it.
		"/gone":            {2, 0, []string{"/run/nvidia-mps", "/tmp/two words"}},
		"/run/openvswitch": {1, 0, []string{"/gone", "/run/nvidia-mps", "/tmp/two words"}},
		"/nothing":         {0, 0, []string{"/gone", "/run/nvidia-mps", "/tmp/two words"}},
	} {
		m := Prober{PipeDirectory: own, Root: dir}.Look()
		if m.Listeners != want.listeners || m.Connections != want.connections || !slices.Equal(m.Elsewhere, want.elsewhere) || m.Err != "" {
			t.Errorf("%s: %d listen, %d connected, elsewhere %q, %q; want %+v", own, m.Listeners, m.Connections, m.Elsewhere, m.Err, want)
		}
	}
}

func TestSockets_LinkToTheDirectoryIsTheSameDirectory(t *testing.T) {
	target := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(table, "/gone", target)
	if m := (Prober{PipeDirectory: link, Root: root(t, text)}).Look(); slices.Contains(m.Elsewhere, target) || len(m.Elsewhere) != 2 || m.Listeners != 2 {
		t.Errorf("%d listen, elsewhere: %q", m.Listeners, m.Elsewhere)
	}
}

func TestSockets_AHundredThousandAreRead(t *testing.T) {
	var b strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&b, "0000000000000000: 00000003 00000000 00000000 0001 03 %d\n", i)
	}
	if m := (Prober{PipeDirectory: "/run/nvidia-mps", Root: root(t, b.String()+table)}).Look(); m.Listeners != 1 || m.Err != "" {
		t.Errorf("%d listen, %q", m.Listeners, m.Err)
	}
}

func TestSockets_FailedLooksAreReported(t *testing.T) {
	dir := root(t, table)
	if err := os.Remove(filepath.Join(dir, "proc/net/unix")); err != nil {
		t.Fatal(err)
	}
	if m := (Prober{PipeDirectory: "/run/nvidia-mps", Root: dir}).Look(); !strings.Contains(m.Err, "net/unix") {
		t.Errorf("error %q", m.Err)
	}
}
