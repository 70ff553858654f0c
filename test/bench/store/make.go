// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"justnews/internal/digest"
)

// bed is where the stores are made.
type bed struct{ dir, gate, before string }

// store is a Model Store with a version for each agent.
type store struct {
	root, config string
	versions     []string // the directories
	files        []string // all of them
	bytes        int64
}

// make creates a store of n agents, each with files files of size bytes in total, a manifest
// as written by upstream, and a map.
func (b *bed) make(ctx context.Context, name string, n, files int, size int64) (*store, error) {
	s := &store{root: filepath.Join(b.dir, name), config: filepath.Join(b.dir, name+".toml")}
	agents := map[string][]string{}
	for i := range n {
		agent := fmt.Sprintf("agent%d", i)
		agents[agent] = []string{"org/model"}
		if err := s.version(ctx, agent, files, size/int64(n)); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(agents)
	if err == nil {
		err = os.WriteFile(filepath.Join(s.root, "AGENT_MODEL_MAP.json"), text, 0o644)
	}
	if err != nil {
		return nil, err
	}
	toml := fmt.Sprintf("[orchestrator]\ninstance = \"\"\n[bus]\ninstance = \"\"\n[models]\nroot = %q\nmap = %q\n[instances.agent0]\nport = 8002\n", s.root, filepath.Join(s.root, "AGENT_MODEL_MAP.json"))
	return s, os.WriteFile(s.config, []byte(toml), 0o644)
}

func (s *store) version(ctx context.Context, agent string, files int, size int64) error {
	dir := filepath.Join(s.root, agent, "versions", "v1")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := s.write(filepath.Join(dir, "config.json"), []byte("{}")); err != nil {
		return err
	}
	each := size / int64(files)
	for i := range files {
		path := filepath.Join(dir, fmt.Sprintf("part-%05d.gguf", i))
		if err := s.weights(path, each); err != nil {
			return err
		}
	}
	s.versions = append(s.versions, dir)
	return finish(ctx, filepath.Dir(filepath.Dir(dir)), dir)
}

func (s *store) write(path string, data []byte) error {
	s.files, s.bytes = append(s.files, path), s.bytes+int64(len(data))
	return os.WriteFile(path, data, 0o644)
}

// weights writes noise, which neither a disk nor a hash can process faster.
func (s *store) weights(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	noise := rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%032d", len(s.files)))))
	chunk := make([]byte, 4<<20)
	for left := size; left > 0; left -= int64(len(chunk)) {
		chunk = chunk[:min(int64(len(chunk)), left)]
		_, _ = noise.Read(chunk)
		if left == size {
			copy(chunk, "GGUF\x03"+strings.Repeat("\x00", 19)) // a header without tensors
		}
		if _, err := f.Write(chunk); err != nil {
			return err
		}
	}
	s.files, s.bytes = append(s.files, path), s.bytes+size
	return f.Sync()
}

// finish does what upstream's finalize does.
func finish(ctx context.Context, home, dir string) error {
	tree, err := digest.Walk(ctx, dir)
	if err != nil {
		return err
	}
	sum := digest.Engine{}.Run(ctx, []digest.Job{tree.Job(dir)})[0]
	if sum.Err != nil {
		return sum.Err
	}
	manifest := fmt.Sprintf("{\n  \"version\": \"v1\",\n  \"checksum\": %q,\n  \"metadata\": {}\n}", sum.Sum)
	if err := os.WriteFile(filepath.Join(dir, digest.ManifestName), []byte(manifest), 0o644); err != nil {
		return err
	}
	return os.Symlink("versions/v1", filepath.Join(home, "current"))
}

// upstream is upstream's compute_checksum by its own rules, chunk size included.
const upstream = `
import hashlib, os, sys
for top in sys.argv[1:]:
    h = hashlib.sha256()
    for root, _, files in os.walk(top):
        for name in sorted(files):
            if name == "manifest.json":
                continue
            path = os.path.join(root, name)
            h.update(os.path.relpath(path, top).encode())
            with open(path, "rb") as f:
                while chunk := f.read(8192):
                    h.update(chunk)
    print(h.hexdigest())
`

// sums are the checksums of the manifests, as JustNews' method prints them.
func (s *store) sums() ([]byte, error) {
	var all bytes.Buffer
	for _, dir := range s.versions {
		var m struct{ Checksum string }
		text, err := os.ReadFile(filepath.Join(dir, digest.ManifestName))
		if err == nil {
			err = json.Unmarshal(text, &m)
		}
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(&all, m.Checksum)
	}
	return all.Bytes(), nil
}
