// SPDX-License-Identifier: Apache-2.0

package gpu

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// xidAction is what has to be done about an Xid before the GPU is used again.
type xidAction int

// The actions, the mildest first.
const (
	xidNothing xidAction = iota
	xidLater             // a reset when it is convenient
	xidReset
	xidReboot
)

// xidMeaning is an Xid that is not the fault of a program.
type xidMeaning struct {
	action xidAction
	text   string
}

// recoveryChanged is the Xid whose message has the recovery action.
const recoveryChanged = 154

// xidMeanings is what NVIDIA's Xid catalogue says of data centre GPUs
// (docs.nvidia.com/deploy/xid-errors, "Analyzing Xid Errors with the Xid Catalog",
// column "Immediate Action"): RESET_GPU, RESTART_BM, and the workflows of 48, 74
// and 144 to 150. Those that it answers with IGNORE or RESTART_APP are left out,
// but for 94, after which it recommends a reset.
var xidMeanings = map[int]xidMeaning{
	46:  {xidReset, "the GPU stopped processing"},
	48:  {xidReset, "double-bit ECC error"},
	62:  {xidReset, "internal micro-controller halt"},
	64:  {xidReset, "memory remapping failure"},
	74:  {xidLater, "NVLink error"},
	79:  {xidReboot, "the GPU has fallen off the bus"},
	94:  {xidLater, "contained memory error"},
	95:  {xidReset, "uncontained memory error"},
	109: {xidReset, "context switch timeout"},
	110: {xidReset, "security fault"},
	119: {xidReset, "GSP RPC timeout"},
	120: {xidReset, "GSP error"},
	136: {xidReset, "NVLink training failed"},
	140: {xidReset, "unrecovered ECC error"},
	143: {xidReset, "GPU initialization error"},
	144: {xidLater, "NVLink SAW error"},
	145: {xidLater, "NVLink RLW error"},
	146: {xidLater, "NVLink TLW error"},
	147: {xidLater, "NVLink TREX error"},
	148: {xidLater, "NVLink NVLPW_CTRL error"},
	149: {xidLater, "NVLink NETIR error"},
	150: {xidLater, "NVLink MSE error"},
	155: {xidReset, "NVLink error defined by software"},
	156: {xidReset, "resource retirement"},
	158: {xidReset, "fatal timeout"},
}

// meaning returns the action that an Xid requires. The message of 154 ends with the new
// recovery action: "… to 0x2 (Node Reboot Required)".
func meaning(x facts.Xid) xidMeaning {
	if x.Code != recoveryChanged {
		return xidMeanings[x.Code]
	}
	_, to, _ := strings.Cut(x.Message, " to ")
	switch {
	case strings.Contains(to, "(None)"):
		return xidMeaning{}
	case strings.Contains(to, "Reboot"):
		return xidMeaning{xidReboot, "a reboot is required"}
	case strings.Contains(to, "Drain"):
		return xidMeaning{xidLater, "a drain is required"}
	}
	return xidMeaning{xidReset, "a reset is required"}
}

// logged are the Xids of one GPU that ask for something, the latest last, and the
// strongest that they ask for.
type logged struct {
	pci    string
	xids   []facts.Xid
	action xidAction
}

// loggedBy sorts the Xids by GPU, in the order in which they were first seen. The
// driver reports by 154 that a GPU has recovered from those before.
func loggedBy(list *facts.Xids) []logged {
	if list == nil {
		return nil
	}
	var all []logged
	at := map[string]int{}
	for _, x := range *list {
		i, known := at[x.PCI]
		if !known {
			i = len(all)
			at[x.PCI], all = i, append(all, logged{pci: x.PCI})
		}
		switch m := meaning(x); {
		case m.action > xidNothing:
			all[i].xids, all[i].action = append(all[i].xids, x), max(all[i].action, m.action)
		case x.Code == recoveryChanged:
			all[i].xids, all[i].action = nil, xidNothing
		}
	}
	return all
}

