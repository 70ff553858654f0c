// SPDX-License-Identifier: Apache-2.0

package emit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/config"
	"justnews/internal/emit"
	"justnews/internal/lists"
	"justnews/internal/plan"
	"justnews/internal/unitname"
)

const units = "../../units"

func TestSystemd_PackagedBaseIsTheGeneratorsDefault(t *testing.T) {
	files, _ := emit.Render(&plan.Plan{Base: plan.Build(&config.Config{Gate: config.Gate{Timeout: plan.DefaultGateTimeout}}, plan.Machine{}).Base})
	packaged, err := os.ReadFile(filepath.Join(units, plan.BaseDir, plan.BaseName))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(uncommented(string(packaged)), uncommented(string(files[0].Text))); diff != "" {
		t.Errorf("-packaged +generated\n%s", diff)
	}
}

func uncommented(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool {
		return line == "" || strings.HasPrefix(line, "#")
	})
}

func TestSystemd_VerifyAcceptsEveryTree(t *testing.T) {
	tool(t, "systemd-analyze")
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			tree := copyUnits(t, filepath.Join("testdata", name, "expected"))
			names := []string{unitname.Target, unitname.Preload, "justnews@unlisted.service"}
			for _, dir := range dirs(t, tree) {
				if strings.HasPrefix(dir, "justnews@") && dir != plan.BaseDir {
					names = append(names, strings.TrimSuffix(dir, ".d"))
				}
			}
			cmd := exec.Command("systemd-analyze", append([]string{"--man=no", "verify"}, names...)...)
			cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+tree+":")
			said, _ := cmd.CombinedOutput() // 1 where a command is not installed here
			for line := range strings.Lines(string(said)) {
				if strings.Contains(line, "justnews") && !strings.Contains(line, "is not executable: No such file") {
					t.Error(strings.TrimSpace(line))
				}
			}
		})
	}
}

func TestSystemd_VerifyFindsABrokenDropIn(t *testing.T) {
	tool(t, "systemd-analyze")
	tree := copyUnits(t, filepath.Join("testdata", "02-one", "expected"))
	dropIn := filepath.Join(tree, "justnews@scout.service.d", "60-justnews-instance.conf")
	if err := os.WriteFile(dropIn, []byte("[Service]\nUser=%\nNoSuchKey=1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("systemd-analyze", "--man=no", "verify", "justnews@scout.service")
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+tree+":")
	if said, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(said), "NoSuchKey") {
		t.Errorf("systemd-analyze said %q, %v", said, err)
	}
}

func TestSystemd_UnitsAreHardened(t *testing.T) {
	tool(t, "systemd-analyze")
	for _, unit := range []string{"justnews@.service", "justnews-preload.service"} {
		cmd := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", filepath.Join(units, unit))
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: exposure above 2.0: %v\n%s", unit, err, said)
		}
	}
}

// sandboxOfAll is what every service has, and sandboxOf what one has besides. The exposure that
// systemd-analyze calculates is the same without most single lines of them.
var sandboxOfAll = []string{
	"AmbientCapabilities=", "CapabilityBoundingSet=", "DevicePolicy=closed", "KeyringMode=private", "LockPersonality=yes",
	"NoNewPrivileges=yes", "PrivateMounts=yes", "PrivateTmp=yes", "ProtectClock=yes", "ProtectControlGroups=yes", "ProtectHome=yes",
	"ProtectHostname=yes", "ProtectKernelLogs=yes", "ProtectKernelModules=yes", "ProtectKernelTunables=yes", "ProtectProc=invisible",
	"ProtectSystem=strict", "RestrictNamespaces=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes", "SystemCallArchitectures=native",
	"SystemCallErrorNumber=EPERM", "SystemCallFilter=@system-service",
}

var (
	alone = []string{ // without network and devices
		"IPAddressDeny=any", "MemoryDenyWriteExecute=yes", "MemoryMax=128M", "PrivateDevices=yes", "PrivateIPC=yes", "PrivateNetwork=yes",
		"RemoveIPC=yes", "RestrictAddressFamilies=AF_UNIX", "SystemCallFilter=~@privileged @resources", "TasksMax=64", "UMask=0077",
	}
	agents = []string{
		"Group=justnews", "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK", "SystemCallFilter=~@privileged",
		"SupplementaryGroups=justnews", "UMask=0027", "User=justnews",
	}
	withGPU   = append([]string{"DeviceAllow=char-nvidia* rw"}, agents...)
	sandboxOf = map[string][]string{
		"justnews@.service":          withGPU,
		"justnews-preflight.service": withGPU,
		"justnews-watch.service":     append([]string{"TasksMax=64"}, withGPU...),
		"justnews-preload.service":   append([]string{"MemoryDenyWriteExecute=yes", "PrivateDevices=yes"}, agents...),
		"justnews-renew.service":     append([]string{"Group=justnews", "User=root"}, alone...),
		"justnews-mps-start.service": append([]string{"PrivateUsers=yes", "ProcSubset=pid", "User=root"}, alone...),
		"justnews-mps.service": {
			"DeviceAllow=char-nvidia* rw", "Group=justnews", "IPAddressDeny=any", "RestrictAddressFamilies=AF_UNIX AF_NETLINK",
			"SupplementaryGroups=justnews", "SystemCallFilter=~@privileged", "UMask=0027", "User=justnews",
		},
	}
)

