// SPDX-License-Identifier: Apache-2.0

package contents

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// crossCompilers are Debian's names of the C compilers for another machine.
var crossCompilers = map[string]string{
	"amd64": "x86_64-linux-gnu-gcc",
	"arm64": "aarch64-linux-gnu-gcc",
}

// CCompiler returns the C compiler for an architecture, in Go's words.
func CCompiler(arch string) (string, error) {
	if cc := os.Getenv("CC"); cc != "" && arch == runtime.GOARCH {
		return cc, nil
	}
	name := crossCompilers[arch]
	if name == "" || arch == runtime.GOARCH {
		name = "gcc"
	}
	if _, err := exec.LookPath(name); err != nil {
		return "", fmt.Errorf("cannot build the NVML helper for %s: there is no %s", arch, name)
	}
	return name, nil
}

// Release says how programs are built.
type Release struct {
	Version string // "": unknown
	Arch    string // in Go's words
	VCS     bool   // the build information gets the version and the commit from git
}

// Build builds main packages of the repository into a directory, as they are
// released: without paths of this machine, without symbols, and static unless
// they need cgo.
func (r Release) Build(repository, dir string, cgo bool, packages ...string) error {
	if len(packages) == 0 {
		return nil
	}
	flags := "-s -w"
	if r.Version != "" {
		flags += " -X justnews/internal/version.described=" + r.Version
	}
	// What a builder sets for the local machine must not reach others: GOAMD64=v3 needs
	// a newer processor.
	env := append(os.Environ(), "GOOS=linux", "GOARCH="+r.Arch, "CGO_ENABLED=0",
		"GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off", "GOEXPERIMENT=", "GOWORK=off", "GODEBUG=", "CGO_CPPFLAGS=", "CGO_CXXFLAGS=",
		fmt.Sprintf("GOFLAGS=-buildvcs=%t -trimpath", r.VCS))
	if cgo {
		cc, err := CCompiler(r.Arch)
		if err != nil {
			return err
		}
		env = append(env, "CGO_ENABLED=1", "CC="+cc, "CGO_CFLAGS=-O2 -g0", "CGO_LDFLAGS=")
		// Bound when it is called: a library that the driver lacks must not keep
		// the program from starting.
		flags += " -linkmode=external -extldflags=-Wl,-z,lazy"
	}
	args := []string{"build", "-ldflags", flags, "-o", dir + string(filepath.Separator)}
	if cgo {
		args = append(args, "-buildmode=pie")
	}
	cmd := exec.Command("go", append(args, packages...)...)
	cmd.Dir, cmd.Env = repository, env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %s: %w\n%s", strings.Join(packages, " "), err, out)
	}
	return nil
}
