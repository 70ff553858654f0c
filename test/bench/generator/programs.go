// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"justnews/test/bench/measure"
)

// programs are the binaries that are compared.
type programs struct {
	dir              string
	generator, hello string
	before           string            // another generator, "": none
	quadlets         map[string]string // name -> binary
}

func build(ctx context.Context, dir, quadlet, before string) (p programs, err error) {
	p.dir, p.before = dir, before
	if p.generator, err = measure.Build(ctx, filepath.Join(dir, "justnews-generator"), "./cmd/justnews-generator"); err != nil {
		return p, err
	}
	if p.hello, err = measure.Hello(ctx, dir); err != nil {
		return p, err
	}
	switch {
	case strings.HasPrefix(quadlet, "v"):
		p.quadlets, err = buildQuadlets(ctx, dir, quadlet)
	case quadlet != "":
		p.quadlets = map[string]string{"quadlet": quadlet}
	}
	return p, err
}

// buildQuadlets builds a release of quadlet twice: as distributions do, with cgo and
// position-independent, and static like our generator, which starts faster.
func buildQuadlets(ctx context.Context, dir, version string) (map[string]string, error) {
	module := filepath.Join(dir, "podman")
	if err := os.Mkdir(module, 0o755); err != nil {
		return nil, err
	}
	text := "module bench\n\ngo 1.24\n\nrequire github.com/containers/podman/v5 " + version + "\n"
	if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte(text), 0o600); err != nil {
		return nil, err
	}
	built := map[string]string{}
	for name, how := range map[string][2]string{"quadlet": {"CGO_ENABLED=1", "-buildmode=pie"}, "quadlet, static": {"CGO_ENABLED=0", "-buildmode=exe"}} {
		out := filepath.Join(dir, strings.ReplaceAll(name, ", ", "-"))
		cmd := exec.CommandContext(ctx, "go", "build", "-mod=mod", "-trimpath", "-ldflags", "-s -w", how[1], "-o", out, "github.com/containers/podman/v5/cmd/quadlet")
		cmd.Dir = module
		cmd.Env = append(os.Environ(), how[0], "GOFLAGS=")
		if said, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("cannot build %s %s: %w\n%s", name, version, err, said)
		}
		built[name] = out
	}
	return built, nil
}

// prepare writes n instances, and n containers with about as many settings.
func (p programs) prepare(n int) (contenders, error) {
	root, units := filepath.Join(p.dir, fmt.Sprint("root", n)), filepath.Join(p.dir, fmt.Sprint("containers", n))
	etc := filepath.Join(root, "etc", "justnews")
	for _, d := range []string{etc, units} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(etc, "justnews.toml"), instances(n), 0o600); err != nil {
		return nil, err
	}
	for i := range n {
		text := fmt.Sprintf(container, i, 9000+i)
		if err := os.WriteFile(filepath.Join(units, fmt.Sprintf("agent_%d.container", i)), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	out := filepath.Join(p.dir, "out")
	peers := contenders{
		"generator": {name: "generator", dry: "--dry-run", cmd: []string{p.generator, "--root", root, out}},
		"hello":     {name: "hello", cmd: []string{p.hello}},
	}
	if p.before != "" {
		peers["generator before"] = &contender{name: "generator before", dry: "--dry-run", cmd: []string{p.before, "--root", root, out}}
	}
	for name, path := range p.quadlets {
		peers[name] = &contender{name: name, dry: "-dryrun", cmd: []string{path, out}, env: []string{"QUADLET_UNIT_DIRS=" + units}}
	}
	return peers, nil
}

// maxMPS is how many instances have MPS: a daemon serves at most 60 clients, and a
// configuration with more is rejected.
const maxMPS = 40

func instances(n int) []byte {
	var toml strings.Builder
	toml.WriteString("[instances.gpu_orchestrator]\nport = 8014\n\n[instances.mcp_bus]\nport = 8000\n")
	for i := range n - 2 {
		fmt.Fprintf(&toml, "\n[instances.agent_%d]\nport = %d\nenvironment = { LOG_LEVEL = \"INFO\" }\n", i, 9000+i)
		if i < maxMPS {
			toml.WriteString("mps = { enabled = true, memory = \"1G\" }\n")
		} else {
			toml.WriteString("gate = { timeout = \"240s\" }\n")
		}
	}
	return []byte(toml.String())
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
