// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/strictjson"
)

// reply is the raw result of one exchange: a status and a body, or the answer
// that says why there is none.
type reply struct {
	status   int
	location string
	body     []byte
	large    bool          // the body is larger than maxBody; the rest was not read
	failed   *facts.Answer // Refused or Nonsense
	server   facts.Server
}

// exchange sends one request and reads the answer, all within ctx. It uses the
// transport itself: a http.Client would follow redirects and keep cookies.
func (l *link) exchange(ctx context.Context, way *http.Transport, method, path string, body io.Reader) reply {
	var over *wire
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) { over, _ = got.Conn.(*wire) },
	})
	request, err := http.NewRequestWithContext(ctx, method, l.base.JoinPath(path).String(), body)
	if err != nil {
		return reply{failed: &facts.Answer{Kind: facts.Nonsense, Detail: diag.Clean(err.Error())}}
	}
	request.GetBody = nil
	request.Header.Set("User-Agent", "justnews-gate")
	request.Header.Set("Accept", "application/json")
	if l.key != "" {
		request.Header.Set("Authorization", "Bearer "+l.key)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := way.RoundTrip(request)
	if err != nil {
		r := reply{failed: broken(ctx, err, false)}
		if r.failed.Kind == facts.Nonsense { // an answer by some server
			r.server = over.end()
		}
		return r
	}
	defer response.Body.Close() //nolint:errcheck // only read
	r := reply{status: response.StatusCode, location: response.Header.Get("Location"), server: over.end()}
	r = r.take(ctx, response)
	if l.key != "" { // some servers repeat it in their errors
		r.body = bytes.ReplaceAll(r.body, []byte(l.key), []byte("***"))
	}
	return r
}

// take reads the body. For an answer that is judged by its status alone, a
// truncated body does not matter.
func (r reply) take(ctx context.Context, response *http.Response) reply {
	if response.ContentLength > maxBody {
		r.large = true
		return r
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if len(body) > maxBody {
		r.large, r.body = true, nil
		return r
	}
	r.body = body
	if err != nil && r.carries() {
		r.failed = broken(ctx, err, true)
		r.failed.Status = r.status
	}
	return r
}

// carries reports whether an answer of this status is judged by its body.
func (r reply) carries() bool {
	return r.status == http.StatusOK || r.status == http.StatusAccepted || r.status == http.StatusServiceUnavailable
}

// read returns the answer of an endpoint whose only valid status is 200.
func (r reply) read(into func(fields)) facts.Answer {
	if a, ok := r.refusal(); ok {
		return a
	}
	if r.status != http.StatusOK {
		return r.byStatus()
	}
	o, err := r.object()
	if err == nil {
		err = readFields(o, into)
	}
	if err != nil {
		return r.nonsense("%v", err)
	}
	return r.answer(facts.Answered, "")
}

// models reads the state of the orchestrator's preload. The answer to a POST
// may also be 202, as in the runbook, although no known server sends it.
func (r reply) models(s shape) facts.ModelsLook {
	if a, ok := r.refusal(); ok {
		return facts.ModelsLook{Answer: a}
	}
	switch {
	case r.status == http.StatusOK, r.status == http.StatusAccepted && s == preloadShape:
		o, err := r.object()
		if err != nil {
			return facts.ModelsLook{Answer: r.nonsense("%v", err)}
		}
		return r.state(o, s)
	case r.status == http.StatusServiceUnavailable:
		if o, ok := r.detail(); ok {
			return r.state(o, s)
		}
	}
	return facts.ModelsLook{Answer: r.byStatus()}
}

func (r reply) state(o strictjson.Object, s shape) facts.ModelsLook {
	var state facts.ModelsState
	if err := readFields(o, func(f fields) { state = modelsState(f, s) }); err != nil {
		return facts.ModelsLook{Answer: r.nonsense("%v", err)}
	}
	return facts.ModelsLook{Answer: r.answer(facts.Answered, ""), State: state}
}

// detail returns the object in which a 503 carries its state. A 503 without one
// comes from a failing server, or from a proxy.
func (r reply) detail() (strictjson.Object, bool) {
	o, err := r.object()
	if err != nil {
		return strictjson.Object{}, false
	}
	v, ok, err := o.Optional("detail")
	if err != nil || !ok || !v.IsObject() {
		return strictjson.Object{}, false
	}
	detail, err := v.Object()
	return detail, err == nil
}

// refusal returns the answer if there is nothing to read.
func (r reply) refusal() (facts.Answer, bool) {
	if r.failed != nil {
		a := *r.failed
		a.Server = r.server
		return a, true
	}
	if r.large {
		return r.nonsense("the body is larger than %d bytes", maxBody), true
	}
	return facts.Answer{}, false
}

func (r reply) object() (strictjson.Object, error) {
	return strictjson.Parse(r.body, strictjson.Limits{Bytes: maxBody, Depth: maxDepth})
}

// byStatus judges an answer by its status alone.
func (r reply) byStatus() facts.Answer {
	switch {
	case r.status == http.StatusOK:
		return r.answer(facts.Answered, "")
	case r.status >= 300 && r.status <= 399:
		return r.answer(facts.Redirected, fmt.Sprintf("%s to %q", r.name(), excerpt([]byte(r.location))))
	case r.status == http.StatusNotFound || r.status == http.StatusMethodNotAllowed:
		return r.answer(facts.NotServed, r.name()+r.head())
	case r.status == http.StatusTooManyRequests || r.status >= 500 && r.status <= 599:
		return r.answer(facts.ServerError, r.name()+r.head())
	default:
		return r.answer(facts.Nonsense, r.name()+r.head())
	}
}

func (r reply) nonsense(format string, args ...any) facts.Answer {
	return r.answer(facts.Nonsense, fmt.Sprintf(format, args...)+r.head())
}

func (r reply) answer(kind facts.AnswerKind, detail string) facts.Answer {
	return facts.Answer{Kind: kind, Status: r.status, Detail: diag.Clean(detail), Server: r.server}
}

// name returns status and phrase, as in "500 Internal Server Error".
func (r reply) name() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)))
}

func (r reply) head() string {
	if len(r.body) == 0 {
		return ""
	}
	return ": " + excerpt(r.body)
}

// excerptBytes is how much of a body is shown to a person.
const excerptBytes = 160

func excerpt(b []byte) string {
	return diag.Clip(string(b), excerptBytes)
}
