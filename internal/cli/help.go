// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"justnews/internal/diag"
)

const description = `The readiness gate of the JustNews services: exits 0 only if everything is
ready, otherwise with a status that identifies the kind of problem.`

const examples = `
Examples:
  justnews-gate                                 check this host
  justnews-gate gate scout --timeout 5          can scout start now?
  justnews-gate preload --refresh --wait        load the models again and wait
  justnews-gate models verify                   verify the Model Store
  justnews-gate config check && systemctl daemon-reload
  justnews-gate status --watch                  refresh until q is pressed
  sudo justnews-gate plot > boot.svg            where the time of this boot went
  justnews-gate explain MODEL-FAILED

Files and environment:
  /etc/justnews/justnews.toml                   see justnews.toml(5)
  /etc/justnews/global.env, INSTANCE.env        the services' environment
  GATE_TIMEOUT, REQUIRE_BUS, GPU_ORCHESTRATOR_URL, MCP_BUS_URL,
  MODEL_STORE_ROOT, BASE_MODEL_DIR, STRICT_MODEL_STORE,
  CUDA_MPS_PIPE_DIRECTORY, CUDA_MPS_LOG_DIRECTORY
      override the file; flags override them. Empty means unset.

`

// printHelp prints kong's page, and under the program's own what no command
// and no flag says.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	root := ctx.Selected() == nil
	for _, f := range ctx.Model.Flags {
		if f.Name == "gate-only" && !root {
			f.Hidden = true // it is a command of its own
		}
	}
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil || !root {
		return err
	}
	_, err := fmt.Fprint(ctx.Stdout, examples, statusTable())
	return err
}

func statusTable() string {
	var b strings.Builder
	b.WriteString("Exit status:\n")
	for _, s := range diag.Statuses() {
		fmt.Fprintf(&b, "  %-3d %s\n", s.Status, s.Meaning)
	}
	return b.String()
}
