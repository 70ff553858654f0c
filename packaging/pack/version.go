// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// origin is where a package comes from.
type origin struct {
	version string    // as dpkg and rpm both order it
	when    time.Time // SOURCE_DATE_EPOCH
	vcs     bool      // the version is that of the commit that is checked out
}

// originOf asks git for what is not given: a version, and a number of seconds.
func originOf(version, epoch string) (origin, error) {
	o := origin{version: version}
	if version == "" {
		if prefix, err := git("rev-parse", "--show-prefix"); err == nil && prefix != "" {
			return o, fmt.Errorf("cannot take the version from git (set VERSION): the repository is not that of these sources, which are in %s", prefix)
		}
		var err error
		if o.version, err = versionOfGit(); err != nil {
			return o, fmt.Errorf("cannot take the version from git (set VERSION): %w", err)
		}
		o.vcs = true
	} else if !usable.MatchString(version) {
		return o, fmt.Errorf("cannot use the version %q: packages have 1.2.3, 1.2.3~rc.1 or 1.2.3+4.gHASH", version)
	}
	if epoch == "" {
		var err error
		if epoch, err = git("log", "-1", "--no-show-signature", "--format=%ct"); err != nil {
			return o, fmt.Errorf("cannot take the date from git (set SOURCE_DATE_EPOCH): %w", err)
		}
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return o, fmt.Errorf("cannot use SOURCE_DATE_EPOCH=%q: it is a number of seconds", epoch)
	}
	o.when = time.Unix(seconds, 0).UTC()
	return o, nil
}

// usable is a version that dpkg and rpm both accept, and order alike: without a hyphen,
// which rpm refuses and dpkg takes for the beginning of the revision.
var usable = regexp.MustCompile(`^\d[0-9A-Za-z.+~]*$`)

func git(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(said.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// versionOfGit is the version of the commit that is checked out. Files that are not in the
// commit make it dirty, too, as for Go's build information: they may be packed.
func versionOfGit() (string, error) {
	changed, err := git("status", "--porcelain", "--untracked-files=normal")
	if err != nil {
		return "", err
	}
	dirty := ""
	if changed != "" {
		dirty = "+dirty"
	}
	text, err := git("describe", "--tags", "--long", "--abbrev=12", "--match", "v[0-9]*")
	if err == nil {
		return packageVersion(text + dirty)
	}
	// No tag precedes it: its number orders it, before every tag.
	count, err := git("rev-list", "--count", "HEAD")
	if err != nil {
		return "", err
	}
	name, err := git("describe", "--always", "--abbrev=12", "--exclude=*")
	if err != nil {
		return "", err
	}
	return "0.0.0~git" + count + ".g" + name + dirty, nil
}

// described is what git describe --long prints of our tags, v1.2.3-0-gabc or
// v1.2.3-rc.1-4-gabc, either with +dirty.
var described = regexp.MustCompile(`^v(\d+\.\d+\.\d+)(?:-([a-z0-9.]+))?-(\d+)-g([0-9a-f]+)(\+dirty)?$`)

// packageVersion turns git's words into a version that dpkg and rpm order as
// the commits are ordered: a ~ sorts before the end (1.2.3~rc.1 before 1.2.3), a
// + after it (1.2.3+4.gabc between 1.2.3 and 1.2.4).
func packageVersion(describe string) (string, error) {
	m := described.FindStringSubmatch(describe)
	if m == nil {
		return "", fmt.Errorf("cannot make a version of %q: tags are v1.2.3 or v1.2.3-rc.1 (or set VERSION)", describe)
	}
	version, pre, since, hash, dirty := m[1], m[2], m[3], m[4], m[5]
	if pre != "" {
		version += "~" + pre
	}
	if since != "0" {
		version += "+" + since + ".g" + hash
	}
	if dirty != "" {
		version += "+dirty"
	}
	return version, nil
}
