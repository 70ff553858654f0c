// SPDX-License-Identifier: Apache-2.0

// Package emit writes a plan as files below the generator's directory, or as
// text, and reports problems where a generator can log them. It renders and
// checks everything before it writes anything, and first writes the drop-in
// that keeps every gate shut. It does not read the configuration and never
// exits.
package emit

import (
	"justnews/internal/diag"
	"justnews/internal/kernelcmdline"
	"justnews/internal/plan"
	"justnews/internal/unitname"
)

// File is one thing to write: a regular file, or a link where Link is set. Dir
// is "" for the top of the output directory.
type File struct {
	Dir, Name string
	Text      []byte
	Link      string
}

// Path returns the file's path below the output directory.
func (f File) Path() string {
	if f.Dir == "" {
		return f.Name
	}
	return f.Dir + "/" + f.Name
}

// templatePath is where the packages install the template. For a link in a
// .wants directory only the name matters; its target just has to exist.
const (
	unitDir      = "/usr/lib/systemd/system/"
	templatePath = unitDir + unitname.Template
)

// Render returns the files of a plan, the fail-closed base first. If there are
// problems, no file must be written.
func Render(p *plan.Plan) ([]File, []diag.Problem) {
	files := make([]File, 0, len(p.DropIns)+len(p.Wanted)+2)
	buf := make([]byte, 0, 1024*(len(p.DropIns)+4)) // about 900 bytes each
	var problems []diag.Problem
	add := func(d *plan.DropIn) {
		start := len(buf)
		var err error
		if buf, err = d.Append(buf); err == nil {
			err = d.Verify(buf[start:])
		}
		if err != nil {
			problems = append(problems, unitText(d, err))
			return
		}
		files = append(files, File{Dir: d.Dir, Name: d.Name, Text: buf[start:len(buf):len(buf)]})
	}
	add(&p.Base)
	if p.GateOff {
		files = append(files, File{Name: kernelcmdline.Marker, Text: []byte(kernelcmdline.GateKey + "=" + kernelcmdline.GateOffValue + " is on the kernel command line\n")})
	}
	for i := range p.DropIns {
		add(&p.DropIns[i])
	}
	for _, unit := range p.Wanted {
		target := templatePath
		if unit == plan.HealUnit {
			target = unitDir + unit
		}
		files = append(files, File{Dir: unitname.Target + ".wants", Name: unit, Link: target})
	}
	return files, problems
}

func unitText(d *plan.DropIn, err error) diag.Problem {
	return diag.Problem{
		Code:    diag.UnitText,
		Subject: d.Dir + "/" + d.Name,
		Message: err.Error(),
		Fix:     diag.Advise("change the value in " + mainFile),
	}
}

// mainFile is the file that an operator edits.
const mainFile = "/etc/justnews/justnews.toml"
