// SPDX-License-Identifier: Apache-2.0

package environ

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"justnews/internal/facts"
)

// tree writes environment files below a new root.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func only(t *testing.T, text string) facts.EnvFile {
	t.Helper()
	files := Files(tree(t, map[string]string{"global.env": text}))
	if len(files) != 1 || files[0].Path != "/etc/justnews/global.env" {
		t.Fatalf("%+v", files)
	}
	return files[0]
}

func last(vars []facts.EnvVar) map[string]string {
	all := map[string]string{}
	for _, v := range vars {
		all[v.Name] = v.Value
	}
	return all
}

// assignments are texts of which both a shell and this package can say what they
// set.
var assignments = []string{
	"A=1\n", "A='x y'\n", `A="x\ty"` + "\n", `A=x\ y` + "\n", "A=1 # no\n", "A=x#y\n", "export A=1\n",
	"B=2\nA=${B}3\n", "A=${NOPE:-four}\n", "A=$NOPE\n", `A="a b"c` + "\n", "A=\n", "A=1\nA=2\n", "A+=x\nA+=y\n",
	`A='it'"'"'s'` + "\n", "A=1;B=2\n", "A={a,b}\n", "A=*\n", "B='x  y'\nA=$B\n", "A=\"\"\n", "A='a'b\"c\"\\$\n", "# c\n\nA=1\n",
	"A=1\r\n", "# c\r\n\r\nA=x y\r\nA=2\r\n", "A='x'\r\n", "A=\"x\"\r\n", "export A=1\r\n", "\ufeffA=1\nA=2\n", "A=1\t\n", "\tA=1\n", "A=x\\\ny\n",
}

func TestEnvFile_ShellReadingMatchesBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash to ask")
	}
	for _, text := range assignments {
		root := tree(t, map[string]string{"global.env": text})
		cmd := exec.CommandContext(t.Context(), bash, "--norc", "-c", `set -a; . "$1"; printf %s "$A"`, "bash", filepath.Join(root, Dir, "global.env"))
		cmd.Env = []string{"PATH=/usr/bin:/bin"}
		want, err := cmd.Output()
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got := last(Files(root)[0].Shell)["A"]; got != string(want) {
			t.Errorf("%q: read %q, bash says %q", text, got, want)
		}
	}
}

func TestEnvFile_CommandsForAShellAreReportedByLine(t *testing.T) {
	for text, want := range map[string][]int{
		"A=1\nA=x y\n":                           {2},
		"hello\n":                                {1},
		"A = b\n":                                {1},
		"URL=postgres://u:p@h/d?a=1&b=2\n":       {1},
		"A=x>y\n":                                {1},
		"\nif true; then A=1; fi\n":              {2},
		"export A\nA=1\ndeclare -x B=2\nA=b=c\n": nil,
	} {
		f := only(t, text)
		if got := f.Commands; len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
			t.Errorf("%q: lines %v, want %v (%s)", text, got, want, f.ShellError)
		}
	}
}

func TestEnvFile_ShellSyntaxIsReported(t *testing.T) {
	for text, want := range map[string]string{
		"A=${B:-x}\n": "expands ${B…}", "A=$B\n": "expands $B", "A=$(id)\n": "runs a command for its output",
		"A=`id`\n": "runs a command for its output", "A=$((1+1))\n": "computes", "A=~/x\n": "expands ~",
		"A=(1 2)\n": "reads an array", "A+=1\n": "appends (+=)", "A='$B'\n": "", "A=1\n": "",
		"A=1\r\n": "keeps the carriage return at the end of the line (the file has Windows line endings: dos2unix)",
	} {
		f := only(t, text)
		if len(f.Shell) != 1 || f.Shell[0].Why != want {
			t.Errorf("%q: %+v, want %q", text, f.Shell, want)
		}
	}
}

func TestEnvFile_ByteOrderMarkIsReported(t *testing.T) {
	if !only(t, "\ufeffA=1\n").Mark || only(t, "A=\ufeff\n").Mark {
		t.Error("only a file that begins with a byte order mark has one")
	}
}

func TestEnvFile_GlobalVariablesExpandInOtherFiles(t *testing.T) {
	files := Files(tree(t, map[string]string{"global.env": "B=2\n", "analyst.env": "A=${B}\n", "scout.env": "A=${B}\nB=3\n"}))
	if len(files) != 3 || files[0].Path != "/etc/justnews/global.env" {
		t.Fatalf("%+v", files)
	}
	for _, f := range files[1:] {
		if got := last(f.Shell)["A"]; got != "2" {
			t.Errorf("%s: %q", f.Path, got)
		}
	}
}

func TestEnvFile_UnreadableFileHasAReason(t *testing.T) {
	if f := only(t, "A=\x00\n"); !strings.Contains(f.Lost, "NUL") {
		t.Errorf("%+v", f)
	}
	if f := only(t, "A=\xff\n"); !strings.Contains(f.Lost, "UTF-8") {
		t.Errorf("%+v", f)
	}
	if f := only(t, "A='x\nB=1\n"); f.Open != 1 || f.ShellError == "" {
		t.Errorf("%+v", f)
	}
	if f := only(t, "x\nA=1\ny"); len(f.Bare) != 2 || f.Bare[0] != 1 || f.Bare[1] != 3 {
		t.Errorf("%+v", f)
	}
	root := tree(t, nil)
	if err := os.MkdirAll(filepath.Join(root, Dir, "global.env"), 0o755); err != nil {
		t.Fatal(err)
	}
	if f := Files(root)[0]; !strings.Contains(f.Err, "not a regular file") {
		t.Errorf("%+v", f)
	}
}

func TestEnvFile_DeepNestingIsHarmless(t *testing.T) {
	for _, piece := range []string{"$(", "(", "{ ", "${A:-", "$((", "<(", "\"$(", "[[ ! ", "if "} {
		text := "A=" + strings.Repeat(piece, maxShell/len(piece)-2)
		if f := only(t, text); f.ShellError == "" && len(f.Commands) == 0 {
			t.Errorf("%s...: %+v", piece, f.Shell)
		}
	}
	if f := only(t, "A="+strings.Repeat("x", maxShell)); f.ShellError == "" {
		t.Error("a file beyond the bound was read")
	}
}

func TestEnvFile_FileOfAnotherUserIsAccepted(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	root := tree(t, map[string]string{"global.env": "A=1\n"})
	if err := os.Chmod(filepath.Join(root, Dir, "global.env"), 0); err != nil {
		t.Fatal(err)
	}
	if f := Files(root)[0]; !f.Denied || f.Err != "" {
		t.Errorf("%+v", f)
	}
}
