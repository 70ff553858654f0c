// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"
	"testing"
)

const valid = `areas = ["GPUs"]
[[problem]]
code = "GPU-HELPER-LOST"
area = "GPUs"
status = "store-corrupt"
message_id = "21401aa13b34ed5f50e1c18a30642fa1"
title = "it is \"lost\""
cause = "A\\B."
check = [["ls", "-l"]]
advice = "search"
look = [["df"]]
commands = [["rm", "x"], ["true"]]
`

func TestGenerate_CommittedFileIsUpToDate(t *testing.T) {
	text, err := os.ReadFile("../" + source)
	if err != nil {
		t.Fatal(err)
	}
	c, err := read(string(text))
	if err != nil {
		t.Fatal(err)
	}
	want, err := c.goSource()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../" + target)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("internal/diag/%s differs from %s: make generate", target, source)
	}
}

func TestGenerate_WritesOneConstantAndOneEntry(t *testing.T) {
	c, err := read(valid)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.goSource()
	if err != nil {
		t.Fatal(err)
	}
	want := head + `// The codes of all problems.
const (
	GPUHelperLost Code = "GPU-HELPER-LOST" // it is "lost"
)

var kinds = []kind{
	{GPUHelperLost, "GPUs", StatusStoreCorrupt, "21401aa13b34ed5f50e1c18a30642fa1"},
}
`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestGenerate_RefusesAnIncompleteEntry(t *testing.T) {
	for what, c := range map[string]struct{ old, new, want string }{
		"syntax":      {"]]", "]", "line"},
		"unknown key": {"title", "titel", "unknown key problem.titel"},
		"code":        {"GPU-HELPER-LOST", "Gpu-lost", "code: "},
		"no code":     {"GPU-HELPER-LOST", "", "code: "},
		"name":        {"area =", "name = \"gpuLost\"\narea =", "name: "},
		"area":        {`area = "GPUs"`, `area = "GPU"`, "area: one of GPUs"},
		"status":      {"store-corrupt", "", "status: "},
		"message id":  {"21401aa13b34ed5f", "21401AA13B34ED5F", "message_id: 32"},
		"no title":    {`"it is \"lost\""`, `""`, "title: "},
		"no cause":    {`"A\\B."`, `""`, "cause: "},
		"no check":    {`[["ls", "-l"]]`, `[]`, "check: "},
		"no fix":      {"advice = \"search\"\nlook = [[\"df\"]]\ncommands = [[\"rm\", \"x\"], [\"true\"]]\n", "", "advice or commands"},
		"no program":  {`["true"]`, `[]`, "without a program"},
	} {
		text := strings.Replace(valid, c.old, c.new, 1)
		if text == valid {
			t.Fatalf("%s: nothing was replaced", what)
		}
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestGenerate_RefusesDuplicates(t *testing.T) {
	_, entry, _ := strings.Cut(valid, "\n")
	_, err := read(valid + entry)
	for _, want := range []string{"code GPU-HELPER-LOST is also", "name GPUHelperLost is also", "message_id 21401aa13b34ed5f50e1c18a30642fa1 is also"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}
