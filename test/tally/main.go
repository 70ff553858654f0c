// SPDX-License-Identifier: Apache-2.0

// Command tally reads the output of "go test -json" and prints a summary: every failure with
// its output, every skipped test with its reason, and the counts. It exits 1 if anything
// failed, or if nothing ran at all.
//
//	go test -json ./... | tally [-log FILE]    one run, as it goes
//	tally -total FILE                          the sum of the runs that FILE logs
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
)

// event is one line of go test -json (go doc test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Elapsed float64 // seconds
	Output  string
}

func main() {
	logName := flag.String("log", "", "append the events to this file")
	total := flag.String("total", "", "sum up this file")
	flag.Parse()
	status, err := run(*logName, *total)
	if err != nil {
		fmt.Fprintf(os.Stderr, "tally: %v\n", err)
		status = 1
	}
	os.Exit(status)
}

func run(logName, total string) (status int, err error) {
	if total != "" {
		f, err := os.Open(total)
		if err != nil {
			return 1, err
		}
		defer func() { _ = f.Close() }()
		return sum(f, os.Stdout)
	}
	log := io.Discard
	if logName != "" {
		f, err := os.OpenFile(logName, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return 1, err
		}
		defer func() { _ = f.Close() }()
		log = f
	}
	return follow(os.Stdin, os.Stdout, log)
}

// follow prints failures as they occur, and each package as it ends.
func follow(in io.Reader, out, log io.Writer) (status int, err error) {
	t := newTally()
	err = each(in, func(line []byte, e *event) {
		fmt.Fprintf(log, "%s\n", line)
		if e == nil {
			fmt.Fprintf(out, "%s\n", line) // go's own words: nothing was built
			return
		}
		t.add(*e)
		t.say(*e, out)
		t.forget(*e)
	})
	return t.status(), err
}

// sum prints the skipped and failed tests and the counts.
func sum(in io.Reader, out io.Writer) (status int, err error) {
	t := newTally()
	err = each(in, func(_ []byte, e *event) {
		if e != nil {
			t.add(*e)
			t.forget(*e)
		}
	})
	t.sum(out)
	return t.status(), err
}

// each calls f with every line, and with its event where it is one.
func each(in io.Reader, f func(line []byte, e *event)) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if n := len(line); n > 0 {
			if line[n-1] == '\n' {
				line = line[:n-1]
			}
			var e event
			if json.Unmarshal(line, &e) == nil && e.Action != "" {
				f(line, &e)
			} else {
				f(line, nil)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
