// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"justnews/internal/diag"
	"justnews/internal/lists"
	"justnews/internal/spell"
	"justnews/internal/timespan"
	"justnews/internal/unitfile"
)

// checker compares one document with the schema: what can be checked in a file
// without the others.
type checker struct {
	*state
	doc  *document
	path []string // to the current value
}

// where returns the location of a problem.
type where bool

const (
	atKey   where = false
	atValue where = true
)

func (c *checker) table(fields []field, m map[string]any) {
	for name, v := range m {
		c.path = append(c.path, name)
		if f := find(fields, name); f == nil {
			c.unknown(fields, name, v)
		} else {
			c.value(f, v)
		}
		c.path = c.path[:len(c.path)-1]
	}
}

func (c *checker) value(f *field, v any) {
	switch f.kind {
	case boolean:
		if _, ok := v.(bool); !ok {
			c.wrongType(v, "true or false")
		}
	case integer:
		c.integer(f, v)
	case span:
		c.span(f, v)
	case text:
		c.text(f, v)
	case memory:
		c.memory(f, v)
	case list:
		c.list(f, v)
	case variables:
		c.variables(f, v)
	case group:
		c.group(f, v)
	case named:
		c.named(f, v)
	}
}

func (c *checker) integer(f *field, v any) {
	n, ok := v.(int64)
	expected := fmt.Sprintf("a whole number from %d to %d", f.low, f.high)
	switch {
	case !ok:
		c.wrongType(v, expected)
	case n < f.low || n > f.high:
		c.refuse(diag.ConfigValue, v, "must be "+expected, expected, "")
	}
}

// spanOf reads a time span: a string of systemd.time(7) or an integer of seconds.
func spanOf(v any) (time.Duration, error) {
	switch v := v.(type) {
	case string:
		return timespan.Seconds(v)
	case int64:
		if v < 0 || v > maxSpan {
			return -1, nil
		}
		return time.Duration(v) * time.Second, nil
	}
	return 0, fmt.Errorf("cannot read time span of type %T", v)
}

func (c *checker) span(f *field, v any) {
	low, high := time.Duration(f.low)*time.Second, time.Duration(f.high)*time.Second
	limits := "from " + timespan.Format(low) + " to " + timespan.Format(high)
	expected := "a duration in whole seconds " + limits + `, such as "300s" or "5min"`
	if s, ok := v.(string); ok && c.dirty(s) {
		return
	}
	switch v.(type) {
	case string, int64:
	default:
		c.wrongType(v, expected)
		return
	}
	d, err := spanOf(v)
	switch {
	case err != nil:
		c.refuse(diag.ConfigValue, v, "= "+seenOf(v)+" is not a duration", expected, f.emptied(v))
	case d < low || d > high:
		c.refuse(diag.ConfigValue, v, "must be "+limits, expected, "")
	}
}

func (c *checker) text(f *field, v any) {
	s, ok := v.(string)
	if !ok {
		c.mustBe(v, "a string", "a string: "+expectedText(f))
		return
	}
	if c.dirty(s) {
		return
	}
	if f.form != nil && !f.form.fits(s) {
		hint := f.emptied(v)
		if clean := path.Clean(s); strings.HasPrefix(s, "/") && clean != s && f.form.fits(clean) {
			hint = "write " + quote(clean)
		}
		c.refuse(diag.ConfigValue, v, "must be "+f.form.inShort(s), f.form.expected(), hint)
	}
	if f.words != nil && !slices.Contains(f.words, s) {
		hint := f.emptied(v)
		if near, found := spell.Nearest(s, f.words); found {
			hint = "write " + quote(near)
		}
		c.refuse(diag.ConfigValue, v, "must be "+quoteList(f.words), quoteList(f.words), hint)
	}
}

const useDefault = "remove the line to use the default"

// emptied is the fix for a value that was emptied, as in a unit, to get the default.
func (f *field) emptied(v any) string {
	if def, ok := f.def.(string); ok && def != "" && v == "" {
		return useDefault
	}
	return ""
}

func (c *checker) memory(f *field, v any) {
	table, ok := v.(map[string]any)
	if !ok {
		c.text(f, v)
		return
	}
	for gpu, limit := range table {
		c.path = append(c.path, gpu)
		if !gpuName(gpu) {
			c.report(diag.ConfigValue, atKey, quote(gpu)+" is not "+formGPU.short, quote(gpu), formGPU.expected(), "name the GPU as nvidia-smi -L does")
		}
		if c.text(f, limit); limit == "" {
			c.refuse(diag.ConfigValue, limit, "must be "+f.form.short, f.form.short, "")
		}
		c.path = c.path[:len(c.path)-1]
	}
}

