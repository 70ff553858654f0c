// SPDX-License-Identifier: Apache-2.0

package mps_test

import (
	"strings"
	"testing"

	"justnews/internal/check/mps"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func audited(change ...func(*mps.Audit)) mps.Audit {
	a := mps.Audit{
		Unit: "justnews@scout.service", PipeDirectory: pipeDir,
		Lookup:  variables("CUDA_MPS_PIPE_DIRECTORY=" + pipeDir),
		Sandbox: &facts.Sandbox{PrivateTmp: true, DevicePolicy: "closed", DeviceAllow: []string{"char-nvidia* rw"}},
	}
	for _, f := range change {
		f(&a)
	}
	return a
}

func variables(environment ...string) func(string) (string, bool) {
	return mps.Variables(facts.Unit{Environment: environment})
}

func TestAudit_ObstaclesToMPSAreFound(t *testing.T) {
	const memory, threads = "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT", "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"
	environment := func(more ...string) func(*mps.Audit) {
		return func(a *mps.Audit) {
			a.Lookup = variables(append([]string{"CUDA_MPS_PIPE_DIRECTORY=" + a.PipeDirectory}, more...)...)
		}
	}
	limits := func(l config.InstanceMPS) func(*mps.Audit) { return func(a *mps.Audit) { a.Limits = l } }
	sees := func(gpus string) func(*mps.Audit) { return func(a *mps.Audit) { a.Visible = gpus } }
	sandbox := func(f func(*facts.Sandbox)) func(*mps.Audit) { return func(a *mps.Audit) { f(a.Sandbox) } }
	belowTmp := func(a *mps.Audit) { a.PipeDirectory = "/tmp/nvidia-mps" }
	files := func(a *mps.Audit) { a.Files = true }
	for name, c := range map[string]struct {
		a        mps.Audit
		code     diag.Code // "": nothing is wrong
		severity diag.Severity
		says     string
	}{
		"nothing":          {audited(), "", 0, ""},
		"nothing is known": {mps.Audit{}, "", 0, ""},
		"another directory": {audited(func(a *mps.Audit) { a.Lookup = variables("CUDA_MPS_PIPE_DIRECTORY=/tmp/nvidia-mps") }),
			diag.MPSEnvironment, diag.Error, "CUDA_MPS_PIPE_DIRECTORY=/tmp/nvidia-mps"},
		"no directory":                      {audited(func(a *mps.Audit) { a.Lookup = variables() }), diag.MPSEnvironment, diag.Error, "looks in /tmp/nvidia-mps"},
		"an empty directory":                {audited(func(a *mps.Audit) { a.Lookup = variables("CUDA_MPS_PIPE_DIRECTORY=") }), diag.MPSEnvironment, diag.Error, "is not set"},
		"no directory, and it is the usual": {audited(belowTmp, func(a *mps.Audit) { a.Lookup, a.Sandbox = variables(), nil }), "", 0, ""},
		"a file may say it":                 {audited(files, func(a *mps.Audit) { a.Lookup = variables() }), "", 0, ""},
		"another directory next to files": {audited(files, func(a *mps.Audit) { a.Lookup = variables("CUDA_MPS_PIPE_DIRECTORY=/x") }),
			diag.MPSEnvironment, diag.Error, "/x"},

		"the limits": {audited(limits(config.InstanceMPS{Memory: "4G", Threads: 25}), environment(memory+"=0=4G", threads+"=25")), "", 0, ""},
		"another memory limit": {audited(limits(config.InstanceMPS{Memory: "4G"}), environment(memory+"=0=8G")),
			diag.MPSLimit, diag.Error, memory + "=0=8G"},
		"the limit in another unit":      {audited(limits(config.InstanceMPS{Memory: "4G", Threads: 25}), environment(memory+"=0=4096M", threads+"=25.0")), "", 0, ""},
		"the limit in bytes":             {audited(limits(config.InstanceMPS{Memory: "1536M"}), environment(memory+"=0=1610612736")), "", 0, ""},
		"the limit in small letters":     {audited(limits(config.InstanceMPS{Memory: "4G"}), environment(memory+"= 0 = 4g ")), "", 0, ""},
		"the limit of one device more":   {audited(limits(config.InstanceMPS{Memory: "4G"}), environment(memory+"=0=4G,1=4G")), diag.MPSLimit, diag.Error, "1=4G"},
		"a limit that is no size":        {audited(limits(config.InstanceMPS{Memory: "4G"}), environment(memory+"=0=4X")), diag.MPSLimit, diag.Error, "0=4X"},
		"the directory with a slash":     {audited(func(a *mps.Audit) { a.Lookup = variables("CUDA_MPS_PIPE_DIRECTORY=" + pipeDir + "/") }), "", 0, ""},
		"the directory by another way":   {audited(func(a *mps.Audit) { a.Lookup = variables("CUDA_MPS_PIPE_DIRECTORY=/var" + pipeDir) }), "", 0, ""},
		"an inaccessible directory":      {audited(sandbox(func(s *facts.Sandbox) { s.Inaccessible = []string{"/run"} })), diag.MPSEnvironment, diag.Error, "InaccessiblePaths="},
		"an empty /dev":                  {audited(sandbox(func(s *facts.Sandbox) { s.Emptied = []string{"/dev"} })), diag.MPSEnvironment, diag.Error, "TemporaryFileSystem= hides the GPU"},
		"of another device":              {audited(limits(config.InstanceMPS{Memory: "4G"}), environment(memory+"=1=4G")), diag.MPSLimit, diag.Error, "=1=4G"},
		"no memory limit":                {audited(limits(config.InstanceMPS{Memory: "4G"})), diag.MPSLimit, diag.Error, memory + " is not set"},
		"an empty memory limit":          {audited(limits(config.InstanceMPS{Memory: "4G"}), environment(memory+"=")), diag.MPSLimit, diag.Error, "is not set"},
		"a file may limit it":            {audited(files, limits(config.InstanceMPS{Memory: "4G"})), "", 0, ""},
		"other threads":                  {audited(limits(config.InstanceMPS{Threads: 25}), environment(threads+"=100")), diag.MPSLimit, diag.Error, threads + "=100"},
		"a limit that is not configured": {audited(environment(threads + "=50")), diag.MPSLimit, diag.Warning, "no limit"},

		"the first device":        {audited(environment("CUDA_VISIBLE_DEVICES=0")), "", 0, ""},
		"another device":          {audited(environment("CUDA_VISIBLE_DEVICES=1")), diag.MPSEnvironment, diag.Warning, "CUDA_VISIBLE_DEVICES=1"},
		"no device":               {audited(environment("CUDA_VISIBLE_DEVICES=")), diag.MPSEnvironment, diag.Error, "hides every GPU"},
		"a negative device":       {audited(environment("CUDA_VISIBLE_DEVICES=-1")), diag.MPSEnvironment, diag.Error, "hides every GPU"},
		"another, and it matters": {audited(limits(config.InstanceMPS{Memory: "4G"}), environment(memory+"=0=4G", "CUDA_VISIBLE_DEVICES=1")), diag.MPSEnvironment, diag.Error, "another device"},

		"the GPUs of the configuration": {audited(sees("1"), limits(config.InstanceMPS{Memory: "4G"}), environment(memory+"=0=4G", "CUDA_VISIBLE_DEVICES=1")), "", 0, ""},
		"other GPUs":                    {audited(sees("1"), environment("CUDA_VISIBLE_DEVICES=0")), diag.MPSEnvironment, diag.Error, "CUDA_VISIBLE_DEVICES=0"},
		"every GPU instead of some":     {audited(sees("1")), diag.MPSEnvironment, diag.Error, "sees every GPU"},
		"a file may name the GPUs":      {audited(sees("1"), files), "", 0, ""},
		"limits of several GPUs":        {audited(limits(config.InstanceMPS{Memory: "0=4G,1=8G"}), environment(memory+"=1=8G,0=4096M")), "", 0, ""},
		"one limit of several":          {audited(limits(config.InstanceMPS{Memory: "0=4G,1=8G"}), environment(memory+"=0=4G")), diag.MPSLimit, diag.Error, memory + "=0=4G,1=8G"},
		"limits by UUID": {audited(limits(config.InstanceMPS{Memory: "GPU-a=4G,GPU-b=8G", Seen: []string{"GPU-b", "GPU-a"}}), environment(memory+"=0=8G,1=4G")),
			"", 0, ""},
		"the priority":                      {audited(limits(config.InstanceMPS{Priority: "below-normal"}), environment("CUDA_MPS_CLIENT_PRIORITY=1")), "", 0, ""},
		"another priority":                  {audited(limits(config.InstanceMPS{Priority: "below-normal"}), environment("CUDA_MPS_CLIENT_PRIORITY=0")), diag.MPSLimit, diag.Warning, "CUDA_MPS_CLIENT_PRIORITY=0"},
		"no priority":                       {audited(limits(config.InstanceMPS{Priority: "below-normal"})), diag.MPSLimit, diag.Warning, "is not set"},
		"a priority that is not configured": {audited(environment("CUDA_MPS_CLIENT_PRIORITY=1")), diag.MPSLimit, diag.Warning, "CUDA_MPS_CLIENT_PRIORITY=1"},
		"the usual priority":                {audited(environment("CUDA_MPS_CLIENT_PRIORITY=0")), "", 0, ""},

		"below /tmp, hidden": {audited(belowTmp, environment()), diag.MPSEnvironment, diag.Error, "PrivateTmp= hides"},
		"below /tmp, bound": {audited(belowTmp, environment(), sandbox(func(s *facts.Sandbox) { s.Bound = []string{"/tmp/nvidia-mps"} })),
			"", 0, ""},
		"below /tmp, another is bound": {audited(belowTmp, environment(), sandbox(func(s *facts.Sandbox) { s.Bound = []string{"/tmp/nvidia-mps2"} })),
			diag.MPSEnvironment, diag.Error, "/tmp/nvidia-mps2"},
		"below /tmp, all of it is bound": {audited(belowTmp, environment(), sandbox(func(s *facts.Sandbox) { s.Bound = []string{"/tmp"} })), "", 0, ""},
		"below /tmp, which is shared":    {audited(belowTmp, environment(), sandbox(func(s *facts.Sandbox) { s.PrivateTmp = false })), "", 0, ""},
		"no devices":                     {audited(sandbox(func(s *facts.Sandbox) { s.PrivateDevices = true })), diag.MPSEnvironment, diag.Error, "PrivateDevices="},
		"closed":                         {audited(sandbox(func(s *facts.Sandbox) { s.DeviceAllow = nil })), diag.MPSEnvironment, diag.Error, "DevicePolicy=closed"},
		"strict":                         {audited(sandbox(func(s *facts.Sandbox) { s.DevicePolicy, s.DeviceAllow = "strict", []string{"/dev/null rw"} })), diag.MPSEnvironment, diag.Error, "/dev/null rw"},
		"closed, by node":                {audited(sandbox(func(s *facts.Sandbox) { s.DeviceAllow = []string{"/dev/nvidia0 rw"} })), "", 0, ""},
		"closed, all characters":         {audited(sandbox(func(s *facts.Sandbox) { s.DeviceAllow = []string{"char-* rw"} })), "", 0, ""},
		"open":                           {audited(sandbox(func(s *facts.Sandbox) { s.DevicePolicy, s.DeviceAllow = "auto", nil })), "", 0, ""},
		"closed by DeviceAllow=":         {audited(sandbox(func(s *facts.Sandbox) { s.DevicePolicy, s.DeviceAllow = "auto", []string{"/dev/null rw"} })), diag.MPSEnvironment, diag.Error, "DevicePolicy=auto"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := mps.AuditUnit(c.a)
			if c.code == "" {
				if len(problems) > 0 {
					t.Errorf("%+v", problems)
				}
				return
			}
			if len(problems) != 1 {
				t.Fatalf("%+v", problems)
			}
			p := problems[0]
			findings.Sound(t, p)
			if p.Code != c.code || p.Severity != c.severity || p.Subject != c.a.Unit || !strings.Contains(p.Message+"|"+p.Seen+"|"+p.Expected, c.says) {
				t.Errorf("%+v\nwant %s %s: %q", p, c.severity, c.code, c.says)
			}
		})
	}
}

func TestAudit_AllObstaclesAreReportedAtOnce(t *testing.T) {
	a := audited(func(a *mps.Audit) {
		a.Lookup = variables("CUDA_VISIBLE_DEVICES=1\x1b[2J")
		a.Limits = config.InstanceMPS{Memory: "4G", Threads: 25}
		a.Sandbox = &facts.Sandbox{PrivateTmp: true, PrivateDevices: true, DevicePolicy: "closed"}
	})
	problems := mps.AuditUnit(a)
	if len(problems) != 6 || len(diag.Errors(problems)) != 6 {
		t.Errorf("%d problems: %+v", len(problems), problems)
	}
	for _, p := range problems {
		findings.Sound(t, p)
	}
}

func TestAudit_LastAssignmentOfAVariableCounts(t *testing.T) {
	look := variables("A=1", "AB=x", "A=2=3", "B")
	for name, want := range map[string]string{"A": "2=3", "AB": "x"} {
		if got, set := look(name); got != want || !set {
			t.Errorf("%s=%s", name, got)
		}
	}
	if got, set := look("B"); set {
		t.Errorf("B=%s", got)
	}
}
