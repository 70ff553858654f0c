// SPDX-License-Identifier: Apache-2.0

// Package packages tests the deb and the rpm as users get them: their contents, whether two
// builds are identical, the distributions' linters and, on a booted systemd with the real
// package managers, what happens to running agents and the host during installation,
// upgrade, downgrade, removal and purge. It has only tests.
package packages
