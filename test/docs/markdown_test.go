// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const repository = "../.."

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is one fenced block of a Markdown file.
type block struct {
	language string
	line     int // of its first line, from 1
	text     string
}

func blocks(t *testing.T, markdown string) []block {
	t.Helper()
	var all []block
	var open *block
	n := 0
	for line := range strings.Lines(markdown) {
		n++
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open == nil:
			open = &block{language: fence, line: n + 1}
		case isFence:
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += line
		}
	}
	if open != nil {
		t.Fatalf("the block that begins in line %d has no end", open.line)
	}
	return all
}

// shell returns the command lines of the sh blocks, continued lines joined.
func shell(t *testing.T, markdown string) []string {
	t.Helper()
	var lines []string
	for _, b := range blocks(t, markdown) {
		if b.language != "sh" {
			continue
		}
		for line := range strings.Lines(strings.ReplaceAll(b.text, "\\\n", " ")) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// spans returns the `code` spans of Markdown outside its blocks.
func spans(markdown string) []string {
	var all []string
	inBlock := false
	for line := range strings.Lines(markdown) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			inBlock = !inBlock
			continue
		}
		if inBlock {
			continue
		}
		for i, part := range strings.Split(line, "`") {
			if i%2 == 1 {
				all = append(all, part)
			}
		}
	}
	return all
}
