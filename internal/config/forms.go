// SPDX-License-Identifier: Apache-2.0

package config

import (
	"math"
	"math/bits"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"

	"justnews/internal/unitfile"
	"justnews/internal/version"
)

// form is the syntax of a string.
type form struct {
	short   string            // in a few words
	rest    string            // what follows them in the whole form
	pattern string            // what the JSON Schema can express of it (ECMA 262)
	fits    func(string) bool // the rule itself
}

// maxPipe is the longest CUDA_MPS_PIPE_DIRECTORY that works: the control
// daemon's socket below it must fit a sockaddr_un (measured: 87 works, 88 fails).
const maxPipe = 87

const (
	printable   = `[^\x00-\x1f\x7f-\x9f]*`
	pathPattern = `(/|(/[^/\x00-\x1f\x7f-\x9f]+)+)`
	namePattern = `[a-z][a-z0-9_]{0,62}`
	unitPattern = `[A-Za-z0-9:_.\\-][A-Za-z0-9:_.@\\-]*`
)

var (
	formPath           = form{"an absolute path", " without //, . or .. and without a slash at its end", `^` + pathPattern + `$`, cleanPath}
	formPathOrNone     = form{"\"\" or an absolute path", " without //, . or .. and without a slash at its end", `^` + pathPattern + `?$`, orNone(cleanPath)}
	formPipe           = form{"an absolute path of at most 87 bytes", " without //, . or .. and without a slash at its end", `^/[^\x00-\x1f\x7f-\x9f]{1,86}$`, pipePath}
	formExec           = form{"a word of a command with no placeholder but {instance}", "", `^` + printable + `$`, placeholders}
	formKeyFile        = form{"\"\" or an absolute path", " of letters, digits and ._@+-", `^((/[A-Za-z0-9._@+-]+)+)?$`, orNone(func(s string) bool { return credential("key:" + s) })}
	formModel          = form{"the name of a model", ": at most 256 bytes, without spaces at its ends", `^[^\s\x00-\x1f]([^\x00-\x1f]{0,254}[^\s\x00-\x1f])?$`, modelName}
	formUser           = form{"a user or group name", ": letters, digits, _ and -, at most 31, not starting with a digit or -", `^[A-Za-z_][A-Za-z0-9_-]{0,30}$`, userName}
	formInstance       = form{"an instance name", ": a lowercase letter, then at most 62 of a-z, 0-9 and _", `^` + namePattern + `$`, InstanceName}
	formInstanceOrNone = form{"\"\" or an instance name", ": a lowercase letter, then at most 62 of a-z, 0-9 and _", `^(` + namePattern + `)?$`, orNone(InstanceName)}
	formProbe          = form{"a probe name", ": a lowercase letter, then at most 62 of a-z, 0-9, _ and -", `^[a-z][a-z0-9_-]{0,62}$`, probeName}
	formGuard          = form{"a guard name", ": a lowercase letter, then at most 62 of a-z, 0-9, _ and -", formProbe.pattern, probeName}
	formUnit           = form{"a full unit name with its suffix, such as \"mariadb.service\"", "", `^` + unitPattern + `\.[a-z]+$`, unitName}
	formService        = form{"a full service name, such as \"vllm.service\"", "", `^` + unitPattern + `\.service$`, ServiceName}
	formServiceOrNone  = form{"\"\" or a full service name, such as \"justnews-mps.service\"", "", `^(` + unitPattern + `\.service)?$`, orNone(ServiceName)}
	formServerURL      = form{"http://HOST:PORT without user, path or query", "", `^[Hh][Tt][Tt][Pp]://[^/?#@\s]+/?$`, func(s string) bool { _, ok := serverURL(s); return ok }}
	formProbeURL       = form{"an http:// or https:// URL with a host and without user or fragment", "", `^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\s]+([/?][^#\s]*)?$`, probeURL}
	formAddress        = form{"HOST:PORT with a port from 1 to 65535", "", `^[^\s/]+:[0-9]{1,5}$`, hostPort}
	formVariable       = form{"the name of an environment variable", ": letters, digits and _, not starting with a digit", `^[A-Za-z_][A-Za-z0-9_]*$`, variableName}
	formMPSMemory      = form{"a whole number with M or G, such as \"4G\"", "", `^([1-9][0-9]{0,8}[MG])?$`, orNone(mpsMemory)}
	formGPU            = form{"the index of a GPU or its UUID", ", such as \"0\" or \"GPU-5a5c3a3c-1111-2222-3333-444455556666\", in lower case", `^([0-9]|[1-9][0-9]|(GPU|MIG)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`, gpuName}
	formPartition      = form{"\"\" or the name of a static partition", ", as lspart of the control daemon has it: a UUID, a slash, letters, digits and +/=_-", `^(GPU-[0-9a-f-]{1,64}/[A-Za-z0-9+/=_-]{1,200})?$`, orNone(partition)}
	formGPUMemory      = form{"a whole number, with B, K, M, G or T, such as \"24G\"", "", `^([1-9][0-9]{0,18}[BKMGT]?)?$`, orNone(gpuMemory)}
	formCredential     = form{"NAME:/PATH", " of letters, digits and ._@+-, the name at most 64 and not starting with a dot or -", `^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}:(/[A-Za-z0-9._@+-]+)+$`, credential}
	formVersion        = form{"a version such as \"1.4\" or \"0.9.0\"", "", `^(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){0,2}$`, func(s string) bool { _, ok := version.Parse(s); return ok }}
	formMemoryMax      = form{"\"\", a whole number with K, M, G or T, a percentage such as \"50%\", or \"infinity\"", "", `^([1-9][0-9]{0,18}[KMGT]?|[1-9][0-9]?%|100%|infinity)?$`, orNone(memoryMax)}
)

