// SPDX-License-Identifier: Apache-2.0

package gpu

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// devices judges what holds with and without MPS: are there enough GPUs,
// and can a CUDA program use them?
func devices(l facts.GPULook, w requirement.GPU) []diag.Problem {
	gpus := l.NVML.GPUs
	problems := lostGPUs(l)
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

// lostGPUs are only warnings while another GPU is usable: how many are needed is
// set by gpu.min_count.
func lostGPUs(l facts.GPULook) []diag.Problem {
	gpus := l.NVML.GPUs
	severity := diag.Error
	if usable(gpus) > 0 {
		severity = diag.Warning
	}
	var problems []diag.Problem
	for _, g := range gpus {
		if why := Lost(g); why != "" {
			problems = append(problems, diag.Problem{
				Code: diag.GPUFailed, Severity: severity, Subject: subject(g),
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
		Code: diag.GPUProhibited, Subject: subject(g), Message: "this GPU's compute mode prohibits CUDA programs",
		Seen: "PROHIBITED", Expected: mode,
		Fix: diag.Do(setMode(g, mode), diag.Retry()),
	}
}

func setMode(g facts.GPU, mode string) diag.Command {
	return diag.Run("nvidia-smi", "-i", id(g), "-c", mode)
}

// present leaves out empty parts.
func present(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

func joined(parts []string) string { return strings.Join(parts, ", ") }
