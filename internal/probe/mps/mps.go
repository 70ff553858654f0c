// SPDX-License-Identifier: Apache-2.0

// Package mps collects facts about NVIDIA MPS: Look from the file system, /proc
// and the kernel's socket table, Ask from the control daemon. It starts
// nothing, judges nothing and repeats nothing.
//
// All obvious checks are unreliable. The pipe directory and its sockets outlive
// the daemon; pgrep -x never finds the name, of which the kernel keeps 15
// characters; the exit status of a query is 0 for an empty answer. Concurrent
// queries break each other (of 15, more than nine in ten fail), so all queries
// of a host go through one lock.
package mps

import (
	"context"
	"time"
)

// Program is where NVIDIA's packages put the control program, daemon and
// console in one.
const Program = "/usr/bin/nvidia-cuda-mps-control"

// defaultPipeDirectory is where a daemon listens by default
// (NVIDIA, Multi-Process Service, CUDA_MPS_PIPE_DIRECTORY).
const defaultPipeDirectory = "/tmp/nvidia-mps"

// queryTimeout bounds one query. A healthy daemon answers in about 2 ms; one
// that is stopped makes its console wait forever.
const queryTimeout = 3 * time.Second

// Names in a pipe directory.
const (
	controlName = "control"
	lockName    = "control_lock"
)

// Turn is the lock around all queries of a host.
type Turn interface {
	Take(ctx context.Context) error
	Unlock()
}

// Prober looks at the MPS of one pipe directory. The zero values of Program,
// Timeout and Root are the constants above and /.
type Prober struct {
	PipeDirectory string
	Program       string
	Timeout       time.Duration
	Root          string // prefix of /proc, for tests
	Turn          Turn   // nil: queries are not serialized
}

func (p Prober) proc(path string) string { return p.Root + "/proc/" + path }
