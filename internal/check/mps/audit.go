// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/check/host"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/safefile"
)

// defaultPipeDirectory is where a CUDA program looks by default.
const defaultPipeDirectory = "/tmp/nvidia-mps"

// Audit is the environment in which an instance's program will run.
type Audit struct {
	Unit          string
	PipeDirectory string // in which MPS is verified
	Limits        config.InstanceMPS
	Visible       string // CUDA_VISIBLE_DEVICES that the generator sets, "": none
	// Lookup reads the program's environment: the gate's own in a unit, otherwise
	// systemd's. Nil: not known.
	Lookup func(name string) (string, bool)
	// Files reports that environment files, which systemd does not show, may set
	// otherwise.
	Files   bool
	Sandbox *facts.Sandbox // nil: not known
}

// AuditUnit finds what in an instance's own unit would keep its program from
// MPS, or from its limits: a program that cannot reach MPS does not fail, it
// runs without.
func AuditUnit(a Audit) []diag.Problem {
	var problems []diag.Problem
	if a.Lookup != nil {
		problems = append(problems, a.pipe()...)
		problems = append(problems, a.limits()...)
		problems = append(problems, a.visible()...)
	}
	if a.Sandbox != nil {
		problems = append(problems, a.sandbox()...)
	}
	return problems
}

func (a Audit) problem(code diag.Code, message, seen, expected, remove string) diag.Problem {
	return diag.Found(code, a.Unit, message,
		diag.Clean(seen), diag.Clean(expected), diag.Advise(remove, diag.Reload()).Looking(diag.CatUnit(a.Unit)))
}

// pipe compares the directory that the program will use with the one in which
// MPS is verified.
func (a Audit) pipe() []diag.Problem {
	const name = "CUDA_MPS_PIPE_DIRECTORY"
	value, set := a.Lookup(name)
	if safefile.Canonical(cmp.Or(value, defaultPipeDirectory)) == a.PipeDirectory || value == "" && a.Files {
		return nil
	}
	seen := name + "=" + value
	if !set || value == "" {
		seen = name + " is not set: the program looks in " + defaultPipeDirectory
	}
	return []diag.Problem{a.problem(diag.MPSEnvironment, "the instance would look for MPS in a different pipe directory",
		seen, name+"="+a.PipeDirectory, "remove the setting that unsets or changes "+name)}
}

// Variables of a client that limit it.
const (
	memoryVariable   = "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT"
	threadsVariable  = "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"
	priorityVariable = "CUDA_MPS_CLIENT_PRIORITY"
)

// limits compares the limits and the priority with those that the configuration
// states.
func (a Audit) limits() []diag.Problem {
	var problems []diag.Problem
	want := map[string]string{}
	if limit := a.Limits.Variable(); limit != "" {
		want[memoryVariable] = limit
	}
	if a.Limits.Threads > 0 {
		want[threadsVariable] = strconv.Itoa(a.Limits.Threads)
	}
	if a.Limits.Priority == config.PriorityBelow {
		want[priorityVariable] = "1"
	}
	for _, name := range []string{memoryVariable, threadsVariable, priorityVariable} {
		expected, limited := want[name]
		value, set := a.Lookup(name)
		if sameLimit(value, expected) || !set && a.Files || name == priorityVariable && !limited && value == "0" {
			continue
		}
		if !limited {
			expected = "no limit, as configured"
		} else {
			expected = name + "=" + expected
		}
		seen := name + "=" + value
		if value == "" {
			seen = name + " is not set"
		}
		p := a.problem(diag.MPSLimit, "the instance would run with a limit that differs from the configuration",
			seen, expected, "remove "+name+" there, and set the limit in justnews.toml")
		if !limited || name == priorityVariable { // a limit that nobody asked for takes nothing from the others, a priority is a hint
			p.Severity = diag.Warning
		}
		problems = append(problems, p)
	}
	return problems
}

