// SPDX-License-Identifier: Apache-2.0

package gpu

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"justnews/internal/facts"
)

// kernelLog is the kernel's ring buffer (Documentation/ABI/testing/dev-kmsg): each
// read returns one record, "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;MESSAGE".
const kernelLog = "/dev/kmsg"

const (
	// maxRecord is the longest record that the kernel returns (PRINTKRB_RECORD_MAX).
	maxRecord = 8 << 10
	// maxRecords bounds a look: the largest buffer that is in use, 16 MiB, has fewer.
	maxRecords = 1 << 18
	// maxXids bounds how many different ones are kept.
	maxXids = 64
)

var (
	// xidLine is what the driver logs (NVIDIA, "Xid Errors"):
	// NVRM: Xid (PCI:0000:65:00): 79, pid=1, name=x, GPU has fallen off the bus.
	// NVRM: Xid (PCI:0000:65:00 GPU-I:05): 94, …
	xidLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^NVRM: Xid \((?:PCI:)?([0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2})[^)]*\): ([0-9]{1,4})\b,?\s*(.*)`)
	})
	// loadLine is the beginning of the driver's log line when it is loaded, which resets every GPU.
	loadLine = "NVRM: loading NVIDIA UNIX"
)

// xids reads the Xids that the kernel's log has of the driver that is loaded, nil
// if this user may not read the log: only root may, on most hosts.
func (p Prober) xids(ctx context.Context) *facts.Xids {
	fd, err := syscall.Open(p.path(kernelLog), syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer func() { _ = syscall.Close(fd) }()
	return readXids(ctx, func(b []byte) (int, error) { return syscall.Read(fd, b) })
}

// readXids reads records until there is none, and returns nil if not even one can
// be read.
func readXids(ctx context.Context, read func([]byte) (int, error)) *facts.Xids {
	var found *facts.Xids
	buffer := make([]byte, maxRecord)
	for range maxRecords {
		n, err := read(buffer)
		switch {
		case errors.Is(err, syscall.EPIPE): // overwritten meanwhile: the next read goes on
			continue
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil || n <= 0 || ctx.Err() != nil:
			return found // EAGAIN: that was the last
		}
		if found == nil {
			found = &facts.Xids{}
		}
		for line := range strings.Lines(string(buffer[:n])) { // a record's properties begin with a space
			addRecord(found, strings.TrimSuffix(line, "\n"))
		}
	}
	return found
}

// addRecord adds one record of the log, if it is the driver's: facility 0 is the
// kernel itself, which no program can write as.
func addRecord(found *facts.Xids, record string) {
	head, message, ok := strings.Cut(record, ";")
	fields := strings.Split(head, ",")
	if !ok || len(fields) < 3 {
		return
	}
	priority, err := strconv.Atoi(fields[0])
	if err != nil || priority>>3 != 0 {
		return
	}
	if strings.HasPrefix(message, loadLine) {
		*found = nil
		return
	}
	m := xidLine().FindStringSubmatch(message)
	if m == nil {
		return
	}
	code, _ := strconv.Atoi(m[2])
	at, _ := strconv.ParseInt(fields[2], 10, 64)
	add(found, facts.Xid{PCI: canonical(m[1]), Code: code, Count: 1, Message: m[3], Seconds: at / 1e6})
}

// add counts an Xid, and moves it to the end: the list is in the order of the last
// of each.
func add(found *facts.Xids, x facts.Xid) {
	list := *found
	for i, old := range list {
		if old.PCI == x.PCI && old.Code == x.Code {
			x.Count += old.Count
			list = append(list[:i], list[i+1:]...)
			break
		}
	}
	if len(list) == maxXids {
		list = list[1:]
	}
	*found = append(list, x)
}

// canonical returns a bus address as facts.GPU has it, without the function: the
// domain has four digits at least.
func canonical(pci string) string {
	pci = strings.ToLower(pci)
	for len(pci) > len("0000:00:00") && pci[0] == '0' {
		pci = pci[1:]
	}
	return pci
}
