// SPDX-License-Identifier: Apache-2.0

package kernelcmdline

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestCommandLine_OnlyExactSwitchOpensGates(t *testing.T) {
	for line, want := range map[string]bool{
		"":                                      false,
		"root=/dev/vda1 ro quiet":               false,
		"justnews.gate=off":                     true,
		"ro justnews.gate=off quiet\n":          true,
		`"justnews.gate=off"`:                   true,
		`justnews.gate="off"`:                   true,
		"justnews.gate=on justnews.gate=off":    true,
		"justnews.gate=off justnews.gate=on":    false,
		"justnews.gate=off justnews.gate":       true, // no value: no setting
		"justnews.gate":                         false,
		"justnews.gate=":                        false,
		"justnews.gate=0":                       false,
		"justnews.gate=OFF":                     false,
		"justnews.gate=office":                  false,
		"xjustnews.gate=off":                    false,
		"rd.justnews.gate=off":                  false,
		`x="a justnews.gate=off b"`:             false,
		`x='a justnews.gate=off`:                false,
		`justnews.gate=\off`:                    false,
		"justnews.gate =off":                    false,
		"init=/x -- justnews.gate=off":          true,
		"\tjustnews.gate=off\t":                 true,
		"a=1\x00justnews.gate=off":              false,
		"justnews.gate=off\u00a0":               false,
		"justnews.gate=off;":                    false,
		"systemd.unit=justnews.gate=off":        false,
		"justnews.gate=off justnews.gate=off":   true,
		`justnews.gate=off justnews.gate='o f'`: false,
	} {
		if got := GateOff(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestCommandLine_WordsAreSplitAsSystemdSplitsThem(t *testing.T) {
	for line, want := range map[string][]string{
		"a  b\tc\n":     {"a", "b", "c"},
		`a"b c"d 'e f'`: {"ab cd", "e f"},
		`"" x`:          {"", "x"},
		`a\ b`:          {`a\`, "b"},
		`"a b`:          {"a b"},
		`a"'"b`:         {"a'b"},
	} {
		if got := Words(line); !slices.Equal(got, want) {
			t.Errorf("%q: %q", line, got)
		}
	}
}

func TestCommandLine_DashesAndUnderscoresAreEquivalent(t *testing.T) {
	if v, found := lookup("a_b-c=1", "a-b_c"); !found || v != "1" {
		t.Errorf("%q %v", v, found)
	}
}

// machine is a root directory with both command lines.
func machine(t *testing.T, container bool) string {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{"proc/cmdline": "kernel=1\n", "proc/1/cmdline": "/sbin/init\x00container=1\x00"}
	if container {
		files["run/systemd/container"] = "systemd-nspawn"
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestCommandLine_ReadsWhatSystemdReads(t *testing.T) {
	root := machine(t, false)
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{nil, "kernel=1\n"},
		{map[string]string{"SYSTEMD_VIRTUALIZATION": "vm:kvm"}, "kernel=1\n"},
		{map[string]string{"SYSTEMD_VIRTUALIZATION": "container:docker"}, "/sbin/init container=1"},
		{map[string]string{"SYSTEMD_VIRTUALIZATION": "container:docker", "SYSTEMD_PROC_CMDLINE": "given=1"}, "given=1"},
	} {
		if got := Generator(root, func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%v: %q", c.env, got)
		}
	}
}

func TestCommandLine_EnvironmentOfAServiceIsIgnored(t *testing.T) {
	t.Setenv("SYSTEMD_PROC_CMDLINE", "justnews.gate=off")
	t.Setenv("SYSTEMD_VIRTUALIZATION", "container:docker")
	if got := Service(machine(t, false)); got != "kernel=1\n" {
		t.Errorf("%q", got)
	}
	if got := Service(machine(t, true)); got != "/sbin/init container=1" {
		t.Errorf("in a container: %q", got)
	}
}

func TestCommandLine_MissingCommandLineKeepsGatesShut(t *testing.T) {
	if GateOff(Service(t.TempDir())) || GateOff(Generator(t.TempDir(), func(string) string { return "" })) {
		t.Error("open")
	}
}

func TestCommandLine_QuotedArgumentIsNotSplit(t *testing.T) {
	for arguments, want := range map[string]bool{
		"/sbin/init\x00justnews.gate=off\x00":             true,
		"/sbin/init\x00x justnews.gate=off\x00":           false,
		"/sbin/init\x00x\" justnews.gate=off \"\x00y\x00": false,
		"": false,
	} {
		if got := GateOff(join([]byte(arguments))); got != want {
			t.Errorf("%q: %v (%q)", arguments, got, join([]byte(arguments)))
		}
	}
}
