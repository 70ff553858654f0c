// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"cmp"
	"fmt"
	"strconv"

	"justnews/internal/check/host"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// OpenFiles judges LimitNOFILE= of an instance's unit.
func OpenFiles(u facts.Unit, files []facts.UnitFile) []diag.Problem {
	if u.LoadState != "loaded" || u.Service.LimitNOFILE == 0 || u.Service.LimitNOFILE >= host.EnoughFiles {
		return nil
	}
	return []diag.Problem{{
		Code: diag.LimitNOFILE, Severity: diag.Warning, Subject: u.Name, Message: "its limit of open files is lower than an agent needs",
		Seen: fmt.Sprintf("LimitNOFILE=%d%s", u.Service.LimitNOFILE, setIn(u, files, "LimitNOFILE")), Expected: fmt.Sprintf("%d or more", host.EnoughFiles),
		Fix: diag.Advise(fmt.Sprintf("set service.limit_nofile = %d in /etc/justnews/justnews.toml, and no LimitNOFILE= of your own", host.EnoughFiles), diag.Reload()),
	}}
}

// RunsAs compares whom a unit runs as with the configuration, and with what the
// environment files tell the start scripts.
func RunsAs(u facts.Unit, want facts.Account, files []facts.UnitFile, env map[string]string) []diag.Problem {
	var problems []diag.Problem
	is := cmp.Or(u.User, "root")
	// Not by the UID of its process, which may be from before a reload.
	same := is == want.User || want.Err == "" && is == strconv.Itoa(want.UID)
	if u.LoadState == "loaded" && !same {
		problems = append(problems, diag.Problem{
			Code: diag.UserOther, Severity: diag.Warning, Subject: u.Name, Message: "it runs as a different user than justnews.toml specifies",
			Seen: "User=" + diag.Clean(is) + setIn(u, files, "User"), Expected: "User=" + want.User,
			Fix: diag.Advise("remove User= there, or set service.user", diag.Reload()).Looking(diag.CatUnit(u.Name)),
		})
	}
	if told := env["SERVICE_USER"]; told != "" && told != want.User {
		problems = append(problems, diag.Problem{
			Code: diag.UserOther, Severity: diag.Warning, Subject: "SERVICE_USER", Message: "the environment names a different user than justnews.toml",
			Seen: "SERVICE_USER=" + diag.Clean(told), Expected: "SERVICE_USER=" + want.User, Fix: diag.Advise("correct or remove SERVICE_USER in /etc/justnews/*.env"),
		})
	}
	return problems
}
