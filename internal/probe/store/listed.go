// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/safefile"
	"justnews/internal/weights"
)

// maxSettings is the longest config.json or list of directories that is read, in
// bytes.
const maxSettings = 1 << 20

// component is a directory that a list of a model names.
type component struct {
	by     string // the list
	needed bool   // loading fails without it
	weighs bool   // it has weights of its own
}

// listed returns the directories below one that a loader opens, by name: those of
// sentence-transformers' modules.json and of diffusers' model_index.json. Closed
// is set if a list cannot be read, which is a separate fault.
func (i *inspection) listed(b *digest.Branch) (list map[string]component, closed bool) {
	list = map[string]component{}
	for _, leaf := range b.Files {
		var read func([]byte, map[string]component) error
		switch filepath.Base(leaf.Rel) {
		case "modules.json":
			read = modules
		case "model_index.json":
			read = pipeline
		default:
			continue
		}
		text, err := safefile.Read(filepath.Join(i.top, leaf.Rel), maxSettings)
		if err != nil || read(text, list) != nil {
			closed = true
		}
	}
	return list, closed
}

// modules reads modules.json. If the directory of a module is nested, only its first
// component is looked for.
func modules(text []byte, list map[string]component) error {
	var entries []struct {
		Path string `json:"path"`
		Type string `json:"type"`
	}
	if err := json.Unmarshal(text, &entries); err != nil {
		return err
	}
	for _, e := range entries {
		name, _, nested := strings.Cut(filepath.Clean(e.Path), "/")
		if name == "." || name == ".." || name == "" {
			continue
		}
		kind := e.Type[strings.LastIndex(e.Type, ".")+1:]
		list[name] = component{
			by: "modules.json", needed: !slices.Contains([]string{"Normalize", "Dropout"}, kind),
			weighs: !nested && slices.Contains([]string{"Transformer", "Dense", "CLIPModel"}, kind),
		}
	}
	return nil
}

// pipeline reads model_index.json: NAME: [LIBRARY, CLASS], both null for omitted parts.
func pipeline(text []byte, list map[string]component) error {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(text, &entries); err != nil {
		return err
	}
	for name, value := range entries {
		var class []*string
		if json.Unmarshal(value, &class) != nil || len(class) != 2 || class[0] == nil || !filepath.IsLocal(name) {
			continue
		}
		list[name] = component{by: "model_index.json", needed: true, weighs: class[1] != nil && slices.ContainsFunc(weighing, func(s string) bool { return strings.Contains(*class[1], s) })}
	}
	return nil
}

// weighing are parts of the names of classes that have weights; schedulers,
// tokenizers and processors have none.
var weighing = []string{"Model", "Autoencoder", "SafetyChecker", "TextEncoder", "ImageNormalizer"}

// vocabularies are what the tokenizers of transformers' models are made of, by
// model_type in config.json. A tokenizer.json stands for all of them.
var vocabularies = map[string][]string{
	"bert": wordPiece, "distilbert": wordPiece, "electra": wordPiece, "mpnet": wordPiece, "mobilebert": wordPiece, "funnel": wordPiece,
	"roberta": pairs, "gpt2": pairs, "bart": pairs, "longformer": pairs, "deberta": pairs, "opt": pairs, "gptj": pairs, "gpt_neo": pairs, "qwen2": pairs, "led": pairs,
	"t5": pieces, "mt5": pieces, "albert": pieces, "xlnet": pieces, "camembert": pieces, "xlm-roberta": pieces, "mbart": pieces, "pegasus": pieces,
	"deberta-v2": pieces, "llama": pieces, "mistral": pieces, "mixtral": pieces, "gemma": pieces, "gemma2": pieces,
	"bloom": {}, "gpt_neox": {}, "falcon": {},
}

var (
	wordPiece = []string{"vocab.txt"}
	pairs     = []string{"vocab.json", "merges.txt"}
	pieces    = []string{"*.model"} // SentencePiece, whatever its name
)

// tokenizes reports whether weights of that name come with a tokenizer in files of
// its own. GGUF has it inside, other formats may have none.
func tokenizes(name string) bool {
	return filepath.Ext(name) == ".safetensors" || weights.IsTorch(name) || weights.IsIndex(name)
}

// vocabulary looks for what the tokenizer of a model is made of.
func (i *inspection) vocabulary(names []string, rel string, opened weights.Opened) {
	if !slices.ContainsFunc(names, func(name string) bool { return opened.Opens(name) && tokenizes(name) }) {
		return
	}
	if slices.Contains(names, "tokenizer.json") || slices.Contains(names, "tekken.json") || slices.Contains(names, "adapter_config.json") {
		return
	}
	text, err := safefile.Read(filepath.Join(i.top, rel, "config.json"), maxSettings)
	var config struct {
		Type string `json:"model_type"`
	}
	if err != nil || json.Unmarshal(text, &config) != nil {
		return // config.json itself is looked at elsewhere
	}
	files, known := vocabularies[config.Type]
	if known && len(files) > 0 && slices.ContainsFunc([][]string{wordPiece, pairs, pieces}, func(set []string) bool { return len(lacking(set, names)) == 0 }) {
		return // that of another type: tokenizer_config.json may name another class
	}
	if known && len(files) == 0 {
		files = []string{"tokenizer.json"}
	}
	for _, pattern := range lacking(files, names) {
		i.fault(facts.NoTokenizer, filepath.Join(i.top, rel, strings.ReplaceAll(pattern, "*", "tokenizer")), "config.json has the model_type "+config.Type)
	}
}

// lacking returns the files of a vocabulary that are not among names.
func lacking(vocabulary, names []string) []string {
	var all []string
	for _, pattern := range vocabulary {
		if !slices.ContainsFunc(names, func(name string) bool {
			ok, _ := filepath.Match(pattern, name)
			return ok || pattern == "*.model" && (strings.HasSuffix(name, ".spm") || strings.HasSuffix(name, ".tiktoken"))
		}) {
			all = append(all, pattern)
		}
	}
	return all
}

// names are those of a directory's files, whatever their state.
func (i *inspection) names(b *digest.Branch, rel string) []string {
	names := lists.Map(b.Files, func(leaf digest.Leaf) string { return filepath.Base(leaf.Rel) })
	for _, f := range i.flaws[rel] {
		names = append(names, filepath.Base(f.Rel))
	}
	return names
}
