// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"strings"
	"time"
)

// report logs what is needed to understand a failed test: the machine itself is gone
// afterwards.
func (m *Machine) report() {
	m.t.Helper()
	if !m.t.Failed() || m.leader == 0 || m.stopped {
		return
	}
	select {
	case <-m.gone:
		m.t.Logf("the machine ended (%v); its console:\n%s", m.exit, lastLines([]byte(m.Console()), 40))
		return
	default:
	}
	for _, look := range []string{
		"systemctl list-jobs --no-pager",
		"systemctl list-units --all --no-pager --no-legend 'justnews*'",
		"systemctl status --no-pager --full --lines=0 'justnews*'",
		"journalctl --no-pager --boot --output=short-monotonic --lines=250",
	} {
		r := m.afterwards(look)
		m.t.Logf("%s:\n%s%s", look, r.Stdout, r.Stderr)
	}
}

// afterwards runs a command although the machine's time may be up.
func (m *Machine) afterwards(script string) Result {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return m.run(ctx, []string{"sh", "-c", strings.TrimSpace(script)})
}
