// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"fmt"
	"strings"
	"testing"

	"justnews/internal/facts"
)

func TestAnswers_ModelsAreJudgedByTheirBytes(t *testing.T) {
	with := func(before, after string) string { return ok(strings.Replace(ready, before, after, 1)) }
	for _, tc := range []struct {
		name, bytes string
		kind        facts.AnswerKind
		detail      string
	}{
		{"well-formed", ok(ready), facts.Answered, ""},
		{"any content type", strings.Replace(ok(ready), "application/json", "text/html", 1), facts.Answered, ""},
		{"white space around", ok("\r\n\t " + ready + "\n"), facts.Answered, ""},
		{"extra fields", with(`{"all`, `{"extra":[{}],"all`), facts.Answered, ""},
		{"an HTTP/1.0 answer", "HTTP/1.0 200 OK\r\n\r\n" + ready, facts.Answered, ""},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x;a=b\r\n%s\r\n0\r\nX: y\r\n\r\n", len(ready), ready), facts.Answered, ""},
		{"100 and 103 before it", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok(ready), facts.Answered, ""},
		{"a second answer after it", ok(ready) + ok("{}"), facts.Answered, ""},
		{"no started_at at all", with(`"started_at":1795439945.5800002,`, ""), facts.Answered, ""},
		{"503 with its state under detail", response("503 Service Unavailable", `{"detail":`+ready+`}`), facts.Answered, ""},

		{"503 without a state", response("503 Service Unavailable", `{"detail":"starting"}`), facts.ServerError, "503 Service Unavailable"},
		{"503 with its state at the top", response("503 Service Unavailable", ready), facts.ServerError, "503"},
		{"503 in html", response("503 Service Unavailable", "<html>"), facts.ServerError, "<html>"},
		{"503 with a broken state", response("503 Service Unavailable", `{"detail":{"all_ready":"no"}}`), facts.Nonsense, "detail.all_ready: expected a boolean"},
		{"500 in plain text", response("500 Internal Server Error", "Internal Server Error"), facts.ServerError, "500 Internal Server Error: Internal"},
		{"502", response("502 Bad Gateway", ""), facts.ServerError, "502 Bad Gateway"},
		{"429", response("429 Too Many Requests", "{}"), facts.ServerError, "429"},
		{"408", response("408 Request Timeout", ""), facts.ServerError, "408"},
		{"425", response("425 Too Early", ""), facts.ServerError, "425"},
		{"500 with a state", response("500 Internal Server Error", `{"detail":`+ready+`}`), facts.ServerError, "500"},
		{"404", response("404 Not Found", `{"detail":"Not Found"}`), facts.NotServed, "404 Not Found"},
		{"405", response("405 Method Not Allowed", ""), facts.NotServed, "405"},
		{"400", response("400 Bad Request", ready), facts.Nonsense, "400 Bad Request"},
		{"401", response("401 Unauthorized", ""), facts.Nonsense, "401 Unauthorized"},
		{"422 with a list under detail", response("422 Unprocessable Entity", `{"detail":[{"type":"missing"}]}`), facts.Nonsense, "422 Unprocessable Entity"},
		{"201", response("201 Created", ready), facts.Nonsense, "201 Created"},
		{"202 to a GET", response("202 Accepted", ready), facts.Nonsense, "202 Accepted"},
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", facts.Nonsense, "204 No Content"},
		{"206", response("206 Partial Content", ready), facts.Nonsense, "206"},
		{"101", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", facts.Nonsense, "101"},

		{"an empty body", ok(""), facts.Nonsense, "unexpected end"},
		{"html", ok("<html><body>It works!"), facts.Nonsense, "invalid character '<'"},
		{"a list", ok("[" + ready + "]"), facts.Nonsense, "expected an object, found a list"},
		{"null", ok("null"), facts.Nonsense, "expected an object, found null"},
		{"a byte order mark", ok("\xef\xbb\xbf" + ready), facts.Nonsense, "byte order mark"},
		{"trailing bytes", ok(ready + "x"), facts.Nonsense, "after top-level value"},
		{"two objects", ok(ready + ready), facts.Nonsense, "after top-level value"},
		{"a truncated object", ok(ready[:60]), facts.Nonsense, "unexpected end"},
		{"a duplicate key", with(`{"all_ready":true`, `{"all_ready":false,"all_ready":true`), facts.Nonsense, "occurs twice"},
		{"a case-variant key", with(`{"all_ready":true`, `{"all_ready":false,"ALL_READY":true`), facts.Nonsense, "only in case"},
		{"only a case-variant key", with(`"started_at"`, `"Started_At"`), facts.Nonsense, "only in case"},
		{"NaN", with(`"total":8`, `"total":NaN`), facts.Nonsense, "summary.total"},
		{"a string for a boolean", with(`"all_ready":true`, `"all_ready":"true"`), facts.Nonsense, "all_ready: expected a boolean, found a string"},
		{"a number for a boolean", with(`"in_progress":false`, `"in_progress":0`), facts.Nonsense, "in_progress: expected a boolean"},
		{"null for a boolean", with(`"in_progress":false`, `"in_progress":null`), facts.Nonsense, "in_progress: expected a boolean, found null"},
		{"a missing boolean", with(`"in_progress":false,`, ``), facts.Nonsense, "in_progress: missing"},
		{"a string for a count", with(`"done":8`, `"done":"8"`), facts.Nonsense, "summary.done: expected a number"},
		{"a fraction for a count", with(`"done":8`, `"done":8.5`), facts.Nonsense, "summary.done: expected a whole number"},
		{"a negative count", with(`"failed":0`, `"failed":-1`), facts.Nonsense, "summary.failed: expected a whole number"},
		{"a count of 2^31", with(`"total":8`, `"total":2147483648`), facts.Nonsense, "summary.total"},
		{"a huge count", with(`"total":8`, `"total":1`+strings.Repeat("0", 400)), facts.Nonsense, "summary.total"},
		{"a missing count", with(`"failed":0`, `"bad":0`), facts.Nonsense, "summary.failed: missing"},
		{"no summary", with(`"summary"`, `"overview"`), facts.Nonsense, "summary: missing"},
		{"a list for the summary", with(`{"total":8,"done":8,"failed":0}`, `[8,8,0]`), facts.Nonsense, "summary: expected an object"},
		{"no errors", with(`"errors":[],`, ``), facts.Nonsense, "errors: missing"},
		{"null for errors", with(`"errors":[]`, `"errors":null`), facts.Nonsense, "errors: expected a list"},
		{"a string among errors", with(`"errors":[]`, `"errors":["x"]`), facts.Nonsense, "errors[0]: expected an object"},
		{"an error without a model", with(`"errors":[]`, `"errors":[{"agent":"a","error":"e"}]`), facts.Nonsense, "errors[0].model: missing"},
		{"a number for an error's agent", with(`"errors":[]`, `"errors":[{"agent":1,"model":"m","error":"e"}]`), facts.Nonsense, "errors[0].agent"},
		{"a string for started_at", with(`1795439945.5800002`, `"now"`), facts.Nonsense, "started_at: expected a number"},
		{"started_at out of range", with(`1795439945.5800002`, `1e999`), facts.Nonsense, "started_at"},
		{"a string for per_agent", with(`{"all`, `{"per_agent":"x","all`), facts.Nonsense, "per_agent: expected an object"},
		{"deep nesting", with(`{"all`, `{"x":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`,"all`), facts.Nonsense, "nested too deeply"},
		{"control characters in the evidence", ok("\x1b[2J\n"), facts.Nonsense, `\x1b`},
		{"an unrequested compressed answer", ok("\x1f\x8b\x08\x00"), facts.Nonsense, "invalid UTF-8"},
		{"an unrequested encoding", strings.Replace(ok("\x1f\x8b\x08\x00"), "Content-Type", "Content-Encoding: gzip\r\nContent-Type", 1), facts.Nonsense, "Content-Encoding: gzip, which was not requested"},
		{"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + ready, facts.Nonsense, "Content-Length"},
		{"a length above 1 MiB", "HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n" + ready, facts.Nonsense, "larger than 1048576 bytes"},

		{"no HTTP", "SSH-2.0-OpenSSH_9.2p1\r\n", facts.Nonsense, "malformed HTTP"},
		{"headers without an end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 200<<10), facts.Nonsense, "headers exceeded"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", facts.Nonsense, "Content-Length"},
		{"bad chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", facts.Nonsense, "chunk"},

		{"closed at once", "", facts.Refused, "closed the connection before answering"},
		{"closed between two headers", "HTTP/1.1 200 OK\r\nX: y\r\n", facts.Refused, "closed the connection before answering"},
		{"closed within a header", "HTTP/1.1 200 OK\r\nContent-", facts.Nonsense, "malformed MIME header"},
		{"closed in the body", strings.Replace(ok(ready), "Content-Length: ", "Content-Length: 9", 1), facts.Refused, "closed the connection in the middle of the answer"},
		{"closed in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{", facts.Refused, "in the middle of the answer"},

		{"a redirect to the same host", "HTTP/1.1 307 Temporary Redirect\r\nLocation: /models/status/\r\nContent-Length: 0\r\n\r\n", facts.Redirected, `307 Temporary Redirect to "/models/status/"`},
		{"a redirect without a target", "HTTP/1.1 302 Found\r\n\r\n", facts.Redirected, "302 Found"},
		{"304", "HTTP/1.1 304 Not Modified\r\n\r\n", facts.Redirected, "304"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			look := client(t, serve(t, text(tc.bytes))).Models(t.Context(), false)
			if look.Kind != tc.kind || !strings.Contains(look.Detail, tc.detail) {
				t.Errorf("kind %d, detail %q, want kind %d, detail with %q", look.Kind, look.Detail, tc.kind, tc.detail)
			}
			if look.Kind != facts.Answered && look.State.AllReady {
				t.Error("an answer that is none says all_ready")
			}
			if strings.ContainsAny(look.Detail, "\x1b\n\r") || len(look.Detail) > 600 {
				t.Errorf("detail is not fit for a terminal: %q", look.Detail)
			}
		})
	}
}