func TestUnits_HaveEveryLineOfTheirSandbox(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(units, "*.service"))
	if err != nil || len(files) != len(sandboxOf) {
		t.Fatalf("%q, %v: want the %d units of the table", files, err, len(sandboxOf))
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Concat(sandboxOfAll, sandboxOf[filepath.Base(file)])
		keys := lists.Map(want, func(line string) string { return line[:strings.IndexByte(line, '=')+1] })
		have := slices.DeleteFunc(strings.Split(string(text), "\n"), func(line string) bool {
			return !slices.Contains(keys, line[:strings.IndexByte(line, '=')+1])
		})
		slices.Sort(want)
		slices.Sort(have)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s: -want +have\n%s", filepath.Base(file), diff)
		}
	}
}

// TestSystemd_ReadsHostileStringsUnchanged asks PID 1's own program, which
// with --test reads every unit and prints what it understood.
func TestSystemd_ReadsHostileStringsUnchanged(t *testing.T) {
	const systemd = "/lib/systemd/systemd"
	tool(t, systemd)
	if os.Getuid() != 0 {
		t.Skip("systemd --test refuses to run as root, and only root can run it as another user")
	}
	root := copyTree(t, filepath.Join("testdata", "09-hostile", "root"))
	cfg, problems := config.Load(config.Source{Root: root})
	if cfg == nil {
		t.Fatal(problems)
	}
	tree := copyUnits(t, filepath.Join("testdata", "09-hostile", "expected"))
	cmd := exec.Command(systemd, "--test", "--system", "--no-pager", "--unit=justnews@scout.service")
	cmd.Env = []string{"SYSTEMD_UNIT_PATH=" + tree + ":", "XDG_RUNTIME_DIR=" + tree, "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Skipf("systemd --test does not run here: %v", err)
	}
	_, dump, found := strings.Cut(string(said), "-> Unit justnews@scout.service:")
	if !found {
		t.Fatalf("the unit is not in systemd's dump:\n%s", said)
	}
	dump, _, _ = strings.Cut(dump, "-> Unit ")
	for _, d := range plan.Build(cfg, plan.Machine{}).DropIns {
		if d.Dir == "justnews@scout.service.d" {
			understood(t, dump, d)
		}
	}
}

func understood(t *testing.T, dump string, d plan.DropIn) {
	t.Helper()
	for _, section := range d.Sections {
		for _, l := range section.Lines {
			want := strings.Join(l.Args(), "")
			switch l.Key() {
			case "Environment", "WorkingDirectory":
				if !strings.Contains(dump, "\t"+l.Key()+": "+want+"\n") {
					t.Errorf("%s=%q is not in systemd's dump", l.Key(), want)
				}
			case "ReadWritePaths", "ReadOnlyPaths": // one line for the whole list
				if !strings.Contains(dump, " "+want) {
					t.Errorf("%s=%q is not in systemd's dump", l.Key(), want)
				}
			case "ExecStart":
				if len(l.Args()) > 1 {
					understoodCommand(t, dump, l.Args())
				}
			}
		}
	}
}

var commandLine = regexp.MustCompile(`Command Line: (.*agent.*\.sh.*)\n`)

// understoodCommand compares words. systemd prints them quoted for a shell; it
// would double nothing, so a dollar sign is still doubled in there.
func understoodCommand(t *testing.T, dump string, want []string) {
	t.Helper()
	m := commandLine.FindStringSubmatch(dump)
	if m == nil {
		t.Fatal("no command line in systemd's dump")
	}
	got := strings.Join(shellWords(t, m[1]), "\x00")
	doubled := strings.ReplaceAll(strings.Join(want, "\x00"), "$", "$$")
	if got != doubled {
		t.Errorf("systemd understood\n%q, want\n%q", got, doubled)
	}
}

var word = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[^ ]+`)

func shellWords(t *testing.T, line string) []string {
	t.Helper()
	var out []string
	for _, w := range word.FindAllString(line, -1) {
		if strings.HasPrefix(w, `"`) {
			w = strings.NewReplacer("\\`", "`", `\$`, "$").Replace(w)
			unquoted, err := strconv.Unquote(w)
			if err != nil {
				t.Fatalf("cannot unquote %s: %v", w, err)
			}
			w = unquoted
		}
		out = append(out, w)
	}
	return out
}

// copyUnits lays the drop-ins over the static units, as a running system has
// them, where systemd's other user can read them.
func copyUnits(t *testing.T, expected string) string {
	t.Helper()
	tree, err := os.MkdirTemp("", "justnews-units-") //nolint:usetesting // no other user can enter TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(tree) })
	if err := os.Chmod(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	files := readTree(t, units)
	for name, text := range readTree(t, expected) {
		files[name] = text // the generator's base masks the packaged one
	}
	replaceTree(t, filepath.Join(tree, "units"), files)
	return filepath.Join(tree, "units")
}

func dirs(t *testing.T, tree string) []string {
	t.Helper()
	entries, err := os.ReadDir(tree)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

func tool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
}
