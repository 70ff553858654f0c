// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// host is one whose getent is a script, and whose nsswitch.conf has these lines.
func host(t *testing.T, script string, lines ...string) Host {
	t.Helper()
	dir := t.TempDir()
	h := Host{Getent: filepath.Join(dir, "getent"), Switch: filepath.Join(dir, "nsswitch.conf"), Patience: 5 * time.Second}
	err := errors.Join(
		os.WriteFile(h.Getent, []byte("#!/bin/sh\n"+script+"\n"), 0o755),
		os.WriteFile(h.Switch, []byte(strings.Join(lines, "\n")+"\n"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const directory = `case "$1 $2" in
"passwd newsuser"|"passwd 7001") echo 'newsuser:*:7001:7000:News,,,:/home/newsuser:/bin/bash' ;;
"initgroups newsuser") echo 'newsuser              7000 7002 7003' ;;
"initgroups root") echo 'root                  0 7002' ;;
"group models") echo 'models:*:7002:newsuser' ;;
"passwd odd") echo 'odd:x' ;;
*) exit 2 ;;
esac`

func TestAccount_UserOfADirectoryServiceIsFound(t *testing.T) {
	h := host(t, directory, "passwd: files sss", "group:  files [SUCCESS=merge] sss # ours")
	for _, name := range []string{"newsuser", "7001"} {
		u, err := h.User(name)
		if err != nil || u.Name != "newsuser" || u.UID != 7001 || u.Home != "/home/newsuser" || !slices.Equal(u.GIDs, []int{7000, 7002, 7003}) {
			t.Errorf("%s: %+v, %v", name, u, err)
		}
	}
	if u, err := h.User("root"); err != nil || u.UID != 0 || !slices.Contains(u.GIDs, 7002) {
		t.Errorf("a user of the files, with a group of the directory: %+v, %v", u, err)
	}
	if g, err := h.Group("models"); err != nil || g != 7002 {
		t.Errorf("%d, %v", g, err)
	}
}

func TestAccount_UnknownNameIsNotFound(t *testing.T) {
	h := host(t, directory, "passwd: files sss")
	for _, name := range []string{"absent", "", "-h", "--help", "99999"} {
		if _, err := h.User(name); !errors.Is(err, ErrUnknown) {
			t.Errorf("user %q: %v", name, err)
		}
		if _, err := h.Group(name); !errors.Is(err, ErrUnknown) {
			t.Errorf("group %q: %v", name, err)
		}
	}
	if _, err := h.User("odd"); err == nil || errors.Is(err, ErrUnknown) {
		t.Errorf("an invalid response: %v", err)
	}
}

func TestAccount_FilesAreReadWithoutANameService(t *testing.T) {
	for _, lines := range [][]string{{"passwd: files systemd", "group: files systemd"}, {"group: compat [NOTFOUND=return]"}, {}} {
		h := host(t, "touch $0.asked; exit 2", lines...)
		if u, err := h.User("root"); err != nil || u.UID != 0 {
			t.Errorf("%+v, %v", u, err)
		}
		if _, err := os.Stat(h.Getent + ".asked"); err == nil {
			t.Errorf("%v: getent was asked", lines)
		}
	}
}

func TestAccount_UnresponsiveSourceIsReported(t *testing.T) {
	h := host(t, "exec sleep 60", "passwd: files ldap")
	h.Patience = 50 * time.Millisecond
	if _, err := h.User("newsuser"); err == nil || errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "did not answer within") {
		t.Error(err)
	}
	h = host(t, "exit 3", "passwd: files ldap")
	if _, err := h.User("newsuser"); err == nil || errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}