func expectedText(f *field) string {
	if f.words != nil {
		return quoteList(f.words)
	}
	return f.form.expected()
}

func (c *checker) list(f *field, v any) {
	items, ok := v.([]any)
	if !ok {
		c.mustBe(v, "a list: "+c.path[len(c.path)-1]+" = "+listOf(v), "a list of strings: "+f.form.expected())
		return
	}
	for i, item := range items {
		c.path = append(c.path, "["+strconv.Itoa(i)+"]")
		c.text(f, item)
		c.path = c.path[:len(c.path)-1]
	}
	if f.form == &formExec {
		c.exec(items)
	}
}

// exec checks the additional rules for the first word of a command.
func (c *checker) exec(items []any) {
	const expected = "a command whose first word is an absolute path"
	if len(items) == 0 {
		c.refuse(diag.ConfigValue, items, "is empty", expected, useDefault)
		return
	}
	first, ok := items[0].(string)
	if !ok || !Printable(first) {
		return
	}
	what := "must be an absolute path"
	if cleanPath(first) {
		err := unitfile.CheckCommand(first)
		if err == nil {
			return
		}
		what = "cannot be the command of a unit: " + err.Error()
	}
	c.path = append(c.path, "[0]")
	c.refuse(diag.ConfigValue, first, what, expected, "")
	c.path = c.path[:len(c.path)-1]
}

func (c *checker) group(f *field, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		c.wrongType(v, "a table, ["+dotted(c.path)+"]")
		return
	}
	c.table(f.fields, m)
}

func (c *checker) named(f *field, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		c.wrongType(v, "tables, ["+f.name+".NAME]")
		return
	}
	for name, v := range m {
		c.path = append(c.path, name)
		if !f.form.fits(name) {
			c.report(diag.ConfigValue, atKey, quote(name)+" is not "+f.form.inShort(name), quote(name), f.form.expected(), "rename it")
		}
		c.group(f, v)
		c.path = c.path[:len(c.path)-1]
	}
}

func (c *checker) variables(f *field, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		c.wrongType(v, `a table of strings, { NAME = "value" }`)
		return
	}
	for name, v := range m {
		c.path = append(c.path, name)
		c.variable(f, name, v)
		c.path = c.path[:len(c.path)-1]
	}
}

func (c *checker) variable(f *field, name string, v any) {
	if !f.form.fits(name) {
		c.report(diag.ConfigValue, atKey, quote(name)+" is not "+f.form.inShort(name), quote(name), f.form.expected(), "rename it")
	}
	if use, reserved := reservedVariable(name); reserved {
		c.report(diag.ConfigConflict, atKey, name+" is not set here: "+use.why, name, "a variable that neither the toolkit nor systemd sets", use.fix)
	}
	s, ok := v.(string)
	if !ok {
		c.wrongType(v, "the string "+quote(literal(v)))
		return
	}
	c.dirty(s)
}

// dirty reports a string that must not appear in a unit file, on a terminal or
// in the journal.
func (c *checker) dirty(s string) bool {
	if Printable(s) {
		return false
	}
	what := "contains a control character"
	switch {
	case !utf8.ValidString(s):
		what = "is not UTF-8"
	case strings.IndexFunc(s, unicode.IsControl) < 0:
		what = "contains a code point that systemd does not accept, such as U+FFFE"
	}
	c.refuse(diag.ConfigString, s, what, "UTF-8 without control characters (newline, tab, escape)", "")
	return true
}

// Printable reports whether the configuration may contain a string: UTF-8 without control
// characters.
func Printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return printed(s) && unitfile.CheckText(s) == nil
		}
	}
	return true
}

func (c *checker) wrongType(v any, expected string) { c.mustBe(v, expected, expected) }

func (c *checker) mustBe(v any, short, expected string) {
	c.refuse(diag.ConfigType, v, "must be "+short, expected, "")
}

// listOf shows a single value as the list that it should be.
func listOf(v any) string {
	s, ok := v.(string)
	switch {
	case ok && s == "":
		return "[]"
	case ok && len(s) <= maxSeen:
		return literalList(1, func(int) string { return quote(s) })
	}
	return `["..."]`
}

