// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"justnews/internal/diag"
	"justnews/internal/lists"
)

type printer struct {
	*state
	b      strings.Builder
	origin bool
}

func (s *state) show(origin bool) string {
	p := &printer{state: s, origin: origin}
	for i := range schema {
		f := &schema[i]
		switch {
		case f.kind == text:
			if s.minimum != nil {
				p.line(f.name, s.minimum.text, s.minimum.position.File+":"+strconv.Itoa(s.minimum.position.Line), false)
			}
		case f.kind == group:
			p.header(f.name)
			for j := range f.fields {
				p.field(&f.fields[j], f.name, f.fields[j].name)
			}
		case f.name == "probes", f.name == "guards":
			p.tables(f)
		default:
			for i := range s.config.Instances {
				p.instance(&s.config.Instances[i])
			}
		}
	}
	return p.b.String()
}

func (p *printer) header(path ...string) {
	if p.b.Len() > 0 {
		p.b.WriteByte('\n')
	}
	p.b.WriteString("[" + dotted(path) + "]\n")
}

func (p *printer) field(f *field, path ...string) {
	v, written := lookUp(p.merged, path)
	switch {
	case written:
		p.line(f.name, v, p.placeOf(path), false)
	case dotted(path) == "models.canary":
		p.line(f.name, p.config.Models.Canary, "default", false) // which depends on the kind
	case f.def != nil:
		p.line(f.name, f.def, "default", p.meansMore(path))
	}
}

// meansMore reports whether writing a default explicitly would change its
// meaning: a map or an instance that is set must exist.
func (p *printer) meansMore(path []string) bool {
	cfg := p.config
	switch dotted(path) {
	case "models.map":
		return true
	case "orchestrator.instance":
		_, listed := cfg.Instance(cfg.Orchestrator.Instance)
		return !listed
	case "bus.instance":
		_, listed := cfg.Instance(cfg.Bus.Instance)
		return !listed
	}
	return false
}

func (p *printer) line(name string, v any, origin string, comment bool) {
	if comment {
		p.b.WriteString("# ")
	}
	p.b.WriteString(bareOrQuoted(name) + " = " + literal(v))
	if p.origin {
		p.b.WriteString("  # " + origin)
	}
	p.b.WriteByte('\n')
}

func (p *printer) placeOf(path []string) string {
	d := p.state.origin(path)
	if d == nil {
		return "default"
	}
	return d.path + ":" + strconv.Itoa(d.at(path).Key.Line)
}

// tables writes named tables whose defaults are those of the schema.
func (p *printer) tables(f *field) {
	tables, _ := p.merged[f.name].(map[string]any)
	for _, name := range sortedKeys(tables) {
		p.header(f.name, name)
		for i := range f.fields {
			p.field(&f.fields[i], f.name, name, f.fields[i].name)
		}
	}
}

// instance writes all of an instance's own keys, and those of the shared keys
// that it overrides.
func (p *printer) instance(in *Instance) {
	base := []string{"instances", in.Name}
	p.header(base...)
	for i := range instanceFields {
		f := &instanceFields[i]
		path := append(base[:2:2], f.name)
		switch f.name {
		case "require_bus":
			p.effective(f, path, in.RequireBus)
		case "require_models":
			p.effective(f, path, in.RequireModels)
		case "gate", "mps", "service", "environment": // tables come last
		default:
			p.field(f, path...)
		}
	}
	p.again(append(base[:2:2], "gate"), gateFields)
	p.mps(base, in)
	p.again(append(base[:2:2], "service"), serviceFields)
	p.environment(append(base[:2:2], "environment"), in)
}

// effective writes a key whose value may be overridden by the structure.
func (p *printer) effective(f *field, path []string, value bool) {
	v, written := lookUp(p.merged, path)
	origin := "default"
	if written {
		origin = p.placeOf(path)
	} else {
		v = f.def
	}
	if v != value {
		origin = "structure"
	}
	p.line(f.name, value, origin, false)
}

func (p *printer) again(path []string, fields []field) {
	table, _ := lookUp(p.merged, path)
	if m, _ := table.(map[string]any); len(m) == 0 {
		return
	}
	p.header(path...)
	for i := range fields {
		if _, written := lookUp(p.merged, append(path[:3:3], fields[i].name)); written {
			p.field(&fields[i], append(path[:3:3], fields[i].name)...)
		}
	}
}

func (p *printer) mps(base []string, in *Instance) {
	path := append(base[:2:2], "mps")
	p.header(path...)
	enabled := append(path[:3:3], "enabled")
	origin := p.placeOf(enabled)
	if !p.isWritten(enabled...) {
		origin = p.placeOf([]string{"mps", "enabled"})
	}
	p.line("enabled", in.MPS.Enabled, origin, false)
	for i := range instanceMPSFields {
		f := &instanceMPSFields[i]
		if key := append(path[:3:3], f.name); f.name != "enabled" && p.isWritten(key...) {
			p.field(f, key...)
		}
	}
}

func (p *printer) environment(path []string, in *Instance) {
	if in.Environment == nil {
		return
	}
	p.header(path...)
	for _, name := range sortedKeys(in.Environment) {
		p.line(name, in.Environment[name], p.placeOf(append(path[:3:3], name)), false)
	}
}

func literal(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return literalFloat(v)
	case time.Time:
		return literalTime(v)
	case []string:
		return literalList(len(v), func(i int) string { return quote(v[i]) })
	case []any:
		return literalList(len(v), func(i int) string { return literal(v[i]) })
	case []map[string]any:
		return literalList(len(v), func(i int) string { return literal(v[i]) })
	case map[string]any:
		return literalTable(v)
	}
	return fmt.Sprint(v)
}

func literalFloat(f float64) string {
	s := strings.ToLower(strconv.FormatFloat(f, 'g', -1, 64))
	if only(s, func(c byte) bool { return digit(c) || c == '-' }) {
		s += ".0"
	}
	return s
}

// literalTime writes a date in its original form, which the decoder keeps in
// the name of the zone.
func literalTime(t time.Time) string {
	switch t.Location().String() {
	case "datetime-local":
		return t.Format("2006-01-02T15:04:05.999999999")
	case "date-local":
		return t.Format(time.DateOnly)
	case "time-local":
		return t.Format("15:04:05.999999999")
	}
	return t.Format(time.RFC3339Nano)
}

func literalList(n int, item func(int) string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item(i)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func literalTable(m map[string]any) string {
	if len(m) == 0 {
		return "{}"
	}
	items := lists.Map(slices.Sorted(maps.Keys(m)), func(k string) string { return bareOrQuoted(k) + " = " + literal(m[k]) })
	return "{ " + strings.Join(items, ", ") + " }"
}

// quote writes a TOML basic string. strconv.Quote uses escapes that TOML does
// not have.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func bareOrQuoted(key string) string {
	if key != "" && only(key, func(c byte) bool { return word(c) || c == '-' }) {
		return key
	}
	return quote(key)
}

// dotted writes a path as a dotted key; an index such as "[0]" is not quoted.
func dotted(path []string) string {
	var b strings.Builder
	for i, step := range path {
		if strings.HasPrefix(step, "[") && i > 0 {
			b.WriteString(step)
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(bareOrQuoted(step))
	}
	return b.String()
}

// maxSeen bounds how much of the file a message repeats, in bytes.
const maxSeen = 80

// seenOf is the evidence in a problem: the value, cut to a readable length.
func seenOf(v any) string {
	return diag.Clip(diag.WithoutPasswords(literal(v)), maxSeen)
}
