// SPDX-License-Identifier: Apache-2.0

// Package gate is the wait loop: it looks through probes and lets
// internal/check judge, until everything that is required is ready, something
// cannot become ready, or the deadline. It decides nothing that check could
// decide, prints nothing and never exits.
package gate

import (
	"context"
	"slices"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/modelmap"
	"justnews/internal/requirement"
)

// Orchestrator looks at the GPU Orchestrator. A look never fails: what went
// wrong is part of the answer. Fresh asks over a new connection, which another
// worker process may answer.
type Orchestrator interface {
	Health(ctx context.Context) facts.Health
	Ready(ctx context.Context) facts.Readiness
	Models(ctx context.Context, fresh bool) facts.ModelsLook
	Preload(ctx context.Context) facts.ModelsLook
}

// Canary asks one model for the smallest answer that it can give.
type Canary interface {
	Canary(ctx context.Context, model string) facts.Answer
}

// Bus looks at the MCP bus.
type Bus interface {
	Health(ctx context.Context) facts.BusHealth
}

// Units asks systemd about a unit, or only about some properties of a service.
type Units interface {
	Unit(ctx context.Context, name string, only ...string) (facts.Unit, error)
}

// Prober tries one of the generic probes once.
type Prober interface {
	Try(ctx context.Context, name string) facts.Need
}

// GPU looks at the GPUs of this host. A look never fails: what went wrong is
// part of it.
type GPU interface {
	Look(ctx context.Context) facts.GPULook
}

// Lock elects the one gate that talks to the orchestrator while all others
// wait inside the kernel.
type Lock interface {
	// TryExclusive takes the lead, or reports that another gate has it.
	TryExclusive() (bool, error)
	// WaitShared returns when the leader has let go, or with ctx's error.
	WaitShared(ctx context.Context) error
	// StillMine is false if the lock's file was removed or replaced.
	StillMine() bool
	Unlock()
}

// Memory is what gates leave for each other: the record of the preloads that
// they triggered. Save fails where nothing can be recorded; then nothing that
// a record has to bound is done.
type Memory interface {
	Load() (History, error)
	Save(History) error
}

// MPS looks at NVIDIA MPS and asks its control daemon, in turn with all other
// gates of the host. Like every probe it never fails: what went wrong is part
// of the answer.
type MPS interface {
	Look() facts.MPS
	Ask(ctx context.Context, commands ...string) facts.MPSAnswer
	Servers(ctx context.Context) ([]facts.MPSServer, facts.MPSAnswer)
	StartServer(ctx context.Context, uid int) facts.MPSAnswer
	SetLimits(ctx context.Context, memory []string, threads int) facts.MPSAnswer
}

// Adviser reports what the orchestrator sees of other programs, which does not affect the
// verdict.
type Adviser interface {
	MPS(ctx context.Context) facts.MPSOpinion
	VLLM(ctx context.Context) facts.VLLM
}

// Starter starts a unit and follows the job.
type Starter interface {
	Start(ctx context.Context, unit string) (facts.Start, error)
}

// Self is what a run knows about its own process, and about the program
// that it gates.
type Self struct {
	Unit *facts.Unit // whose control process this is, nil: none, or not known
	User string      // the caller, for messages
	// InUnit reports that systemd started this process: its environment is then
	// that of a unit's program, also where Unit is not known.
	InUnit bool
	// AgentUID is the user of the instance's program, nil: not known.
	AgentUID *int
	// Environment reads the caller's environment.
	Environment func(name string) (string, bool)
}

// Observer receives the progress of a run. It must not block.
type Observer interface {
	Progress(Progress)
}

// Progress is one line about the state of a run.
type Progress struct {
	Step  string        // the step that runs: store, orchestrator, models, bus, …
	Text  string        // what is waited for, for a person
	Done  int           // models loaded; in the step store, MiB verified
	Total int           // of what Done counts, 0: unknown
	Left  time.Duration // until the deadline
}

// World is everything that a run can look at or change. A nil Units, Starter or Lock means
// that this machine has none, a nil GPU that it cannot be queried.
type World struct {
	Orchestrator Orchestrator
	Protocol     facts.Protocol // of the orchestrator
	Canary       Canary         // nil: its models are not asked
	Bus          Bus
	Units        Units
	Needs        Prober
	MPS          MPS
	Adviser      Adviser
	Starter      Starter
	Self         Self
	Mark         *Mark // nil: a run by hand, which opens no unit
	// Renew asks for a restart of the orchestrator or the bus where they were
	// started with another configuration and no instance uses them, and returns
	// what ends this run for the same reason; nil: this run is not a unit's gate.
	Renew    func(ctx context.Context) *diag.Problem
	GPU      GPU
	Lock     Lock
	Memory   Memory
	Store    ModelStore // nil: the models are loaded on another host
	Machine  Machine    // nil: nothing is known of memory and processes
	Observer Observer
	Map      ModelMap
	// Began is when the process began, and with it the time of every run: w.Timeout
	// counts from it. The zero value: with the run.
	Began time.Time
	// Doing is told the current step, for a watchdog; nil: none.
	Doing func(step string)
	// Uptime is the time since boot, the clock of the records: a step of the
	// wall clock must not open or close a waiting period.
	Uptime func() time.Duration
	// Jitter varies the delay between two looks, nil: at random. A simulation sets it so
	// that it can be replayed.
	Jitter func(time.Duration) time.Duration
}

// ModelMap is the number of models in AGENT_MODEL_MAP. Total is -1 if there is no map to
// count.
type ModelMap struct {
	Total int
	// Changed is when its file was changed last, on the clock of a unit's times; 0:
	// not known.
	Changed time.Duration
	// Names are the models that the server has to list, none for a server that counts
	// them.
	Names []string
	// Models is the map itself, nil where there is none.
	Models *modelmap.Map
	// Problems are those of reading the map.
	Problems []diag.Problem
}

// Run verifies everything that w requires, within ctx and w.Timeout. It
// always returns a Result; Result.Status is StatusReady only if every step
// that was asked for passed.
func Run(ctx context.Context, w requirement.Run, world World) Result {
	steps := gateSteps(w)
	if world.Mark != nil {
		steps = slices.Concat([]step{ownUnitStep}, steps, []step{unitStep})
	}
	return run(ctx, w, world, steps, stopAtFirst)
}

// Survey is Run for a person: it continues after a failed step, so that all findings are
// reported at once.
func Survey(ctx context.Context, w requirement.Run, world World) Result {
	return run(ctx, w, world, surveySteps(w), goOn)
}

// Preload makes sure that the orchestrator has its models loaded, and of
// nothing else.
func Preload(ctx context.Context, w requirement.Run, world World) Result {
	return run(ctx, w, world, modelSteps(w), stopAtFirst)
}

// StartMPS makes sure that NVIDIA MPS is running and verified, and of nothing else.
func StartMPS(ctx context.Context, w requirement.Run, world World) Result {
	return run(ctx, w, world, []step{mpsStep}, stopAtFirst)
}

// ProveMPS gives the daemon its default limits and proves it. It starts
// nothing: it is the last part of the start of the daemon's own unit.
func ProveMPS(ctx context.Context, w requirement.Run, world World) Result {
	return run(ctx, w, world, []step{mpsProofStep}, stopAtFirst)
}

// Trigger requests a preload if none is in progress, and does not wait.
func Trigger(ctx context.Context, w requirement.Run, world World) Result {
	return run(ctx, w, world, []step{triggerStep}, stopAtFirst)
}