// instead returns what to use instead of a reserved variable.
type instead struct{ why, fix string }

// reservedVariable reports whether an instance's environment must not set a
// name: the generator sets it from another key, or systemd sets it and a false
// value would mislead the gate.
func reservedVariable(name string) (instead, bool) {
	if key := keys[name]; key != "" {
		return instead{"the drop-in sets it from " + key, "set " + key + " instead"}, true
	}
	if strings.HasPrefix(name, "CUDA_MPS_") {
		return instead{"MPS is configured by the mps tables", "remove it"}, true
	}
	switch name {
	case "NOTIFY_SOCKET", "INVOCATION_ID", "JOURNAL_STREAM", "MAINPID", "MANAGERPID", "WATCHDOG_PID", "WATCHDOG_USEC",
		"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "CREDENTIALS_DIRECTORY", "RUNTIME_DIRECTORY", "STATE_DIRECTORY",
		"CACHE_DIRECTORY", "LOGS_DIRECTORY", "CONFIGURATION_DIRECTORY", "DBUS_SYSTEM_BUS_ADDRESS",
		"SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS", "MONITOR_SERVICE_RESULT":
		return instead{"systemd sets it", "remove it"}, true
	}
	if strings.HasPrefix(name, "SYSTEMD_") {
		return instead{"it is reserved for systemd", "remove it"}, true
	}
	return instead{}, false
}

// keys are those that set the variables of the runbook.
var keys = map[string]string{
	"GATE_TIMEOUT": "gate.timeout", "REQUIRE_BUS": "require_bus", "GPU_ORCHESTRATOR_URL": "orchestrator.url", "MCP_BUS_URL": "bus.url",
	"MODEL_STORE_ROOT": "models.root", "BASE_MODEL_DIR": "models.base_dir", "AGENT_MODEL_MAP": "models.map",
	"STRICT_MODEL_STORE": "models.strict", "HF_HUB_OFFLINE": "models.strict", "TRANSFORMERS_OFFLINE": "models.strict",
	"CUDA_MPS_PIPE_DIRECTORY": "mps.pipe_directory", "CUDA_MPS_LOG_DIRECTORY": "mps.log_directory",
	"CUDA_MPS_PINNED_DEVICE_MEM_LIMIT": "mps.memory", "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": "mps.threads",
}

// unknown reports an unknown key, with the nearest known one or the table where
// it belongs.
func (c *checker) unknown(fields []field, name string, value any) {
	above := c.path[:len(c.path)-1]
	table := "at the top level"
	if len(above) > 0 {
		table = "in [" + dotted(above) + "]"
	}
	names := lists.Map(fields, func(f field) string { return f.name })
	message, fix := "unknown key "+quote(name)+" "+table, "remove it"
	near, isNear := spell.Nearest(name, names)
	home := homeOf(above, fields, name)
	if _, isTable := value.(map[string]any); isTable && isNear {
		home = "" // [instance.scout] is a misspelt [instances.scout], not the instance of [bus]
	}
	switch {
	case home != "":
		message += ", it belongs in " + home
		fix = "move it to " + home
	case isNear:
		message += ", did you mean " + quote(near) + "?"
		fix = "write " + bareOrQuoted(near) + " instead of " + bareOrQuoted(name)
	case keys[name] != "":
		message += ", it is an environment variable"
		fix = "set " + keys[name] + " instead"
	}
	c.report(diag.ConfigUnknownKey, atKey, message, quote(name), "one of "+strings.Join(names, ", "), fix)
}

// homeOf finds the table that has a key of exactly that name: below the current
// table first ([instances.scout] timeout belongs in its gate), then anywhere.
func homeOf(above []string, fields []field, name string) string {
	for i := range fields {
		if fields[i].kind == group && find(fields[i].fields, name) != nil {
			return "[" + dotted(append(append([]string{}, above...), fields[i].name)) + "]"
		}
	}
	for i := range schema {
		if schema[i].kind == group && find(schema[i].fields, name) != nil {
			return "[" + schema[i].name + "]"
		}
	}
	if find(schema, name) != nil && find(schema, name).fields == nil {
		return "the lines before the first table"
	}
	if find(instanceFields, name) != nil {
		return "[instances.NAME]"
	}
	return ""
}
