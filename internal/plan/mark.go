// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"hash"
	"hash/fnv"
	"slices"

	"justnews/internal/config"
	"justnews/internal/facts"
	"justnews/internal/unitfile"
)

// The mark is the last line of the last drop-in that is written for an
// instance, and is derived from the text of all of them: a unit with this mark
// and all of the drop-ins is what the configuration asks for. The setting is
// shown on D-Bus and has no effect: it unsets a variable that nothing sets.
const markSetting = "UnsetEnvironment"

// markFormat changes when the mark covers something else.
const markFormat = "justnews mark 1\n"

// GeneratorDir is the output directory of generators.
const GeneratorDir = "/run/systemd/generator"

// Mark returns the mark of an instance, and the drop-ins that its unit must
// have, by their paths on a running host. Nothing in it depends on environment
// files or the kernel command line, which the gate reads itself: changing those
// needs no reload. It fails for a value that cannot be written to a unit file;
// the generator writes no drop-in then.
func Mark(c *config.Config, instance string) (facts.Mark, error) {
	inst, ok := c.Instance(instance)
	if !ok {
		return facts.Mark{}, fmt.Errorf("cannot derive a mark: no instance %s", instance)
	}
	host := newShared(c, Machine{})
	template := host.template()
	m, err := newMarker(template...)
	if err != nil {
		return facts.Mark{}, err
	}
	files := host.instance(&inst)
	mark, err := m.of(files)
	want := facts.Mark{Mark: mark}
	for _, f := range slices.Concat(template[1:], files) { // the base may be the packaged one
		want.DropIns = append(want.DropIns, GeneratorDir+"/"+f.Dir+"/"+f.Name)
	}
	return want, err
}

// withMark returns files with the mark as the last line of the last of them.
// Without a mark a value cannot be written to a unit file, and no file is
// written.
func withMark(files []DropIn, mark string) []DropIn {
	last := &files[len(files)-1]
	if n := len(last.Sections); n == 0 || last.Sections[n-1].Name != "Service" {
		last.Sections = append(last.Sections, unitfile.Section{Name: "Service"})
	}
	section := &last.Sections[len(last.Sections)-1]
	section.Lines = append(section.Lines, unitfile.Plain(markSetting, facts.MarkVariable+"="+mark))
	return files
}

// marker derives the marks of one configuration: each is a hash (FNV-1a, 128
// bits) of names and texts. It distinguishes texts and protects no secret,
// since anyone who can forge it can write the drop-ins: a cryptographic hash
// would add a tenth to the generator's size without any benefit.
type marker struct {
	text   []byte      // of the files of one instance
	common hash.Cloner // of what all instances share
}

func newMarker(template ...DropIn) (*marker, error) {
	m := &marker{text: []byte(markFormat)}
	for i := range template {
		if err := m.add(&template[i]); err != nil {
			return nil, err
		}
	}
	h := fnv.New128a()
	_, _ = h.Write(m.text)
	m.common = h.(hash.Cloner)
	return m, nil
}

func (m *marker) of(files []DropIn) (string, error) {
	m.text = m.text[:0]
	for i := range files {
		if err := m.add(&files[i]); err != nil {
			return "", err
		}
	}
	h, err := m.common.Clone()
	if err != nil {
		return "", err
	}
	_, _ = h.Write(m.text)
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

func (m *marker) add(d *DropIn) (err error) {
	m.text = append(append(append(append(m.text, d.Dir...), '/'), d.Name...), '\n')
	if m.text, err = d.Append(m.text); err != nil {
		return fmt.Errorf("cannot derive a mark: %s/%s: %w", d.Dir, d.Name, err)
	}
	return nil
}
