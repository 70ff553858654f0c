// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Behaviour is one way to misbehave. Exactly one of its hooks is set, unless the engine, the
// door or the life cycle looks it up by name.
type Behaviour struct {
	Name  string
	Doc   string
	Value string   // the value after "=", empty if there is none
	Paths []string // which requests it affects if no @path is given; none: all
	Times int      // how often if no *n is given; 0: always

	// check rejects an invalid value when it is set.
	check func(value string) error
	// refuse answers instead of the server, which never sees the request.
	refuse func(value string) rendered
	// rewrite changes the answer's JSON object.
	rewrite func(state *object, s *spec)
	// dress changes the answer after it has become bytes.
	dress func(r *rendered, value string)
	// deliver sends the answer its own way; false: send it as usual.
	deliver func(d *delivery, s *spec) bool
}

// rendered is an answer as bytes.
type rendered struct {
	status int
	header map[string]string
	body   []byte
}

// spec is one behaviour that is in force: NAME[=VALUE][@PATH][*TIMES].
type spec struct {
	*Behaviour
	value string
	path  string // empty: the behaviour's own Paths
	left  int    // uses left; negative: unlimited
	seen  int    // requests that it was applied to, including this one
	memo  int    // for use by the behaviour
}

// Behaviours is the table, sorted by name.
func Behaviours() []Behaviour {
	all := slices.Concat(engineBehaviours, lifeBehaviours, stateBehaviours, statusBehaviours, dressBehaviours, wireBehaviours)
	slices.SortFunc(all, func(a, b Behaviour) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// parseSpec reads NAME[=VALUE][@PATH][*TIMES].
func parseSpec(text string) (*spec, error) {
	rest, times, counted := cutLast(text, "*")
	rest, path, _ := cutLast(rest, "@")
	name, value, valued := strings.Cut(rest, "=")
	all := Behaviours()
	i := slices.IndexFunc(all, func(b Behaviour) bool { return b.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("cannot misbehave as %q: no such behaviour", text)
	}
	s := &spec{Behaviour: &all[i], value: value, path: path, left: -1}
	if s.Times > 0 {
		s.left = s.Times
	}
	if counted {
		n, err := strconv.Atoi(times)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("cannot misbehave as %q: %q is not a number of times", text, times)
		}
		s.left = n
	}
	if valued && s.Value == "" {
		return nil, fmt.Errorf("cannot misbehave as %q: %s takes no value", text, name)
	}
	if s.check != nil {
		if err := s.check(value); err != nil {
			return nil, fmt.Errorf("cannot misbehave as %q: %w", text, err)
		}
	}
	return s, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func (s *spec) String() string {
	text := s.Name
	if s.value != "" {
		text += "=" + s.value
	}
	if s.path != "" {
		text += "@" + s.path
	}
	if s.left >= 0 {
		text += "*" + strconv.Itoa(s.left)
	}
	return text
}

func (s *spec) concerns(path string) bool {
	if s.path != "" {
		return s.path == path
	}
	return len(s.Paths) == 0 || slices.Contains(s.Paths, path)
}

// conduct is the current misbehaviour.
type conduct struct {
	mu      sync.Mutex
	active  []*spec
	changed chan struct{} // closed at each change
}

// set replaces all behaviours in force.
func (c *conduct) set(texts []string) error {
	var specs []*spec
	for _, t := range texts {
		s, err := parseSpec(t)
		if err != nil {
			return err
		}
		specs = append(specs, s)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active = specs
	c.wake()
	return nil
}

func (c *conduct) wake() {
	if c.changed != nil {
		close(c.changed)
	}
	c.changed = make(chan struct{})
}

// changes returns a channel that is closed at the next change.
func (c *conduct) changes() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return c.changed
}

func (c *conduct) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	texts := []string{}
	for _, s := range c.active {
		texts = append(texts, s.String())
	}
	return texts
}

// value reports whether the behaviour of that name is in force, and its value. It does not
// count as a use.
func (c *conduct) value(name string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.active {
		if s.Name == name {
			return s.value, true
		}
	}
	return "", false
}

// drop ends the behaviour of that name.
func (c *conduct) drop(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active = slices.DeleteFunc(c.active, func(s *spec) bool { return s.Name == name })
	c.wake()
}

// take uses one turn of each behaviour that pick accepts and that applies to path, in the order
// in which they were set, and calls use with it under the lock.
func (c *conduct) take(path string, pick func(*spec) bool, use func(*spec)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.active {
		if s.left == 0 || !pick(s) || !s.concerns(path) {
			continue
		}
		s.seen++
		s.left-- // a negative count stays negative for longer than any test
		use(s)
	}
	c.active = slices.DeleteFunc(c.active, func(s *spec) bool { return s.left == 0 })
}

// duration reads a value such as "2s"; empty gives fallback.
func duration(value string, fallback time.Duration) time.Duration {
	if d, err := time.ParseDuration(value); err == nil {
		return d
	}
	return fallback
}

func checkDuration(value string) error {
	if value == "" {
		return nil
	}
	d, err := time.ParseDuration(value)
	if err == nil && d < 0 {
		err = fmt.Errorf("%q is negative", value)
	}
	return err
}

func checkCount(value string) error {
	if n, err := strconv.Atoi(value); value != "" && (err != nil || n < 0) {
		return fmt.Errorf("%q is not a count", value)
	}
	return nil
}
