// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"
)

// proof shows over a real socket that a behaviour does what its name says.
type proof struct {
	spec  string // empty: the name
	check func(t *testing.T, s *Server)
}

// answers proves that /models/status is answered this way after a job.
func answers(code int, contains ...string) proof {
	return proof{"", func(t *testing.T, s *Server) {
		got := status(t, s)
		if got.err != nil || got.status != code {
			t.Fatalf("%d %v, want %d", got.status, got.err, code)
		}
		for _, c := range contains {
			if !strings.Contains(got.body, c) {
				t.Errorf("no %s in %.300s", c, got.body)
			}
		}
	}}
}

func with(spec string, p proof) proof { p.spec = spec; return p }

// fails proves that no complete answer is received, for the given reason.
func fails(is func(error) bool) proof {
	return proof{"", func(t *testing.T, s *Server) {
		if got := status(t, s); got.err == nil || !is(got.err) {
			t.Errorf("%d %v", got.status, got.err)
		}
	}}
}

// isReset also accepts EPIPE, which is the kernel's error for a reset before the request was
// written.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
func says(text string) func(error) bool {
	return func(err error) bool { return strings.Contains(err.Error(), text) }
}

const (
	summary16  = `"summary":{"total":16,"done":16,"failed":0}`
	goodStatus = `{"all_ready":true,"in_progress":false,` + summary16 + `,"errors":[],"started_at":`
)

