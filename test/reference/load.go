// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// loader reads a store's models completely, and fails with upstream's own messages.
type loader struct {
	root   string
	strict bool
	dry    bool
}

// load returns nil, or the error whose text the orchestrator would report.
func (l loader) load(e entry) error {
	if !l.dry {
		if err := l.loadBase(e); err != nil {
			return err
		}
	}
	if e.adapter == "" || !l.strict {
		return nil
	}
	path := e.adapter
	if !filepath.IsAbs(path) {
		path = filepath.Join(l.root, path)
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("STRICT_MODEL_STORE=1 but adapter path missing for agent=%s adapter=%s", e.agent, e.id)
	}
	if l.dry {
		return nil
	}
	if err := readThrough(path); err != nil {
		return fmt.Errorf("Failed to load adapter %s for agent=%s from %s", e.id, e.agent, path) //nolint:staticcheck // upstream's sentence
	}
	return nil
}

func (l loader) loadBase(e entry) error {
	dir, err := l.resolve(e)
	if err != nil {
		return err
	}
	if dir == "" { // upstream leaves the store, even under STRICT, and asks the hub
		return fmt.Errorf("We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the cached files. Check your internet connection or see how to run the library in offline mode (%s)", e.hub) //nolint:staticcheck // the hub library's sentence
	}
	if err := readThrough(dir); err != nil {
		return strictFailure(e.owner, dir)
	}
	return nil
}

func strictFailure(agent, dir string) error {
	return fmt.Errorf("STRICT_MODEL_STORE=1 but failed to load model for agent=%s from %s", agent, dir)
}

// failed is the error of an intact model.
func (l loader) failed(e entry) error {
	return strictFailure(e.agent, filepath.Join(l.root, e.agent, "current"))
}

// resolve finds the directory that upstream passes to from_pretrained: the model's first
// snapshot, or else the model's directory, or else the agent's. Empty: the store has nothing
// for this agent.
func (l loader) resolve(e entry) (string, error) {
	base := filepath.Join(l.root, e.owner, "current")
	if e.version != "" {
		base = filepath.Join(l.root, e.owner, "versions", e.version)
	}
	if found, err := exists(base); err != nil || !found {
		return "", err
	}
	model := filepath.Join(base, "models--"+strings.ReplaceAll(e.hub, "/", "--"))
	if found, err := exists(model); err != nil || !found {
		return base, err
	}
	snapshots, err := os.ReadDir(filepath.Join(model, "snapshots"))
	if errors.Is(err, fs.ErrPermission) {
		return "", denied(filepath.Join(model, "snapshots"))
	}
	for _, s := range snapshots { // sorted by name, as in upstream's newer loader
		if s.IsDir() {
			return filepath.Join(model, "snapshots", s.Name()), nil
		}
	}
	return model, nil
}

// exists is Python's Path.exists, which raises permission errors.
func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrPermission) {
		return false, denied(path)
	}
	return err == nil, nil
}

func denied(path string) error { return fmt.Errorf("[Errno 13] Permission denied: '%s'", path) }

// readThrough reads every file below dir, following links, and checks the content of those that
// specify their size. A directory without a model is an error, as it is for from_pretrained.
func readThrough(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "config.json" || e.Name() == "adapter_config.json" }) {
		return fmt.Errorf("no config.json in %s", dir)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.IsDir() {
			continue
		}
		if err := readFile(path); err != nil {
			return err
		}
	}
	return nil
}

func readFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	switch filepath.Ext(path) {
	case ".json":
		var raw json.RawMessage
		return json.NewDecoder(f).Decode(&raw)
	case ".safetensors":
		return readSafetensors(f)
	}
	_, err = io.Copy(io.Discard, f)
	return err
}

// maxSafetensorsHeader is the format's own limit, in bytes.
const maxSafetensorsHeader = 100_000_000

// readSafetensors reads a safetensors file: 8 bytes with the length of the header, the header,
// and as much data as it specifies.
func readSafetensors(r io.Reader) error {
	var length uint64
	if err := binary.Read(r, binary.LittleEndian, &length); err != nil {
		return err
	}
	if length > maxSafetensorsHeader {
		return fmt.Errorf("safetensors: a header of %d bytes", length)
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(r, header); err != nil {
		return err
	}
	var tensors map[string]struct {
		Offsets [2]int64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(header, &tensors); err != nil {
		return err
	}
	var want int64
	for _, t := range tensors {
		want = max(want, t.Offsets[1])
	}
	return intoMemory(r, want)
}

// intoMemory copies the data to separate memory, as a model does, and releases it: it fails
// under the same resource limits and control groups. The memory is mapped, since a failure of
// Go's own allocator would end the process.
func intoMemory(r io.Reader, want int64) error {
	if want <= 0 {
		return nil
	}
	memory, err := unix.Mmap(-1, 0, int(want), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("safetensors: cannot allocate %d bytes: %w", want, err)
	}
	defer func() { _ = unix.Munmap(memory) }()
	got, err := io.ReadFull(r, memory)
	if err == nil {
		var more int64
		if more, err = io.Copy(io.Discard, r); more > 0 {
			got += int(more)
		}
	}
	if int64(got) != want {
		return fmt.Errorf("safetensors: %d bytes of data, the header specifies %d", got, want)
	}
	return err
}
