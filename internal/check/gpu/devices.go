// SPDX-License-Identifier: Apache-2.0

package gpu

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// devices judges what holds with and without MPS: are there enough GPUs,
// and can a CUDA program use them?
func devices(l facts.GPULook, w requirement.GPU) []diag.Problem {
	gpus := l.NVML.GPUs
	problems := append(lostGPUs(l, w), notListed(gpus, w)...)
	if n := usable(gpus); n < w.MinCount {
		problems = append(problems, diag.Problem{
			Code: diag.GPUCount, Subject: "gpu.min_count", Message: "there are fewer GPUs than the configuration needs",
			Seen: fmt.Sprintf("%d usable", n), Expected: fmt.Sprintf("at least %d", w.MinCount),
			Fix: diag.Advise("restore the missing GPU, or lower gpu.min_count in /etc/justnews/justnews.toml", diag.Reload()).Looking(diag.Run("nvidia-smi", "-L")),
		})
	}
	problems = append(problems, uvm(l)...)
	for _, g := range gpus {
		if Lost(g) != "" {
			continue
		}
		problems = append(problems, health(l, g, w)...)
		if g.ComputeMode == "PROHIBITED" {
			problems = append(problems, prohibited(g, w))
		}
		if w.Needed && g.Persistence != nil && !*g.Persistence {
			problems = append(problems, diag.Problem{
				Code: diag.GPUPersistence, Severity: diag.Notice, Subject: subject(g),
				Message: "persistence mode is off: the driver initialises this GPU again for its next user and resets its compute mode",
				Seen:    "persistence mode disabled", Expected: "enabled",
				Fix: diag.Do(diag.Run("systemctl", "enable", "--now", "nvidia-persistenced.service")),
			})
		}
	}
	return problems
}

// severity is how bad it is that a GPU cannot be used: an error for an instance that
// is given this one. Where any GPU will do it is only a warning while another one is
// usable: how many are needed is set by gpu.min_count.
func severity(g facts.GPU, w requirement.GPU, usable int) diag.Severity {
	if len(w.Visible) > 0 && !given(g, w) || len(w.Visible) == 0 && usable > 0 {
		return diag.Warning
	}
	return diag.Error
}

// given reports whether an instance is given a GPU. Which GPU a MIG instance
// belongs to is not known here.
func given(g facts.GPU, w requirement.GPU) bool {
	return slices.ContainsFunc(w.Visible, func(name string) bool {
		return name == g.UUID || name == strconv.Itoa(g.Index) || strings.HasPrefix(name, "MIG-")
	})
}

// notListed are the GPUs that the instance is given and the driver does not list:
// CUDA then hides also those that are named after them.
func notListed(gpus []facts.GPU, w requirement.GPU) []diag.Problem {
	var problems []diag.Problem
	for _, name := range w.Visible {
		if slices.ContainsFunc(gpus, func(g facts.GPU) bool { return given(g, requirement.GPU{Visible: []string{name}}) }) {
			continue
		}
		problems = append(problems, diag.Problem{
			Code: diag.GPUNotListed, Subject: "gpu " + diag.Clean(name), Message: "the configuration gives this instance a GPU that the driver does not list",
			Seen: diag.Count(len(gpus), "GPU") + " without it", Expected: diag.Clean(name),
			Fix: diag.Advise("correct gpus of the instance in /etc/justnews/justnews.toml, or restore the GPU", diag.Reload()).Looking(diag.Run("nvidia-smi", "-L")),
		})
	}
	return problems
}

func lostGPUs(l facts.GPULook, w requirement.GPU) []diag.Problem {
	gpus := l.NVML.GPUs
	var problems []diag.Problem
	for _, g := range gpus {
		if why := Lost(g); why != "" {
			problems = append(problems, diag.Problem{
				Code: diag.GPUFailed, Severity: severity(g, w, usable(gpus)), Subject: subject(g),
				Message: "the driver lists this GPU, but it cannot be used",
				Seen:    joined(present("NVML: "+diag.Clean(why), xidsOf(l, g))), Expected: "SUCCESS",
				Fix: diag.Advise("reset it, or reboot", diag.Run("nvidia-smi", "--gpu-reset", "-i", id(g)), diag.Retry()).Looking(kernelLog()),
			})
		}
	}
	return problems
}

// uvm judges /dev/nvidia-uvm, the node that every CUDA program opens.
func uvm(l facts.GPULook) []diag.Problem {
	const node = "/dev/nvidia-uvm"
	switch l.UVM.State {
	case facts.NodeOpens:
		return nil
	case facts.NodeDenied:
		return []diag.Problem{{
			Code: diag.GPUPermission, Subject: node, Message: "this user cannot open the device that every CUDA program needs",
			Seen: diag.Clean(l.UVM.Detail), Expected: "readable and writable", Fix: faults[facts.DriverDenied].fix,
		}}
	default: // missing, or a node without a driver behind it, or one that nobody looked at
		return []diag.Problem{{
			Code: diag.GPUUVMMissing, Subject: node,
			Message: "no CUDA program can start without this device, and under NoNewPrivileges= none can create it through the setuid nvidia-modprobe",
			Seen:    cmp.Or(diag.Clean(l.UVM.Detail), "its state is unknown"), Expected: "a device that the service's user can open",
			Fix: diag.Do(diag.Run("nvidia-modprobe", "-u", "-c=0"), diag.Retry()),
		}}
	}
}

func prohibited(g facts.GPU, w requirement.GPU) diag.Problem {
	mode := "DEFAULT"
	if w.MPS {
		mode = "EXCLUSIVE_PROCESS"
	}
	return diag.Problem{
		Code: diag.GPUProhibited, Severity: severity(g, w, 0), Subject: subject(g), Message: "this GPU's compute mode prohibits CUDA programs",
		Seen: "PROHIBITED", Expected: mode,
		Fix: diag.Do(setMode(g, mode), diag.Retry()),
	}
}

func setMode(g facts.GPU, mode string) diag.Command {
	return diag.Run("nvidia-smi", "-i", id(g), "-c", mode)
}

func present(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

func joined(parts []string) string { return strings.Join(parts, ", ") }
