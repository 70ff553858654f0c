// SPDX-License-Identifier: Apache-2.0

package host

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// defaultPorts are those of the databases that a URL can name.
var defaultPorts = map[string]string{"postgres": "5432", "postgresql": "5432", "mysql": "3306", "mariadb": "3306"}

// Databases reads which databases an environment names. What it returns holds
// neither user nor password.
func Databases(env map[string]string, where string) []facts.Database {
	var all []facts.Database
	for _, name := range []string{"DATABASE_URL", "JUSTNEWS_DB_URL"} {
		if value := env[name]; value != "" {
			d := database(value)
			d.Name, d.Where = name, where
			all = append(all, d)
		}
	}
	if host := env["MARIADB_HOST"]; host != "" && env["SKIP_MARIADB_CHECK"] != "1" {
		d := facts.Database{Name: "MARIADB_HOST", Where: where}
		port := cmp.Or(env["MARIADB_PORT"], defaultPorts["mariadb"])
		if strings.ContainsAny(host, "/@ ") || !decimal(port) {
			d.Bad = "invalid host name, address or port"
		} else {
			d.Address = net.JoinHostPort(diag.Clean(host), port)
		}
		all = append(all, d)
	}
	return all
}

// database reads the address of a database. An error of package url would show the
// password.
func database(value string) facts.Database {
	const garbled = "not SCHEME://USER:PASSWORD@HOST:PORT/NAME; a # / ? @ or % of a password has to be percent-encoded"
	value = strings.TrimPrefix(value, "jdbc:")
	scheme, rest, found := strings.Cut(value, "://")
	scheme, _, _ = strings.Cut(scheme, "+") // mysql+pymysql
	libpq := scheme == "postgres" || scheme == "postgresql"
	if settings, ok := conninfo(value); ok && !found {
		return reached(cmp.Or(settings["hostaddr"], settings["host"]), settings["port"], defaultPorts["postgres"], garbled)
	}
	hosts := ""
	if libpq { // several hosts are none that package url understands
		value, hosts = firstHost(value, rest)
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@") {
		return facts.Database{Bad: garbled} // an @ there: what looks like a host is a part of the password
	}
	switch {
	case scheme == "sqlite":
		return facts.Database{} // a file, nothing to reach
	case defaultPorts[scheme] == "":
		return facts.Database{Bad: "the scheme is not postgresql, mysql, mariadb or sqlite"}
	}
	query := u.Query()
	if query.Get("unix_socket") != "" {
		return facts.Database{}
	}
	host, port := cmp.Or(hosts, u.Host), query.Get("port")
	if query.Get("host") != "" {
		host = query.Get("host")
	}
	if host == "" && !libpq {
		return facts.Database{Bad: garbled}
	}
	return reached(cmp.Or(query.Get("hostaddr"), host), port, defaultPorts[scheme], garbled)
}

// firstHost takes the list of hosts out of libpq's form of a URL, but for the
// first one.
func firstHost(value, rest string) (one, hosts string) {
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	start := strings.LastIndex(rest[:end], "@") + 1
	hosts = rest[start:end]
	first, _, _ := strings.Cut(hosts, ",")
	if socket(first) {
		first = ""
	}
	prefix := strings.TrimSuffix(value, rest)
	return prefix + rest[:start] + first + rest[end:], hosts
}

// reached is what has to be reached for hosts and their ports, as libpq takes
// them: lists that are separated by commas, where one port holds for all hosts. A
// socket of this host, which an empty host means, needs no address.
func reached(hosts, ports, port, garbled string) facts.Database {
	each := strings.Split(ports, ",")
	var all []string
	for n, h := range strings.Split(hosts, ",") {
		if socket(h) || h == "" {
			return facts.Database{} // one of them is here
		}
		own := each[min(n, len(each)-1)]
		if strings.Contains(h, ":") && net.ParseIP(h) != nil {
			h = "[" + h + "]"
		}
		u, err := url.Parse("tcp://" + h)
		if err != nil || u.Hostname() == "" || u.Path != "" || u.User != nil || own != "" && !decimal(own) {
			return facts.Database{Bad: garbled}
		}
		all = append(all, net.JoinHostPort(diag.Clean(u.Hostname()), cmp.Or(u.Port(), own, port)))
	}
	return facts.Database{Address: strings.Join(all, ",")}
}

// socket reports whether a host is the directory of a socket, also percent-encoded,
// or an abstract one.
func socket(host string) bool {
	return strings.HasPrefix(host, "/") || strings.HasPrefix(strings.ToLower(host), "%2f") || strings.HasPrefix(host, "@")
}

// conninfo reads libpq's other form, KEYWORD=VALUE …, with quotes and backslashes.
func conninfo(value string) (map[string]string, bool) {
	settings := map[string]string{}
	for rest := strings.TrimSpace(value); rest != ""; rest = strings.TrimSpace(rest) {
		key, after, ok := strings.Cut(rest, "=")
		key = strings.TrimSpace(key)
		if !ok || key == "" || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return nil, false
		}
		settings[key], rest, ok = settingValue(strings.TrimLeft(after, " "))
		if !ok {
			return nil, false
		}
	}
	return settings, len(settings) > 0
}

// settingValue takes one value off a text; an unclosed quote is an error.
func settingValue(text string) (value, rest string, ok bool) {
	quoted := strings.HasPrefix(text, "'")
	text = strings.TrimPrefix(text, "'")
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case quoted && c == '\'', !quoted && c == ' ':
			return b.String(), text[i+1:], true
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", !quoted
}

func decimal(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Database judges one database that an environment names.
func Database(d facts.Database) []diag.Problem {
	switch {
	case d.Bad != "":
		return []diag.Problem{diag.Found(diag.DatabaseURL, d.Name, "the environment's "+d.Name+" is not a valid address",
			d.Bad, "postgresql://USER:PASSWORD@HOST:PORT/NAME or mysql://…",
			diag.Advise(fmt.Sprintf("correct %s in %s", diag.Bare(d.Name), diag.Bare(d.Where)), diag.Reload()))}
	case d.Down != "":
		return []diag.Problem{diag.Found(diag.DatabaseDown, d.Address, fmt.Sprintf("the database that %s names does not answer", d.Name),
			diag.Clean(d.Down), "a listener on "+strings.ReplaceAll(d.Address, ",", " or "),
			diag.Advise(fmt.Sprintf("start the database there, or correct %s in %s", diag.Bare(d.Name), diag.Bare(d.Where)), diag.Retry()))}
	}
	return nil
}
