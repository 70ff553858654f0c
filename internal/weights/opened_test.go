// SPDX-License-Identifier: Apache-2.0

package weights

import (
	"slices"
	"strings"
	"testing"
)

func TestOpened_FileOfAModelBringsItsOtherParts(t *testing.T) {
	names := strings.Fields("m-00001-of-00003.gguf m-00002-of-00003.gguf n-00003-of-00003.gguf m-00003-of-00003.bin config.json x.gguf")
	o := OpenFile("m-00001-of-00003.gguf", names)
	opened := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !o.Opens(name) })
	if !slices.Equal(opened, names[:2]) || !slices.Equal(o.Missing, []string{"m-00003-of-00003.gguf"}) || !o.HasWeights {
		t.Errorf("%v, missing %v", opened, o.Missing)
	}
	whole := OpenFile("x.gguf", names)
	if !whole.Opens("x.gguf") || whole.Opens(names[0]) || len(whole.Missing) > 0 {
		t.Errorf("%+v", whole)
	}
}

func TestOpened_SettingsAreTheFilesThatLoadersRead(t *testing.T) {
	read := strings.Fields("config.json sentence_bert_config.json vocab.txt spiece.model model.safetensors")
	other := strings.Fields("sentence_bert.json my_config.json notes.txt .spiece.model model.safetensors.lock")
	o := Open(append(slices.Clone(read), other...))
	for _, name := range read {
		if !o.Opens(name) {
			t.Errorf("%s is not opened", name)
		}
	}
	for _, name := range other {
		if o.Opens(name) {
			t.Errorf("%s is opened", name)
		}
	}
	every := o.WithEverything()
	if !every.Opens("notes.txt") || every.Opens(".spiece.model") {
		t.Error("everything is what does not begin with a dot")
	}
}

func TestWeights_NamesOfWeightsAndIndexes(t *testing.T) {
	for name, is := range map[string]bool{
		"m.SafeTensors": true, "dir/pytorch_model.bin": true, "model": true, "m.ot": true,
		"training_args.bin": false, "vocab.bin": false, "model.txt": false, "m.bin.txt": false,
	} {
		if IsWeights(name) != is {
			t.Errorf("%s: %t", name, !is)
		}
	}
	for name, is := range map[string]bool{
		"model.safetensors.index.json": true, "pytorch_model.bin.index.fp16.json": true, "model.safetensors.index.txt": false, "config.json": false,
	} {
		if IsIndex(name) != is {
			t.Errorf("%s: %t", name, !is)
		}
	}
}
