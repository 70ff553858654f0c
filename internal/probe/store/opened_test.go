// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"justnews/internal/facts"
	"justnews/internal/probe/store"
	"justnews/test/bed"
)

const (
	bert   = `{"model_type":"bert"}`
	index  = `{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}`
	pickle = "\x80\x02" // a pickle
	short  = "\xff\xff\x00\x00\x00\x00\x00\x00{"
)

// stores are models as they are met, by the names of their files; what is wrong
// with them is only what a loader would open.
var stores = map[string]struct {
	files map[string]string
	id    string // in the map, "": org/m
	want  []facts.FaultKind
}{
	"safetensors": {files: map[string]string{"config.json": bert, "vocab.txt": "x", "model.safetensors": bed.OneWeight}},
	"safetensors, and what is left of bin": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model.safetensors": bed.OneWeight, "pytorch_model.bin.index.json": `{"weight_map":{"a":"pytorch_model-00001-of-00002.bin"}}`,
	}},
	"safetensors, and a bin that ends early": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model.safetensors": bed.OneWeight, "pytorch_model.bin": "", "tf_model.h5": "", "flax_model.msgpack": "",
	}},
	"parts with an index": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model.safetensors.index.json": index, "model-00001-of-00002.safetensors": bed.OneWeight, "model-00002-of-00002.safetensors": bed.OneWeight,
	}},
	"an index without one of its parts": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model.safetensors.index.json": index, "model-00001-of-00002.safetensors": bed.OneWeight, "pytorch_model.bin": pickle,
	}, want: []facts.FaultKind{facts.PartMissing}},
	"an index that a whole file makes unnecessary": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model.safetensors.index.json": index, "model.safetensors": bed.OneWeight,
	}},
	"an index with a part that ends early": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model.safetensors.index.json": index, "model-00001-of-00002.safetensors": bed.OneWeight, "model-00002-of-00002.safetensors": short,
	}, want: []facts.FaultKind{facts.Cut}},
	"an index with an empty part of bin": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "pytorch_model.bin.index.json": `{"weight_map":{"a":"pytorch_model-00001-of-00001.bin"}}`, "pytorch_model-00001-of-00001.bin": "",
	}, want: []facts.FaultKind{facts.EmptyFile}},
	"an index, and parts of an earlier one": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model.safetensors.index.json": index, "model-00001-of-00002.safetensors": bed.OneWeight, "model-00002-of-00002.safetensors": bed.OneWeight,
		"model-00001-of-00003.safetensors": short,
	}},
	"numbered parts of both formats": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model-00001-of-00001.safetensors": bed.OneWeight, "pytorch_model-00001-of-00002.bin": pickle,
	}},
	"a variant of both formats": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model.fp16.safetensors": bed.OneWeight, "pytorch_model.fp16.bin": "", "tf_model.h5": "",
	}},
	"a variant of bin": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "pytorch_model.fp16.bin": "", "tf_model.h5": "x",
	}, want: []facts.FaultKind{facts.EmptyFile}},
	"bin alone": {files: map[string]string{"config.json": bert, "vocab.txt": "x", "pytorch_model.bin": pickle}},
	"parts of bin": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "pytorch_model.bin.index.json": `{"weight_map":{"a":"pytorch_model-00001-of-00002.bin"}}`,
	}, want: []facts.FaultKind{facts.PartMissing}},
	"numbered parts without an index, one missing": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model-00001-of-00003.safetensors": bed.OneWeight, "model-00003-of-00003.safetensors": bed.OneWeight,
	}, want: []facts.FaultKind{facts.PartMissing}},
	"numbered parts without an index, the last missing": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "pytorch_model-00001-of-00002.bin": pickle,
	}, want: []facts.FaultKind{facts.PartMissing}},
	"numbered parts without an index": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model-00001-of-00002.safetensors": bed.OneWeight, "model-00002-of-00002.safetensors": bed.OneWeight,
	}},
	"a variant alone":     {files: map[string]string{"config.json": bert, "vocab.txt": "x", "model.fp16.safetensors": bed.OneWeight}},
	"a variant of parts":  {files: map[string]string{"config.json": bert, "vocab.txt": "x", "model-00001-of-00002.fp16.safetensors": bed.OneWeight}, want: []facts.FaultKind{facts.PartMissing}},
	"a broken variant":    {files: map[string]string{"config.json": bert, "vocab.txt": "x", "model.fp16.safetensors": short}, want: []facts.FaultKind{facts.Cut}},
	"a variant not taken": {files: map[string]string{"config.json": bert, "vocab.txt": "x", "model.fp16.safetensors": short, "model.safetensors": bed.OneWeight}},
	"a variant's index":   {files: map[string]string{"config.json": bert, "vocab.txt": "x", "model.safetensors.index.fp16.json": index}, want: []facts.FaultKind{facts.PartMissing, facts.PartMissing}},
	"no weights":          {files: map[string]string{"config.json": bert, "vocab.txt": "x"}, want: []facts.FaultKind{facts.NoWeights}},
	"what no loader opens": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model.safetensors": bed.OneWeight, "train.json": "{\"step\":1}\n{\"step\":2}\n", "trainer_state.json": "{", "Untitled.ipynb": "",
		"README.md": "", ".gitattributes": "", "run.log": "", "onnx/model.onnx": "", "checkpoint-500/optimizer.pt": "", "checkpoint-500/model.safetensors": short,
		".cache/huggingface/download/config.json.lock": "", ".cache/huggingface/.gitignore": "", ".git/lfs/x": "", ".locks/x.lock": "", "events.out.tfevents": "", "training_args.bin": "",
	}},
	"a download into the directory that did not end": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model.safetensors": bed.OneWeight, ".cache/huggingface/download/model.safetensors.aa.incomplete": "x",
		".cache/huggingface/download/x/y.bb.incomplete": "",
	}, want: []facts.FaultKind{facts.Unfinished}},
	"a download by an older hub that did not end": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model.safetensors": bed.OneWeight, ".huggingface/download/model.safetensors.aa.incomplete": "x",
	}, want: []facts.FaultKind{facts.Unfinished}},
	"and left the model without weights": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", ".cache/huggingface/download/sub/model.safetensors.aa.incomplete": "x",
	}, want: []facts.FaultKind{facts.Unfinished, facts.NoWeights}},
	"no vocabulary":                   {files: map[string]string{"config.json": bert, "model.safetensors": bed.OneWeight}, want: []facts.FaultKind{facts.NoTokenizer}},
	"half a vocabulary":               {files: map[string]string{"config.json": `{"model_type":"roberta"}`, "vocab.json": "{}", "model.safetensors": bed.OneWeight}, want: []facts.FaultKind{facts.NoTokenizer}},
	"GGUF, with its tokenizer inside": {files: map[string]string{"config.json": `{"model_type":"llama"}`, "m.Q4.gguf": emptyGGUF}},
	"a tokenizer":                     {files: map[string]string{"config.json": `{"model_type":"roberta"}`, "tokenizer.json": "{}", "model.safetensors": bed.OneWeight}},
	"SentencePiece":                   {files: map[string]string{"config.json": `{"model_type":"t5"}`, "spiece.model": "x", "model.safetensors": bed.OneWeight}},
	"no SentencePiece":                {files: map[string]string{"config.json": `{"model_type":"llama"}`, "model.safetensors": bed.OneWeight}, want: []facts.FaultKind{facts.NoTokenizer}},
	"a model for pictures":            {files: map[string]string{"config.json": `{"model_type":"vit"}`, "model.safetensors": bed.OneWeight}},
	"a broken tokenizer":              {files: map[string]string{"config.json": bert, "tokenizer.json": "{", "model.safetensors": bed.OneWeight}, want: []facts.FaultKind{facts.BadContent}},
	"a vocabulary not taken":          {files: map[string]string{"config.json": bert, "tokenizer.json": "{}", "vocab.txt": "", "model.safetensors": bed.OneWeight}},
	"the vocabulary of another type":  {files: map[string]string{"config.json": bert, "sentencepiece.bpe.model": "x", "model.safetensors": bed.OneWeight}},
	"roberta with SentencePiece":      {files: map[string]string{"config.json": `{"model_type":"roberta"}`, "spiece.model": "x", "model.safetensors": bed.OneWeight}},
	"a vocabulary that is empty":      {files: map[string]string{"config.json": bert, "vocab.txt": "", "model.safetensors": bed.OneWeight}, want: []facts.FaultKind{facts.EmptyFile}},
	"an adapter":                      {files: map[string]string{"adapter_config.json": "{}", "adapter_model.safetensors": bed.OneWeight}},
	"an adapter of bin":               {files: map[string]string{"adapter_config.json": "{}", "adapter_model.bin": pickle}},
	"an adapter's leftover":           {files: map[string]string{"adapter_config.json": "{}", "adapter_model.safetensors": bed.OneWeight, "adapter_model.bin": ""}},
	"an adapter's settings":           {files: map[string]string{"adapter_config.json": "{}"}, want: []facts.FaultKind{facts.NoWeights}},
	"an adapter without its part next to a base model": {files: map[string]string{
		"adapter_config.json": "{}", "config.json": bert, "vocab.txt": "x", "model.safetensors": bed.OneWeight,
	}, want: []facts.FaultKind{facts.PartMissing}},
	"sentence-transformers": {files: map[string]string{
		"modules.json": `[{"path":"","type":"sentence_transformers.models.Transformer"},{"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},{"path":"2_Normalize","type":"sentence_transformers.models.Normalize"}]`,
		"config.json":  bert, "vocab.txt": "x", "model.safetensors": bed.OneWeight, "1_Pooling/config.json": "{}", "openvino/openvino_model.bin": "",
	}},
	"sentence-transformers without a module": {files: map[string]string{
		"modules.json": `[{"path":"","type":"sentence_transformers.models.Transformer"},{"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}]`,
		"config.json":  bert, "vocab.txt": "x", "model.safetensors": bed.OneWeight,
	}, want: []facts.FaultKind{facts.PartMissing}},
	"sentence-transformers with a layer without weights": {files: map[string]string{
		"modules.json": `[{"path":"","type":"sentence_transformers.models.Transformer"},{"path":"2_Dense","type":"sentence_transformers.models.Dense"}]`,
		"config.json":  bert, "vocab.txt": "x", "model.safetensors": bed.OneWeight, "2_Dense/config.json": "{}",
	}, want: []facts.FaultKind{facts.NoWeights}},
	"sentence-transformers of an older release": {files: map[string]string{
		"modules.json":              `[{"path":"0_Transformer","type":"sentence_transformers.models.Transformer"}]`,
		"0_Transformer/config.json": bert, "0_Transformer/vocab.txt": "x", "0_Transformer/pytorch_model.bin": pickle,
	}},
	"sentence-transformers with a module further below": {files: map[string]string{
		"modules.json": `[{"path":"","type":"x.Transformer"},{"path":"query/0_Transformer","type":"x.Transformer"}]`,
		"config.json":  bert, "vocab.txt": "x", "model.safetensors": bed.OneWeight, "query/0_Transformer/model.safetensors": bed.OneWeight,
	}},
	"a broken module": {files: map[string]string{
		"modules.json": `[{"path":"","type":"x.Transformer"},{"path":"1_Pooling","type":"x.Pooling"}]`,
		"config.json":  bert, "vocab.txt": "x", "model.safetensors": bed.OneWeight, "1_Pooling/config.json": "{",
	}, want: []facts.FaultKind{facts.BadContent}},
	"diffusers": {files: map[string]string{
		"model_index.json": `{"_class_name":"P","unet":["diffusers","UNet2DConditionModel"],"scheduler":["diffusers","DDIMScheduler"],"safety_checker":[null,null]}`,
		"unet/config.json": "{}", "unet/diffusion_pytorch_model.safetensors": bed.OneWeight, "scheduler/scheduler_config.json": "{}", "unet/diffusion_pytorch_model.bin": "",
	}},
	"diffusers with a decoder without weights": {files: map[string]string{
		"model_index.json": `{"unet":["diffusers","UNet2DConditionModel"],"vae":["diffusers","AutoencoderKL"],"tokenizer":["transformers","CLIPTokenizer"]}`,
		"unet/config.json": "{}", "unet/diffusion_pytorch_model.fp16.safetensors": bed.OneWeight, "vae/config.json": "{}", "tokenizer/vocab.json": "{}", "tokenizer/merges.txt": "x",
	}, want: []facts.FaultKind{facts.NoWeights}},
	"diffusers without a component": {files: map[string]string{
		"model_index.json": `{"unet":["diffusers","UNet2DConditionModel"],"vae":["diffusers","AutoencoderKLModel"]}`,
		"unet/config.json": "{}", "unet/diffusion_pytorch_model.safetensors": bed.OneWeight,
	}, want: []facts.FaultKind{facts.PartMissing}},
	"spaCy":                              {files: map[string]string{"config.cfg": "[nlp]", "meta.json": "{}", "ner/model": "x", "vocab/strings.json": "[]"}},
	"a broken spaCy":                     {files: map[string]string{"config.cfg": "[nlp]", "meta.json": "{}", "ner/model": "x", "vocab/strings.json": "["}, want: []facts.FaultKind{facts.BadContent}},
	"GGUF that the map names":            {id: "org/m/m.Q4.gguf", files: map[string]string{"m.Q4.gguf": emptyGGUF, "m.Q8.gguf": ""}},
	"a broken GGUF that the map names":   {id: "org/m/m.Q4.gguf", files: map[string]string{"m.Q4.gguf": "GGML", "m.Q8.gguf": emptyGGUF}, want: []facts.FaultKind{facts.BadContent}},
	"another GGUF than the map names":    {id: "org/m/m.Q4.gguf", files: map[string]string{"m.Q8.gguf": emptyGGUF}, want: []facts.FaultKind{facts.NoModel}},
	"a part of the GGUF that is missing": {id: "org/m/m-00001-of-00002.gguf", files: map[string]string{"m-00001-of-00002.gguf": emptyGGUF}, want: []facts.FaultKind{facts.PartMissing}},
	"a link that leads nowhere, and a file that is taken instead": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model.safetensors": "-> none", "pytorch_model.bin": pickle,
	}},
	"a link that leads nowhere": {files: map[string]string{
		"config.json": bert, "vocab.txt": "x", "model.safetensors": "-> none",
	}, want: []facts.FaultKind{facts.Dangling}},
}

