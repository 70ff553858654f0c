// SPDX-License-Identifier: Apache-2.0

package cli

import "justnews/internal/report"

// Outputs returns a value of each type that is printed as JSON, by the name of
// its schema.
func Outputs() map[string]any {
	return map[string]any{"status": report.HostStatus{}, "mps-status": report.MPSOutput{}, "config-check": report.ConfigCheck{}, "explain": report.Explanation{},
		"models-verify": report.Verification{}, "models-seal": report.Sealing{}, "history": report.History{}, "nopasswd": granted{}, "config-import": imported{}, "guard": guardsChanged{}}
}

// BusAddress is where a command on that machine looks for the system bus.
func BusAddress(m Machine) string { return (&app{Machine: m}).busAddress() }