var proofs = map[string]proof{
	// What is said of the models.
	"vacuous":           answers(200, `{"all_ready":true,"in_progress":false,"summary":{"total":0,"done":0,"failed":0},"errors":[],"started_at":null,"completed_at":null}`),
	"vacuous-after-job": answers(200, `{"all_ready":true,"in_progress":false,"summary":{"total":0,"done":0,"failed":0},"errors":[],"started_at":1`),
	"double-counted":    answers(200, `"all_ready":false,"in_progress":false,"summary":{"total":16,"done":24,"failed":0},"errors":[]`),
	"contradicting":     answers(200, `"all_ready":true`, `"failed":1`, `"error":"STRICT_MODEL_STORE=1`),
	"stale-errors":      answers(200, `"all_ready":true`, summary16, `"errors":[{`),
	"ready-in-progress": answers(200, `"all_ready":true,"in_progress":true`, `"completed_at":null`),
	"ready-short":       answers(200, `"all_ready":true`, `"done":15`),
	"ready-no-errors":   answers(200, `"all_ready":true`, `"failed":1`, `"errors":[]`),
	"done-not-ready":    answers(200, `"all_ready":false,"in_progress":false,`+summary16),
	"nested":            answers(200, `{"status":{"all_ready":true`),
	"stringly":          answers(200, `"all_ready":"true","in_progress":"false","summary":{"total":"16","done":"16","failed":"0"}`),
	"missing":           {"missing=summary.total", lacks(`"total"`)},
	"null":              {"null=in_progress", answers(200, `"in_progress":null`).check},
	"no-times":          {"", lacks("ted_at")},
	"duplicate-key":     answers(200, `{"all_ready":false,`, `,"all_ready":true}`),
	"duplicate-summary": answers(200, `{"total":16,"done":0,"failed":0,"done":16}`),
	"case-variant":      answers(200, `{"all_ready":false,`, `"All_Ready":true`),
	"deep":              answers(200, strings.Repeat("[", depth)+strings.Repeat("]", depth)),
	"huge-number":       answers(200, `{"total":100000000000000000000000000000,"done":100000000000000000000000000000,`),
	"huge-exponent":     answers(200, `{"total":1e400,"done":1e400,`),
	"float-counts":      answers(200, `{"total":16.5,"done":16.5,`),
	"negative":          answers(200, `{"total":-16,"done":-16,`),
	"nan":               answers(200, `{"total":NaN,"done":NaN,`),
	"escapes":           answers(200, `\u001b[2J`, `\r\n<0>justnews-gate: pass`, `\u0000`, "\u202e"),
	"changing-identity": {"", identityChanges},
	"flapping":          {"", sequence(true, false, true, false)},
	"regress":           {"regress=2", sequence(true, true, false, false)},
	"regress-failed":    {"", regressesToFailed},

	// What another server or a broken one says.
	"400":       answers(400, `{"detail":"`),
	"401":       header(401, "Www-Authenticate", "Bearer"),
	"403":       answers(403, `{"detail":"`),
	"404":       answers(404, `{"detail":"Not Found"}`),
	"404-html":  answers(404, "<html>"),
	"422":       answers(422, `{"detail":[{`),
	"429":       header(429, "Retry-After", "3600"),
	"500":       answers(500, "Internal Server Error"),
	"500-json":  answers(500, `{"detail":"`),
	"502":       answers(502, "<title>502 Bad Gateway"),
	"503":       answers(503, "Service Unavailable"),
	"503-json":  answers(503, `{"detail":"Service Unavailable"}`),
	"503-list":  answers(503, `{"detail":[`),
	"503-null":  answers(503, `{"detail":null}`),
	"503-empty": {"", exactly(503, "")},
	"504":       answers(504, "<title>504"),
	"redirect":  with("redirect=http://127.0.0.1:9/x", header(307, "Location", "http://127.0.0.1:9/x")),
	"301":       header(301, "Location", "http://127.0.0.1:1/"),
	"html":      header(200, "Content-Type", "text/html; charset=utf-8"),
	"empty":     {"", exactly(200, "")},
	"204":       {"", exactly(204, "")},

	// The right answer, spoiled.
	"202":            {"", accepted},
	"503-state":      answers(503, `{"detail":`+goodStatus),
	"500-state":      answers(500, `{"detail":`+goodStatus),
	"503-bare-state": answers(503, goodStatus),
	"404-state":      answers(404, goodStatus),
	"array":          answers(200, `[`+goodStatus),
	"scalar":         {"", exactly(200, "true")},
	"quoted":         answers(200, `"{\"all_ready\":true`),
	"trailing-bytes": answers(200, "}\n{}"),
	"trailing-junk":  answers(200, "}\x00junk"),
	"bom":            answers(200, "\xef\xbb\xbf{"),
	"invalid-utf8":   answers(200, "{\"note\":\"\xff\xfe\","),
	"cut":            {"", cutInHalf},
	"text-plain":     header(200, "Content-Type", "text/plain; charset=utf-8"),
	"gzip":           header(200, "Content-Encoding", "gzip"),

	// The wire.
	"hang-accept":  {"", hangs},
	"reset-accept": fails(isReset),
	"hang-headers": {"", hangs},
	"hang-body":    {"", hangsInBody},
	"drip-headers": {"drip-headers=1ms", drips("X-Drip: xxxxx")},
	"drip-body":    {"drip-body=100us", dripsBody},
	"late":         {"late=50ms", answersAfter(50 * time.Millisecond)},
	"truncated":    fails(isEOF),
	"reset":        fails(isReset),
	"reset-body":   fails(isReset),
	"drop":         fails(isEOF),
	"reset-second": {"", secondFails(isReset)},
	"drop-second":  {"", secondFails(isEOF)},
	"502-second": {"", func(t *testing.T, s *Server) {
		if first, then := ask(t, s, "GET", "/health"), ask(t, s, "GET", "/health"); first.status != 200 || then.status != 502 {
			t.Errorf("%d, then %d", first.status, then.status)
		}
	}},
	"fat":            {"fat=3", fatBy(3)},
	"endless":        {"", endlessly},
	"endless-header": {"", pours("X-Pad: xxx")},
	"informational":  {"", pours("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102")},
	"not-http":       fails(says("malformed HTTP")),
	"two-lengths":    fails(says("Content-Length")),
	"second-answer":  answers(200, goodStatus),
	"bad-chunk":      fails(says("invalid byte in chunk length")),

	// The engine.
	emptyMap:   {"", loadsNothing},
	cachedMap:  {"", readsTheMapOnce},
	subset:     {"subset=3", loadsThree},
	hold:       {"", holdsBack},
	readyAfter: {"ready-after=1h", holdsBack},
	loadDelay:  {"load-delay=2ms", loadsSlowly},
	failModel:  {"fail-model=critic", failsCritic},
	dryRun:     {"", readsNothing},
	twoWorkers: {"", twoStates},

	// The life.
	startsLate:  {"starts-late=20ms", opensLate},
	registering: {"closed-while-registering=20ms", opensLate},
	restartAt:   {"restart-at=health", restarts},
	crashAt:     {"crash-at=health", crashes},
	safeMode: {"", func(t *testing.T, s *Server) {
		if got := ask(t, s, "GET", "/health"); got.body != `{"status":"ok","safe_mode":true}` {
			t.Error(got.body)
		}
	}},
	notReady: {"", func(t *testing.T, s *Server) {
		if got := ask(t, s, "GET", "/ready"); got.status != 200 || got.body != `{"ready":false}` {
			t.Error(got.status, got.body)
		}
	}},
}