func TestInspect_OnlyFilesThatALoaderOpensAreFaults(t *testing.T) {
	for name, c := range stores {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			version := filepath.Join(root, "scout", "versions", "v1")
			dir := filepath.Join(version, "models--org--m", "snapshots", "aa")
			for file, content := range c.files {
				path := filepath.Join(dir, file)
				err := os.MkdirAll(filepath.Dir(path), 0o755)
				if target, link := strings.CutPrefix(content, "-> "); link {
					err = errors.Join(err, os.Symlink(target, path))
				} else {
					err = errors.Join(err, os.WriteFile(path, []byte(content), 0o644))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink("versions/v1", filepath.Join(root, "scout", "current")); err != nil {
				t.Fatal(err)
			}
			id := c.id
			if id == "" {
				id = "org/m"
			}
			look := store.Store{Root: root}.Look(t.Context(), []facts.StoreWant{{Agent: "scout", Model: id, ID: id, Owner: "scout"}})
			got := kinds(look.Models[0].Faults)
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v: %+v", got, c.want, look.Models[0].Faults)
			}
		})
	}
}

func TestInspect_SingleFileModelNeedsNoDirectoryListing(t *testing.T) {
	user := another(t)
	for place, path := range map[string]string{
		"its snapshots": "scout/versions/v1/models--org--m/snapshots",
		"its version":   "scout/versions/v1/org/m",
	} {
		root := t.TempDir()
		dir := filepath.Join(root, path)
		err := errors.Join(os.Chmod(filepath.Dir(root), 0o755), os.Chmod(root, 0o755), os.MkdirAll(dir, 0o755),
			os.Symlink("versions/v1", filepath.Join(root, "scout", "current")), os.Chmod(dir, 0o600))
		if err != nil {
			t.Fatal(err)
		}
		look := store.Store{Root: root, Loader: &user}.Look(t.Context(), []facts.StoreWant{{Agent: "scout", Model: "org/m/m.gguf", ID: "org/m/m.gguf", Owner: "scout"}})
		if d := denial(look); d == nil || d.Path != dir || len(look.Models[0].Faults) != 1 {
			t.Errorf("%s: %+v", place, look.Models[0].Faults)
		}
	}
}

// emptyGGUF is a GGUF file of version 3 without tensors.
var emptyGGUF = "GGUF\x03" + strings.Repeat("\x00", 19)
