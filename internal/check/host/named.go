// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// NamedPath judges a path that the configuration gives instances, before there
// is a unit of them. It is a warning: the generator takes it as it is.
func NamedPath(p Path, instances []string, r facts.Reach) []diag.Problem {
	if !r.Known || r.OK {
		return nil
	}
	message, seen := Unreached(p, r)
	return []diag.Problem{{
		Code: p.Code, Severity: diag.Warning, Subject: ofInstances(instances), Message: message, Seen: seen, Fix: PathFix(p, r, []diag.Command{diag.Reload()}),
	}}
}

// NamedAccount judges the user and the group that the configuration gives
// instances.
func NamedAccount(instances []string, a facts.Account) []diag.Problem {
	problems := Account(ofInstances(instances), a)
	for i := range problems {
		problems[i].Severity = diag.Warning
	}
	return problems
}

// NoInstance is the problem of a configuration that lists none, as it is after
// the installation.
func NoInstance(cfg *config.Config) []diag.Problem {
	if !cfg.Empty() {
		return nil
	}
	return []diag.Problem{{
		Code: diag.ConfigEmpty, Severity: diag.Warning, Subject: strings.Join(cfg.Files, ", "), Message: "no instance is configured", Fix: diag.CopyExample(),
	}}
}

func ofInstances(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%d instances", len(names))
	}
	return strings.Join(names, ", ")
}

// Unreached says which path could not be reached, after what it is for:
// it: "service.exec: P does not exist".
func Unreached(p Path, r facts.Reach) (message, seen string) {
	switch {
	case r.At == p.Path && (r.Detail == Absent || strings.HasPrefix(r.Detail, "is ")):
		return fmt.Sprintf("%s: %s %s", p.What, diag.Clean(p.Path), diag.Clean(r.Detail)), ""
	case r.Detail == Absent:
		return fmt.Sprintf("%s: %s does not exist", p.What, diag.Clean(p.Path)), diag.Clean(r.At) + ": " + Absent
	case r.At == p.Path:
		return fmt.Sprintf("%s: %s: %s", p.What, diag.Clean(p.Path), diag.Clean(r.Detail)), ""
	}
	return fmt.Sprintf("%s: %s cannot %s %s", p.What, diag.Clean(r.User), p.Want, diag.Clean(p.Path)), diag.Clean(r.At) + ": " + diag.Clean(r.Detail)
}

// Absent is what a probe of paths reports for a missing one.
const Absent = "does not exist"

// Credentials are the files of secrets that a service has. systemd reads them as
// root.
func Credentials(s config.Service, o config.Orchestrator) []Path {
	var all []Path
	if o.APIKeyFile != "" {
		all = append(all, Path{"orchestrator.api_key_file", o.APIKeyFile, facts.Read, diag.ServicePath})
	}
	add := func(key string, list []string) {
		for _, c := range list {
			_, file, _ := strings.Cut(c, ":")
			all = append(all, Path{key, file, facts.Read, diag.ServicePath})
		}
	}
	add("service.credentials", s.Credentials)
	add("service.encrypted_credentials", s.EncryptedCredentials)
	return all
}

// startScript is what service.exec runs by default. The packages have an example
// of it.
const startScript = "/usr/local/bin/justnews-start-agent.sh"

// PathFix puts a path where it is expected. commands follow it.
func PathFix(p Path, r facts.Reach, commands []diag.Command) diag.Fix {
	if p.Path == startScript && r.Detail == Absent {
		return diag.Advise("install your own start script there, or adapt the example "+diag.Examples+"justnews-start-agent.sh", commands...)
	}
	return diag.Advise(fmt.Sprintf("create it, or give %s access to it", diag.Quote(r.User)), commands...).Looking(diag.Namei(p.Path))
}
