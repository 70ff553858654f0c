// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestLoad_HugeFilesAreRejectedBeforeTheGeneratorsDeadline fills the size limit
// with what has been expensive for TOML decoders or for us. The generator gives
// up after 5 s; it needs 0.1 to 1.5 s, most of it in the decoder. The limit is on processor
// time, which does not depend on the machine's load.
func TestLoad_HugeFilesAreRejectedBeforeTheGeneratorsDeadline(t *testing.T) {
	if testing.Short() {
		t.Skip("reads megabytes")
	}
	fill := func(line func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < maxFile-200; i++ {
			b.WriteString(line(i))
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"unknown keys":      fill(func(i int) string { return fmt.Sprintf("k%d=1\n", i) }),
		"dotted keys":       fill(func(i int) string { return fmt.Sprintf("a%d.%sz=1\n", i, strings.Repeat("b.", testParts)) }),
		"syntax errors":     fill(func(int) string { return "x = \n\n" }),
		"zero bytes":        strings.Repeat("\x00", maxFile),
		"open brackets":     "a = " + strings.Repeat("[", maxFile-10),
		"a ring of units":   fill(func(i int) string { return fmt.Sprintf("[instances.a%d]\nafter=[\"a%d\"]\n", i, i+1) }),
		"one self cycle":    fill(func(i int) string { return fmt.Sprintf("[instances.a%d]\nafter=[\"a%d\"]\n", i, i) }),
		"escapes":           "a = \"" + strings.Repeat(`\u0000`, maxFile/6-10) + "\"",
		"a long array":      "[service]\nread_only_paths = [" + strings.Repeat("1,", maxFile/2-100) + "]",
		"unknown instances": fill(func(i int) string { return fmt.Sprintf("[instances.a%d]\nafter=[\"b%d\"]\n", i, i) }),
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			before := processorTime(t)
			if s := loadText(text); s.config != nil {
				t.Error("this is no sound configuration")
			}
			if took := processorTime(t) - before; took > 5*time.Second {
				t.Errorf("took %v", took)
			} else {
				t.Logf("took %v", took)
			}
		})
	}
}

// testParts keeps the dotted keys within what tomlpos lets through.
const testParts = 6

// processorTime is what this process has used so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
