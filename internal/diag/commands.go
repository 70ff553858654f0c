// SPDX-License-Identifier: Apache-2.0

package diag

// Retry resets what failed and starts what is enabled.
func Retry() Command { return Run("justnews-gate", "retry") }

// Reload makes systemd run the generator: it applies the configuration.
func Reload() Command { return Run("systemctl", "daemon-reload") }

// Retire disables and stops units, and with a template what is made of it.
func Retire(units []string, template string) []Command {
	var all []Command
	if len(units) > 0 {
		all = append(all, append(Run("systemctl", "disable", "--now", "--"), units...))
	}
	if template != "" { // --now would stop the template, which cannot be
		all = append(all, Run("systemctl", "disable", "--", template+"@.service"), Run("systemctl", "stop", "--", template+"@*.service"))
	}
	return all
}

// Restart restarts a unit, if there is one, before Retry. A unit that has hit
// its start limit cannot be started until it is reset.
func Restart(unit string) []Command {
	if unit == "" {
		return []Command{Retry()}
	}
	return []Command{Run("systemctl", "reset-failed", "--", unit), Run("systemctl", "restart", "--", unit), Retry()}
}

// LogOf shows a unit's log; nil without a unit.
func LogOf(unit string) Command {
	if unit == "" {
		return nil
	}
	return Run("journalctl", "-b", "-u", unit)
}

// CatUnit shows a unit's files.
func CatUnit(unit string) Command { return Run("systemctl", "cat", "--", unit) }

// Namei shows the permissions along a path.
func Namei(path string) Command { return Run("namei", "-l", "--", path) }
