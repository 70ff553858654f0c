// SPDX-License-Identifier: Apache-2.0

// The command generate writes catalogue_gen.go, the constants of all problems and
// the table of their exit statuses, from catalogue.toml, both in the current
// directory. It does not import package diag, which does not compile while that
// file is missing.
package main

import (
	"fmt"
	"os"
)

const (
	source = "catalogue.toml"
	target = "catalogue_gen.go"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", source, err)
		os.Exit(1)
	}
}

func run() error {
	text, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	c, err := read(string(text))
	if err != nil {
		return err
	}
	code, err := c.goSource()
	if err != nil {
		return err
	}
	return os.WriteFile(target, code, 0o644)
}
