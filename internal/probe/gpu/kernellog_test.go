// SPDX-License-Identifier: Apache-2.0

package gpu

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/facts"
)

// records answers one record a read, as the kernel does, and then that there is
// none.
func records(lines ...any) func([]byte) (int, error) {
	return func(buffer []byte) (int, error) {
		if len(lines) == 0 {
			return -1, syscall.EAGAIN
		}
		next := lines[0]
		lines = lines[1:]
		if err, ok := next.(error); ok {
			return -1, err
		}
		return copy(buffer, next.(string)+"\n SUBSYSTEM=pci\n DEVICE=+pci:0000:65:00.0\n"), nil
	}
}

func TestXids_EveryFormOfTheLogLine(t *testing.T) {
	const head = "3,1339,5140900123,-;"
	x := func(pci string, code int, message string) *facts.Xids {
		return &facts.Xids{{PCI: pci, Code: code, Count: 1, Message: message, Seconds: 5140}}
	}
	for line, want := range map[string]*facts.Xids{
		head + "NVRM: Xid (PCI:0000:65:00): 79, pid=1896, name=python, GPU has fallen off the bus.":                         x("0000:65:00", 79, "pid=1896, name=python, GPU has fallen off the bus."),
		head + "NVRM: Xid (0000:01:00): 31, Ch 00000010":                                                                    x("0000:01:00", 31, "Ch 00000010"),
		head + "NVRM: Xid (PCI:0000:0E:00 GPU-I:05): 94, pid=7, Contained: SM (0x1)":                                        x("0000:0e:00", 94, "pid=7, Contained: SM (0x1)"),
		head + "NVRM: Xid (PCI:00000001:CB:00): 48, DBE":                                                                    x("0001:cb:00", 48, "DBE"),
		head + "NVRM: Xid (PCI:0000:65:00): 154, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)": x("0000:65:00", 154, "GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)"),
		head + "NVRM: Xid (PCI:0000:65:00): 62":                                                                             x("0000:65:00", 62, ""),
		"11,1,5140900123,-;NVRM: Xid (PCI:0000:65:00): 79, written by a program":                                            {}, // LOG_USER
		head + "prefix NVRM: Xid (PCI:0000:65:00): 79, quoted":                                                              {},
		head + "NVRM: Xid (PCI:0000:65:00): many":                                                                           {},
		head + "NVRM: Xid (PCI:../../x): 79, x":                                                                             {},
		head + "NVRM: Xid (PCI:0000:65:00): 99999999999999999999, x":                                                        {},
		"NVRM: Xid (PCI:0000:65:00): 79, without a head":                                                                    {},
		"x,1,2,-;NVRM: Xid (PCI:0000:65:00): 79, another head":                                                              {},
		"3;NVRM: Xid (PCI:0000:65:00): 79, a short head":                                                                    {},
		"": {},
	} {
		if diff := cmp.Diff(want, readXids(t.Context(), records(line)), cmpEmpty); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}
}

// cmpEmpty makes an empty list equal to one that was never filled.
var cmpEmpty = cmp.Transformer("list", func(x facts.Xids) []facts.Xid { return append([]facts.Xid{}, x...) })

func TestXids_AreCountedSinceTheDriverWasLoaded(t *testing.T) {
	line := func(seconds int, text string) string {
		return fmt.Sprintf("4,%d,%d000000,-;NVRM: %s", seconds, seconds, text)
	}
	got := readXids(t.Context(), records(
		line(1, "Xid (PCI:0000:65:00): 79, of the driver before"),
		line(2, "loading NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build"),
		syscall.EPIPE, // records were overwritten
		line(3, "Xid (PCI:0000:65:00): 31, first"),
		syscall.EINTR,
		line(4, "Xid (PCI:0000:ca:00): 31, of another GPU"),
		line(5, "Xid (PCI:0000:65:00): 31, second"),
	))
	want := &facts.Xids{
		{PCI: "0000:ca:00", Code: 31, Count: 1, Message: "of another GPU", Seconds: 4},
		{PCI: "0000:65:00", Code: 31, Count: 2, Message: "second", Seconds: 5},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestXids_UnreadableLogIsNotAnEmptyOne(t *testing.T) {
	if got := readXids(t.Context(), records(syscall.EPERM)); got != nil {
		t.Errorf("%+v", got)
	}
	if got := (Prober{Root: t.TempDir()}).xids(t.Context()); got != nil {
		t.Errorf("%+v", got)
	}
	p := Prober{Root: t.TempDir()}
	lay(t, p.Root, kernelLog, "6,1,1,-;Linux version 6.12\n")
	if got := p.xids(t.Context()); got == nil || len(*got) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestXids_EndlessLogIsReadForALimitedTime(t *testing.T) {
	n := 0
	got := readXids(t.Context(), func(buffer []byte) (int, error) {
		n++
		return copy(buffer, fmt.Sprintf("3,1,1,-;NVRM: Xid (PCI:0000:65:00): %d, x\n", n%1000)), nil
	})
	if n != maxRecords || len(*got) != maxXids {
		t.Errorf("%d records, %d Xids", n, len(*got))
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if got := readXids(over, records("3,1,1,-;NVRM: Xid (PCI:0000:65:00): 1, x")); got != nil {
		t.Errorf("%+v", got)
	}
}
