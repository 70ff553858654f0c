// SPDX-License-Identifier: Apache-2.0

// Package measure is shared by the benchmark programs: samples of durations, a table, and a
// description of the machine. It asserts nothing: a time on a shared machine is a figure, not
// a test.
package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"justnews/internal/cli"
)

// Sample is the durations of repeated runs.
type Sample []time.Duration

// Quantile returns the value below which a share of the sample lies: 0 is the
// least, 0.5 the median, 1 the greatest. It is 0 for an empty sample.
func (s Sample) Quantile(share float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[int(share*float64(len(s)-1)+0.5)]
}

// Median is Quantile(0.5).
func (s Sample) Median() time.Duration { return s.Quantile(0.5) }

// Ratio is the median of s over the median of a peer of the same run.
func (s Sample) Ratio(peer Sample) float64 {
	return s.Median().Seconds() / peer.Median().Seconds()
}

// Millis prints a duration in milliseconds.
func Millis(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()*1000) }

// Table aligns rows of cells.
type Table struct{ w *tabwriter.Writer }

// NewTable begins a table on w with its header.
func NewTable(w io.Writer, header ...any) *Table {
	t := &Table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.Row(header...)
	return t
}

// Row adds a line.
func (t *Table) Row(cells ...any) {
	for _, c := range cells {
		fmt.Fprint(t.w, c, "\t")
	}
	fmt.Fprintln(t.w)
}

// End prints the table and an empty line.
func (t *Table) End() {
	fmt.Fprintln(t.w)
	_ = t.w.Flush()
}

// Aim prints a figure and its upper limit.
func Aim(w io.Writer, what string, got, most float64, unit string) {
	word := "met"
	if got > most {
		word = "missed"
	}
	fmt.Fprintf(w, "aim: %s: %.2f%s, at most %.2f: %s\n", what, got, unit, most, word)
}

// Machine prints the facts that are needed to interpret the figures.
func Machine(w io.Writer) {
	var u unix.Utsname
	release := "unknown"
	if unix.Uname(&u) == nil {
		release = unix.ByteSliceToString(u.Release[:])
	}
	release, _, _ = strings.Cut(release, "-")
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Fprintf(w, "%d CPUs, %s, kernel %s, %s, load before %.14s\n\n", runtime.NumCPU(), distribution(), release, runtime.Version(), load)
}

func distribution() string {
	text, _ := os.ReadFile("/etc/os-release")
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(name, "\"\n")
		}
	}
	return runtime.GOOS
}

// Build builds a program as for the packages and returns its path. The file is a copy: one
// written by the linker in small pieces also has its page cache in small pieces, and starts up
// to 1.3 ms slower than an installed one.
func Build(ctx context.Context, out, what string) (string, error) {
	linked := out + ".linked"
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", linked, what)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build %s: %w\n%s", what, err, said)
	}
	return out, errors.Join(Copy(out, linked), os.Remove(linked))
}

// Copy installs a program at another path.
func Copy(to, from string) error {
	program, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, program, 0o755)
}

// Hello builds a Go program in dir that only prints a word, and returns its path.
func Hello(ctx context.Context, dir string) (string, error) {
	source := filepath.Join(dir, "hello.go")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n"), 0o600); err != nil {
		return "", err
	}
	return Build(ctx, filepath.Join(dir, "hello"), source)
}

// Remember creates the directory for root's cached hashes, if no package has, and returns a
// function that removes it.
func Remember() (forget func()) {
	if os.Mkdir(cli.DigestDir, 0o700) != nil {
		return func() {}
	}
	return func() { _ = os.RemoveAll(cli.DigestDir) }
}