// visible judges CUDA_VISIBLE_DEVICES, which renumbers the devices that limits
// name by their index.
func (a Audit) visible() []diag.Problem {
	const name = "CUDA_VISIBLE_DEVICES"
	value, set := a.Lookup(name)
	switch {
	case a.Visible != "" && (value == a.Visible || !set && a.Files):
		return nil
	case a.Visible != "":
		seen := name + "=" + value
		if !set {
			seen = name + " is not set: the instance sees every GPU"
		}
		return []diag.Problem{a.problem(diag.MPSEnvironment, "the instance would see other GPUs than the configuration gives it, and its memory limits are for those",
			seen, name+"="+a.Visible, "remove "+name+" there, and set gpus of the instance in justnews.toml")}
	case !set || value == "0":
		return nil
	}
	p := a.problem(diag.MPSEnvironment, name+" of an MPS client renumbers the devices: set it for the daemon instead",
		name+"="+value, name+" unset for the instance", "remove "+name)
	switch {
	case value == "" || value[0] == '-':
		p.Message = name + " hides every GPU from the instance"
	case a.Limits.Memory == "":
		p.Severity = diag.Warning
	default:
		p.Message += ", and the memory limit would apply to another device"
	}
	return []diag.Problem{p}
}

func (a Audit) sandbox() []diag.Problem {
	s := a.Sandbox
	var problems []diag.Problem
	if by := host.Hidden(*s, a.PipeDirectory); by != "" {
		problems = append(problems, a.problem(diag.MPSEnvironment, setting(by)+" hides the pipe directory from the instance",
			a.PipeDirectory+" and "+by+"; bound in: "+strings.Join(s.Bound, " "), "BindPaths=-"+a.PipeDirectory+", or a pipe directory that the unit can see",
			"remove the drop-in that changes "+setting(by)+" or BindPaths=, or set mps.pipe_directory = \"/run/nvidia-mps\""))
	}
	if by := host.Hidden(*s, "/dev/nvidiactl"); by != "" {
		problems = append(problems, a.problem(diag.MPSEnvironment, setting(by)+" hides the GPU from the instance",
			by, "/dev/nvidia* in the unit's view", "remove "+setting(by)))
	}
	// "auto" is closed as well once anything is allowed by name (systemd.resource-control(5)).
	if (s.DevicePolicy == "closed" || s.DevicePolicy == "strict" || len(s.DeviceAllow) > 0) && !allowsNVIDIA(s.DeviceAllow) {
		problems = append(problems, a.problem(diag.MPSEnvironment, "DevicePolicy= denies the instance access to the GPU",
			fmt.Sprintf("DevicePolicy=%s, DeviceAllow=%s", s.DevicePolicy, strings.Join(s.DeviceAllow, " ")),
			"DeviceAllow=char-nvidia* rw", "add DeviceAllow=char-nvidia* rw"))
	}
	return problems
}

func setting(assignment string) string {
	name, _, _ := strings.Cut(assignment, "=")
	return name + "="
}

func allowsNVIDIA(rules []string) bool {
	return slices.ContainsFunc(rules, func(r string) bool {
		return strings.HasPrefix(r, "char-nvidia") || strings.HasPrefix(r, "/dev/nvidia") || strings.HasPrefix(r, "char-* ")
	})
}

// Variables looks up Environment= of a unit. What its environment files say is not in
// there.
func Variables(u facts.Unit) func(name string) (string, bool) {
	values := u.Variables()
	return func(name string) (string, bool) {
		value, set := values[name]
		return value, set
	}
}

// OutOfReach judges the daemon's own unit: a pipe directory in a file system that
// only this unit sees is of no use to its clients, however well the daemon works.
// It returns nil where the clients see the directory.
func OutOfReach(own facts.Unit, w Wanted) *diag.Problem {
	by := host.Hidden(own.Sandbox, w.PipeDirectory)
	if by == "" {
		return nil
	}
	return new(diag.Found(diag.MPSEnvironment, w.PipeDirectory, "the pipe directory is the daemon's own: "+setting(by)+" of the unit hides that of the host, so no instance would find the daemon",
		w.PipeDirectory+" and "+by+" of "+diag.Clean(own.Name), "a pipe directory that the daemon and the instances see",
		diag.Advise("remove CUDA_MPS_PIPE_DIRECTORY from /etc/justnews/global.env and from drop-ins of the unit, and set mps.pipe_directory in /etc/justnews/justnews.toml instead", diag.Reload()).
			Looking(diag.CatUnit(own.Name))))
}
