// SPDX-License-Identifier: Apache-2.0

// Package envfile reads the files of EnvironmentFile= exactly as systemd does
// (env-file.c: parse_env_file_internal): no variable is expanded, "export" is
// part of a name, quotes can be adjacent, and invalid UTF-8 makes it drop the
// whole file. A shell reads the same files differently.
package envfile

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"justnews/internal/safefile"
)

// Vars are the variables of a file; the last assignment to a name wins.
type Vars map[string]string

// maxSize is the largest file that Read takes, in bytes. systemd takes 4 MiB
// and more; no environment of ours comes near.
const maxSize = 1 << 20

// Errors for files that systemd would not read either.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrTooLarge   = errors.New("larger than 1 MiB")
	ErrNUL        = errors.New("a NUL byte")
	ErrNotUTF8    = errors.New("not UTF-8")
)

// Read reads a file without ever waiting for a FIFO or a device. The error wraps
// fs.ErrNotExist where there is none.
func Read(name string) (Vars, error) {
	data, err := Text(name)
	if err != nil {
		return nil, err
	}
	vars, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read environment file %s: %w", name, err)
	}
	return vars, nil
}

// Text returns the text of a file. It never blocks on one, such as a FIFO.
func Text(name string) (string, error) {
	data, err := safefile.Read(name, maxSize)
	switch {
	case errors.Is(err, safefile.ErrNotRegular):
		err = fmt.Errorf("%s: %w", name, ErrNotRegular)
	case errors.Is(err, safefile.ErrTooLarge):
		err = fmt.Errorf("%s: %w", name, ErrTooLarge)
	}
	if err != nil {
		return "", fmt.Errorf("cannot read environment file: %w", err)
	}
	return string(data), nil
}

// parse reads the text of a file. Names that systemd would leave out of a
// service's environment (1A, "export B") are kept: nothing reads them.
func parse(text string) (Vars, error) {
	m, err := run(text)
	return m.vars, err
}

func run(text string) (machine, error) {
	if strings.IndexByte(text, 0) >= 0 {
		return machine{}, ErrNUL
	}
	m := machine{vars: Vars{}, line: 1}
	for i := range len(text) {
		m.step(text[i])
		if text[i] == '\n' {
			m.line++
		}
	}
	m.end()
	if m.broken {
		return machine{}, ErrNotUTF8
	}
	return m, nil
}

// machine is systemd's state machine, state by state.
type machine struct {
	vars       Vars
	state      state
	key, value []byte
	keyEnd     int // length without white space at the end, -1: there is none
	valueEnd   int
	broken     bool

	line    int // that the next character is in
	keyLine int // in which the name began
	quoted  int // in which the last quote began
	detail  Detail
}

type state int

const (
	preKey state = iota
	inKey
	preValue
	inValue
	valueEscape
	singleQuote
	doubleQuote
	doubleQuoteEscape
	comment
	commentEscape
)

func (m *machine) step(c byte) {
	switch m.state {
	case preKey, inKey:
		m.stepKey(c)
	case preValue, inValue, valueEscape:
		m.stepValue(c)
	case singleQuote, doubleQuote, doubleQuoteEscape:
		m.stepQuote(c)
	case comment:
		if c == '\\' {
			m.state = commentEscape
		} else if newline(c) {
			m.state = preKey
		}
	case commentEscape:
		// systemd 252 takes the line after "\" for comment too; since 254 it
		// is not. A variable that only the newer one sees must not be missed.
		m.state = comment
		if newline(c) {
			m.state = preKey
		}
	}
}

func (m *machine) stepKey(c byte) {
	switch {
	case m.state == preKey && (c == '#' || c == ';'):
		m.state = comment
	case m.state == preKey:
		if !white(c) {
			m.state, m.keyEnd, m.keyLine = inKey, -1, m.line
			m.key = append(m.key, c)
		}
	case newline(c):
		m.detail.Bare = append(m.detail.Bare, m.keyLine)
		m.state, m.key = preKey, m.key[:0]
	case c == '=':
		m.state, m.valueEnd = preValue, -1
	default:
		m.keyEnd = trail(c, m.keyEnd, len(m.key))
		m.key = append(m.key, c)
	}
}

func (m *machine) stepValue(c byte) {
	switch {
	case m.state == valueEscape:
		m.state = inValue
		if !newline(c) { // an escaped end of line is eaten up
			m.value = append(m.value, c)
		}
	case newline(c):
		m.push(m.state == inValue)
		m.state = preKey
	case c == '\\':
		m.state, m.valueEnd = valueEscape, -1
	case m.state == inValue:
		m.valueEnd = trail(c, m.valueEnd, len(m.value))
		m.value = append(m.value, c)
	case c == '\'':
		m.state, m.quoted = singleQuote, m.line
	case c == '"':
		m.state, m.quoted = doubleQuote, m.line
	case !white(c):
		m.state = inValue
		m.value = append(m.value, c)
	}
}

func (m *machine) stepQuote(c byte) {
	switch {
	case m.state == doubleQuoteEscape:
		m.state = doubleQuote
		if strings.IndexByte("\"\\`$", c) >= 0 {
			m.value = append(m.value, c)
		} else if c != '\n' {
			m.value = append(m.value, '\\', c)
		}
	case m.state == singleQuote && c == '\'', m.state == doubleQuote && c == '"':
		m.state = preValue
	case m.state == doubleQuote && c == '\\':
		m.state = doubleQuoteEscape
	default:
		m.value = append(m.value, c)
	}
}

