// SPDX-License-Identifier: Apache-2.0

package host

import (
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
		port := env["MARIADB_PORT"]
		if port == "" {
			port = defaultPorts["mariadb"]
		}
		if strings.ContainsAny(host, "/@ ") || !decimal(port) {
			d.Bad = "invalid host name, address or port"
		} else {
			d.Address = net.JoinHostPort(diag.Clean(host), port)
		}
		all = append(all, d)
	}
	return all
}

// database reads a URL. An error of package url would show the password.
func database(value string) facts.Database {
	const garbled = "not SCHEME://USER:PASSWORD@HOST:PORT/NAME; a # / ? @ or % of a password has to be percent-encoded"
	u, err := url.Parse(strings.TrimPrefix(value, "jdbc:"))
	if err != nil || u.Scheme == "" || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@") {
		return facts.Database{Bad: garbled} // an @ there: what looks like a host is a part of the password
	}
	scheme, _, _ := strings.Cut(u.Scheme, "+") // mysql+pymysql
	switch {
	case scheme == "sqlite":
		return facts.Database{} // a file, nothing to reach
	case defaultPorts[scheme] == "":
		return facts.Database{Bad: "the scheme is not postgresql, mysql, mariadb or sqlite"}
	}
	host, port := u.Hostname(), u.Port()
	for _, key := range []string{"host", "unix_socket"} {
		if socket := u.Query().Get(key); strings.HasPrefix(socket, "/") {
			return facts.Database{} // a socket of this host
		}
		if host == "" && key == "host" {
			host = u.Query().Get(key)
		}
	}
	if host == "" {
		return facts.Database{Bad: garbled}
	}
	if port == "" {
		port = defaultPorts[scheme]
	}
	return facts.Database{Address: net.JoinHostPort(diag.Clean(host), port)}
}

func decimal(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Database judges one database that an environment names.
func Database(d facts.Database) []diag.Problem {
	switch {
	case d.Bad != "":
		return []diag.Problem{{
			Code: diag.DatabaseURL, Subject: d.Name, Message: "the environment's " + d.Name + " is not a valid address", Seen: d.Bad,
			Expected: "postgresql://USER:PASSWORD@HOST:PORT/NAME or mysql://…",
			Fix:      diag.Advise(fmt.Sprintf("correct %s in %s", diag.Bare(d.Name), diag.Bare(d.Where)), diag.Reload()),
		}}
	case d.Down != "":
		return []diag.Problem{{
			Code: diag.DatabaseDown, Subject: d.Address, Message: fmt.Sprintf("the database that %s names does not answer", d.Name),
			Seen: diag.Clean(d.Down), Expected: "a listener on " + d.Address,
			Fix: diag.Advise(fmt.Sprintf("start the database there, or correct %s in %s", diag.Bare(d.Name), diag.Bare(d.Where)), diag.Retry()),
		}}
	}
	return nil
}
