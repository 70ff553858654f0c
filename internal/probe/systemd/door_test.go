// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"os"
	"path/filepath"
	"testing"

	"justnews/internal/facts"
)

func TestAddress_RootIgnoresItsEnvironment(t *testing.T) {
	evil := "unix:path=/tmp/evil"
	for _, d := range defaultDoors(0, evil) {
		if d.address == evil {
			t.Error("root would ask a bus that its environment names")
		}
	}
	if got := defaultDoors(1000, evil); len(got) != 1 || got[0].address != evil || got[0].direct {
		t.Errorf("a user's own bus address is not taken: %v", got)
	}
	if got := defaultDoors(1000, ""); len(got) != 1 || got[0].address != busAddress {
		t.Errorf("a user without the variable: %v", got)
	}
}

func TestAddress_OnlyLocalSocketsAreAccepted(t *testing.T) {
	for address, want := range map[string]string{
		"unix:path=/run/dbus/system_bus_socket": "/run/dbus/system_bus_socket",
		"unix:abstract=/tmp/dbus-1,guid=00":     "@/tmp/dbus-1",
		"unix:guid=00,path=/a%20b":              "/a b",
		"unix:path=relative":                    "",
		"unix:path=":                            "",
		"unix:":                                 "",
		"unixexec:path=/bin/sh":                 "",
		"tcp:host=127.0.0.1,port=1":             "",
		"":                                      "",
	} {
		got, err := socketName(address)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("socketName(%q) = %q, %v; want %q", address, got, err, want)
		}
	}
}

func TestAddress_UIDComesFromTheKernelThenSystemd(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "proc/42"), 0o755); err != nil {
		t.Fatal(err)
	}
	status := "Name:\tpython3\nUmask:\t0022\nUid:\t0\t997\t0\t997\nGid:\t0\t0\t0\t0\n"
	if err := os.WriteFile(filepath.Join(root, "proc/42/status"), []byte(status), 0o644); err != nil {
		t.Fatal(err)
	}
	c := &Conn{root: root}
	for _, tt := range []struct {
		what     string
		unit     facts.Unit
		property uint32
		want     int // -1: unknown
	}{
		{"a main process", facts.Unit{MainPID: 42, User: "x"}, 5, 997},
		{"a hidden main process", facts.Unit{MainPID: 43, User: "x"}, 5, 5},
		{"no process yet", facts.Unit{User: "x"}, 5, 5},
		{"an unresolved name", facts.Unit{User: "x", LoadState: "loaded"}, noUID, -1},
		{"a number as User=", facts.Unit{User: "1001"}, noUID, 1001},
		{"no User=", facts.Unit{Name: "a.service", LoadState: "loaded"}, noUID, 0},
		{"no such unit", facts.Unit{Name: "a.service", LoadState: "not-found"}, noUID, -1},
		{"a target", facts.Unit{Name: "a.target", LoadState: "loaded"}, noUID, -1},
	} {
		got := -1
		if uid := c.uidOf(tt.unit, tt.property); uid != nil {
			got = *uid
		}
		if got != tt.want {
			t.Errorf("%s: UID %d, want %d", tt.what, got, tt.want)
		}
	}
}
