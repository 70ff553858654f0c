// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"os/exec"
	"strings"
	"testing"

	"justnews/internal/cli"
	"justnews/internal/diag"
)

func TestCompletion_HasEveryCommandFlagAndCode(t *testing.T) {
	model := cli.Model()
	var words []string
	for _, leaf := range model.Leaves(true) {
		words = append(words, leaf.Name)
		for _, f := range leaf.Flags {
			words = append(words, f.Name)
		}
	}
	for _, code := range diag.Codes() {
		words = append(words, string(code))
	}
	if len(words) < 60 {
		t.Fatalf("only %d words to look for", len(words))
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script, err := cli.Completion(shell)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if !strings.Contains(script, word) {
				t.Errorf("%s: the script has no %s", shell, word)
			}
		}
		if _, err := exec.LookPath(shell); err != nil {
			continue // internal/completion skips by name
		}
		cmd := exec.CommandContext(t.Context(), shell, "-n")
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s -n: %v\n%s", shell, err, out)
		}
	}
}