// String is the evidence: each Xid with its meaning, and when it was last logged.
func (l logged) String() string {
	var parts []string
	for _, x := range l.xids {
		s := fmt.Sprintf("Xid %d (%s)", x.Code, meaning(x).text)
		if x.Count > 1 {
			s += fmt.Sprintf(", %d times", x.Count)
		}
		parts = append(parts, s)
	}
	if len(parts) == 0 {
		return ""
	}
	last := l.xids[len(l.xids)-1]
	return fmt.Sprintf("%s, the last %s after the boot: %s", joined(parts), time.Duration(last.Seconds)*time.Second, diag.Clean(last.Message))
}

func (l logged) of(g facts.GPU) bool { return g.PCI != "" && strings.HasPrefix(g.PCI, l.pci+".") }

// xidsOf is the evidence of the kernel's log about one GPU, "" for none.
func xidsOf(l facts.GPULook, g facts.GPU) string {
	for _, one := range loggedBy(l.Xids) {
		if one.of(g) {
			return one.String()
		}
	}
	return ""
}

// xids judges the kernel's log. A GPU that is lost, or that the driver wants to be
// recovered, has a finding with this evidence already.
func xids(l facts.GPULook, w requirement.GPU) []diag.Problem {
	var problems []diag.Problem
	for _, one := range loggedBy(l.Xids) {
		if one.action == xidNothing {
			continue
		}
		g, listed := owner(l, one)
		if listed && (Lost(g) != "" || asksRecovery(g)) {
			continue
		}
		p := diag.Found(diag.GPUXid, "gpu at "+one.pci, "the driver logged an error after which this GPU has to be reset before it is used again",
			one.String(), "no such Xid since the driver was loaded", diag.Do(diag.Run("systemctl", "reboot")).Looking(kernelLog()))
		if listed {
			p.Subject = subject(g)
		}
		switch {
		case listed && g.RecoveryAction == facts.RecoveryNone:
			p.Severity, p.Message = diag.Notice, "the driver logged an error of this GPU, which has been recovered"
			p.Fix = diag.Advise("have the GPU examined if it happens again").Looking(kernelLog())
		case one.action == xidLater:
			p.Severity, p.Message = diag.Warning, "the driver logged an error after which this GPU should be reset when no program uses it"
		case listed:
			p.Severity = severity(g, w, usableByLog(l))
		case usableByLog(l) > 0:
			p.Severity = diag.Warning
		}
		problems = append(problems, p)
	}
	return problems
}

// XidsOf returns the numbers of the Xids that the log has of a GPU, each once.
func XidsOf(l facts.GPULook, g facts.GPU) []int {
	var codes []int
	if l.Xids == nil {
		return nil
	}
	for _, x := range *l.Xids {
		if (logged{pci: x.PCI}).of(g) {
			codes = append(codes, x.Code)
		}
	}
	return codes
}

// owner is the GPU that Xids are about, if NVML lists it.
func owner(l facts.GPULook, x logged) (g facts.GPU, listed bool) {
	if l.NVML == nil {
		return g, false
	}
	for _, g := range l.NVML.GPUs {
		if x.of(g) {
			return g, true
		}
	}
	return g, false
}

// usableByLog counts the GPUs that are usable, also according to the log.
func usableByLog(l facts.GPULook) int {
	n := 0
	if l.NVML == nil {
		return 0
	}
	for _, g := range l.NVML.GPUs {
		if Unfit(g) == "" && !condemned(l, g) {
			n++
		}
	}
	return n
}

// condemned reports whether a GPU has to be reset according to the log, and the driver
// does not report otherwise since.
func condemned(l facts.GPULook, g facts.GPU) bool {
	if g.RecoveryAction != "" {
		return false
	}
	return slices.ContainsFunc(loggedBy(l.Xids), func(one logged) bool { return one.of(g) && one.action > xidLater })
}