// expected is the complete form, as messages show it.
func (f form) expected() string { return f.short + f.rest }

// inShort is the form in a few words, for a value that does not have it. A path
// that is absolute violates the rest of the form.
func (f form) inShort(value string) string {
	if strings.HasPrefix(value, "/") {
		return f.expected()
	}
	return f.short
}

func orNone(fits func(string) bool) func(string) bool {
	return func(s string) bool { return s == "" || fits(s) }
}

func cleanPath(s string) bool {
	return strings.HasPrefix(s, "/") && path.Clean(s) == s && unitfile.CheckPath(s) == nil
}

func pipePath(s string) bool { return cleanPath(s) && s != "/" && len(s) <= maxPipe }

// credential is one that systemd takes without quoting (systemd.exec(5),
// LoadCredential=).
func credential(s string) bool {
	name, file, found := strings.Cut(s, ":")
	plain := func(more string) func(c byte) bool {
		return func(c byte) bool {
			return lowerOrDigit(c) || c >= 'A' && c <= 'Z' || strings.IndexByte(more, c) >= 0
		}
	}
	return found && name != "" && len(name) <= 64 && name[0] != '.' && name[0] != '-' && only(name, plain("._-")) &&
		cleanPath(file) && file != "/" && only(file, plain("/._@+-"))
}

// InstanceName reports whether an instance can have this name,
// ^[a-z][a-z0-9_]{0,62}$: it needs no escaping in a unit name and cannot be
// mistaken for an escaped one.
func InstanceName(s string) bool {
	return lowerFirst(s) && only(s, func(c byte) bool { return lowerOrDigit(c) || c == '_' })
}

func modelName(s string) bool { return s != "" && len(s) <= 256 && strings.TrimSpace(s) == s }

func probeName(s string) bool {
	return lowerFirst(s) && only(s, func(c byte) bool { return lowerOrDigit(c) || c == '_' || c == '-' })
}

func lowerFirst(s string) bool { return s != "" && len(s) <= 63 && s[0] >= 'a' && s[0] <= 'z' }

// userName is systemd's strict rule (valid_user_group_name); what systemd only
// warns about is rejected here. Nothing is looked up.
func userName(s string) bool {
	return s != "" && len(s) <= 31 && !digit(s[0]) && s[0] != '-' && only(s, func(c byte) bool { return word(c) || c == '-' })
}

func variableName(s string) bool { return unitfile.CheckVariable(s) == nil }

// unitName accepts plain units and instances: a template (name@.service) cannot be
// active.
func unitName(s string) bool {
	return unitfile.CheckUnit(s) == nil && !strings.HasSuffix(strings.TrimSuffix(s, path.Ext(s)), "@")
}

// ServiceName reports whether s is the full name of a service.
func ServiceName(s string) bool { return strings.HasSuffix(s, ".service") && unitName(s) }

