// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"justnews/test/bed"
)

const (
	llamaRoot = "/srv/llama"
	llamaUnit = "llama.service"

	// llamaService runs the server of Debian's newest suite with that suite's own
	// libraries, as a router over a directory of models.
	llamaService = `[Unit]
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/bin/llama-server --models-dir /models --port 8080 --api-key-file /key --no-webui
RootDirectory=` + llamaRoot + `
MountAPIVFS=yes
BindReadOnlyPaths=/etc/justnews/credentials/llama:/key
Environment=HOME=/tmp
Restart=on-failure
RestartSec=100ms
`

	llamaConfig = `[gate]
timeout = "30s"

[orchestrator]
kind = "llamacpp"
url = "http://127.0.0.1:8080"
unit = "` + llamaUnit + `"
api_key_file = "/etc/justnews/credentials/llama"

[bus]
instance = ""

[models]
expected = ["a", "b"]
canary = true

[instances.scout]
require_bus = false

[instances.critic]
require_bus = false
`
)

// A real llama.cpp server instead of JustNews' orchestrator: its models are loaded on
// request and queried once, and then agents start. Another server, missing models, or
// models on the CPU open nothing.
func TestModelServer_LlamaCppOpensTheGates(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{config: llamaConfig, change: func(tree *bed.Tree) {
			tree.UnpackTree("sid", llamaRoot, "llama.cpp-tools")
			for _, name := range []string{"a", "b", "other"} {
				tree.WriteFile(llamaRoot+"/models/"+name+".gguf", tinyModel())
			}
			for _, dir := range []string{"/proc/x", "/tmp/x", "/key"} { // where they are mounted
				tree.WriteFile(llamaRoot+dir, "")
			}
			tree.WriteFile("/etc/systemd/system/"+llamaUnit, llamaService)
			tree.WriteFile("/etc/justnews/credentials/llama", "sekrit\n", 0o600)
		}})
		s.WaitUnits("active", unit("scout"), unit("critic"))
		s.WaitUnit(preload, "active/exited")
		server, agent := s.Unit(llamaUnit), s.Unit(unit("scout"))
		t.Logf("from the server's start to the agent's: %v", agent.ExecMainStart-server.ExecMainStart)
		s.WaitJournal(unit("scout"), "models 2/2")
		if n := strings.Count(s.Journal(llamaUnit), "stop processing: n_tokens"); n != 2 {
			t.Errorf("%d canaries, want one for each model", n)
		}
		if strings.Contains(s.Must("sh", "-c", "journalctl -o cat --no-pager; cat /run/justnews-gate/* 2>/dev/null; true"), "sekrit") {
			t.Error("the API key is in the journal or in a record")
		}

		// Killed: systemd restarts it, with no model loaded.
		s.Must("systemctl", "kill", "--kill-whom=main", "-s", "KILL", llamaUnit)
		s.WaitFor("another process of the server", bed.Patience, func() bool { return s.Unit(llamaUnit).ExecMainStart > server.ExecMainStart })
		s.Must("systemctl", "restart", unit("scout"))
		s.WaitUnit(unit("scout"), "active/running")

		// Replaced: the same program with the same models, but another unit.
		s.Must("systemctl", "stop", llamaUnit)
		s.must("sed 's/Restart=.*//' /etc/systemd/system/" + llamaUnit + " >/run/systemd/system/replaced.service; systemctl daemon-reload; systemctl start replaced.service")
		s.refusesByHand("ORCHESTRATOR-IMPOSTOR")
		s.must("systemctl stop replaced.service; systemctl start " + llamaUnit)
		s.must("justnews-gate gate scout")

		// A model is removed.
		s.must("mv " + llamaRoot + "/models/b.gguf /root/; systemctl restart " + llamaUnit)
		s.refusesByHand("PRELOAD-REFUSED")
		s.must("head -c 5000 /root/b.gguf >" + llamaRoot + "/models/b.gguf; systemctl restart " + llamaUnit)
		s.refusesByHand("MODEL-FAILED")
		s.must("mv /root/b.gguf " + llamaRoot + "/models/; systemctl restart " + llamaUnit + "; justnews-gate gate scout")

		// It computes on the CPU, on a host whose driver lists GPUs without it.
		fakeDriver(t, s)
		s.WriteFile("/etc/justnews/justnews.toml.d/10-gpu.toml", "[models]\ndevice = \"gpu\"\n")
		s.must("systemd-tmpfiles --create fake-nvidia.conf; systemctl daemon-reload")
		s.refusesByHand("MODELS-ON-CPU")
	})
}

