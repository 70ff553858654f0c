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
		problems = append(problems, diag.Found(diag.GPUCount, "gpu.min_count", "there are fewer GPUs than the configuration requires",
			fmt.Sprintf("%d usable", n), fmt.Sprintf("at least %d", w.MinCount),
			diag.Advise("restore the missing GPU, or lower gpu.min_count in /etc/justnews/justnews.toml", diag.Reload()).Looking(diag.Run("nvidia-smi", "-L"))))
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
			problems = append(problems, diag.Found(diag.GPUPersistence, subject(g), "persistence mode is off: the driver initializes this GPU again for its next user and resets its compute mode",
				"persistence mode disabled", "enabled", diag.Do(diag.Run("systemctl", "enable", "--now", "nvidia-persistenced.service"))).As(diag.Notice))
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
		problems = append(problems, diag.Found(diag.GPUNotListed, "gpu "+diag.Clean(name), "the configuration gives this instance a GPU that the driver does not list",
			diag.Count(len(gpus), "GPU")+" without it", diag.Clean(name),
			diag.Advise("correct gpus of the instance in /etc/justnews/justnews.toml, or restore the GPU", diag.Reload()).Looking(diag.Run("nvidia-smi", "-L"))))
	}
	return problems
}

func lostGPUs(l facts.GPULook, w requirement.GPU) []diag.Problem {
	gpus := l.NVML.GPUs
	var problems []diag.Problem
	for _, g := range gpus {
		if why := Lost(g); why != "" {
			problems = append(problems, diag.Found(diag.GPUFailed, subject(g), "the driver lists this GPU, but it cannot be used",
				joined(present("NVML: "+diag.Clean(why), xidsOf(l, g))), "SUCCESS",
				diag.Advise("reset it, or reboot", diag.Run("nvidia-smi", "--gpu-reset", "-i", id(g)), diag.Retry()).Looking(kernelLog())).As(severity(g, w, usable(gpus))))
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
		return []diag.Problem{diag.Found(diag.GPUPermission, node, "this user cannot open the device that every CUDA program needs",
			diag.Clean(l.UVM.Detail), "readable and writable", faults[facts.DriverDenied].fix)}
	default: // missing, or a node without a driver behind it, or one that nobody looked at
		return []diag.Problem{diag.Found(diag.GPUUVMMissing, node, "no CUDA program can start without this device, and under NoNewPrivileges= none can create it through the setuid nvidia-modprobe",
			cmp.Or(diag.Clean(l.UVM.Detail), "its state is unknown"), "a device that the service's user can open",
			diag.Do(diag.Run("nvidia-modprobe", "-u", "-c=0"), diag.Retry()))}
	}
}

func prohibited(g facts.GPU, w requirement.GPU) diag.Problem {
	mode := "DEFAULT"
	if w.MPS {
		mode = "EXCLUSIVE_PROCESS"
	}
	return diag.Found(diag.GPUProhibited, subject(g), "this GPU's compute mode prohibits CUDA programs",
		"PROHIBITED", mode, diag.Do(setMode(g, mode), diag.Retry())).As(severity(g, w, 0))
}

func setMode(g facts.GPU, mode string) diag.Command {
	return diag.Run("nvidia-smi", "-i", id(g), "-c", mode)
}

func present(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

func joined(parts []string) string { return strings.Join(parts, ", ") }

// drains are the recovery actions of a GPU that still computes correctly (NVIDIA
// GPU Memory Error Management, "Error Recovery and Response Flags"; nvml.h). Any
// other action, including unknown ones, makes it unusable.
var drains = []string{"DRAIN_P2P", "DRAIN_AND_RESET", "RECOVER_IMEX_DOMAIN"}

// Unfit returns the reason why no program should be started on a GPU that NVML lists,
// "" if there is none.
func Unfit(g facts.GPU) string {
	switch {
	case Lost(g) != "":
		return Lost(g)
	case asksRecovery(g) && !slices.Contains(drains, g.RecoveryAction):
		return "recovery action " + g.RecoveryAction
	case g.RowRemap != nil && g.RowRemap.Failed:
		return "row remapping failed"
	}
	return ""
}

func asksRecovery(g facts.GPU) bool {
	return g.RecoveryAction != "" && g.RecoveryAction != facts.RecoveryNone
}

// health judges the faults that the driver reports of a GPU. Unsupported fields are
// not findings.
func health(l facts.GPULook, g facts.GPU, w requirement.GPU) []diag.Problem {
	var problems []diag.Problem
	unfit := severity(g, w, usable(l.NVML.GPUs))
	if asksRecovery(g) {
		p := recovery(l, g)
		if p.Severity == diag.Error {
			p.Severity = unfit
		}
		problems = append(problems, p)
	}
	if r := g.RowRemap; r != nil && r.Failed {
		problems = append(problems, diag.Found(diag.GPURemapFailed, subject(g), "a faulty row of this GPU's memory could not be replaced",
			"row remapping failed", "no failure",
			diag.Advise("reset it, and have the GPU replaced if the failure remains (NVIDIA's field diagnostic decides)", reset(g)...).Looking(remapped(g), kernelLog())).As(unfit))
	}
	if r := g.RowRemap; r != nil && r.Pending {
		problems = append(problems, diag.Found(diag.GPURemapPending, subject(g), "a faulty row of this GPU's memory will be replaced at its next reset",
			"row remapping pending", "no pending row",
			diag.Advise("reset it when no program uses it, or reboot", reset(g)...).Looking(remapped(g))).As(diag.Warning))
	}
	return append(problems, fabric(g, w)...)
}

// recovery is the problem of a GPU whose driver wants it recovered.
func recovery(l facts.GPULook, g facts.GPU) diag.Problem {
	p := diag.Problem{
		Code: diag.GPURecovery, Subject: subject(g),
		Message: "the driver requires this GPU to be recovered before it is used again",
		Seen:    joined(present("recovery action "+diag.Clean(g.RecoveryAction), xidsOf(l, g))), Expected: "recovery action " + facts.RecoveryNone,
	}
	look := []diag.Command{diag.Run("nvidia-smi", "-q", "-i", id(g)), kernelLog()}
	switch action := g.RecoveryAction; {
	case slices.Contains(drains, action):
		p.Severity = diag.Warning
		p.Message = "the driver recommends recovering this GPU; programs that use it are not affected"
		p.Fix = diag.Advise("stop the programs that use it, then reset it", reset(g)...)
		if action == "RECOVER_IMEX_DOMAIN" {
			p.Fix = diag.Do(diag.Run("systemctl", "restart", "nvidia-imex.service"), diag.Retry())
		}
	case action == "GPU_RESET":
		p.Fix = diag.Advise("stop the programs that use it, then reset it", reset(g)...)
	case strings.HasSuffix(action, "_REBOOT"):
		p.Fix = diag.Do(diag.Run("systemctl", "reboot"))
	default: // BUS_RESET, and what a later driver may ask for
		p.Fix = diag.Advise("follow the driver's documentation of this action, or reboot", diag.Run("systemctl", "reboot"))
	}
	p.Fix = p.Fix.Looking(look...)
	return p
}

// reset resets a GPU. Every program that uses it has to be stopped before, MPS
// among them.
func reset(g facts.GPU) []diag.Command {
	return []diag.Command{
		diag.Run("systemctl", "stop", "justnews.target"),
		diag.Run("nvidia-smi", "--gpu-reset", "-i", id(g)), diag.Retry(),
	}
}

func remapped(g facts.GPU) diag.Command {
	return diag.Run("nvidia-smi", "-q", "-d", "ROW_REMAPPER", "-i", id(g))
}

// registers reports whether the registration of a GPU with the NVSwitch fabric
// has not ended. CUDA then fails with 802 (CUDA_ERROR_SYSTEM_NOT_READY), on every
// GPU of the host.
func registers(g facts.GPU) bool { return g.Fabric != nil && g.Fabric.State != facts.FabricCompleted }

func fabric(g facts.GPU, w requirement.GPU) []diag.Problem {
	manager := diag.Run("systemctl", "status", "nvidia-fabricmanager.service")
	switch {
	case registers(g):
		return []diag.Problem{diag.Found(diag.GPUFabric, subject(g), "this GPU is not registered with the NVSwitch fabric, and CUDA fails with error 802 until it is",
			"fabric state "+diag.Clean(g.Fabric.State), fmt.Sprintf("%s within %s", facts.FabricCompleted, w.Patience),
			diag.Do(diag.Run("systemctl", "enable", "--now", "nvidia-fabricmanager.service"), diag.Retry()).Looking(manager))}
	case g.Fabric != nil && g.Fabric.Status != facts.NVMLSuccess:
		return []diag.Problem{diag.Found(diag.GPUFabric, subject(g), "this GPU could not be registered with the NVSwitch fabric: it cannot exchange data with the others through NVLink",
			"fabric state COMPLETED, status "+diag.Clean(g.Fabric.Status), "status SUCCESS",
			diag.Advise("fix the error in the fabric manager's log, then reset the GPU", reset(g)...).Looking(manager, diag.LogOf("nvidia-fabricmanager.service"))).As(diag.Warning)}
	}
	return nil
}
