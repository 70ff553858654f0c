// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"justnews/internal/cli"
	"justnews/internal/diag"
)

// TestReadme_InstallationWorks follows the README's install lines below a directory, and runs
// config check on the result.
func TestReadme_InstallationWorks(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"etc/justnews", "usr/local/bin", "opt/justnews/models/scout"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	done := 0
	for _, line := range shell(t, read(t, "README.md")) {
		words := strings.Fields(line)
		if len(words) == 6 && strings.Join(words[:3], " ") == "sudo install -m" {
			installBelow(t, root, words[3], words[4], words[5])
			done++
		}
	}
	if done != 3 {
		t.Fatalf("the README installs %d files, want 3", done)
	}
	var out, errs bytes.Buffer
	m := cli.Machine{Stdout: &out, Stderr: &errs, Lookup: func(string) (string, bool) { return "", false }}
	status := cli.Run(t.Context(), m, []string{"--root", root, "config", "check"})
	if want := "/etc/justnews/justnews.toml: 17 instances\n"; status != diag.StatusReady || out.String() != want || errs.Len() > 0 {
		t.Errorf("status %d\n%s%s", status, out.String(), errs.String())
	}
}

// installBelow is install(1) of an example, or of the map that a host has.
func installBelow(t *testing.T, root, mode, source, target string) {
	t.Helper()
	file := filepath.Join(root, target)
	if strings.HasSuffix(target, "/") {
		file = filepath.Join(file, path.Base(source))
	}
	text := `{"agents": {"scout": ["org/model"]}}`
	if name, example := strings.CutPrefix(source, diag.Examples); example {
		text = read(t, "packaging/examples/"+name)
	}
	modes := map[string]os.FileMode{"0644": 0o644, "0755": 0o755}
	if err := os.WriteFile(file, []byte(text), modes[mode]); err != nil {
		t.Fatal(err)
	}
}
