// SPDX-License-Identifier: Apache-2.0

// Command pack makes the deb and the rpm: it builds the programs, lays
// everything out as packaging/contents says, and has nfpm pack it as
// packaging/nfpm.yaml says. The same commit gives the same bytes, wherever it
// is built. It runs in the repository; see make packages. With -tree it only lays
// everything out, for the builds of the distributions: debian/rules and
// packaging/fedora/justnews.spec.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "pack: error: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("pack", flag.ExitOnError)
	out := flags.String("out", "dist", "the `directory` that gets the packages")
	formats := flags.String("formats", "deb,rpm", "the formats, comma-separated")
	arches := flags.String("arches", "", "the architectures, comma-separated; default: amd64, and arm64 where it can be built")
	version := flags.String("version", os.Getenv("VERSION"), "the version; default: from git")
	tree := flags.String("tree", "", "lay out the files of one format for this machine below a `directory`, one for each package, and pack nothing")
	lists := flags.Bool("lists", false, "with -tree: write the files of each package as rpm's %files to PACKAGE.files")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("cannot understand %q: pack takes no arguments (see pack -help)", flags.Arg(0))
	}
	origin, err := originOf(*version, os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return err
	}
	if *tree != "" {
		return layOut(origin, *formats, *tree, *lists)
	}
	chosen, err := architectures(*arches)
	if err != nil {
		return err
	}
	for _, arch := range chosen {
		if err := packArch(origin, arch, strings.Split(*formats, ","), *out); err != nil {
			return err
		}
	}
	return nil
}

// architectures returns what to build. Where none is named, what cannot be
// built is left out, and said.
func architectures(named string) ([]string, error) {
	if named != "" {
		return strings.Split(named, ","), nil
	}
	var arches []string
	for _, arch := range []string{"amd64", "arm64"} {
		if err := buildable(arch); err != nil {
			fmt.Fprintf(os.Stderr, "pack: left out: %s: %v\n", arch, err)
			continue
		}
		arches = append(arches, arch)
	}
	if len(arches) == 0 {
		return nil, errors.New("nothing can be built: install a C compiler (Debian: gcc and libc6-dev)")
	}
	return arches, nil
}