// end is what systemd does at the end of the file: an assignment under way
// counts, a key without an equals sign does not.
func (m *machine) end() {
	switch m.state {
	case inKey:
		m.detail.Bare = append(m.detail.Bare, m.keyLine)
	case singleQuote, doubleQuote, doubleQuoteEscape:
		m.detail.Open = m.quoted
	}
	switch m.state {
	case preValue, inValue, valueEscape, singleQuote, doubleQuote, doubleQuoteEscape:
		m.push(m.state == inValue)
	}
}

// push keeps an assignment; white space at the end is cut off the name, and off
// a value that did not end in quotes.
func (m *machine) push(chomp bool) {
	if chomp && m.valueEnd >= 0 {
		m.value = m.value[:m.valueEnd]
	}
	if m.keyEnd >= 0 {
		m.key = m.key[:m.keyEnd]
	}
	if !valid(m.key) || !valid(m.value) {
		m.broken = true
	}
	m.vars[string(m.key)] = string(m.value)
	m.detail.Assignments = append(m.detail.Assignments, Assignment{string(m.key), string(m.value), m.keyLine})
	m.key, m.value = m.key[:0], m.value[:0]
}

// valid is systemd's utf8_is_valid(), which takes no non-characters.
func valid(s []byte) bool {
	return utf8.Valid(s) && !bytes.ContainsFunc(s, func(r rune) bool { return r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE })
}

// trail returns where the white space at the end begins, given where it began
// before c: -1 after a character that is none.
func trail(c byte, began, length int) int {
	switch {
	case !white(c):
		return -1
	case began < 0:
		return length
	default:
		return began
	}
}

func newline(c byte) bool { return c == '\n' || c == '\r' }

func white(c byte) bool { return c == ' ' || c == '\t' || newline(c) }

// Detail is how systemd interprets a file, with line numbers for error
// messages.
type Detail struct {
	Assignments []Assignment
	Bare        []int // lines without an equals sign, which are dropped
	Open        int   // line of an unclosed quote, 0: none
}

// Assignment is one variable, in the order of the file. Line counts from 1.
type Assignment struct {
	Name, Value string
	Line        int
}

// Details reads the text of a file as parse does.
func Details(text string) (Detail, error) {
	m, err := run(text)
	return m.detail, err
}

// Boolean reads the value of a variable as JustNews does.
func Boolean(value string) (on, known bool) {
	switch strings.ToLower(value) {
	case "1", "true", "yes", "on":
		return true, true
	case "0", "false", "no", "off":
		return false, true
	}
	return false, false
}

// Cache is a directory below a home in which a library keeps what it downloads.
type Cache struct {
	Below string
	// Variable leads there if XDG_CACHE_HOME leads elsewhere, "": the library does not
	// follow XDG_CACHE_HOME. Beside are variables that do the same.
	Variable string
	Beside   []string
	Written  bool // also while its agent is running
}

// Caches are those of the libraries that JustNews uses.
var Caches = []Cache{
	{".cache/huggingface", "HF_HOME", []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_CACHE"}, true},
	{".cache/torch", "TORCH_HOME", nil, true},
	{".cache/ms-playwright", "PLAYWRIGHT_BROWSERS_PATH", nil, false},
	{".crawl4ai", "", nil, true},
}

// directorySuffixes are the suffixes of variables with the directories of a program's files.
var directorySuffixes = []string{"_DIR", "_DIRECTORY", "_PATH", "_HOME", "_CACHE", "_ROOT", "_FOLDER", "_LOG", "_LOG_FILE"}

// onlyRead name what agents read and never write: toolkits, interpreters,
// search paths, the Model Store and its map.
var onlyRead = []string{
	"CUDA_HOME", "CUDA_PATH", "JAVA_HOME", "LD_LIBRARY_PATH", "LIBRARY_PATH", "PKG_CONFIG_PATH", "CANONICAL_PYTHON_PATH", "PLAYWRIGHT_BROWSERS_PATH",
	"MODEL_STORE_ROOT", "BASE_MODEL_DIR", "AGENT_MODEL_MAP_PATH", "SERVICE_DIR", "JUSTNEWS_ROOT", "PROJECT_ROOT",
	"CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY", "NLTK_DATA_PATH",
}

// written end the names of files that a program writes: a database needs its
// directory, too, for its journal.
var written = []string{".db", ".sqlite", ".sqlite3", ".log", ".jsonl"}

// Directory returns the directory that a variable has its program write to, ""
// if it names none.
func Directory(name, value string) string {
	if !slices.ContainsFunc(directorySuffixes, func(s string) bool { return strings.HasSuffix(name, s) }) ||
		slices.Contains(onlyRead, name) || strings.HasPrefix(name, "CONDA_") || !path.IsAbs(value) || strings.ContainsAny(value, "$`:;, \t") {
		return ""
	}
	clean := path.Clean(value)
	switch ext := path.Ext(clean); {
	case slices.Contains(written, ext):
		return path.Dir(clean)
	case ext != "" && !strings.HasPrefix(path.Base(clean), ".") && !strings.HasSuffix(name, "_DIR"):
		return "" // a file that is read: a configuration, a program, a key
	}
	return clean
}
