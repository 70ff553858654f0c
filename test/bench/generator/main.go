// SPDX-License-Identifier: Apache-2.0

// Command generator times justnews-generator as a whole process, against a Go
// hello-world and, where it is installed, podman's quadlet with as many
// containers, in turns within one run, so that a busy machine hits all alike.
// It prints medians, ratios and the size of the binary, and fails where a ratio
// is beyond its aim and -strict is given.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Aims: what a run may cost, as a multiple of a peer's run.
const (
	aimHello       = 2.2 // 17 instances
	aimQuadlet17   = 0.7
	aimQuadlet1000 = 0.6
	aimSize        = 3 << 20 // bytes
)

// peer is one program that is timed.
type peer struct {
	name  string
	cmd   []string
	env   []string
	times []time.Duration
}

func main() {
	runs := flag.Int("runs", 200, "runs of each program with 17 instances")
	quadlet := flag.String("quadlet", "", "quadlet's binary (default: where distributions put it)")
	strict := flag.Bool("strict", false, "fail where an aim is missed")
	flag.Parse()
	met, err := bench(*runs, findQuadlet(*quadlet))
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if *strict && !met {
		os.Exit(1)
	}
}

func findQuadlet(given string) string {
	for _, path := range []string{given, "/usr/libexec/podman/quadlet", "/usr/lib/podman/quadlet"} {
		if _, err := os.Stat(path); path != "" && err == nil {
			return path
		}
	}
	return ""
}

func bench(runs int, quadlet string) (met bool, err error) {
	dir, err := os.MkdirTemp(memory(), "justnews-bench-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	generator, hello := filepath.Join(dir, "justnews-generator"), filepath.Join(dir, "hello")
	if err := build(generator, "./cmd/justnews-generator"); err != nil {
		return false, err
	}
	source := filepath.Join(dir, "hello.go")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n"), 0o644); err != nil {
		return false, err
	}
	if err := build(hello, source); err != nil {
		return false, err
	}
	info, err := os.Stat(generator)
	if err != nil {
		return false, err
	}
	met = check("size", float64(info.Size())/(1<<20), aimSize>>20, "MiB")
	if quadlet == "" {
		fmt.Println("quadlet is not installed: no comparison with it (name one with -quadlet)")
	}
	for _, n := range []int{17, 1000} {
		peers, err := prepare(dir, n, generator, hello, quadlet)
		if err != nil {
			return false, err
		}
		if err := race(peers, max(5, runs*17/n), filepath.Join(dir, "out")); err != nil {
			return false, err
		}
		met = report(n, peers) && met
	}
	return met, nil
}

// memory returns a directory on a tmpfs, as /run/systemd/generator is one; on a
// disk the file system would be all that is measured.
func memory() string {
	if _, err := os.Stat("/dev/shm"); err == nil {
		return "/dev/shm"
	}
	return ""
}

func build(out, what string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, what)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// prepare writes n instances, and n containers that say about as much.
func prepare(dir string, n int, generator, hello, quadlet string) ([]*peer, error) {
	root, containers := filepath.Join(dir, fmt.Sprint("root", n)), filepath.Join(dir, fmt.Sprint("containers", n))
	etc := filepath.Join(root, "etc", "justnews")
	for _, d := range []string{etc, containers} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	var toml strings.Builder
	toml.WriteString("[instances.gpu_orchestrator]\nport = 8014\n\n[instances.mcp_bus]\nport = 8000\n")
	for i := range n - 2 {
		fmt.Fprintf(&toml, "\n[instances.agent_%d]\nport = %d\nmps = { enabled = true, memory = \"1G\" }\nenvironment = { LOG_LEVEL = \"INFO\" }\n", i, 9000+i)
	}
	if err := os.WriteFile(filepath.Join(etc, "justnews.toml"), []byte(toml.String()), 0o644); err != nil {
		return nil, err
	}
	for i := range n {
		text := fmt.Sprintf(container, i, 9000+i)
		if err := os.WriteFile(filepath.Join(containers, fmt.Sprintf("agent_%d.container", i)), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	out := filepath.Join(dir, "out")
	peers := []*peer{{name: "generator", cmd: []string{generator, "--root", root, out}}, {name: "hello", cmd: []string{hello}}}
	if quadlet != "" {
		peers = append(peers, &peer{name: "quadlet", cmd: []string{quadlet, out}, env: []string{"QUADLET_UNIT_DIRS=" + containers}})
	}
	return peers, nil
}

const container = `[Unit]
Description=agent %d
After=network-online.target

[Container]
Image=registry.example/justnews/agent:1
Environment=LOG_LEVEL=INFO
Environment=GATE_TIMEOUT=180
PublishPort=127.0.0.1:%d:8000
Volume=/opt/justnews/models:/models:ro

[Service]
TimeoutStartSec=240
Restart=on-failure

[Install]
WantedBy=multi-user.target
`

// race runs the peers in turns, each into an empty directory.
func race(peers []*peer, runs int, out string) error {
	for range runs {
		for _, p := range peers {
			if err := os.RemoveAll(out); err != nil {
				return err
			}
			if err := os.Mkdir(out, 0o755); err != nil {
				return err
			}
			cmd := exec.Command(p.cmd[0], p.cmd[1:]...)
			cmd.Env = append(os.Environ(), p.env...)
			began := time.Now()
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			p.times = append(p.times, time.Since(began))
		}
	}
	return nil
}

func report(n int, peers []*peer) bool {
	median := map[string]float64{}
	for _, p := range peers {
		slices.Sort(p.times)
		median[p.name] = p.times[len(p.times)/2].Seconds() * 1000
		fmt.Printf("%5d instances: %-9s median %7.2f ms, fastest %7.2f ms (%d runs)\n", n, p.name, median[p.name], p.times[0].Seconds()*1000, len(p.times))
	}
	met := true
	if n == 17 {
		met = check("generator / hello", median["generator"]/median["hello"], aimHello, "")
	}
	if q := median["quadlet"]; q > 0 {
		aim := aimQuadlet17
		if n == 1000 {
			aim = aimQuadlet1000
		}
		met = check("generator / quadlet", median["generator"]/q, aim, "") && met
	}
	return met
}

func check(what string, got, aim float64, unit string) bool {
	word := "met"
	if got > aim {
		word = "missed"
	}
	fmt.Printf("%-20s %.2f %s (aim %.2f: %s)\n", what, got, unit, aim, word)
	return got <= aim
}
