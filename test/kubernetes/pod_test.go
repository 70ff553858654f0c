// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
)

// insideVariable says where the programs are, to the run in the namespaces.
const insideVariable = "JUSTNEWS_POD_BIN"

// TestPod_GateRunsInAPod runs itself again in a network and mount namespace of
// its own: there the ports of the example are free, and a pod's mounts are
// nobody else's.
func TestPod_GateRunsInAPod(t *testing.T) {
	if bin := os.Getenv(insideVariable); bin != "" {
		insideAPod(t, bin)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root: namespaces, chroot and another user")
	}
	if err := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "true").Run(); err != nil {
		t.Skipf("needs unshare, and leave to make namespaces: %v", err)
	}
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin+"/", "./cmd/justnews-gate", "./test/reference/cmd/justnews-reference")
	build.Dir, build.Env = repository, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	inside := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "--", self, "-test.run=^TestPod_GateRunsInAPod$", "-test.v", "-test.timeout=3m")
	inside.Env = append(os.Environ(), insideVariable+"="+bin)
	out, err := inside.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestPod_GateRunsInAPod") {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// pod is a container's file system, with the volumes of the example where it
// mounts them.
type pod struct {
	t    *testing.T
	root string
	spec corev1.PodSpec
	maps manifests
}

func insideAPod(t *testing.T, bin string) {
	loopback(t)
	p := newPod(t, bin)
	init := p.spec.InitContainers[0]
	probe := p.spec.Containers[0]
	probe.Command, probe.Args = probe.StartupProbe.Exec.Command, nil

	// Nothing is there yet: the budget ends, and says so.
	short := p.run(init, "GATE_TIMEOUT=2")
	short.wants(t, 69, "ORCHESTRATOR-UNREACHABLE")

	orchestrator := p.serve(bin, "orchestrator", "0.0.0.0:8014")
	bus := p.serve(bin, "bus", "0.0.0.0:8000")
	r := p.run(init)
	r.wants(t, 0, "scout may start: ")
	for _, word := range []string{"NO-SYSTEMD", "error:"} {
		if strings.Contains(r.out, word) {
			t.Errorf("%s in\n%s", word, r.out)
		}
	}
	if found, err := filepath.Glob(p.root + "/tmp/cache/justnews/preflight/summary_*.json"); err != nil || len(found) == 0 {
		t.Errorf("the summary was not kept: %v\n%s", err, r.out)
	}

	// The startup probe: no agent, then one that answers.
	p.run(probe).wants(t, 69, "NEED-UNMET")
	agent := p.serve(bin, "bus", "127.0.0.1:8002")
	p.run(probe).wants(t, 0, "scout_started may start: ")
	agent()

	// The bus goes away: its Service has no endpoint.
	bus()
	p.run(init, "GATE_TIMEOUT=3").wants(t, 69, "BUS-UNREACHABLE")
	orchestrator()

	// Models that do not load keep the agent from starting.
	p.serve(bin, "bus", "0.0.0.0:8000")
	broken := p.serve(bin, "orchestrator", "0.0.0.0:8014", "--map", "/nonexistent/map.json")
	p.run(init, "GATE_TIMEOUT=5").shut(t)
	broken()

	// Why --config: the directory of a ConfigMap is for everybody to write, and
	// where the gate searches, it does not accept one.
	if err := os.Symlink("justnews-config", p.root+"/etc/justnews"); err != nil {
		t.Fatal(err)
	}
	init.Args = slices.DeleteFunc(slices.Clone(init.Args), func(a string) bool { return a == "--config" || strings.HasSuffix(a, ".toml") })
	p.run(init).wants(t, 78, "CONFIG-OWNER")
}

// loopback raises lo in a fresh network namespace.
func loopback(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
		t.Fatal(err)
	}
}

