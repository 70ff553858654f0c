// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"cmp"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"justnews/internal/envfile"
	"justnews/internal/facts"
	"justnews/internal/modelmap"
	"justnews/internal/probe/unitfiles"
	"justnews/internal/safefile"
	"justnews/internal/unitfile"
	"justnews/internal/unitname"
)

// Host is what was found. Paths are those of the running system, without the
// root.
type Host struct {
	Env    []EnvFile // global.env first, then by name
	Units  []Unit    // by path
	Wanted []string  // links that start an instance at boot, by path
	Map    *MapFile  // the first model map that is there
	MPS    *MPSFile  // mps_allocation_config.json
	// Leftovers are the helpers and rules of the old gate that are there.
	Leftovers []string
	Rivals    []facts.Rival // what else starts instances
	Failures  []Failure

	Unsealed    []string // agents whose version in the Model Store has no manifest
	Checkouts   []Checkout
	Agents      []string          // that have a program in a checkout
	OtherFiles  []string          // environment files of units that are not instances
	Written     []source          // that a start script writes to
	Directories []string          // those that are named somewhere and exist
	Homes       map[string]string // of users, by name
	Groups      map[string]string // the primary groups of users, by name
}

// Failure is a file that cannot be used, and why.
type Failure struct {
	Path string
	Why  string
}

// MapFile is a model map and its path.
type MapFile struct {
	Path string
	Map  *modelmap.Map
}

const (
	configDirectory = "/etc/justnews"
	unitDirectory   = "/etc/systemd/system"
)

// leftovers are files of the old gate that are no longer needed.
var leftovers = []string{
	"/etc/sudoers.d/justnews-preflight",
	"/usr/local/bin/justnews-preflight-check.sh",
	"/usr/local/bin/wait_for_mcp.sh",
}

// Read looks at a host below root; "" is the running system.
func Read(root string) (Host, error) {
	dir, err := os.OpenRoot(cmp.Or(root, "/"))
	if err != nil {
		return Host{}, err
	}
	defer func() { _ = dir.Close() }()
	r := &reader{root: dir, read: func(name string, limit int64) ([]byte, error) {
		return safefile.ReadIn(dir, name, limit, 0)
	}}
	if r.real = root == ""; r.real {
		// os.Root treats an absolute link as one that points outside.
		r.read = func(name string, limit int64) ([]byte, error) { return safefile.Read("/"+name, limit) }
	}
	r.envFiles()
	r.units()
	r.wanted()
	r.project()
	r.host.Rivals = unitfiles.Rivals(root)
	r.paths()
	r.unsealed()
	for _, name := range leftovers {
		if _, err := dir.Lstat(rel(name)); err == nil {
			r.host.Leftovers = append(r.host.Leftovers, name)
		}
	}
	return r.host, nil
}

type reader struct {
	root *os.Root
	read func(name string, limit int64) ([]byte, error)
	host Host
	real bool // not a directory that stands for /
}

func rel(name string) string { return cmp.Or(strings.TrimPrefix(name, "/"), ".") }

// maxFile bounds every file that is read: the largest of them have some KiB.
const maxFile = 1 << 20

// text reads a file; found is false where there is none. What keeps it from
// being read is kept as a failure.
func (r *reader) text(name string) (text string, found bool) {
	text, err := r.content(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false
	case err != nil:
		r.fail(name, err.Error())
		return "", false
	}
	return text, true
}

func (r *reader) fail(name, why string) {
	r.host.Failures = append(r.host.Failures, Failure{name, why})
}

func (r *reader) content(name string) (string, error) {
	if target, err := r.root.Readlink(rel(name)); err == nil && target == os.DevNull { // systemctl mask
		return "", nil
	}
	text, err := r.read(rel(name), maxFile)
	switch {
	case errors.Is(err, safefile.ErrNotRegular):
		err = safefile.ErrNotRegular
	case errors.Is(err, safefile.ErrTooLarge):
		err = errors.New("larger than 1 MiB")
	}
	return string(text), err
}

