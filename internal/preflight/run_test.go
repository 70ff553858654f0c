// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"net"
	"slices"
	"testing"
	"time"

	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/requirement"
)

func TestRequire_EverythingThatAnInstanceWaitsFor(t *testing.T) {
	const scout = "[instances.scout]\nport = 8002\nrequire_bus = false\n"
	const guard = "[guards.client]\nunit = \"client.service\"\n"
	type want struct {
		models, bus, mps bool
		needs            int
		codes            string
	}
	for text, c := range map[string]want{
		"":                                     {codes: "CONFIG-EMPTY "},
		toml:                                   {models: true, bus: true},
		scout:                                  {models: true},
		scout + "mps = { enabled = true }\n":   {models: true, mps: true},
		scout + guard + "require_bus = true\n": {models: true, bus: true},
		guard:                                  {models: true},
		guard + "require_models = false\nrequire_bus = true\n":      {bus: true},
		scout + "[probes.disk]\nkind = \"path\"\npath = \"/srv\"\n": {models: true, needs: 1},
	} {
		w, problems := Require(load(t, text), func(string) (string, bool) { return "", false }, requirement.Flags{})
		got := want{models: w.RequireModels, bus: w.RequireBus, mps: w.RequireMPS, needs: len(w.Needs)}
		for _, p := range problems {
			got.codes += string(p.Code) + " "
		}
		if got != c {
			t.Errorf("%q: got %+v, want %+v", text, got, c)
		}
	}
}

func TestRun_MissingSystemdIsReportedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		systemd, stop bool
		want          []string
	}{
		"systemd":            {systemd: true, want: nil},
		"none":               {want: []string{"notice preflight"}},
		"none to stop units": {stop: true, want: []string{"warning --stop"}},
	} {
		w := newWorld(t)
		w.free(5 << 30) // another finding
		x := gate.World{Units: w}
		w.job.Stop = c.stop
		if !c.systemd {
			w.job.Units, x.Units = nil, nil
		}
		var got []string
		for _, p := range Run(t.Context(), w.job, requirement.Run{Timeout: requirement.Timeout{Value: time.Second}}, x).Problems {
			if p.Code == diag.NoSystemd {
				got = append(got, p.Severity.String()+" "+p.Subject)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestDial_TriesAConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := Real("", false)
	if err := host.Dial(t.Context(), l.Addr().String()); err != nil {
		t.Error(err)
	}
	_ = l.Close()
	if host.Dial(t.Context(), l.Addr().String()) == nil {
		t.Error("nothing listens")
	}
}
