// SPDX-License-Identifier: Apache-2.0

// Package packages takes the deb and the rpm as their users get them: what is
// in them, whether two builds are the same, what the linters of the
// distributions say, and, on a booted systemd with the real package managers,
// what becomes of running agents and of the host over an installation, upgrade,
// downgrade, removal and purge. It has no code, only tests.
package packages