// list returns the entries of a directory, sorted by name; none where there is
// no directory.
func (r *reader) list(name string) []fs.DirEntry {
	entries, err := fs.ReadDir(r.root.FS(), rel(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.fail(name, err.Error())
	}
	return entries
}

// wanted finds what starts an instance at boot.
func (r *reader) wanted() {
	for _, dir := range r.list(unitDirectory) {
		if !strings.HasSuffix(dir.Name(), ".wants") && !strings.HasSuffix(dir.Name(), ".requires") {
			continue
		}
		for _, link := range r.list(path.Join(unitDirectory, dir.Name())) {
			if unitname.Instance(link.Name()) != "" {
				r.host.Wanted = append(r.host.Wanted, path.Join(unitDirectory, dir.Name(), link.Name()))
			}
		}
	}
	slices.Sort(r.host.Wanted)
}

// instanceOf returns the instance that a path below /etc/systemd/system belongs to,
// "" for the template and for other units.
func instanceOf(name string) string {
	for part := range strings.SplitSeq(name, "/") {
		if instance := unitname.Instance(strings.TrimSuffix(part, ".d")); instance != "" {
			return instance
		}
	}
	return ""
}

// Unit is one unit file or drop-in of a JustNews instance, or of all of them.
type Unit struct {
	Path     string
	Instance string // "" : for every instance
	DropIn   bool
	Settings []unitfile.Placed
}

func (r *reader) units() {
	for _, dir := range unitfiles.Dirs {
		for _, entry := range r.list(dir) {
			r.unitEntry(path.Join(dir, entry.Name()))
		}
	}
	slices.SortFunc(r.host.Units, func(a, b Unit) int { return strings.Compare(a.Path, b.Path) })
}

// unitEntry reads a unit, or the drop-ins of one.
func (r *reader) unitEntry(name string) {
	base, isDir := strings.CutSuffix(path.Base(name), ".d")
	instance := unitname.Instance(base)
	switch {
	case instance == "" && base != unitname.Template:
		if path.Ext(base) == ".service" && !isDir {
			r.otherUnit(name)
		}
	case !isDir:
		r.unit(name, instance, false)
	default:
		for _, file := range r.list(name) {
			if strings.HasSuffix(file.Name(), ".conf") {
				r.unit(path.Join(name, file.Name()), instance, true)
			}
		}
	}
}

func (r *reader) unit(name, instance string, dropIn bool) {
	if text, found := r.text(name); found {
		r.host.Units = append(r.host.Units, Unit{name, instance, dropIn, unitfile.Salvage([]byte(text))})
	}
}

func (r *reader) otherUnit(name string) {
	text, err := r.content(name)
	if err != nil { // nothing of ours
		return
	}
	for _, s := range unitfile.Salvage([]byte(text)) {
		if s.Key == "EnvironmentFile" {
			r.host.OtherFiles = append(r.host.OtherFiles, strings.TrimPrefix(s.Value, "-"))
		}
	}
}

// assignments are the variables that a line of a unit sets, with specifiers. systemd
// ignores those without an equals sign, or with an invalid name or value.
func assignments(s unitfile.Placed) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		if s.Section != "Service" || s.Key != "Environment" {
			return
		}
		all, _ := unitfile.Words(s.Value, true)
		for _, word := range all {
			if name, value, ok := strings.Cut(word, "="); ok && unitfile.CheckVariable(name) == nil && utf8.ValidString(value) && !yield(name, value) {
				return
			}
		}
	}
}

// paths are the words of a setting that lists paths, without the prefixes that systemd
// knows.
func paths(s unitfile.Placed) []string {
	all, _ := unitfile.Words(s.Value, false)
	for i, word := range all {
		all[i] = strings.TrimLeft(word, "-+")
	}
	return all
}

// EnvFile is one environment file, read as systemd reads it. Upstream's start
// scripts also source these files with a shell, which reads them otherwise.
type EnvFile struct {
	Path     string
	Instance string // "" for global.env
	Vars     []Var  // by line
}

// Var is one variable.
type Var struct {
	Name  string
	Value string
	Line  int
	// Exported: the line begins with "export", which a shell accepts. systemd does
	// not, so that no service ever got the variable from it.
	Exported bool
	// Expands: the value contains what only a shell expands; systemd passes it on
	// unchanged.
	Expands bool
}

func (r *reader) envFiles() {
	for _, entry := range r.list(configDirectory) {
		name, ok := strings.CutSuffix(entry.Name(), ".env")
		if !ok || name == "" {
			continue
		}
		file := path.Join(configDirectory, entry.Name())
		text, found := r.text(file)
		if !found {
			continue
		}
		detail, err := envfile.Details(text)
		if err != nil {
			r.fail(file, err.Error())
			continue
		}
		if name == "global" {
			name = ""
		}
		r.host.Env = append(r.host.Env, EnvFile{file, name, placed(detail.Assignments)})
	}
	slices.SortStableFunc(r.host.Env, func(a, b EnvFile) int { return strings.Compare(a.Instance, b.Instance) })
}

// placed returns the last assignment of each variable, by line.
func placed(all []envfile.Assignment) []Var {
	last := map[string]int{}
	for i, a := range all {
		last[a.Name] = i
	}
	var vars []Var
	for i, a := range all {
		if last[a.Name] != i {
			continue
		}
		v := Var{Name: a.Name, Value: a.Value, Line: a.Line}
		if name, ok := strings.CutPrefix(a.Name, "export"); ok && strings.TrimLeft(name, " \t") != name {
			v.Name, v.Exported = strings.TrimSpace(name), true
		}
		v.Expands = strings.Contains(v.Value, "${") || strings.Contains(v.Value, "$(") || strings.Contains(v.Value, "`")
		vars = append(vars, v)
	}
	return vars
}
