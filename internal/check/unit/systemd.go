// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"fmt"

	"justnews/internal/diag"
)

// NoSystemd is what is not done or not known because there is no systemd to ask:
// nothing may be wrong with that, as in a container.
func NoSystemd(severity diag.Severity, subject, so string) diag.Problem {
	return diag.Problem{
		Code: diag.NoSystemd, Severity: severity, Subject: subject, Message: "systemd is not available on this machine, so " + so,
		Fix: diag.Advise("nothing to do in a container without systemd", startDBus()),
	}
}

// SystemdSilent is the warning of a question that systemd did not answer.
func SystemdSilent(subject, so, why string) diag.Problem {
	return diag.Problem{
		Code: diag.NoSystemd, Severity: diag.Warning, Subject: subject,
		Message: "systemd is running but cannot be queried, so " + so, Seen: diag.Clean(why), Fix: diag.Do(startDBus()),
	}
}

// NotAllowed is the problem of a caller for whom systemd does nothing.
func NotAllowed(unit, message, seen string) diag.Problem {
	return diag.Problem{
		Code: diag.NoSystemd, Subject: unit, Message: message, Seen: diag.Clean(seen),
		Expected: "root, or a user whom polkit lets manage the units", Fix: diag.Do(diag.Run("sudo", "justnews-gate", "retry")),
	}
}

// NotServed is the problem of a service that cannot get its name on D-Bus.
func NotServed(why string) diag.Problem {
	return diag.Problem{
		Code: diag.NoSystemd, Message: "cannot serve on D-Bus", Seen: diag.Clean(why),
		Expected: "the system bus, and root's right to own the name", Fix: diag.Do(startDBus()),
	}
}

func startDBus() diag.Command { return diag.Run("systemctl", "start", "dbus.socket") }

// StatusUnknown is the warning of a refusal of which nobody knows whether the unit
// takes its exit status for a success.
func StatusUnknown(unit string, status diag.Status) diag.Problem {
	return diag.Problem{
		Code: diag.StatusOpens, Severity: diag.Warning, Subject: unit,
		Message:  fmt.Sprintf("systemd did not report whether SuccessExitStatus= lists %d: a signal ends the process instead", status),
		Expected: "an answer over D-Bus",
		Fix:      diag.Advise("make D-Bus work again; the start remains refused", diag.Run("systemctl", "status", "dbus.socket")),
	}
}

// StatusListed is the warning of a refusal whose exit status the unit takes for a
// success.
func StatusListed(unit string, status diag.Status, successes []int, instead string) diag.Problem {
	return diag.Problem{
		Code: diag.StatusOpens, Severity: diag.Warning, Subject: unit,
		Message:  fmt.Sprintf("SuccessExitStatus= lists %d, which would open the gate: %s", status, instead),
		Seen:     fmt.Sprintf("SuccessExitStatus=%v", successes),
		Expected: "no exit status of justnews-gate",
		Fix:      diag.Advise(fmt.Sprintf("remove %d from SuccessExitStatus=", status), diag.Run("systemctl", "edit", "--", unit), diag.Reload()),
	}
}
