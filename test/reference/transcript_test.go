// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/test/reference/store"
)

// transcript is one recorded request with the real server's answer.
type transcript struct {
	Request struct {
		Method  string            `json:"method"`
		Path    string            `json:"path"`
		Headers map[string]string `json:"headers"`
		Body    *string           `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
	} `json:"response"`
}

func recorded(t *testing.T, name string) transcript {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "transcripts", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var tr transcript
	if err := json.Unmarshal(data, &tr); err != nil {
		t.Fatal(err)
	}
	return tr
}

// replay sends the recorded request.
func replay(t *testing.T, s *Server, tr transcript) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), tr.Request.Method, s.URL()+tr.Request.Path, nil)
	if tr.Request.Body != nil {
		body := strings.NewReader(*tr.Request.Body)
		req, err = http.NewRequestWithContext(t.Context(), tr.Request.Method, s.URL()+tr.Request.Path, body)
	}
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range tr.Request.Headers {
		req.Header.Set(k, v)
	}
	c := client(t)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(data), nil}
}

// moments are the times and durations in an answer, which no two runs share.
var moments = regexp.MustCompile(`\d+\.\d+(e-?\d+)?`)

// sameAnswer compares status, the recorded headers and the body: byte for byte
// but for times.
func sameAnswer(t *testing.T, s *Server, name string) {
	t.Helper()
	tr := recorded(t, name)
	got := replay(t, s, tr)
	sameHead(t, s, name, tr, got)
	want := moments.ReplaceAllString(tr.Response.Body, "TIME")
	if diff := cmp.Diff(want, moments.ReplaceAllString(got.body, "TIME")); diff != "" {
		t.Errorf("%s: body (-recorded +here):\n%s", name, diff)
	}
}

func sameHead(t *testing.T, s *Server, name string, tr transcript, got reply) {
	t.Helper()
	if got.status != tr.Response.Status {
		t.Errorf("%s: status %d, recorded %d", name, got.status, tr.Response.Status)
	}
	for k, want := range tr.Response.Headers {
		if k == "content-length" && strings.Contains(tr.Response.Body, ".") {
			continue // times differ in length
		}
		want = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(want, s.Address())
		if got.header.Get(k) != want {
			t.Errorf("%s: %s: %q, recorded %q", name, k, got.header.Get(k), want)
		}
	}
}

// sameShape compares status, headers, and the keys and types of the body.
func sameShape(t *testing.T, s *Server, name string) {
	t.Helper()
	tr := recorded(t, name)
	got := replay(t, s, tr)
	sameHead(t, s, name, withoutLength(tr), got)
	if diff := cmp.Diff(shape(t, tr.Response.Body), shape(t, got.body)); diff != "" {
		t.Errorf("%s: shape (-recorded +here):\n%s", name, diff)
	}
}

func withoutLength(tr transcript) transcript {
	delete(tr.Response.Headers, "content-length")
	return tr
}

// shape is a JSON text with each value replaced by its type. The keys of
// per_agent are data: they count as one name.
func shape(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return shapeOf("", v)
}

func shapeOf(key string, v any) any {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		if len(v) == 0 {
			return []any{}
		}
		return []any{shapeOf("", v[0])}
	case map[string]any:
		out := map[string]any{}
		for k, inner := range v {
			switch key {
			case "per_agent":
				out["AGENT"] = shapeOf("AGENT", inner)
			case "AGENT":
				out["MODEL"] = shapeOf("", inner)
			default:
				out[k] = shapeOf(k, inner)
			}
		}
		return out
	}
	return nil
}

func TestTranscript_OldServerMatchesByteForByte(t *testing.T) {
	s := start(t, func(o *Options) { o.Generation, o.PipeDirectory = Old, filepath.Join(o.Root, "nowhere") })
	for _, name := range []string{
		"old-01-health", "old-01-health-POST", "old-02-ready", "old-03-status-fresh",
		"old-04-preload-false-fresh", "old-05-status-after", "old-06-preload-false-again",
		"old-07-preload-agents-norefresh", "old-08-preload-refresh-true", "old-09-preload-agents-refresh",
		"old-10-status-500", "old-11-preload-false-500", "old-12-preload-refresh-recovers",
		"old-13-status-recovered", "old-14-preload-two-agents", "old-15-preload-refresh",
		"old-2-health-HEAD", "old-2-nope", "old-2-preload-GET", "old-2-preload-agents-list-of-int",
		"old-2-preload-agents-string", "old-2-preload-array-body", "old-2-preload-badjson",
		"old-2-preload-empty-body", "old-2-preload-empty-object", "old-2-preload-form",
		"old-2-preload-refresh-null", "old-2-preload-refresh-string-maybe", "old-2-preload-refresh-string-yes",
		"old-2-preload-extra-field", "old-2-preload-text-plain", "old-2-status-HEAD", "old-2-status-POST",
		"old-2-status-trailing-slash",
	} {
		sameAnswer(t, s, name)
	}
	sameShape(t, s, "old-3-gpu-info-bare") // its pipe directory is this test's
	sameAnswer(t, s, "old-6-shutdown")
	until(t, "a refused connection after the shutdown", func() bool { return ask(t, s, "GET", "/health").err != nil })
}

func TestTranscript_OldServerTakesAnyPathForMPS(t *testing.T) {
	for _, name := range []string{"old-3-gpu-info-mps-empty-dir", "old-3-gpu-info-mps-plain-file"} {
		pipe := filepath.Join(t.TempDir(), "pipe")
		var err error
		if strings.HasSuffix(name, "dir") {
			err = os.Mkdir(pipe, 0o755)
		} else {
			err = os.WriteFile(pipe, nil, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, func(o *Options) { o.Generation, o.PipeDirectory = Old, pipe })
		sameShape(t, s, name)
		if got := ask(t, s, "GET", "/gpu/info"); !strings.Contains(got.body, `"mps_enabled":true`) {
			t.Error(got.body)
		}
		if got := ask(t, s, "GET", "/metrics"); !strings.Contains(got.body, "gpu_orchestrator_mps_enabled 1\n") {
			t.Error(got.body)
		}
	}
}

func TestTranscript_SafeModeServerLoadsModels(t *testing.T) {
	s := start(t, func(o *Options) { o.Generation, o.SafeMode = Old, true })
	sameAnswer(t, s, "old-7-safe-health")
	sameAnswer(t, s, "old-7-safe-preload")
}

func TestServer_ReadyFalseHasStatus200(t *testing.T) {
	sameAnswer(t, start(t, nil, "not-ready"), "old-7-lifespan-off-ready")
}

func TestTranscript_NewServerIsEmptyUntilAJobRan(t *testing.T) {
	s := start(t, nil, hold)
	sameAnswer(t, s, "new-01-health")
	sameAnswer(t, s, "new-02-ready")
	sameAnswer(t, s, "new-03-status-fresh")
	sameAnswer(t, s, "new-04-preload-false-fresh")
}

func TestTranscript_NewServersGPUInfoAlwaysFails(t *testing.T) {
	s := start(t, nil)
	sameAnswer(t, s, "new-3-gpu-info-bare")
	sameAnswer(t, s, "new-3-gpu-info-mps-empty-dir")
	if got := ask(t, s, "POST", "/notify_ready", "{}"); got.status != 500 {
		t.Error("notify_ready:", got.status)
	}
}

func TestTranscript_SlowJobIsReportedAsRecorded(t *testing.T) {
	s := start(t, nil, hold)
	sameAnswer(t, s, "new-6-slow-start")
	until(t, "all but one model", func() bool { _, done, _ := s.present().counts(); return done == 15 })
	sameShape(t, s, "new-6-slow-status-first")
	sameShape(t, s, "new-6-slow-status-mid")
	s.Release()
	until(t, "the end of the job", s.present().idle)
	sameShape(t, s, "new-6-slow-status-done")
	sameShape(t, s, "new-6-slow-preload-done")
	if total, done, failed := s.present().counts(); total != 16 || done != 16 || failed != 0 {
		t.Errorf("%d of %d, %d failed", done, total, failed)
	}
}

func TestTranscript_OneBadModelIsReportedAsRecorded(t *testing.T) {
	s := start(t, nil, hold, failModel)
	trigger(t, s, `{}`)
	until(t, "the failure", func() bool { _, done, failed := s.present().counts(); return done == 14 && failed == 1 })
	sameShape(t, s, "new-8-onebad-status-mid")
	s.Release()
	until(t, "the end of the job", s.present().idle)
	sameShape(t, s, "new-8-onebad-status-done")
	sameShape(t, s, "new-05-status-failed")
	trigger503 := recorded(t, "new-8-onebad-preload-503")
	if got := replay(t, s, trigger503); got.status != 503 || !strings.Contains(got.body, `"summary":{"total":16,"done":15,"failed":1}`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestTranscript_JobInWhichEverythingFailedIsReportedAsRecorded(t *testing.T) {
	s := start(t, func(o *Options) { o.Map, o.Root = whole.Map, t.TempDir() })
	loaded(t, s)
	sameShape(t, s, "new-05-status-failed")
	sameShape(t, s, "new-06-preload-503")
}

func TestTranscript_StrictDryRunOverAnEmptyStoreFails(t *testing.T) {
	newMap, err := filepath.Abs(filepath.Join("testdata", "new-map.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(o *Options) { o.Root, o.Map, o.DryRun = t.TempDir(), newMap, true })
	sameAnswer(t, s, "new-9-strict-start")
	until(t, "the end of the job", s.present().idle)
	sameAnswer(t, s, "new-9-strict-status")
	sameAnswer(t, s, "new-9-strict-preload-503")
}

func TestTranscript_OldBusMatchesByteForByte(t *testing.T) {
	s := launch(t, Options{Role: Bus, Generation: Old})
	for _, name := range []string{
		"bus-old-01-health", "bus-old-02-ready", "bus-old-03-agents-empty", "bus-old-04-register",
		"bus-old-05-agents", "bus-old-06-register-bad", "bus-old-07-register-badjson",
		"bus-old-08-register-overwrite", "bus-old-09-call-unknown", "bus-old-15-nope",
	} {
		sameAnswer(t, s, name)
	}
	ask(t, s, "POST", "/register", `{"name":"scout","address":"http://127.0.0.1:1"}`)
	got := ask(t, s, "POST", "/call", `{"agent":"scout","tool":"health","args":[],"kwargs":{}}`)
	if got.status != 502 || !strings.Contains(got.body, "Tool call failed: ") {
		t.Errorf("a call of a dead agent: %d %s", got.status, got.body)
	}
}

func TestTranscript_ErrorsNameAgentAndPath(t *testing.T) {
	m := store.Models[3]
	for damage, want := range map[store.Damage]string{
		store.MissingModel:    "STRICT_MODEL_STORE=1 but failed to load model for agent=fact_checker from ROOT/fact_checker/current",
		store.MissingSnapshot: "STRICT_MODEL_STORE=1 but failed to load model for agent=fact_checker from ROOT/fact_checker/current/models--distilbert-base-uncased",
		store.EmptySnapshot:   "STRICT_MODEL_STORE=1 but failed to load model for agent=fact_checker from ROOT/fact_checker/current/models--distilbert-base-uncased/snapshots/REV",
		store.MissingBlob:     "STRICT_MODEL_STORE=1 but failed to load model for agent=fact_checker from ROOT/fact_checker/current/models--distilbert-base-uncased/snapshots/REV",
		store.Truncated:       "STRICT_MODEL_STORE=1 but failed to load model for agent=fact_checker from ROOT/fact_checker/current/models--distilbert-base-uncased/snapshots/REV",
		store.BadConfig:       "STRICT_MODEL_STORE=1 but failed to load model for agent=fact_checker from ROOT/fact_checker/current/models--distilbert-base-uncased/snapshots/REV",
		store.WrongID:         "STRICT_MODEL_STORE=1 but failed to load model for agent=fact_checker from ROOT/fact_checker/current",
		store.MissingCurrent:  "We couldn't connect to 'https://huggingface.co' to load the files",
		store.HalfCopied:      "We couldn't connect to 'https://huggingface.co' to load the files",
		store.WrongKey:        "We couldn't connect to 'https://huggingface.co' to load the files",
	} {
		t.Run(string(damage), func(t *testing.T) {
			st, err := store.Make(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			s := start(t, func(o *Options) { o.Root = st.Root })
			if err := st.Break(damage, m); err != nil {
				t.Fatal(err)
			}
			loaded(t, s)
			want := strings.NewReplacer("ROOT", s.opt.Root, "REV", store.Revision(m.ID)).Replace(want)
			if got := status(t, s).body; !strings.Contains(got, `"error":"`+want) {
				t.Errorf("want %q in %s", want, got)
			}
			if err := st.Repair(m); err != nil {
				t.Fatal(err)
			}
			loaded(t, s)
			if total, done, failed := s.present().counts(); total != 16 || done != 16 || failed != 0 {
				t.Errorf("after the fix: %d of %d, %d failed", done, total, failed)
			}
		})
	}
}

func TestTranscript_UnreadableModelFails(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	for _, damage := range []store.Damage{store.Unreadable, store.Unsearchable} {
		st, err := store.Make(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, func(o *Options) { o.Root = st.Root })
		if err := st.Break(damage, store.Models[0]); err != nil {
			t.Fatal(err)
		}
		loaded(t, s)
		if _, _, failed := s.present().counts(); failed == 0 {
			t.Errorf("%s: nothing failed", damage)
		}
		if err := st.Repair(store.Models[0]); err != nil {
			t.Fatal(err)
		}
	}
}
