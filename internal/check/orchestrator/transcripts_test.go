// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"justnews/internal/check"
	checkorchestrator "justnews/internal/check/orchestrator"
	"justnews/internal/probe/orchestrator"
	"justnews/internal/requirement"
)

// transcript is one answer of a real server, as it was recorded.
type transcript struct {
	Case    string
	Request struct {
		Method string
		Path   string
		Body   *string
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    string
	}
}

// verdict is the judgement that a transcript deserves, and why.
type verdict struct {
	state check.State
	why   string
}

const (
	noListener = "nothing listens"
	notAState  = "an answer to another question is no account of the preload"
	wrongBody  = "the request was refused: 422 has a list under detail, no state"
	vacuous    = "all_ready over zero models and no job: 0 == 0"
	started    = "the job has begun"
	emptyJob   = "the job loaded nothing"
	answerOver = "all_ready:false over a job that is over: only a GET tells"
	foreign    = "the bus answers this, not the orchestrator"
)

// verdicts has a line for each file in testdata/transcripts. Answers to other
// questions than ours are served to a look at /models/status: whatever comes
// from there, it must not look like a state.
var verdicts = map[string]verdict{
	"new-00-startup-no-bus":      {check.Unreachable, "the port is closed while the server waits for the bus"},
	"old-00-startup-no-bus":      {check.Unreachable, "the port is closed for 30 s"},
	"refactor-00-startup-no-bus": {check.Unreachable, noListener},
	"old-c-startup-bus-hangs":    {check.Unreachable, noListener},
	"old-6-after-shutdown":       {check.Unreachable, noListener},

	"new-01-health":      {check.Ready, "status ok"},
	"old-01-health":      {check.Ready, "status ok"},
	"old-01-health-POST": {check.Ready, "POST works too"},
	"refactor-01-health": {check.Ready, "status ok"},
	"old-7-safe-health":  {check.Ready, "safe mode is a warning, no state"},
	"old-2-health-HEAD":  {check.Nonsense, "405: an orchestrator serves /health"},

	"new-02-ready":             {check.Ready, "ready:true, although the registration failed"},
	"old-02-ready":             {check.Ready, "ready:true, although the registration failed"},
	"old-7-lifespan-off-ready": {check.Pending, "200 with ready:false: the body counts"},

	"new-03-status-fresh":         {check.Idle, vacuous},
	"old-03-status-fresh":         {check.Idle, vacuous},
	"refactor-02-status-fresh":    {check.Idle, vacuous},
	"old-05-status-after":         {check.Idle, "all_ready over an empty job"},
	"refactor-04-status":          {check.Idle, "all_ready over an empty job"},
	"refactor-06-status":          {check.Idle, "all_ready over an empty job"},
	"old-13-status-recovered":     {check.Ready, "1 of 1 loaded; without a map no more can be asked"},
	"new-6-slow-status-first":     {check.Pending, "in progress, 0 of 8"},
	"new-6-slow-status-mid":       {check.Pending, "in progress, 2 of 8"},
	"new-6-slow-status-done":      {check.Ready, "8 of 8, as the map lists"},
	"new-8-onebad-status-mid":     {check.Failed, "one failed while the others load: fail_fast"},
	"new-8-onebad-status-done":    {check.Failed, "7 of 8"},
	"new-05-status-failed":        {check.Failed, "all 8 failed"},
	"new-10-status-leftover":      {check.Inconsistent, "the error of an agent that the map no longer has"},
	"new-9-strict-status":         {check.Failed, "all 8 failed under STRICT"},
	"old-10-status-500":           {check.Unreachable, "500 in plain text: only a refresh ends it, so it is retried"},
	"old-2-status-HEAD":           {check.Nonsense, "405"},
	"old-2-status-POST":           {check.Nonsense, "405"},
	"old-2-status-trailing-slash": {check.Nonsense, "307 is not followed"},

	"new-04-preload-false-fresh":         {check.Pending, started},
	"new-6-slow-start":                   {check.Pending, started},
	"new-8-onebad-start":                 {check.Pending, started},
	"new-9-strict-start":                 {check.Pending, started},
	"refactor-03-preload":                {check.Pending, started},
	"refactor-05-preload-scout":          {check.Pending, started},
	"new-6-slow-preload-done":            {check.Ready, "8 of 8"},
	"new-06-preload-503":                 {check.Failed, "503 with the state under detail"},
	"new-8-onebad-preload-503":           {check.Failed, "503 with one error of eight"},
	"new-9-strict-preload-503":           {check.Failed, "503 with eight errors"},
	"old-04-preload-false-fresh":         {check.Idle, emptyJob},
	"old-06-preload-false-again":         {check.Idle, emptyJob},
	"old-07-preload-agents-norefresh":    {check.Idle, emptyJob},
	"old-08-preload-refresh-true":        {check.Idle, emptyJob},
	"old-09-preload-agents-refresh":      {check.Inconsistent, answerOver},
	"old-11-preload-false-500":           {check.Unreachable, "500 in plain text"},
	"old-12-preload-refresh-recovers":    {check.Inconsistent, answerOver},
	"old-14-preload-two-agents":          {check.Inconsistent, answerOver},
	"old-15-preload-refresh":             {check.Inconsistent, answerOver},
	"old-7-safe-preload":                 {check.Inconsistent, answerOver},
	"old-2-preload-GET":                  {check.Nonsense, "405"},
	"old-2-preload-agents-list-of-int":   {check.Nonsense, wrongBody},
	"old-2-preload-agents-string":        {check.Nonsense, wrongBody},
	"old-2-preload-array-body":           {check.Nonsense, wrongBody},
	"old-2-preload-badjson":              {check.Nonsense, wrongBody},
	"old-2-preload-empty-body":           {check.Nonsense, wrongBody},
	"old-2-preload-empty-object":         {check.Ready, "3 of 3 of earlier jobs; without a map no more can be asked"},
	"old-2-preload-extra-field":          {check.Ready, "3 of 3 of earlier jobs; without a map no more can be asked"},
	"old-2-preload-form":                 {check.Nonsense, wrongBody},
	"old-2-preload-refresh-null":         {check.Nonsense, wrongBody},
	"old-2-preload-refresh-string-maybe": {check.Nonsense, wrongBody},
	"old-2-preload-refresh-string-yes":   {check.Inconsistent, answerOver},
	"old-2-preload-text-plain":           {check.Nonsense, wrongBody},

	"old-2-nope":     {check.Nonsense, "404"},
	"old-6-shutdown": {check.Nonsense, notAState},

	"new-3-gpu-info-bare":               {check.Unreachable, "500 for an attribute error"},
	"new-3-gpu-info-mps-daemon-running": {check.Unreachable, "500 for an attribute error"},
	"new-3-gpu-info-mps-empty-dir":      {check.Unreachable, "500 for an attribute error"},
	"new-3-gpu-info-mps-plain-file":     {check.Unreachable, "500 for an attribute error"},
	"new-3-gpu-info-smi-fails":          {check.Unreachable, "500 for an attribute error"},
	"new-3-gpu-info-smi-hangs":          {check.Unreachable, "500 for an attribute error"},
	"new-3-gpu-info-smi-na-fields":      {check.Unreachable, "500 for an attribute error"},
	"new-3-gpu-info-smi-ok":             {check.Unreachable, "500 for an attribute error"},
	"old-3-gpu-info-bare":               {check.Nonsense, notAState},
	"old-3-gpu-info-mps-daemon-running": {check.Nonsense, notAState},
	"old-3-gpu-info-mps-empty-dir":      {check.Nonsense, notAState},
	"old-3-gpu-info-mps-plain-file":     {check.Nonsense, notAState},
	"old-3-gpu-info-smi-fails":          {check.Nonsense, notAState},
	"old-3-gpu-info-smi-hangs":          {check.Nonsense, notAState},
	"old-3-gpu-info-smi-na-fields":      {check.Nonsense, notAState},
	"old-3-gpu-info-smi-ok":             {check.Nonsense, notAState},

	"bus-old-00-startup-no-orchestrator":        {check.Unreachable, noListener},
	"bus-old-20-startup-with-orchestrator":      {check.Unreachable, "both wait for each other for 10 s"},
	"bus-old-23-orchestrator-startup-bus-first": {check.Unreachable, noListener},
	"bus-old-01-health":                         {check.Ready, "status ok"},
	"bus-old-11-health-dead-agent":              {check.Ready, "the old bus does not look at its agents"},
	"bus-old-12-health-hanging-agents":          {check.Ready, "the old bus does not look at its agents"},
	"bus-old-02-ready":                          {check.Ready, "ready:true"},
	"bus-old-03-agents-empty":                   {check.Nonsense, foreign},
	"bus-old-04-register":                       {check.Nonsense, foreign},
	"bus-old-05-agents":                         {check.Nonsense, foreign},
	"bus-old-06-register-bad":                   {check.Nonsense, foreign},
	"bus-old-07-register-badjson":               {check.Nonsense, foreign},
	"bus-old-08-register-overwrite":             {check.Nonsense, foreign},
	"bus-old-09-call-unknown":                   {check.Nonsense, foreign},
	"bus-old-10-call-dead":                      {check.Unreachable, "502"},
	"bus-old-15-nope":                           {check.Nonsense, foreign},
	"bus-old-21-agents-right-after":             {check.Nonsense, foreign},
	"bus-old-22-agents-25s-later":               {check.Nonsense, foreign},
	"bus-old-24-agents":                         {check.Nonsense, foreign},
}

