// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	sddbus "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"

	"justnews/internal/facts"
	"justnews/internal/lists"
)

// unitName is a valid unit name (systemd.unit(5)), except for templates, which
// are not units.
var unitName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\@-]+)?\.(service|socket|target|device|mount|automount|swap|timer|path|slice|scope)$`)
})

// maxUnitName is systemd's UNIT_NAME_MAX with the terminating zero.
const maxUnitName = 255

func isUnitName(name string) bool { return len(name) <= maxUnitName && unitName().MatchString(name) }

// Unit returns a consistent snapshot of a unit: one GetAll over every interface
// of the unit, so ActiveState and Result belong together. A unit that does not
// exist is not an error but has LoadState "not-found". Errors wrap ErrNoSystemd
// or ErrUnreachable if systemd could not be queried.
//
// With properties of a service, only these are asked for, one after the other: the
// result has the name and these. An answer to GetAll has about 300 properties, which
// costs a gate and systemd much more than a few of them (docs/figures.md).
func (c *Conn) Unit(ctx context.Context, name string, only ...string) (facts.Unit, error) {
	if !isUnitName(name) {
		return facts.Unit{}, fmt.Errorf("cannot ask for unit %q: not a unit name", name)
	}
	path := managerPath + "/unit/" + dbus.ObjectPath(sddbus.PathBusEscape(name))
	look := c.unitAt
	if len(only) > 0 {
		look = func(ctx context.Context, path dbus.ObjectPath) (facts.Unit, error) {
			u, err := c.partAt(ctx, path, only)
			u.Name = name
			return u, err
		}
	}
	u, err := look(ctx, path)
	if err != nil {
		return facts.Unit{}, fmt.Errorf("cannot ask for unit %s: %w", name, err)
	}
	return u, nil
}

// UnitOfPID returns the unit that a process belongs to. The gate finds its own
// unit this way: ControlPID is then its own PID, and the unit's TimeoutStart
// and SuccessExitStatus are those that systemd will really use. The error wraps
// ErrNoUnit if there is none.
func (c *Conn) UnitOfPID(ctx context.Context, pid int) (facts.Unit, error) {
	if pid <= 0 || pid > math.MaxInt32 {
		return facts.Unit{}, fmt.Errorf("cannot ask for the unit of PID %d: not a PID", pid)
	}
	var path dbus.ObjectPath
	err := c.call(ctx, managerPath, managerIface+".GetUnitByPID", &path, uint32(pid))
	if err != nil {
		return facts.Unit{}, fmt.Errorf("cannot ask for the unit of PID %d: %w", pid, err)
	}
	u, err := c.unitAt(ctx, path)
	if err != nil {
		return facts.Unit{}, fmt.Errorf("cannot ask for the unit of PID %d: %w", pid, err)
	}
	return u, nil
}

func (c *Conn) unitAt(ctx context.Context, path dbus.ObjectPath) (facts.Unit, error) {
	var props map[string]dbus.Variant
	if err := c.call(ctx, path, propertiesIface+".GetAll", &props, ""); err != nil {
		return facts.Unit{}, err
	}
	u, uid, err := decode(props)
	if err != nil {
		return facts.Unit{}, err
	}
	u.UID = c.uidOf(u, uid)
	return u, nil
}

// partAt is unitAt for these properties only.
func (c *Conn) partAt(ctx context.Context, path dbus.ObjectPath, only []string) (facts.Unit, error) {
	b := bag{props: make(map[string]dbus.Variant, len(only))}
	for _, property := range only {
		iface := destination + ".Service"
		if ofEveryUnit[property] {
			iface = destination + ".Unit"
		}
		var v dbus.Variant
		if err := c.call(ctx, path, propertiesIface+".Get", &v, iface, property); err != nil {
			return facts.Unit{}, err
		}
		b.props[property] = v
	}
	u := read(&b)
	return u, b.err
}

// ofEveryUnit are the properties that a part may consist of and that are not a
// service's own.
var ofEveryUnit = map[string]bool{"InvocationID": true, "DropInPaths": true}

// decode turns systemd's properties into facts. A reply without the three
// states is invalid. The second result is the property UID.
func decode(props map[string]dbus.Variant) (facts.Unit, uint32, error) {
	b := bag{props: props}
	for _, name := range []string{"Id", "LoadState", "ActiveState"} {
		if _, ok := props[name]; !ok {
			b.fail(fmt.Errorf("cannot read property %s: missing", name))
		}
	}
	u, uid := read(&b), uint32(noUID)
	if _, ok := props["UID"]; ok {
		uid = may[uint32](&b, "UID")
	}
	if b.err != nil {
		return facts.Unit{}, 0, b.err
	}
	return u, uid, nil
}

// read turns the properties that there are into facts.
func read(b *bag) facts.Unit {
	u := facts.Unit{
		Name:             may[string](b, "Id"),
		LoadState:        may[string](b, "LoadState"),
		ActiveState:      may[string](b, "ActiveState"),
		SubState:         may[string](b, "SubState"),
		Result:           may[string](b, "Result"),
		StatusText:       may[string](b, "StatusText"),
		InvocationID:     hex.EncodeToString(may[[]byte](b, "InvocationID")),
		ExecMainCode:     int(may[int32](b, "ExecMainCode")),
		ExecMainStatus:   int(may[int32](b, "ExecMainStatus")),
		MainPID:          int(may[uint32](b, "MainPID")),
		ControlPID:       int(may[uint32](b, "ControlPID")),
		NRestarts:        int(may[uint32](b, "NRestarts")),
		User:             may[string](b, "User"),
		Environment:      may[[]string](b, "Environment"),
		EnvironmentFiles: column(may[[][]any](b, "EnvironmentFiles"), 0),
		TimeoutStart:     timespan(may[uint64](b, "TimeoutStartUSec")),
		ControlGroup:     may[string](b, "ControlGroup"),
		MemoryLimits:     memoryLimits(b),
		Job:              hasJob(may[[]any](b, "Job")),
		ConditionResult:  may[bool](b, "ConditionResult"),
		NeedDaemonReload: may[bool](b, "NeedDaemonReload"),
		FragmentPath:     may[string](b, "FragmentPath"),
		DropInPaths:      may[[]string](b, "DropInPaths"),
		ExecStartPre:     commands(may[[][]any](b, "ExecStartPre")),
		ExecStartPost:    commands(may[[][]any](b, "ExecStartPost")),
		Conditions:       unmet(may[[][]any](b, "Conditions")),
		After:            may[[]string](b, "After"),
		Before:           may[[]string](b, "Before"),
		Conflicts:        may[[]string](b, "Conflicts"),
		TriggeredBy:      may[[]string](b, "TriggeredBy"),
		Sandbox:          sandbox(b),
		Times: facts.UnitTimes{
			InactiveExit:  timespan(may[uint64](b, "InactiveExitTimestampMonotonic")),
			ExecMainStart: timespan(may[uint64](b, "ExecMainStartTimestampMonotonic")),
			ActiveEnter:   timespan(may[uint64](b, "ActiveEnterTimestampMonotonic")),
			InactiveEnter: timespan(may[uint64](b, "InactiveEnterTimestampMonotonic")),
			StateChange:   timespan(may[uint64](b, "StateChangeTimestampMonotonic")),
		},
		SuccessExitStatus: exitStatuses(
			may[[]any](b, "SuccessExitStatus"), 0),
		SuccessSignals: exitStatuses(may[[]any](b, "SuccessExitStatus"), 1),
		Service:        service(b),
	}
	u.Marks, u.Unset = marks(may[[]string](b, "UnsetEnvironment"))
	return u
}

// marks separates the values of the generator's mark from what a unit really unsets.
func marks(all []string) (marks, unset []string) {
	for _, assignment := range all {
		if value, ok := strings.CutPrefix(assignment, facts.MarkVariable+"="); ok {
			marks = append(marks, value)
		} else {
			unset = append(unset, assignment)
		}
	}
	return marks, unset
}

// bag reads properties and records the first one with an unexpected type.
type bag struct {
	props map[string]dbus.Variant
	err   error
}

// may returns a property, or its zero value if the unit's type lacks it (a
// target has no MainPID).
func may[T any](b *bag, name string) T {
	var zero T
	v, ok := b.props[name]
	if !ok {
		return zero
	}
	t, ok := v.Value().(T)
	if !ok {
		b.fail(fmt.Errorf("cannot read property %s: type %s", name, v.Signature()))
	}
	return t
}

func (b *bag) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// timespan converts microseconds; systemd's infinity, and values that overflow
// a Duration, are 0.
func timespan(usec uint64) time.Duration {
	if usec > math.MaxInt64/uint64(time.Microsecond) {
		return 0
	}
	return time.Duration(usec) * time.Microsecond
}

// memoryLimits reads the memory limits of a unit; infinity is the largest
// number.
func memoryLimits(b *bag) []string {
	var limits []string
	for _, name := range []string{"MemoryMax", "LimitAS", "LimitDATA"} {
		if _, ok := b.props[name]; !ok {
			continue
		}
		if n := may[uint64](b, name); n != math.MaxUint64 {
			limits = append(limits, fmt.Sprintf("%s=%d", name, n))
		}
	}
	return limits
}

// hasJob reads Job, a pair of id and object path: id 0 means no job.
func hasJob(job []any) bool {
	if len(job) == 0 {
		return false
	}
	id, ok := job[0].(uint32)
	return !ok || id != 0
}

// commands reads ExecStartPre, rows of a path, the arguments, whether a failure
// is ignored, and how the last run went.
func commands(rows [][]any) []facts.Exec {
	var all []facts.Exec
	for _, row := range rows {
		if len(row) < 3 {
			continue
		}
		argv, _ := row[1].([]string)
		ignore, known := row[2].(bool)
		e := facts.Exec{Argv: argv, IgnoreFailure: ignore || !known}
		if len(row) >= 10 {
			code, _ := row[8].(int32)
			status, _ := row[9].(int32)
			e.Code, e.Status = int(code), int(status)
		}
		all = append(all, e)
	}
	return all
}

// unmet reads Conditions, rows of a type, whether one of several suffices
// ("|"), whether it is negated ("!"), the parameter, and its result: above 0 it
// was met, below it was not, 0: not checked.
func unmet(rows [][]any) []string {
	var all []string
	for _, row := range rows {
		if len(row) < 5 {
			continue
		}
		kind, _ := row[0].(string)
		trigger, _ := row[1].(bool)
		negate, _ := row[2].(bool)
		parameter, _ := row[3].(string)
		state, ok := row[4].(int32)
		if !ok || state >= 0 {
			continue
		}
		text := kind + "="
		if trigger {
			text += "|"
		}
		if negate {
			text += "!"
		}
		all = append(all, text+parameter)
	}
	return all
}

// exitStatuses reads SuccessExitStatus, a pair of exit statuses (0) and signals
// (1).
func exitStatuses(pair []any, which int) []int {
	if len(pair) <= which {
		return nil
	}
	numbers, _ := pair[which].([]int32)
	return lists.Map(numbers, func(n int32) int { return int(n) })
}

// service reads what only a full validation checks.
func service(b *bag) facts.Service {
	return facts.Service{
		FileState:        may[string](b, "UnitFileState"),
		ExecStart:        commands(may[[][]any](b, "ExecStart")),
		Type:             may[string](b, "Type"),
		RemainAfterExit:  may[bool](b, "RemainAfterExit"),
		Restart:          may[string](b, "Restart"),
		RestartPrevent:   exitStatuses(may[[]any](b, "RestartPreventExitStatus"), 0),
		StartLimit:       timespan(may[uint64](b, "StartLimitIntervalUSec")),
		StartBurst:       int(may[uint32](b, "StartLimitBurst")),
		LimitNOFILE:      may[uint64](b, "LimitNOFILESoft"),
		WorkingDirectory: strings.TrimPrefix(may[string](b, "WorkingDirectory"), "!"),
		Group:            may[string](b, "Group"),
		DynamicUser:      may[bool](b, "DynamicUser"),
	}
}

// ownDirectories are those that systemd makes for the unit.
func ownDirectories(b *bag) []string {
	var all []string
	for _, d := range []struct{ property, root string }{
		{"CacheDirectory", "/var/cache"}, {"StateDirectory", "/var/lib"},
		{"LogsDirectory", "/var/log"}, {"RuntimeDirectory", "/run"},
	} {
		for _, name := range may[[]string](b, d.property) {
			all = append(all, filepath.Join(d.root, name))
		}
	}
	return all
}

// noUID is the property UID of a unit without a known user (UID_INVALID): it
// was never started, or has no User=.
const noUID = math.MaxUint32

// uidOf determines the user of a unit's processes, nil if unknown. No name is
// looked up: User= may name a dynamic user, or one of a directory service that
// a static binary cannot query. The kernel's answer comes first (a main process
// may drop its privileges), then that of systemd, which resolved the name when
// it started the unit. ProtectProc= can hide the process.
func (c *Conn) uidOf(u facts.Unit, property uint32) *int {
	if u.MainPID > 0 {
		if uid, ok := c.uidOfPID(u.MainPID); ok {
			return &uid
		}
	}
	if property != noUID {
		return new(int(property))
	}
	if u.User == "" {
		// Only for a loaded unit does no User= mean root.
		if u.LoadState != "loaded" || !strings.HasSuffix(u.Name, ".service") {
			return nil
		}
		return new(int)
	}
	if uid, err := strconv.ParseUint(u.User, 10, 31); err == nil {
		return new(int(uid))
	}
	return nil
}

// uidOfPID reads the effective UID of a process. The owner of /proc/PID would
// be root for a process that is not dumpable.
func (c *Conn) uidOfPID(pid int) (int, bool) {
	text, err := os.ReadFile(filepath.Join(c.root, "/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, "Uid:")
		if !ok {
			continue
		}
		fields := strings.Fields(rest) // real, effective, saved, file system
		if len(fields) != 4 {
			return 0, false
		}
		uid, err := strconv.Atoi(fields[1])
		return uid, err == nil
	}
	return 0, false
}
