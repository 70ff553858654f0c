// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/envfile"
	"justnews/internal/kernelcmdline"
	"justnews/internal/plan"
	"justnews/internal/timespan"
)

// Limit is how long a run may take, which is milliseconds where nothing hangs. A slow disk
// may need seconds, and a run that gives up keeps the host down until the next reload. systemd
// itself waits 90 s, and with systemd 257 a generator that takes that long stops the boot
// for good (measured).
const Limit = 30 * time.Second

// Generator is one run. Everything that it uses is passed in.
type Generator struct {
	Dir    string // output directory
	DryRun bool   // print to Stdout instead
	Stdout io.Writer
	Getenv func(string) string
	Load   func() (*config.Config, []diag.Problem)
	Look   func() plan.Machine
	// GiveUp ends the process if Run has not returned after Limit. It is called
	// from another goroutine, once the gates are shut.
	GiveUp func(diag.Status, []diag.Problem)
}

// Run generates, and returns every problem for the caller to report. Status 0
// means that the drop-ins are in place; with any other status all gates stay
// shut, by the generated base or by the packaged one.
func (g *Generator) Run() (diag.Status, []diag.Problem) {
	if g.Getenv("SYSTEMD_IN_INITRD") == "1" || g.Getenv("SYSTEMD_SCOPE") == "user" {
		return diag.StatusReady, nil // there are no units of ours
	}
	// The work stays on this goroutine: handing it to another would cost more
	// than rendering all files.
	var writing atomic.Bool
	watchdog := time.AfterFunc(Limit, func() {
		problems := []diag.Problem{diag.New(diag.GeneratorTimeout, "", fmt.Sprintf("not finished within %s, so all gates stay shut", Limit),
			diag.Advise("unless the machine was only busy, fix the file system below /etc/justnews", diag.Reload()))}
		// What is being written is not touched: an instance's drop-ins are
		// complete or lack their mark, and the base is already written.
		if writing.CompareAndSwap(false, true) {
			if err := g.put(plan.Closed(plan.Machine{})); err != nil {
				problems = append(problems, cannotWrite(err))
			}
		}
		g.GiveUp(diag.StatusOf(problems), problems)
	})
	defer watchdog.Stop()
	problems := g.work(&writing)
	return diag.StatusOf(problems), problems
}

// work loads, plans, renders and writes, unless the watchdog is already
// writing. A panic is reported as a problem, and the gates stay shut.
func (g *Generator) work(writing *atomic.Bool) (problems []diag.Problem) {
	defer func() {
		if r := recover(); r != nil {
			problems = append(problems, bug(r))
			_ = g.put(plan.Closed(plan.Machine{}))
		}
	}()
	machine := g.Look()
	cfg, problems := g.Load()
	var files []File
	if len(diag.Errors(problems)) == 0 && cfg != nil {
		var refused []diag.Problem
		files, refused = Render(plan.Build(cfg, machine))
		problems = append(problems, refused...)
	}
	if cfg == nil && len(diag.Errors(problems)) == 0 {
		problems = append(problems, bug("no configuration and no reason"))
	}
	if len(diag.Errors(problems)) > 0 {
		files, _ = Render(plan.Closed(machine))
	}
	if machine.GateOff {
		problems = append(problems, diag.GatesOff("justnews.gate=off", ""))
	}
	if !writing.CompareAndSwap(false, true) {
		return problems
	}
	if err := g.deliver(files); err != nil {
		problems = append(problems, cannotWrite(err))
		_ = g.put(plan.Closed(machine))
	}
	return problems
}

func (g *Generator) put(p *plan.Plan) error {
	files, _ := Render(p)
	return g.deliver(files)
}

func (g *Generator) deliver(files []File) error {
	if g.DryRun {
		return Print(g.Stdout, g.Dir, files)
	}
	return Write(g.Dir, files)
}

func cannotWrite(err error) diag.Problem {
	advice := "make it a directory that root can write to"
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		advice = "free space or inodes below /run"
	}
	return diag.Problem{Code: diag.GeneratorWrite, Message: err.Error(), Fix: diag.Advise(advice, diag.Reload())}
}

func bug(what any) diag.Problem {
	return diag.New(diag.Internal, "", fmt.Sprintf("%v", what),
		diag.Advise("report this line: until it is fixed, all gates stay shut"))
}

// Look returns what the plan needs to know about the machine below root ("" for
// the running one): GATE_TIMEOUT in /etc/justnews/*.env and the kernel command
// line. What cannot be read is left out; the gate will report it.
func Look(root string, getenv func(string) string) plan.Machine {
	return plan.Machine{
		EnvTimeouts: envTimeouts(filepath.Join(root, "/etc/justnews")),
		Systemd:     systemdVersion(root),
		GateOff:     kernelcmdline.GateOff(kernelcmdline.Generator(root, getenv)),
	}
}

// systemdVersion takes the version from the name of systemd's own library,
// since a generator cannot query systemd. With several libraries it returns the
// oldest version, with none 0, so that newer settings are left out.
func systemdVersion(root string) int {
	version := 0
	for _, dir := range [...]string{"/usr/lib/systemd", "/usr/lib/*/systemd", "/usr/lib64/systemd"} {
		names, _ := filepath.Glob(root + dir + "/libsystemd-shared-*.so")
		for _, name := range names {
			digits := strings.TrimPrefix(filepath.Base(name), "libsystemd-shared-")
			digits = digits[:len(digits)-len(strings.TrimLeft(digits, "0123456789"))]
			if n, err := strconv.Atoi(digits); err == nil && (version == 0 || n < version) {
				version = n
			}
		}
	}
	return version
}

func envTimeouts(dir string) map[string]time.Duration {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	timeouts := map[string]time.Duration{}
	for _, e := range entries {
		name, isEnv := strings.CutSuffix(e.Name(), ".env")
		if !isEnv {
			continue
		}
		vars, err := envfile.Read(filepath.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		if d, err := timespan.Seconds(vars["GATE_TIMEOUT"]); err == nil {
			timeouts[name] = d
		}
	}
	return timeouts
}
