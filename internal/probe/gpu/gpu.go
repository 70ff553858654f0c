// SPDX-License-Identifier: Apache-2.0

// Package gpu collects facts about the GPUs of this host: it runs
// justnews-nvml, which queries the driver, and examines the kernel module, the
// device nodes and the kernel's log itself. The helper is a separate process because NVIDIA's
// library may be missing, may not match the driver, may crash or may hang; in
// any case a look ends in time and reports which of these it was. It judges
// nothing and waits for nothing.
package gpu

import (
	"cmp"
	"context"
	"path/filepath"
	"time"

	"justnews/internal/facts"
)

// Helper is where the packages install justnews-nvml.
const Helper = "/usr/libexec/justnews/justnews-nvml"

// limit bounds one run of the helper. A driver without persistence takes one to
// two seconds to initialise an unused GPU, and longer for several of them.
const limit = 5 * time.Second

// nodeLimit bounds the opening of both device nodes, which takes no time unless
// the driver hangs.
const nodeLimit = time.Second

// Prober looks at the GPUs. The zero value looks at this host.
type Prober struct {
	Helper string        // "": Helper
	Root   string        // before /proc and /dev, for tests
	Limit  time.Duration // of one run of the helper, 0: 5 s
	Env    []string      // for the helper, added to its clean environment; for tests
}

// Look looks once, within little more than the limit and within ctx. It does
// not return an error: what went wrong is part of the answer.
func (p Prober) Look(ctx context.Context) facts.GPULook {
	p.Helper, p.Limit = cmp.Or(p.Helper, Helper), cmp.Or(p.Limit, limit)
	look := p.ask(ctx)
	look.Helper = p.Helper
	look.Module = p.module()
	ctx, cancel := context.WithTimeout(ctx, nodeLimit)
	defer cancel()
	look.Control = p.node(ctx, "/dev/nvidiactl")
	look.UVM = p.node(ctx, "/dev/nvidia-uvm")
	look.Xids = p.xids(ctx)
	return look
}

func (p Prober) path(name string) string { return filepath.Join("/", p.Root, name) }
