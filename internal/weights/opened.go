// SPDX-License-Identifier: Apache-2.0

package weights

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"justnews/internal/lists"
)

// Opened has the files that a loader opens in one directory of a model. Other files there,
// such as the weights in another format, logs and locks, are ignored.
type Opened struct {
	files map[string]bool
	all   bool // the loader is not known to choose: spaCy
	// HasWeights is set where there are weights, whatever their state.
	HasWeights bool
	// Missing are parts of weights that have to be there and are not.
	Missing []string
}

// format is weights as one library names them: in one file, or in parts that an
// index lists.
type format struct{ stem, ext string }

// formats in the order in which from_pretrained of transformers and of diffusers
// looks for them (modeling_utils.py).
var formats = []format{
	{"model", ".safetensors"},
	{"pytorch_model", ".bin"},
	{"diffusion_pytorch_model", ".safetensors"},
	{"diffusion_pytorch_model", ".bin"},
	{"consolidated", ".safetensors"}, // Mistral's own
}

// part is one of several files of weights: model-00001-of-00002.safetensors, also
// with a variant on either side of the numbers.
var part = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(.+)-([0-9]{5})-of-([0-9]{5})((?:\.[A-Za-z0-9_]+)?\.(?:safetensors|bin|gguf))$`)
})

// Open returns the files that a loader opens in a directory with these names.
func Open(names []string) Opened {
	has := make(map[string]bool, len(names))
	for _, name := range names {
		has[name] = true
	}
	o := Opened{files: map[string]bool{}, all: has["config.cfg"]}
	o.take(base(names, has)...)
	o.HasWeights = len(o.files) > 0
	o.parts(has)
	if has["adapter_config.json"] {
		o.adapter(has)
	}
	for _, name := range names {
		if setting(name, has) {
			o.files[name] = true
		}
	}
	return o
}

// OpenFile returns the files that a loader opens for a model in one file: that file and its
// other numbered parts.
func OpenFile(name string, names []string) Opened {
	o := Opened{files: map[string]bool{name: true}, HasWeights: true}
	has := map[string]bool{}
	first := part().FindStringSubmatch(name)
	for _, n := range names {
		has[n] = true
		if m := part().FindStringSubmatch(n); m != nil && first != nil && m[1] == first[1] && m[4] == first[4] {
			o.files[n] = true
		}
	}
	o.parts(has)
	return o
}

// Opens reports whether the loader opens the file of that name.
func (o Opened) Opens(name string) bool {
	return o.files[name] || o.all && !strings.HasPrefix(name, ".")
}

// Also adds what the loader would open of some more names.
func (o *Opened) Also(other Opened, names []string) {
	for _, name := range names {
		if other.files[name] && !IsWeights(name) {
			o.files[name] = true
		}
	}
}

// WithEverything returns o for a loader that opens every file.
func (o Opened) WithEverything() Opened {
	o.all = true
	return o
}

// All reports whether the loader opens whatever lies there and below.
func (o Opened) All() bool { return o.all }

func (o *Opened) take(names ...string) {
	for _, name := range names {
		o.files[name] = true
	}
}

// base returns the files of weights, or their index, that are taken first.
func base(names []string, has map[string]bool) []string {
	for _, f := range formats {
		for _, name := range []string{f.stem + f.ext, f.stem + f.ext + ".index.json"} {
			if has[name] {
				return []string{name}
			}
		}
	}
	// No other name is looked for first: numbered parts, a variant such as fp16, or a
	// format of another library.
	var numbered, others []string
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "adapter_model"), strings.HasPrefix(name, "."):
		case part().MatchString(name):
			numbered = append(numbered, name)
		case IsWeights(name), IsIndex(name):
			others = append(others, name)
		}
	}
	if len(numbered) > 0 {
		return preferred(numbered)
	}
	return preferred(others)
}

// preferred keeps those of the format that is taken first, as with whole files.
func preferred(names []string) []string {
	for _, ext := range []string{".safetensors", ".bin"} {
		of := lists.Filter(names, func(name string) bool { return strings.Contains(name, ext) })
		if len(of) > 0 {
			return of
		}
	}
	return names
}

// parts completes numbered files that no index lists.
func (o *Opened) parts(has map[string]bool) {
	asked := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(o.files)) {
		m := part().FindStringSubmatch(name)
		if len(m) == 0 || asked[m[1]+m[3]+m[4]] {
			continue
		}
		asked[m[1]+m[3]+m[4]] = true
		of, _ := strconv.Atoi(m[3]) // five digits
		for i := 1; i <= of; i++ {
			if file := fmt.Sprintf("%s-%05d-of-%s%s", m[1], i, m[3], m[4]); !has[file] {
				o.Missing = append(o.Missing, file)
			}
		}
	}
}

// adapter adds the weights of an adapter (peft/utils/save_and_load.py).
func (o *Opened) adapter(has map[string]bool) {
	for _, name := range []string{"adapter_model.safetensors", "adapter_model.bin"} {
		if has[name] {
			o.take(name)
			o.HasWeights = true
			return
		}
	}
	if o.HasWeights { // next to a base model
		o.Missing = append(o.Missing, "adapter_model.safetensors")
	}
}

// settings are the files that are read with weights, in addition to vocabularies.
var settings = map[string]bool{
	"config.json": true, "generation_config.json": true, "adapter_config.json": true, "quantize_config.json": true, "params.json": true,
	"modules.json": true, "model_index.json": true, "scheduler_config.json": true,
	"preprocessor_config.json": true, "processor_config.json": true, "video_preprocessor_config.json": true,
	"tokenizer.json": true, "tokenizer_config.json": true, "special_tokens_map.json": true, "added_tokens.json": true,
	"chat_template.json": true, "chat_template.jinja": true, "config_sentence_transformers.json": true,
}

// setting reports whether a loader reads a file besides the weights. A vocabulary
// is not read where there is a tokenizer.json.
func setting(name string, has map[string]bool) bool {
	if settings[name] || strings.HasPrefix(name, "sentence_") && strings.HasSuffix(name, "_config.json") {
		return true
	}
	return !has["tokenizer.json"] && isVocabulary(name)
}

// isVocabulary reports whether a file is part of a tokenizer.
func isVocabulary(name string) bool {
	switch name {
	case "tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "vocab.bpe", "bpe.codes", "dict.txt", "tekken.json":
		return true
	}
	switch path.Ext(name) {
	case ".model", ".spm", ".tiktoken", ".bpe":
		return !strings.HasPrefix(name, ".")
	}
	return false
}
