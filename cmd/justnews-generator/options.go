// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

const usage = `usage: justnews-generator [--root DIR] NORMAL [EARLY LATE]
       justnews-generator [--root DIR] --dry-run
       justnews-generator --help | --version
`

const help = `
Writes systemd drop-ins for justnews@.service, generated from
/etc/justnews/justnews.toml, below the directory NORMAL. systemd runs it at boot
and at "systemctl daemon-reload".

  --dry-run    print the files to stdout and write nothing
  --root DIR   read configuration and environment files below DIR
  --help       print this text
  --version    print the version

exit status: 0 written, 64 wrong usage, 70 internal error, 78 the configuration
is broken, or the files cannot be written; all gates stay shut
`

// defaultDir is the output directory of generators; --dry-run prints paths
// below it.
const defaultDir = "/run/systemd/generator"

type options struct {
	dir           string
	root          string
	hasRoot       bool
	dryRun        bool
	help, version bool
}

// parse reads the command line by hand: package flag would noticeably slow down
// the start of the generator, for four options.
func parse(args []string) (options, error) {
	opts := options{}
	var dirs []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			dirs = append(dirs, args[i+1:]...)
			i = len(args)
		case arg == "--help", arg == "-h":
			opts.help = true
		case arg == "--version":
			opts.version = true
		case arg == "--dry-run":
			opts.dryRun = true
		case arg == "--root" && i+1 < len(args):
			i++
			opts.root, opts.hasRoot = args[i], true
		case strings.HasPrefix(arg, "--root="):
			opts.root, opts.hasRoot = strings.TrimPrefix(arg, "--root="), true
		case arg == "--root":
			return opts, errors.New("--root needs a directory")
		case strings.HasPrefix(arg, "-"):
			return opts, fmt.Errorf("unknown option %q", arg)
		default:
			dirs = append(dirs, arg)
		}
	}
	if opts.help || opts.version {
		return opts, nil
	}
	return opts, opts.settle(dirs)
}

// settle checks the directories. systemd passes three; by hand one is enough.
func (o *options) settle(dirs []string) error {
	if o.hasRoot && o.root == "" {
		return errors.New("--root needs a directory") // and not the running system
	}
	if o.hasRoot {
		o.root = filepath.Clean(o.root)
	}
	switch {
	case len(dirs) == 0 && o.dryRun:
		o.dir = defaultDir
	case len(dirs) == 0:
		return errors.New("the directory to write to is missing")
	case len(dirs) != 1 && len(dirs) != 3:
		return fmt.Errorf("expected one directory or three, not %d", len(dirs))
	case dirs[0] == "":
		return errors.New("the directory to write to is empty")
	default:
		o.dir = dirs[0]
	}
	return nil
}
