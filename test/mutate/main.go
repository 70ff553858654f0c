// SPDX-License-Identifier: Apache-2.0

// Command mutate changes one operator at a time in packages of this module and runs their
// tests: a change that no test detects is a gap. It prints every mutant that survived, and the
// share of those that were found.
//
//	go run ./test/mutate -tests ./internal/plan,./internal/emit ./internal/plan
//
// Equivalent mutants, which no test can find, are listed with the reason in equivalent.txt.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// equivalents is read from the root of the module.
const equivalents = "test/mutate/equivalent.txt"

func main() {
	tests := flag.String("tests", "", "packages whose tests are run, separated by commas; \"\": those that are mutated")
	workers := flag.Int("workers", 2, "how many mutants are tried at a time")
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	run := flag.Args()
	if *tests != "" {
		run = strings.Split(*tests, ",")
	}
	survived, err := mutate(flag.Args(), run, *workers)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if survived {
		os.Exit(1)
	}
}

func mutate(packages, tests []string, workers int) (survived bool, err error) {
	root, err := os.Getwd()
	if err != nil {
		return false, err
	}
	work, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(work) }()
	mutants, binaries, err := build(root, work, packages, tests)
	if err != nil {
		return false, err
	}
	known, err := explained(filepath.Join(root, equivalents))
	if err != nil {
		return false, err
	}
	ran := filepath.Join(work, "ran")
	began := time.Now()
	if !binaries.pass(context.Background(), 0, ran) {
		return false, errors.New("the tests fail without a mutant")
	}
	t := &trial{binaries: binaries, limit: 10*time.Since(began) + 10*time.Second, ran: numbers(ran)}
	var wait sync.WaitGroup
	next := make(chan mutant)
	for range workers {
		wait.Go(func() {
			for m := range next {
				t.try(m)
			}
		})
	}
	for _, m := range mutants {
		if known[m.key()] == "" {
			next <- m
		}
	}
	close(next)
	wait.Wait()
	fmt.Printf("%s: %d mutants: %d found, %d survived, %d in code that no test runs, %d that change nothing; %.1f %% found\n",
		strings.Join(packages, " "), len(mutants), t.killed, t.lived, t.unrun, len(mutants)-t.killed-t.lived-t.unrun,
		100*float64(t.killed)/float64(max(1, t.killed+t.lived+t.unrun)))
	return t.lived+t.unrun > 0, nil
}

// key names a mutant without its line.
func (m mutant) key() string { return m.File + " " + m.Func + ": " + m.From + " -> " + m.To }

// explained reads the equivalent mutants: FILE FUNCTION: CHANGE # REASON.
func explained(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	for line := range strings.Lines(string(text)) {
		key, reason, found := strings.Cut(strings.TrimSpace(line), " # ")
		if found && !strings.HasPrefix(line, "#") {
			known[key] = reason
		}
	}
	return known, nil
}

// trial is the work on all mutants.
type trial struct {
	binaries binaries
	limit    time.Duration // for one
	ran      map[int]bool

	mu                   sync.Mutex
	killed, lived, unrun int
}

func (t *trial) try(m mutant) {
	lives := false
	if t.ran[m.ID] {
		ctx, cancel := context.WithTimeout(context.Background(), t.limit)
		lives = t.binaries.pass(ctx, m.ID, "")
		cancel()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.ran[m.ID]:
		t.unrun++
		fmt.Println("not run ", m)
	case lives:
		t.lived++
		fmt.Println("survived", m)
	default:
		t.killed++
	}
}

// binary is the compiled tests of a package.
type binary struct {
	path string
	dir  string // in which they are run
}

// binaries are run in the order in which their packages are named, so the fastest should be
// named first.
type binaries []binary

// pass reports whether all tests pass with a mutant in effect.
func (b binaries) pass(ctx context.Context, id int, ran string) bool {
	for _, one := range b {
		cmd := exec.CommandContext(ctx, one.path, "-test.short", "-test.failfast")
		cmd.Dir, cmd.WaitDelay = one.dir, time.Second
		cmd.Env = append(os.Environ(), "MUTANT="+strconv.Itoa(id), "MUTANTS_RUN="+ran)
		if cmd.Run() != nil {
			return false
		}
	}
	return true
}

// build compiles the tests with all mutants. Those that do not compile are omitted:
// comparisons that are not of type bool.
func build(root, work string, packages, tests []string) ([]mutant, binaries, error) {
	skip := map[string]bool{}
	for {
		var mutants []mutant
		replace := map[string]string{}
		for _, dir := range packages {
			files, err := rewriteDir(root, dir, &mutants, skip)
			if err != nil {
				return nil, nil, err
			}
			for path, text := range files {
				made := filepath.Join(work, fmt.Sprintf("%d.go", len(replace)))
				if err := os.WriteFile(made, []byte(text), 0o600); err != nil {
					return nil, nil, err
				}
				replace[path] = made
			}
		}
		overlay := filepath.Join(work, "overlay.json")
		text, err := json.Marshal(map[string]any{"Replace": replace})
		if err == nil {
			err = os.WriteFile(overlay, text, 0o600)
		}
		if err != nil {
			return nil, nil, err
		}
		all, output, err := compile(root, work, overlay, tests)
		if err == nil {
			return mutants, all, nil
		}
		if !leaveOut(output, skip) {
			return nil, nil, fmt.Errorf("cannot compile the mutants: %w\n%s", err, output)
		}
	}
}

func compile(root, work, overlay string, tests []string) (binaries, string, error) {
	var all binaries
	for n, dir := range tests {
		one := binary{path: filepath.Join(work, fmt.Sprintf("%d.test", n)), dir: filepath.Join(root, dir)}
		cmd := exec.Command("go", "test", "-c", "-vet=off", "-gcflags=-e", "-overlay", overlay, "-o", one.path, "./"+filepath.Clean(dir))
		cmd.Dir = root
		if output, err := cmd.CombinedOutput(); err != nil {
			return nil, string(output), err
		}
		all = append(all, one)
	}
	return all, "", nil
}

var complaint = regexp.MustCompile(`(?m)^([\w./-]+\.go):(\d+):`)

// leaveOut records the lines with compiler errors, and reports whether there are new ones.
func leaveOut(output string, skip map[string]bool) bool {
	more := false
	for _, m := range complaint.FindAllStringSubmatch(output, -1) {
		line := filepath.Clean(m[1]) + ":" + m[2]
		more, skip[line] = more || !skip[line], true
	}
	return more
}

func numbers(path string) map[int]bool {
	all := map[int]bool{}
	f, err := os.Open(path)
	if err != nil {
		return all
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if id, err := strconv.Atoi(lines.Text()); err == nil {
			all[id] = true
		}
	}
	return all
}
