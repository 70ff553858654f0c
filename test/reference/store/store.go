// SPDX-License-Identifier: Apache-2.0

// Package store creates a small but complete model store for tests and the
// demo: the layout that upstream's ModelStore and the Hugging Face cache give
// it, safetensors files with a true header, a manifest, AGENT_MODEL_MAP.json.
// The same call makes the same bytes. It can break one model in each way that
// the runbook knows, and repair it. The weights are noise: no library makes a
// model of them.
package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Model is one model of one agent.
type Model struct {
	Agent string
	ID    string
}

// Version is the one version that every agent has.
const Version = "v1"

// Models is upstream's old map, in its order: 9 agents, 16 models.
var Models = []Model{
	{"scout", "google/bert_uncased_L-2_H-128_A-2"},
	{"scout", "cardiffnlp/twitter-roberta-base-sentiment-latest"},
	{"scout", "martin-ha/toxic-comment-model"},
	{"fact_checker", "distilbert-base-uncased"},
	{"fact_checker", "roberta-base"},
	{"fact_checker", "sentence-transformers/all-mpnet-base-v2"},
	{"memory", "sentence-transformers/all-MiniLM-L6-v2"},
	{"synthesizer", "distilgpt2"},
	{"synthesizer", "google/flan-t5-small"},
	{"critic", "unitary/unbiased-toxic-roberta"},
	{"critic", "unitary/toxic-bert"},
	{"analyst", "google/bert_uncased_L-2_H-128_A-2"},
	{"analyst", "en_core_web_sm"},
	{"newsreader", "sentence-transformers/all-MiniLM-L6-v2"},
	{"balancer", "google/bert_uncased_L-2_H-128_A-2"},
	{"chief_editor", "distilbert-base-uncased"},
}

// Store is a model store on disk.
type Store struct {
	Root string // MODEL_STORE_ROOT
	Map  string // AGENT_MODEL_MAP.json
}

// Make creates the store below root, and root itself; AGENT_MODEL_MAP.json is
// in root, where the orchestrator looks for it.
func Make(root string) (*Store, error) {
	s := At(root)
	for _, m := range Models {
		if err := s.write(m); err != nil {
			return nil, fmt.Errorf("cannot make the model store: %w", err)
		}
	}
	for _, m := range Models {
		if err := s.finish(m.Agent); err != nil {
			return nil, fmt.Errorf("cannot make the model store: %w", err)
		}
	}
	if err := s.WriteMap(Models); err != nil {
		return nil, err
	}
	return s, nil
}

// At returns the store below root.
func At(root string) *Store {
	return &Store{Root: root, Map: filepath.Join(root, "AGENT_MODEL_MAP.json")}
}

// Repair writes a model again, its agent's manifest and link, and the map.
func (s *Store) Repair(m Model) error {
	for _, dir := range []string{s.agent(m), s.version(m), s.Dir(m)} {
		// A directory that cannot be entered cannot be cleaned either.
		if err := os.Chmod(dir, 0o755); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot repair %s: %w", m.ID, err)
		}
	}
	if err := os.RemoveAll(s.Dir(m)); err != nil {
		return fmt.Errorf("cannot repair %s: %w", m.ID, err)
	}
	_ = os.Rename(s.version(m)+".tmp", s.version(m)) // only a half copy has one
	if err := s.write(m); err != nil {
		return fmt.Errorf("cannot repair %s: %w", m.ID, err)
	}
	if err := s.finish(m.Agent); err != nil {
		return fmt.Errorf("cannot repair %s: %w", m.ID, err)
	}
	return s.WriteMap(Models)
}

func (s *Store) agent(m Model) string   { return filepath.Join(s.Root, m.Agent) }
func (s *Store) version(m Model) string { return filepath.Join(s.agent(m), "versions", Version) }

// Dir is the model's directory: models--org--name.
func (s *Store) Dir(m Model) string {
	return filepath.Join(s.version(m), "models--"+strings.ReplaceAll(m.ID, "/", "--"))
}

