// SPDX-License-Identifier: Apache-2.0

package diag

// Retry forgets what failed and starts what is enabled.
func Retry() Command { return Run("justnews-gate", "retry") }

// Reload makes systemd run the generator: it applies the configuration.
func Reload() Command { return Run("systemctl", "daemon-reload") }

// Restart is Retry with a restart of a unit before it, where there is one. A unit
// at its start limit refuses to start until it is reset.
func Restart(unit string) []Command {
	if unit == "" {
		return []Command{Retry()}
	}
	return []Command{Run("systemctl", "reset-failed", "--", unit), Run("systemctl", "restart", "--", unit), Retry()}
}

// LogOf shows a unit's log, nil for no unit.
func LogOf(unit string) Command {
	if unit == "" {
		return nil
	}
	return Run("journalctl", "-b", "-u", unit)
}

// CatUnit shows a unit's files.
func CatUnit(unit string) Command { return Run("systemctl", "cat", "--", unit) }

// Namei shows who may go where on the way to a path.
func Namei(path string) Command { return Run("namei", "-l", "--", path) }
