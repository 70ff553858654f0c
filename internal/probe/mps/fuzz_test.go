// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"bufio"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"justnews/internal/facts"
)

// percentage is how a control daemon answers get_default_active_thread_percentage.
var percentage = regexp.MustCompile(`^0*(100(\.\d*)?|\d{0,2}(\.\d*)?)$`)

// plain is a regular answer.
var plain = regexp.MustCompile(`^(\d+\n)*(100|[1-9]\d?)\.0\n$`)

// FuzzRead reads what a console may print. The second judge knows of an answer only
// that the program succeeded, said nothing of an error, and that a number from 0 to 100
// is its last line.
func FuzzRead(f *testing.F) {
	for _, out := range []string{
		"100.0\n", "", "1234\n5678\n100.0\n", "10.0\n", "0.0\n", "101\n", "NaN\n", "0x64\n", "1e2\n", "+100\n", "100.0\r\n",
		"Server 1234 not found\n100.0\n",
		"4G\n100.0\n",
		"PID             ID    SERVER   DEVICE  NAMESPACE    COMMAND\n1235  0  1234  GPU-1  4026531836  python\n100.0\n",
	} {
		f.Add(out, "", 0)
		f.Add(out, "", 1)
	}
	f.Add("", "Cannot find MPS control daemon process\n", 1)
	f.Add("", "Cannot send command: Broken pipe\n", 1)
	f.Add("Not enough privilege\n100.0\n", "", 0)
	f.Fuzz(func(t *testing.T, out, errs string, status int) {
		var failed error
		if status != 0 {
			failed = errors.New("exit status")
		}
		a := read(out, errs, status, failed)
		if status == 0 && errs == "" && plain.MatchString(out) && a.Kind != facts.MPSAnswered {
			t.Fatalf("%+v of %q", a, out)
		}
		if a.Kind != facts.MPSAnswered {
			if len(a.Lines) > 0 || a.Percentage != 0 {
				t.Fatalf("%+v is no answer and has one", a)
			}
			return
		}
		lines := linesOf(out)
		if status != 0 || len(lines) == 0 || !percentage.MatchString(strings.TrimSpace(lines[len(lines)-1])) || a.Percentage <= 0 || a.Percentage > 100 {
			t.Fatalf("%+v of %q", a, out)
		}
		if !slices.Equal(a.Lines, lines[:len(lines)-1]) {
			t.Fatalf("the lines %q of %q", a.Lines, out)
		}
		for _, word := range []string{"Cannot find MPS control daemon process", "Cannot send command", "Not enough privilege"} {
			if strings.Contains(errs, word) {
				t.Fatalf("an answer in spite of %q", errs)
			}
		}
	})
}

// linesOf are the lines of a text that are not empty.
func linesOf(text string) []string {
	var lines []string
	s := bufio.NewScanner(strings.NewReader(strings.ReplaceAll(text, "\r", "\n")))
	s.Buffer(nil, 1<<30)
	for s.Scan() {
		if s.Text() != "" {
			lines = append(lines, s.Text())
		}
	}
	return lines
}