// Snapshot is the directory of the model's one snapshot.
func (s *Store) Snapshot(m Model) string {
	return filepath.Join(s.Dir(m), "snapshots", Revision(m.ID))
}

// Revision is the name of a model's snapshot: 40 hexadecimal digits, as of a
// git commit.
func Revision(id string) string {
	sum := sha256.Sum256([]byte("revision of " + id))
	return hex.EncodeToString(sum[:20])
}

// write makes one model in the layout of the Hugging Face cache: the bytes
// below blobs, named by their SHA-256, and links to them in the snapshot.
func (s *Store) write(m Model) error {
	for name, data := range files(m.ID) {
		sum := sha256.Sum256(data)
		blob := hex.EncodeToString(sum[:])
		if err := writeFile(filepath.Join(s.Dir(m), "blobs", blob), data); err != nil {
			return err
		}
		link := filepath.Join(s.Snapshot(m), name)
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			return err
		}
		if err := replaceLink(filepath.Join("..", "..", "blobs", blob), link); err != nil {
			return err
		}
	}
	return writeFile(filepath.Join(s.Dir(m), "refs", "main"), []byte(Revision(m.ID)))
}

// finish writes an agent's manifest and points current at its version.
func (s *Store) finish(agent string) error {
	dir := s.version(Model{Agent: agent})
	sum, err := Checksum(dir)
	if err != nil {
		return err
	}
	manifest, err := json.MarshalIndent(map[string]any{
		"version":  Version,
		"checksum": sum,
		"metadata": map[string]any{"source": "reference"},
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, "manifest.json"), append(manifest, '\n')); err != nil {
		return err
	}
	return replaceLink(filepath.Join("versions", Version), filepath.Join(s.Root, agent, "current"))
}

// WriteMap writes AGENT_MODEL_MAP.json in the older layout, agents and models
// in the order given.
func (s *Store) WriteMap(models []Model) error {
	var b bytes.Buffer
	b.WriteString("{")
	agent := ""
	for i, m := range models {
		id, err := json.Marshal(m.ID)
		if err != nil {
			return err
		}
		switch {
		case m.Agent == agent:
			fmt.Fprintf(&b, ", %s", id)
		case i == 0:
			fmt.Fprintf(&b, "\n  %q: [%s", m.Agent, id)
		default:
			fmt.Fprintf(&b, "],\n  %q: [%s", m.Agent, id)
		}
		agent = m.Agent
	}
	if len(models) > 0 {
		b.WriteString("]\n")
	}
	b.WriteString("}\n")
	return writeFile(s.Map, b.Bytes())
}

func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

func replaceLink(target, link string) error {
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(target, link)
}

// weights is how many bytes of noise a model has.
const weights = 16 << 10

// files are the files of one snapshot.
func files(id string) map[string][]byte {
	config, err := json.MarshalIndent(map[string]any{
		"_name_or_path": id,
		"architectures": []string{"ReferenceModel"},
		"hidden_size":   64,
		"model_type":    "reference",
	}, "", "  ")
	if err != nil {
		panic(err) // a map of strings and numbers has a JSON text
	}
	return map[string][]byte{
		"config.json":           append(config, '\n'),
		"tokenizer_config.json": []byte("{\"model_max_length\": 512}\n"),
		"vocab.txt":             []byte("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nnews\n"),
		"model.safetensors":     safetensors(id),
	}
}

// safetensors is a file of one tensor: 8 bytes with the header's length,
// little-endian; the header, JSON; the data.
func safetensors(id string) []byte {
	header := fmt.Sprintf(`{"__metadata__":{"format":"pt"},"embeddings.weight":{"dtype":"F32","shape":[%d,64],"data_offsets":[0,%d]}}`, weights/4/64, weights)
	header += strings.Repeat(" ", -len(header)&7) // the format aligns the data to 8 bytes
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	out = append(out, header...)
	return append(out, noise(id, weights)...)
}

// noise is n bytes that depend on the seed alone.
func noise(seed string, n int) []byte {
	var out []byte
	for i := uint64(0); len(out) < n; i++ {
		sum := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte(seed), i))
		out = append(out, sum[:]...)
	}
	return out[:n]
}
