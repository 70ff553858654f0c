// SPDX-License-Identifier: Apache-2.0

package gpu

import (
	"fmt"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// drains are the recovery actions of a GPU that still computes correctly (NVIDIA
// GPU Memory Error Management, "Error Recovery and Response Flags"; nvml.h). Any
// other action, also one that this program does not know, makes it unusable.
var drains = []string{"DRAIN_P2P", "DRAIN_AND_RESET", "RECOVER_IMEX_DOMAIN"}

// Unfit returns why no program should be started on a GPU that NVML lists, "" for
// a GPU without such a reason.
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

// health judges what the driver knows about faults of a GPU. What it does not
// support is no finding.
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
		problems = append(problems, diag.Problem{
			Code: diag.GPURemapFailed, Severity: unfit, Subject: subject(g),
			Message: "a faulty row of this GPU's memory could not be replaced",
			Seen:    "row remapping failed", Expected: "no failure",
			Fix: diag.Advise("reset it, and have the GPU replaced if the failure remains (NVIDIA's field diagnostic decides)", reset(g)...).Looking(remapped(g), kernelLog()),
		})
	}
	if r := g.RowRemap; r != nil && r.Pending {
		problems = append(problems, diag.Problem{
			Code: diag.GPURemapPending, Severity: diag.Warning, Subject: subject(g),
			Message: "a faulty row of this GPU's memory will be replaced at its next reset",
			Seen:    "row remapping pending", Expected: "no pending row",
			Fix: diag.Advise("reset it when no program uses it, or reboot", reset(g)...).Looking(remapped(g)),
		})
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
		p.Message = "the driver recommends to recover this GPU; what runs on it is not affected"
		p.Fix = diag.Advise("stop the programs that use it, then reset it", reset(g)...)
		if action == "RECOVER_IMEX_DOMAIN" {
			p.Fix = diag.Do(diag.Run("systemctl", "restart", "nvidia-imex.service"), diag.Retry())
		}
	case action == "GPU_RESET":
		p.Fix = diag.Advise("stop the programs that use it, then reset it", reset(g)...)
	case strings.HasSuffix(action, "_REBOOT"):
		p.Fix = diag.Do(diag.Run("systemctl", "reboot"))
	default: // BUS_RESET, and what a later driver may ask for
		p.Fix = diag.Advise("do what the driver's documentation says of this action, or reboot", diag.Run("systemctl", "reboot"))
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
		return []diag.Problem{{
			Code: diag.GPUFabric, Subject: subject(g),
			Message: "this GPU is not registered with the NVSwitch fabric, and CUDA fails with error 802 until it is",
			Seen:    "fabric state " + diag.Clean(g.Fabric.State), Expected: fmt.Sprintf("%s within %s", facts.FabricCompleted, w.Patience),
			Fix: diag.Do(diag.Run("systemctl", "enable", "--now", "nvidia-fabricmanager.service"), diag.Retry()).Looking(manager),
		}}
	case g.Fabric != nil && g.Fabric.Status != facts.NVMLSuccess:
		return []diag.Problem{{
			Code: diag.GPUFabric, Severity: diag.Warning, Subject: subject(g),
			Message: "this GPU could not be registered with the NVSwitch fabric: it cannot exchange data with the others through NVLink",
			Seen:    "fabric state COMPLETED, status " + diag.Clean(g.Fabric.Status), Expected: "status SUCCESS",
			Fix: diag.Advise("fix the error in the fabric manager's log, then reset the GPU", reset(g)...).Looking(manager, diag.LogOf("nvidia-fabricmanager.service")),
		}}
	}
	return nil
}
