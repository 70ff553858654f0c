// SPDX-License-Identifier: Apache-2.0

package diag

// Status is an exit status of justnews-gate. The numbers never change: units,
// scripts and the manual depend on them. From 64 on they are those of
// sysexits.h, so that systemctl prints their names (status=78/CONFIG).
type Status int

// The exit statuses, in one place.
const (
	StatusReady           Status = 0  // everything that was checked is ready
	StatusFailed          Status = 1  // models failed to load, or critical findings
	StatusWarnings        Status = 2  // preflight: warnings only
	StatusUsage           Status = 64 // the command line is wrong
	StatusStoreCorrupt    Status = 65 // Model Store: content does not match its manifest
	StatusStoreIncomplete Status = 66 // Model Store: something is missing
	StatusUnavailable     Status = 69 // orchestrator, bus or another need is unreachable
	StatusInternal        Status = 70 // a bug, or a failure of the machine
	StatusGPU             Status = 71 // GPU or MPS is not operational
	StatusTimeout         Status = 75 // the deadline was reached while still progressing
	StatusNonsense        Status = 76 // a response is invalid
	StatusPermission      Status = 77 // the caller lacks permission
	StatusConfig          Status = 78 // the configuration is broken

	StatusInterrupted Status = 130 // Ctrl-C ended a run by hand, as in shells; never in a unit
)

// Statuses lists every exit status with its meaning, in numerical order. The
// help text and the manual print this table.
func Statuses() []StatusMeaning {
	return []StatusMeaning{
		{StatusReady, "ready"},
		{StatusFailed, "models failed to load, or critical findings"},
		{StatusWarnings, "warnings only (preflight)"},
		{StatusUsage, "usage: the command line is wrong"},
		{StatusStoreCorrupt, "the Model Store is corrupt"},
		{StatusStoreIncomplete, "the Model Store is incomplete"},
		{StatusUnavailable, "the orchestrator, the bus or a need is unreachable"},
		{StatusInternal, "internal error"},
		{StatusGPU, "GPU or MPS is not operational"},
		{StatusTimeout, "timeout while still progressing"},
		{StatusNonsense, "invalid response"},
		{StatusPermission, "permission denied"},
		{StatusConfig, "the configuration is broken"},
		{StatusInterrupted, "interrupted by Ctrl-C"},
	}
}

// StatusMeaning is one row of the table of exit statuses.
type StatusMeaning struct {
	Status  Status
	Meaning string
}