// refusesByHand runs the gate of an instance by hand and expects it to name a code.
func (s *site) refusesByHand(code string) {
	s.t.Helper()
	r := s.Run("justnews-gate", "gate", "scout", "--timeout", "10s")
	if r.Code == 0 || !strings.Contains(r.Stderr, code) {
		s.t.Errorf("exit status %d, want a refusal with %s:\n%s", r.Code, code, r.Stderr)
	}
}

// gguf writes the fields of a GGUF file, version 3 (docs/gguf.md of ggml).
type gguf struct {
	bytes.Buffer
	pairs int
}

func (b *gguf) put(v any) {
	if err := binary.Write(b, binary.LittleEndian, v); err != nil {
		panic(err) // of a type without a fixed size
	}
}
func (b *gguf) text(s string)             { b.put(uint64(len(s))); b.WriteString(s) }
func (b *gguf) key(name string, t uint32) { b.pairs++; b.text(name); b.put(t) }
func (b *gguf) number(k string, v uint32) { b.key(k, 4); b.put(v) }
func (b *gguf) word(k, v string)          { b.key(k, 8); b.text(v) }
func (b *gguf) list(k string, t uint32, n int) {
	b.key(k, 9)
	b.put(t)
	b.put(uint64(n))
}

// tinyModel is a model of one layer with random weights and a vocabulary of bytes, which
// llama.cpp loads and which answers nonsense: 100 KiB.
func tinyModel() string {
	const width = 32
	tokens, kinds := []string{"<unk>", "<s>", "</s>"}, []int32{2, 3, 3}
	for i := range 256 {
		tokens, kinds = append(tokens, fmt.Sprintf("<0x%02X>", i)), append(kinds, 6)
	}
	var head gguf
	head.word("general.architecture", "llama")
	for key, n := range map[string]uint32{"context_length": 128, "embedding_length": width, "block_count": 1, "feed_forward_length": width, "attention.head_count": 2} {
		head.number("llama."+key, n)
	}
	head.key("llama.attention.layer_norm_rms_epsilon", 6)
	head.put(float32(1e-5))
	head.word("tokenizer.ggml.model", "llama")
	head.list("tokenizer.ggml.tokens", 8, len(tokens))
	for _, token := range tokens {
		head.text(token)
	}
	head.list("tokenizer.ggml.scores", 6, len(tokens))
	head.put(make([]float32, len(tokens)))
	head.list("tokenizer.ggml.token_type", 5, len(tokens))
	head.put(kinds)
	head.number("tokenizer.ggml.bos_token_id", 1)
	head.number("tokenizer.ggml.eos_token_id", 2)

	vocabulary := []uint64{width, uint64(len(tokens))}
	vector, matrix := []uint64{width}, []uint64{width, width}
	tensors := map[string][]uint64{"token_embd": vocabulary, "output": vocabulary, "output_norm": vector, "blk.0.attn_norm": vector, "blk.0.ffn_norm": vector}
	for _, name := range []string{"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_down", "ffn_up"} {
		tensors["blk.0."+name] = matrix
	}
	var index, weights gguf
	random := rand.New(rand.NewPCG(1, 2))
	for name, shape := range tensors {
		index.text(name + ".weight")
		index.put(uint32(len(shape)))
		count := uint64(1)
		for _, n := range shape {
			index.put(n)
			count *= n
		}
		index.put(uint32(0)) // F32
		index.put(uint64(weights.Len()))
		for range count {
			weights.put(float32(random.NormFloat64() * 0.1))
		}
	}
	var file gguf
	file.WriteString("GGUF")
	file.put(uint32(3))
	file.put(uint64(len(tensors)))
	file.put(uint64(head.pairs))
	file.Write(head.Bytes())
	file.Write(index.Bytes())
	file.Write(make([]byte, (32-file.Len()%32)%32))
	file.Write(weights.Bytes())
	return file.String()
}
