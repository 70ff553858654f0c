// SPDX-License-Identifier: Apache-2.0

package operators

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// Tools runs the tools of this host: by absolute path, without a shell, with
// none of the caller's environment.
type Tools struct{}

// limit bounds one tool; a directory service may be slow.
const limit = 30 * time.Second

// Run runs one tool to its end. output is standard output and error together.
func (Tools) Run(ctx context.Context, name string, args ...string) (output string, status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // by absolute path; names of users are validated before
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second // a child may hold the pipe
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return string(out), exit.ExitCode(), nil
	}
	if err != nil {
		return string(out), -1, fmt.Errorf("cannot run %s: %w", name, err)
	}
	return string(out), 0, nil
}
