// SPDX-License-Identifier: Apache-2.0

package nvml

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"justnews/internal/facts"
	"justnews/internal/probe/gpu"
	"justnews/test/bed"
)

// TestNVIDIALibrary_WithoutADriver runs the helper with libnvidia-ml1 from Debian's non-free,
// which is fetched but not installed.
func TestNVIDIALibrary_WithoutADriver(t *testing.T) {
	p := gpu.Prober{Helper: helper(t), Limit: time.Minute, Env: []string{"LD_LIBRARY_PATH=" + debianLibrary(t)}}
	if _, err := os.Stat("/proc/driver/nvidia/version"); err == nil {
		t.Skip("there is a driver: Debian's library does not match it")
	}
	// As root, NVIDIA's library creates the device node even without a driver, as nvidia-smi
	// does. The host's previous state is restored.
	const node = "/dev/nvidiactl"
	if _, err := os.Lstat(node); errors.Is(err, fs.ErrNotExist) {
		t.Cleanup(func() { _ = os.Remove(node) })
	}
	look := p.Look(t.Context())
	if look.Kind != facts.DriverNotLoaded || look.NVML.LibraryVersion == "" {
		t.Errorf("%+v, %+v", look, look.NVML)
	}
	if look.Module != "" || look.Control.State == facts.NodeOpens || look.UVM.State != facts.NodeMissing {
		t.Errorf("without a driver: %+v", look)
	}
	t.Logf("libnvidia-ml1 says %s, library %s", look.NVML.Outcome, look.NVML.LibraryVersion)
}

// debianLibrary fetches the package with apt into directories of the test's
// own, and returns where the library is.
func debianLibrary(t *testing.T) string {
	t.Helper()
	need(t, "apt-get", "dpkg-deb")
	mirror, suite := bed.Mirror(t.Context()), codename()
	if mirror == "" || suite == "" {
		t.Skip("no Debian mirror is known, so NVIDIA's library cannot be fetched")
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("parts/n.sources", fmt.Sprintf("Types: deb\nURIs: %s\nSuites: %s\nComponents: non-free\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n", mirror, suite))
	write("lists/partial/x", "")
	write("cache/archives/partial/x", "")
	write("apt.conf", strings.ReplaceAll(`Dir::Etc::sourcelist "/dev/null"; Dir::Etc::sourceparts "DIR/parts"; Dir::State::lists "DIR/lists"; Dir::Cache "DIR/cache"; APT::Sandbox::User "root";`, "DIR", dir))
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", "apt-get update; apt-get download libnvidia-ml1; dpkg-deb -x libnvidia-ml1_*.deb root")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(dir, "apt.conf"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("NVIDIA's library cannot be fetched from non-free: %v: %s", err, lastLine(string(out)))
	}
	found, err := filepath.Glob(filepath.Join(dir, "root/usr/lib/*/nvidia/current/libnvidia-ml.so.1"))
	if err != nil || len(found) != 1 {
		t.Fatalf("libnvidia-ml1 has the library at %q, %v", found, err)
	}
	return filepath.Dir(found[0])
}

func codename() string {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil || !strings.Contains(string(text), "\nID=debian\n") {
		return ""
	}
	_, after, _ := strings.Cut(string(text), "\nVERSION_CODENAME=")
	name, _, _ := strings.Cut(after, "\n")
	return name
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
