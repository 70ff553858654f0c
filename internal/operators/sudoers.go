// SPDX-License-Identifier: Apache-2.0

package operators

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	// Program is the only program of the rule.
	Program = "/usr/bin/justnews-gate"
	// Directory is where sudo looks for drop-ins (sudoers(5)). It skips names
	// with a dot, so that a file with one is never read half-written.
	Directory = "/etc/sudoers.d"
	// Name is the drop-in's, in Directory.
	Name = "justnews-gate"
	// OldName is the drop-in of the shell helper that this replaces.
	OldName = "justnews-preflight"

	// DropIn is the path of the drop-in.
	DropIn = Directory + "/" + Name
	// OldDropIn is the path of the shell helper's.
	OldDropIn = Directory + "/" + OldName
)

const head = `# Written by: justnews-gate nopasswd install --sudoers
# justnews-gate nopasswd uninstall takes a user out again. Do not edit: the
# next install refuses a file that it did not write.
`

const usersKey = "User_Alias JUSTNEWS_GATE_USERS = "

// rules follow the users. They allow exactly one program with anchored arguments
// (regular expressions, which sudo has since 1.9.10): what looks, and nothing
// that names a file or changes anything. sudo matches the arguments joined by
// spaces, so no class in an expression holds a space. Of the caller's environment nothing comes along,
// whatever the rest of the configuration keeps, and HOME is root's.
const rules = `Cmnd_Alias JUSTNEWS_GATE = \
    ` + Program + ` "", \
    ` + Program + ` ^(preflight|(gate|--gate-only) [a-z][a-z0-9_]{0\,62})( --timeout [1-9][0-9]{0\,4}(s|min|h)?)?( (-v|--json|--no-color))*$, \
    ` + Program + ` ^(status|mps status)( (-v|--json|--no-color))*$
Defaults!JUSTNEWS_GATE env_reset, !env_keep, !setenv, always_set_home
Defaults!JUSTNEWS_GATE secure_path="/usr/sbin:/usr/bin:/sbin:/bin"
JUSTNEWS_GATE_USERS ALL = (root) NOPASSWD: NOSETENV: JUSTNEWS_GATE
`

// errForeign is a drop-in that was written or edited by others.
var errForeign = errors.New("not as justnews-gate wrote it")

// maxUser is the longest name that useradd(8) makes.
const maxUser = 32

// CheckUser rejects a name that is not a plain user name: to sudo, ALL and all upper-case
// words, %group, +netgroup, #uid, !not and comma-separated lists have another meaning;
// gpasswd would take -x as a flag.
func CheckUser(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case len(name) > maxUser:
		return fmt.Errorf("the name is longer than %d bytes", maxUser)
	case !strings.ContainsRune(first, rune(name[0])):
		return fmt.Errorf("byte 0: %q cannot begin a name", name[0])
	}
	for i := range len(name) {
		if !strings.ContainsRune(rest, rune(name[i])) {
			return fmt.Errorf("byte %d: %q is not allowed in a name", i, name[i])
		}
	}
	return nil
}

const (
	first = "abcdefghijklmnopqrstuvwxyz_"
	rest  = first + "0123456789.-"
)

// Expected describes the names that CheckUser accepts.
const Expected = "a lowercase letter or an underscore, then at most 31 lowercase letters, digits, underscores, dots and dashes"

// render returns the drop-in for these users, sorted, each once. No user, no
// drop-in: then the text is empty.
func render(users []string) (string, error) {
	users = slices.Compact(slices.Sorted(slices.Values(users)))
	for _, u := range users {
		if err := CheckUser(u); err != nil {
			return "", fmt.Errorf("cannot write a rule for %q: %w", u, err)
		}
	}
	if len(users) == 0 {
		return "", nil
	}
	return head + usersKey + strings.Join(users, ", ") + "\n" + rules, nil
}

// Users returns the users in a drop-in written by render, and errForeign for any other text:
// an administrator's changes must not be overwritten.
func Users(text string) ([]string, error) {
	line, _ := strings.CutPrefix(text, head+usersKey)
	line, _, _ = strings.Cut(line, "\n")
	users := strings.Split(line, ", ")
	if again, err := render(users); err != nil || again != text {
		return nil, errForeign
	}
	return users, nil
}
