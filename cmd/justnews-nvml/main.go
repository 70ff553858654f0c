// SPDX-License-Identifier: Apache-2.0

// Command justnews-nvml prints what the NVIDIA Management Library reports about
// this host's GPUs, as one JSON object. justnews-gate runs it with a time
// limit: as the only program here that loads NVIDIA's code, it may crash or
// hang. See justnews-nvml(8).
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/nvml"
	"justnews/internal/process"
	"justnews/internal/version"
)

const usage = "usage: justnews-nvml [--help | --version]\n"

const help = `
Prints what the NVIDIA Management Library (libnvidia-ml.so.1) reports about this
host's GPUs as one JSON object on standard output: driver, library and CUDA
version, and for each GPU its memory, compute mode, MIG and persistence mode, and
its processes. What is unknown is listed under "unanswered". It changes nothing
and needs no privileges; as root, NVIDIA's library itself loads the driver and
creates /dev/nvidiactl, as for nvidia-smi. justnews-gate runs it.

  --help       print this text
  --version    print the version

exit status: 0 NVML answered, 71 it did not: "outcome" in the object says why;
64 wrong usage, 70 the object could not be written
`

func main() {
	process.Protect()      // the gate trusts it
	debug.SetGCPercent(-1) // it lives for milliseconds
	os.Exit(int(run(os.Args[1:], os.Stdout, os.Stderr, nvml.Collect)))
}

func run(args []string, stdout, stderr io.Writer, collect func() facts.NVML) diag.Status {
	switch {
	case len(args) == 0:
		return answer(stdout, stderr, collect())
	case len(args) == 1 && (args[0] == "--help" || args[0] == "-h"):
		return printed(io.WriteString(stdout, usage+help))
	case len(args) == 1 && args[0] == "--version":
		return printed(fmt.Fprintln(stdout, "justnews-nvml", version.String()))
	}
	fmt.Fprintf(stderr, "justnews-nvml: cannot use %q\n%s", args, usage)
	return diag.StatusUsage
}

// answer writes the object, and returns in the status whether NVML answered.
func answer(stdout, stderr io.Writer, found facts.NVML) diag.Status {
	found.Program = version.String()
	text, err := json.MarshalIndent(found, "", "  ")
	if err == nil {
		_, err = stdout.Write(append(text, '\n'))
	}
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "justnews-nvml: cannot write the facts: %v\n", err)
		return diag.StatusInternal
	case found.Outcome != facts.NVMLSuccess:
		return diag.StatusGPU
	}
	return diag.StatusReady
}

func printed(_ int, err error) diag.Status {
	if err != nil {
		return diag.StatusInternal
	}
	return diag.StatusReady
}
