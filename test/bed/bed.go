// SPDX-License-Identifier: Apache-2.0

// Package bed boots a real systemd for a test: a Debian root made by mmdebstrap, cached
// between runs, booted by systemd-nspawn with our files where the packages put them. A few
// machines run at a time, over the whole host, and whatever happens to the test process
// (failure, timeout, SIGKILL), none of their processes, mounts, cgroups or directories is
// left behind.
//
// It mocks nothing, and knows nothing about JustNews: the scenarios are in test/booted.
// Unlike a real machine, it lacks /dev/kmsg, its own kernel command line in /proc/cmdline,
// and cgroup controllers, so MemoryMax= and the like have no effect.
//
// A scenario is a few lines:
//
//	m := bed.Boot(t, bed.Options{Suite: bed.Trixie, Prepare: func(tree *bed.Tree) {
//		tree.Install()
//		tree.WriteFile("/etc/justnews/justnews.toml", config)
//	}})
//	m.WaitUnit("justnews@scout.service", "active")
//
// Environment variables: JUSTNEWS_TEST_CACHE (where the roots are kept),
// JUSTNEWS_TEST_SUITES (the suites that Each runs, comma-separated),
// JUSTNEWS_TEST_MACHINES (how many run at a time; by default one for each CPU, four at
// most), JUSTNEWS_TEST_MIRROR (a Debian mirror, if the host's apt has none),
// JUSTNEWS_TEST_CLOCK=1 (tests may set the host's clock: for a virtual machine),
// JUSTNEWS_TEST_SLOWNESS=N (multiplies every time limit) and JUSTNEWS_REQUIRE_BED=1 (a
// machine that cannot be booted is a failure, not a skip).
package bed

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The Debian suites whose systemd is tested.
const (
	Bookworm = "bookworm" // systemd 252
	Trixie   = "trixie"   // systemd 257
)

// Suites returns the suites to test, the newest first, or those that
// JUSTNEWS_TEST_SUITES names.
func Suites() []string {
	if v := os.Getenv("JUSTNEWS_TEST_SUITES"); v != "" {
		return slices.DeleteFunc(strings.Split(v, ","), func(s string) bool { return s == "" })
	}
	return []string{Trixie, Bookworm}
}

// Each runs a scenario once on every suite, as a subtest with its name.
func Each(t *testing.T, scenario func(t *testing.T, suite string)) {
	t.Helper()
	for _, suite := range Suites() {
		t.Run(suite, func(t *testing.T) { scenario(t, suite) })
	}
}

// Newest runs a scenario only on the first of Suites, as a subtest with its name: for
// behaviour that does not depend on systemd's version.
func Newest(t *testing.T, scenario func(t *testing.T, suite string)) {
	t.Helper()
	for _, suite := range Suites()[:min(1, len(Suites()))] {
		t.Run(suite, func(t *testing.T) { scenario(t, suite) })
	}
}

// MaySetClock reports whether a test may set the clock, which is the host's and thus that of
// all its processes. Otherwise its commands are not able to.
func MaySetClock() bool { return os.Getenv("JUSTNEWS_TEST_CLOCK") == "1" }
