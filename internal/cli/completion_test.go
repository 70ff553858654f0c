// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"justnews/internal/cli"
	"justnews/internal/diag"
)

func TestCompletion_HasEveryCommandFlagAndCode(t *testing.T) {
	offered := func(words ...string) []string {
		var out bytes.Buffer
		m := cli.Machine{Stdout: &out, Stderr: new(bytes.Buffer), Lookup: func(string) (string, bool) { return "", false }}
		if s := cli.Run(t.Context(), m, append([]string{"candidates", "--"}, words...)); s == diag.StatusReady {
			t.Errorf("%v: exit status 0", words)
		}
		var offers []string
		for line := range strings.Lines(out.String()) {
			word, _, _ := strings.Cut(line, "\t")
			offers = append(offers, word)
		}
		return offers
	}
	leaves := cli.Model().Leaves(true)
	for _, leaf := range leaves {
		path := strings.Fields(leaf.FullPath())[1:]
		if !slices.Contains(offered(slices.Concat(path[:len(path)-1], []string{""})...), leaf.Name) {
			t.Errorf("%v is not offered", path)
		}
		flags := offered(append(path, "-")...)
		for _, f := range leaf.Flags {
			if !slices.Contains(flags, "--"+f.Name) {
				t.Errorf("%v: --%s is not offered", path, f.Name)
			}
		}
	}
	codes := offered("explain", "")
	for _, code := range diag.Codes() {
		if !slices.Contains(codes, string(code)) {
			t.Errorf("%s is not offered", code)
		}
	}
	if len(leaves) < 20 || len(codes) < 60 {
		t.Errorf("%d commands and %d codes", len(leaves), len(codes))
	}
}