func newPod(t *testing.T, bin string) pod {
	t.Helper()
	m := render(t)
	p := pod{t: t, root: t.TempDir(), spec: m.scout(t).Spec.Template.Spec, maps: m}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Chmod(p.root, 0o755))
	for _, dir := range []string{"usr/bin", "etc", "proc", "models", "tmp"} {
		must(os.MkdirAll(filepath.Join(p.root, dir), 0o755))
	}
	gate, err := os.ReadFile(bin + "/justnews-gate")
	must(err)
	must(os.WriteFile(p.root+"/usr/bin/justnews-gate", gate, 0o755))
	// What a cluster's DNS would answer.
	must(os.WriteFile(p.root+"/etc/hosts", []byte("127.0.0.1 localhost gpu-orchestrator mcp-bus\n"), 0o644))
	p.mountConfig("/etc/justnews-config", m.config(t, "justnews-config"))
	must(os.Chmod(p.root+"/tmp", 0o777)) // an emptyDir
	out, err := exec.CommandContext(t.Context(), bin+"/justnews-reference", "store", "make", p.root+"/models").CombinedOutput()
	if err != nil {
		t.Fatalf("cannot make a store: %v\n%s", err, out)
	}
	must(unix.Mount("proc", p.root+"/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""))
	t.Cleanup(func() { _ = unix.Unmount(p.root+"/proc", unix.MNT_DETACH) })
	return p
}

// mountConfig lays a ConfigMap out as the kubelet does (its atomic writer): a
// directory of root that everybody may write, a data directory, and links.
func (p pod) mountConfig(at string, c *corev1.ConfigMap) {
	p.t.Helper()
	dir := filepath.Join(p.root, at)
	const data = "..2026_01_01_00_00_00.1"
	err := errors.Join(os.MkdirAll(filepath.Join(dir, data), 0o755), os.Chmod(dir, 0o777), os.Symlink(data, filepath.Join(dir, "..data")))
	for name, text := range c.Data {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, data, name), []byte(text), 0o644), os.Symlink("..data/"+name, filepath.Join(dir, name)))
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// environment is what the kubelet would give a container.
func (p pod) environment(c corev1.Container) []string {
	p.t.Helper()
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=scout-0", "HOME=/"}
	for _, from := range c.EnvFrom {
		for name, value := range p.maps.configs[from.ConfigMapRef.Name].Data {
			env = append(env, name+"="+value)
		}
	}
	for _, e := range c.Env {
		env = append(env, e.Name+"="+e.Value)
	}
	return env
}

type ended struct {
	out    string
	status int
}

// run runs a container's command as its user, with its arguments and its
// environment; change comes last in that.
func (p pod) run(c corev1.Container, change ...string) ended {
	p.t.Helper()
	user := p.spec.SecurityContext
	cmd := exec.CommandContext(p.t.Context(), c.Command[0], append(slices.Clone(c.Command[1:]), c.Args...)...)
	cmd.Env, cmd.Dir = append(p.environment(c), change...), "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot:     p.root,
		Credential: &syscall.Credential{Uid: uint32(*user.RunAsUser), Gid: uint32(*user.RunAsGroup)},
	}
	out, err := cmd.CombinedOutput()
	r := ended{out: string(out)}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		r.status = exit.ExitCode()
	} else if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (r ended) wants(t *testing.T, status int, said string) {
	t.Helper()
	if r.status != status || !strings.Contains(r.out, said) {
		t.Errorf("exit status %d, want %d and %q:\n%s", r.status, status, said, r.out)
	}
}

// shut fails if the gate opened.
func (r ended) shut(t *testing.T) {
	t.Helper()
	if r.status == 0 {
		t.Errorf("it passed:\n%s", r.out)
	}
}

// serve starts a server of the pod's neighbours and returns when it answers.
func (p pod) serve(bin, role, address string, args ...string) (stop func()) {
	p.t.Helper()
	if role == "orchestrator" {
		args = append([]string{"--root", p.root + "/models", "--bus-url", ""}, args...)
	}
	cmd := exec.CommandContext(p.t.Context(), bin+"/justnews-reference", append([]string{role, "--address", address}, args...)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	p.t.Cleanup(stop)
	_, port, _ := net.SplitHostPort(address)
	client := http.Client{Timeout: time.Second}
	deadline := time.Now().Add(30 * time.Second)
	for {
		response, err := client.Get(fmt.Sprintf("http://127.0.0.1:%s/health", port))
		if err == nil {
			_ = response.Body.Close()
			return stop
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s does not answer: %v", role, err)
		}
		time.Sleep(10 * time.Millisecond) // a process of its own: nothing else tells
	}
}