func TestMisbehave_EachBehaviour(t *testing.T) {
	for _, b := range Behaviours() {
		t.Run(b.Name, func(t *testing.T) {
			p, ok := proofs[b.Name]
			if !ok {
				t.Fatal("no proof of it")
			}
			if b.Doc == "" {
				t.Error("no doc line")
			}
			spec := p.spec
			if spec == "" {
				spec = b.Name
			}
			s := start(t, nil)
			loaded(t, s)
			if err := s.Misbehave(spec); err != nil {
				t.Fatal(err)
			}
			p.check(t, s)
		})
	}
	for name := range proofs {
		if _, err := parseSpec(name); err != nil && !strings.Contains(err.Error(), "is not a stage") {
			t.Errorf("a proof of an unknown behaviour: %v", err)
		}
	}
}

func TestMisbehave_ServerRecovers(t *testing.T) {
	s := start(t, nil)
	loaded(t, s)
	for range 2 {
		if got := status(t, s); got.status != 200 || !strings.HasPrefix(got.body, goodStatus) || !json.Valid([]byte(got.body)) {
			t.Errorf("%d %s", got.status, got.body)
		}
		if err := s.Misbehave("500"); err != nil {
			t.Fatal(err)
		}
		if got := status(t, s); got.status != 500 {
			t.Error(got.status)
		}
		if err := s.Misbehave(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMisbehave_IsLimitedToItsPathAndCount(t *testing.T) {
	s := start(t, nil, "500@/ready*2", "404@/health")
	for i, want := range []int{500, 500, 200} {
		if got := ask(t, s, "GET", "/ready"); got.status != want {
			t.Errorf("/ready, look %d: %d, want %d", i+1, got.status, want)
		}
		if got := ask(t, s, "GET", "/health"); got.status != 404 {
			t.Errorf("/health, look %d: %d", i+1, got.status)
		}
		if got := status(t, s); got.status != 200 {
			t.Errorf("/models/status, look %d: %d", i+1, got.status)
		}
	}
	if got := fmt.Sprint(s.Misbehaving()); got != "[404@/health]" {
		t.Errorf("still in force: %s", got)
	}
}

func TestMisbehave_LostTriggerAnswerStillStartsTheJob(t *testing.T) {
	s := start(t, nil, hold, "reset@/models/preload*1")
	if got := trigger(t, s, `{"refresh":true}`); got.err == nil {
		t.Fatal("answered:", got.status)
	}
	if got := status(t, s); !strings.Contains(got.body, `"in_progress":true`) {
		t.Error(got.body)
	}
}

func TestMisbehave_RefusedTriggerStartsNothing(t *testing.T) {
	s := start(t, nil, "503@/models/preload")
	trigger(t, s, `{"refresh":true}`)
	if c := s.Counters(); c.Preloads != 1 || c.Jobs != 0 {
		t.Errorf("%d triggers, %d jobs", c.Preloads, c.Jobs)
	}
}

func TestMisbehave_UnknownBehaviourIsRefused(t *testing.T) {
	s := start(t, nil, "500")
	for _, spec := range []string{"", "nosuch", "500=1", "500*0", "500*x", "late=soon", "late=-1s", "restart-at=lunch", "subset=-1", "fat=much"} {
		if err := s.Misbehave(spec); err == nil {
			t.Errorf("%q is accepted", spec)
		}
	}
	if got := fmt.Sprint(s.Misbehaving()); got != "[500]" {
		t.Errorf("a rejected change had an effect: %s", got)
	}
}
