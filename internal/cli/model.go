// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"io"

	"github.com/alecthomas/kong"
)

// Model returns the commands and flags, for what documents them.
func Model() (*kong.Application, error) {
	parser, err := newParser(new(line), Machine{Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		return nil, err
	}
	return parser.Model, nil
}

// Parse returns the error with which Run would refuse a command line, and runs
// nothing.
func Parse(args []string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, asked := r.(leave); !asked { // --help, --version
				panic(r)
			}
		}
	}()
	args, _, refused := gateOnly(args)
	if refused != nil {
		return errors.New(refused.String())
	}
	parser, err := newParser(new(line), Machine{Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		return err
	}
	_, err = parser.Parse(args)
	return err
}