// placeholders refuses {word} where the word is not "instance", and the specifiers of
// units that stand for it. Braces around anything else (JSON, shell) belong to the command.
func placeholders(s string) bool { return s != "%i" && s != "%I" && unknownPlaceholder(s) == "" }

func unknownPlaceholder(s string) string {
	for {
		_, after, found := strings.Cut(s, "{")
		if !found {
			return ""
		}
		name, _, closed := strings.Cut(after, "}")
		if closed && name != "instance" && variableName(name) {
			return name
		}
		s = after
	}
}

// serverURL checks the URL of the orchestrator or the bus and returns it as
// http://host:port. Only http: the gate talks to its own host, and a
// certificate store would be one more thing that can break.
func serverURL(s string) (string, bool) {
	u, ok := parseURL(s)
	if !ok || u.Scheme != "http" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery {
		return "", false
	}
	if u.Port() == "" {
		return "http://" + u.Host + ":80", true
	}
	return "http://" + u.Host, true
}

func probeURL(s string) bool {
	u, ok := parseURL(s)
	return ok && (u.Scheme == "http" || u.Scheme == "https")
}

func parseURL(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || u.User != nil || u.Fragment != "" || strings.ContainsAny(s, "# \t") || strings.HasSuffix(u.Host, ":") {
		return nil, false
	}
	if port := u.Port(); port != "" && !validPort(port) {
		return nil, false
	}
	return u, validHost(u.Hostname())
}

func hostPort(s string) bool {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || !validPort(s[i+1:]) {
		return false
	}
	host := s[:i]
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return ok && strings.Contains(inner, ":") && validHost(inner)
	}
	return !strings.Contains(host, ":") && validHost(host)
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && digit(s[0])
}

// validHost takes an IP address without zone, or a host name.
func validHost(s string) bool {
	if strings.Contains(s, ":") {
		a, err := netip.ParseAddr(s)
		return err == nil && a.Zone() == ""
	}
	return s != "" && len(s) <= 253 && s[0] != '-' && s[0] != '.' && only(s, func(c byte) bool { return word(c) || c == '-' || c == '.' })
}

func only(s string, in func(byte) bool) bool {
	for i := range len(s) {
		if !in(s[i]) {
			return false
		}
	}
	return true
}

func digit(c byte) bool        { return c >= '0' && c <= '9' }
func lowerOrDigit(c byte) bool { return c >= 'a' && c <= 'z' || digit(c) }
func word(c byte) bool         { return lowerOrDigit(c) || c >= 'A' && c <= 'Z' || c == '_' }

// parseSize reads a whole number above 0 with one of the suffixes B, K, M, G, T
// (multiples of 1024), or none, in bytes.
func parseSize(s string) (uint64, bool) {
	number, shift := s, 0
	if s != "" {
		if i := strings.IndexByte("BKMGT", s[len(s)-1]); i >= 0 {
			number, shift = s[:len(s)-1], 10*i
		}
	}
	if number == "" || !only(number, digit) || number[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || n > math.MaxInt64>>shift {
		return 0, false
	}
	return n << shift, true
}

// mpsMemory is what CUDA_MPS_PINNED_DEVICE_MEM_LIMIT takes after "0=": the
// suffix is needed there.
func mpsMemory(s string) bool {
	_, ok := parseSize(s)
	return ok && len(s) <= 10 && (strings.HasSuffix(s, "M") || strings.HasSuffix(s, "G"))
}

func gpuMemory(s string) bool { _, ok := parseSize(s); return ok }

// memoryMax is MemoryMax= of systemd.resource-control(5), without fractions.
func memoryMax(s string) bool {
	if s == "infinity" {
		return true
	}
	if percent, ok := strings.CutSuffix(s, "%"); ok {
		n, valid := parseSize(percent)
		return valid && n <= 100 && only(percent, digit)
	}
	_, ok := parseSize(s)
	return ok && !strings.HasSuffix(s, "B")
}

func formatSize(n uint64) string {
	i := 0
	if n > 0 {
		i = min(bits.TrailingZeros64(n)/10, 4)
	}
	return strconv.FormatUint(n>>(10*i), 10) + [...]string{"", "K", "M", "G", "T"}[i]
}

// addSizes adds and saturates instead of overflowing.
func addSizes(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}
