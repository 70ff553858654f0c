// SPDX-License-Identifier: Apache-2.0

package gpu

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"sync"
	"syscall"

	"justnews/internal/facts"
	"justnews/internal/safefile"
)

// moduleVersion finds the version in /proc/driver/nvidia/version:
// NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.163.01  Tue Apr …
// NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release …
var moduleVersion = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^NVRM version:.*?\s([0-9]+(?:\.[0-9]+)+)\s`)
})

// maxModule is the maximum length that is read: the file has two lines.
const maxModule = 4 << 10

// module returns the version of the loaded kernel module, "" if none is loaded
// or it cannot be read.
func (p Prober) module() string {
	f, err := os.Open(p.path("/proc/driver/nvidia/version"))
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, maxModule)
	n, _ := f.Read(head)
	if m := moduleVersion().FindSubmatch(head[:n]); m != nil {
		return string(m[1])
	}
	return ""
}

// node reports whether this user can open a device, as CUDA will have to.
// Opening has no effect, but the driver can hang: the goroutine then ends with
// the driver or the process.
func (p Prober) node(ctx context.Context, name string) facts.DeviceNode {
	node, err := safefile.Do(ctx, func() (facts.DeviceNode, error) {
		f, err := os.OpenFile(p.path(name), os.O_RDWR|syscall.O_NONBLOCK, 0)
		if err == nil {
			err = f.Close()
		}
		return nodeOf(err), nil
	})
	if err != nil {
		return facts.DeviceNode{Detail: name + " cannot be opened in time"}
	}
	return node
}

func nodeOf(err error) facts.DeviceNode {
	switch {
	case err == nil:
		return facts.DeviceNode{State: facts.NodeOpens}
	case errors.Is(err, fs.ErrNotExist):
		return facts.DeviceNode{State: facts.NodeMissing, Detail: err.Error()}
	case errors.Is(err, fs.ErrPermission): // EPERM is a device policy, EACCES a mode
		return facts.DeviceNode{State: facts.NodeDenied, Detail: err.Error()}
	}
	return facts.DeviceNode{Detail: err.Error()} // ENODEV, ENXIO, EIO: exists, but is unusable
}