func TestTranscripts_JudgementOfEachTranscript(t *testing.T) {
	files, err := filepath.Glob("testdata/transcripts/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	open := maps.Clone(verdicts)
	for _, file := range files {
		tr := load(t, file)
		want, ok := open[tr.Case]
		if !ok {
			t.Errorf("%s has no verdict", file)
			continue
		}
		delete(open, tr.Case)
		t.Run(tr.Case, func(t *testing.T) {
			if got := judge(t, tr); got.State != want.state {
				t.Errorf("%s (%s), want %s: %s", got.State, got.Reason, want.state, want.why)
			}
		})
	}
	for _, left := range slices.Sorted(maps.Keys(open)) {
		t.Errorf("the verdict on %s has no transcript", left)
	}
}

func load(t *testing.T, file string) transcript {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var tr transcript
	if err := json.Unmarshal(data, &tr); err != nil {
		t.Fatal(file, err)
	}
	return tr
}

// judge serves the recorded answer to the real client.
func judge(t *testing.T, tr transcript) check.Judgement {
	t.Helper()
	url := replay(t, tr)
	c, err := orchestrator.Open(orchestrator.JustNews, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// The new server's map was there and lists 8 models; the old ones had none.
	want := requirement.Preload{Expected: -1, FailFast: true}
	if strings.HasPrefix(tr.Case, "new-") {
		want.Expected = 8
	}
	ctx := t.Context()
	switch path := tr.Request.Path; {
	case path == "/health" && strings.HasPrefix(tr.Case, "bus-"):
		return busJudgement(t, url)
	case path == "/health":
		h := c.Health(ctx)
		return check.Judgement{State: check.Reach(h.Answer), Reason: cmp.Or(h.Detail, "answers")}
	case path == "/ready":
		return checkorchestrator.Readiness(c.Ready(ctx))
	case path == "/models/preload":
		return checkorchestrator.Models(c.Preload(ctx), want)
	default:
		return checkorchestrator.Models(c.Models(ctx, false), want)
	}
}

func busJudgement(t *testing.T, url string) check.Judgement {
	t.Helper()
	b, err := orchestrator.NewBus(url)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	health := b.Health(t.Context())
	if problems := checkorchestrator.Bus(url, "", health); len(problems) != 0 {
		t.Errorf("a good bus has problems: %v", problems)
	}
	return check.Judgement{State: check.Reach(health.Answer), Reason: checkorchestrator.BusState(health)}
}

// replay serves status, headers and body byte by byte; a transcript without a
// status is a closed port.
func replay(t *testing.T, tr transcript) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, buffer, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(buffer, "HTTP/1.1 %d %s\r\n", tr.Response.Status, http.StatusText(tr.Response.Status))
		for name, value := range tr.Response.Headers {
			fmt.Fprintf(buffer, "%s: %s\r\n", name, value)
		}
		fmt.Fprintf(buffer, "\r\n%s", tr.Response.Body)
		buffer.Flush()
		conn.(*net.TCPConn).CloseWrite()
	}))
	t.Cleanup(s.Close)
	if tr.Response.Status == 0 {
		s.Close()
	}
	return s.URL
}
