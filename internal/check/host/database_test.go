// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"justnews/internal/check/host"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func TestDatabase_AddressIsReadWithoutPassword(t *testing.T) {
	for value, want := range map[string]string{
		"postgresql://u:hunter2@db/justnews":              "db:5432",
		"postgres://u:hunter2@10.0.0.1:6432/justnews?x=1": "10.0.0.1:6432",
		"mysql+pymysql://u:hunter2@[::1]:3307/d":          "[::1]:3307",
		"mariadb://u:hunter2@db/d":                        "db:3306",
		"jdbc:postgresql://db/d?user=u&password=hunter2":  "db:5432",
		"postgresql://u:hunter2@/d?host=db":               "db:5432",
		"postgresql:///d?host=/run/postgresql":            "",
		"mysql://u:hunter2@/d?unix_socket=/run/x.sock":    "",
		"sqlite:////var/lib/x.db":                         "",
		// libpq's other forms: several hosts, sockets, keywords.
		"postgresql://u:hunter2@h1:5432,h2:5433/db":                                  "h1:5432,h2:5433",
		"postgresql://u:hunter2@h1,h2:5433,[::1]/db?target_session_attrs=read-write": "h1:5432,h2:5433,[::1]:5432",
		"postgresql+asyncpg://u:hunter2@[2001:db8::1]:6432,h2/db":                    "[2001:db8::1]:6432,h2:5432",
		"postgresql://u:hunter2@/d?host=h1,h2&port=5433,5434":                        "h1:5433,h2:5434",
		"postgresql://u:hunter2@/d?host=h1,h2&port=5433":                             "h1:5433,h2:5433",
		"postgresql://u:hunter2@%2Fvar%2Frun%2Fpostgresql/d":                         "",
		"postgresql://u:hunter2@%2Fvar%2Frun%2Fpostgresql,h2/d":                      "",
		"postgresql://u:hunter2@/d":                                                  "",
		"postgresql:///d":                                                            "",
		"host=h1 port=5433 user=u password=hunter2 dbname=d":                         "h1:5433",
		"host=h1,h2 port=5433,5434 user=u password='hunter2 and more' dbname = d":    "h1:5433,h2:5434",
		"host=db.example hostaddr=10.0.0.7 user=u password=hunter2":                  "10.0.0.7:5432",
		"hostaddr=::1 user=u password=hunter2":                                       "[::1]:5432",
		"host=/var/run/postgresql user=u password=hunter2":                           "",
		"host=/var/run/postgresql hostaddr=10.0.0.7 password=hunter2":                "10.0.0.7:5432", // libpq's hostaddr comes first
		"postgres://u:hunter2@h1:5432,h2:5433/db":                                    "h1:5432,h2:5433",
		"postgres:///d":           "",
		"postgresql:///d?host=db": "db:5432",
		"mysql:///d":              "bad",
		"  ":                      "bad",
		"dbname=d user=u password='it\\'s hunter2'":   "",
		"host=h1 port=many password=hunter2":          "bad",
		"host=h1 password='hunter2":                   "bad",
		"postgresql://u:hunter2@h1:x,h2/d":            "bad",
		"postgres://u:hunter2@h1,h2/db":               "h1:5432,h2:5432",
		"postgresql://u:hunter2@h1?sslmode=require":   "h1:5432",
		"postgresql://h1":                             "h1:5432",
		"postgresql://u:hunter2@h1,/run/x/db":         "",
		"postgresql://u:hunter2@/d?hostaddr=10.0.0.7": "10.0.0.7:5432",
		"host=h1,/run/postgresql password=hunter2":    "",
		"host=h1, password=hunter2":                   "",
		"host=h1/x password=hunter2":                  "bad",
		"host=u@h1 password=hunter2":                  "bad",
		"host=:1 password=hunter2":                    "bad",
		"=h1 password=hunter2":                        "bad",
		"Host=h1 password=hunter2":                    "bad",
		"host=h1 password=hunter2\\":                  "h1:5432",
		// What looks like a host is the beginning of a password.
		"postgresql://u:12/hunter2@db/d":    "bad",
		"postgresql://u:12?hunter2@db/d":    "bad",
		"postgresql://u:12#hunter2@db/d":    "bad",
		"postgresql://u:hunter2@db:port/d":  "bad",
		"postgresql://u:100%hunter2@db/d":   "bad",
		"http://u:hunter2@db/d":             "bad",
		"u:hunter2@db/d":                    "bad",
		"hunter2":                           "bad",
		"postgresql://u:hunter2@d b\x1b[/d": "bad",
	} {
		found := host.Databases(map[string]string{"DATABASE_URL": value}, "here")
		if len(found) != 1 {
			t.Fatalf("%s: %v", value, found)
		}
		got := found[0].Address
		if found[0].Bad != "" {
			got = "bad"
		}
		if got != want {
			t.Errorf("%s: %q (%s), want %q", value, got, found[0].Bad, want)
		}
		found[0].Down = "x"
		if text := fmt.Sprint(found, host.Database(found[0])); strings.Contains(text, "hunter2") || strings.Contains(text, "u:12") {
			t.Errorf("%s: a secret is shown: %s", value, text)
		}
	}
}

func TestDatabase_MariaDBHasItsOwnVariables(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"MARIADB_HOST": "db"}, "db:3306"},
		{map[string]string{"MARIADB_HOST": "db", "MARIADB_PORT": "3307"}, "db:3307"},
		{map[string]string{"MARIADB_HOST": "db", "SKIP_MARIADB_CHECK": "1"}, ""},
		{map[string]string{"MARIADB_PORT": "3307"}, ""},
		{map[string]string{"MARIADB_HOST": "u:p@db"}, "bad"},
		{map[string]string{"MARIADB_HOST": "db", "MARIADB_PORT": "many"}, "bad"},
	} {
		got := ""
		for _, d := range host.Databases(c.env, "here") {
			if got = d.Address; d.Bad != "" {
				got = "bad"
			}
		}
		if got != c.want {
			t.Errorf("%v: %q, want %q", c.env, got, c.want)
		}
	}
}

func TestDatabase_InvalidOrSilentOneIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		d    facts.Database
		want []diag.Code
	}{
		"it answers":     {facts.Database{Name: "DATABASE_URL", Where: "/e", Address: "db:5432"}, nil},
		"a file":         {facts.Database{Name: "DATABASE_URL", Where: "/e"}, nil},
		"invalid":        {facts.Database{Name: "DATABASE_URL", Where: "/e", Bad: "garbled"}, []diag.Code{diag.DatabaseURL}},
		"it is down":     {facts.Database{Name: "DATABASE_URL", Where: "/e", Address: "db:5432", Down: "refused"}, []diag.Code{diag.DatabaseDown}},
		"invalid, tried": {facts.Database{Name: "DATABASE_URL", Where: "/e", Bad: "garbled", Down: "no address"}, []diag.Code{diag.DatabaseURL}},
	} {
		var got []diag.Code
		for _, p := range host.Database(c.d) {
			findings.Sound(t, p)
			got = append(got, p.Code)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
