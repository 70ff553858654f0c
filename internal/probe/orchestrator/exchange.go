// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"syscall"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/strictjson"
)

// reply is the raw result of one exchange: a status and a body, or an answer with the reason
// why there is none.
type reply struct {
	status   int
	location string
	encoding string // Content-Encoding, which was not asked for
	body     []byte
	large    bool          // the body is larger than maxBody; the rest was not read
	failed   *facts.Answer // Refused or Nonsense
	server   facts.Server
	hide     secret
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
		r := reply{failed: broken(ctx, shown{err, l.hide}, false)}
		if r.failed.Kind == facts.Nonsense { // an answer by some server
			r.server = over.end()
		}
		return r
	}
	defer response.Body.Close() //nolint:errcheck // only read
	r := reply{
		hide: l.hide, status: response.StatusCode, location: response.Header.Get("Location"), encoding: response.Header.Get("Content-Encoding"), server: over.end(),
	}
	return r.take(ctx, response)
}

// proven replaces an answer of a server that does not count by the reason.
func (l *link) proven(ctx context.Context, r reply) reply {
	if l.prove == nil || r.failed != nil && r.failed.Kind == facts.Refused {
		return r
	}
	if kind, why := l.prove(ctx, r.server); kind != facts.Answered {
		r.failed = &facts.Answer{Kind: kind, Status: r.status, Detail: why}
	}
	return r
}

// shown is an error whose text does not have the API key.
type shown struct {
	error
	hide secret
}

func (s shown) Error() string { return s.hide.from(s.error.Error()) }
func (s shown) Unwrap() error { return s.error }

// take reads the body. For an answer that is judged by its status alone, a
// truncated body does not matter. That of a 101 is the connection itself: reading it would
// not end with ctx.
func (r reply) take(ctx context.Context, response *http.Response) reply {
	if r.status == http.StatusSwitchingProtocols {
		return r
	}
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
		r.failed = broken(ctx, shown{err, r.hide}, true)
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
	for i := range state.Errors {
		state.Errors[i].Error = r.hide.from(state.Errors[i].Error)
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
	o, err := strictjson.Parse(r.body, strictjson.Limits{Bytes: maxBody, Depth: maxDepth})
	if err != nil && r.encoding != "" {
		err = fmt.Errorf("a body with Content-Encoding: %s, which was not requested: %w", diag.Clip(r.encoding, maxName), err)
	}
	return o, err
}

// byStatus judges an answer by its status alone.
func (r reply) byStatus() facts.Answer {
	switch {
	case r.status == http.StatusOK:
		return r.answer(facts.Answered, "")
	case r.status >= 300 && r.status <= 399:
		return r.answer(facts.Redirected, fmt.Sprintf("%s to %q", r.name(), r.excerpt(r.location)))
	case r.status == http.StatusNotFound || r.status == http.StatusMethodNotAllowed:
		return r.answer(facts.NotServed, r.name()+r.head())
	case r.status == http.StatusRequestTimeout, r.status == http.StatusTooEarly, r.status == http.StatusTooManyRequests, r.status >= 500 && r.status <= 599:
		return r.answer(facts.ServerError, r.name()+r.head())
	default:
		return r.answer(facts.Nonsense, r.name()+r.head())
	}
}

func (r reply) nonsense(format string, args ...any) facts.Answer {
	return r.answer(facts.Nonsense, fmt.Sprintf(format, args...)+r.head())
}

func (r reply) answer(kind facts.AnswerKind, detail string) facts.Answer {
	return facts.Answer{Kind: kind, Status: r.status, Detail: diag.Clean(r.hide.from(detail)), Server: r.server}
}

// name returns status and phrase, as in "500 Internal Server Error".
func (r reply) name() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)))
}

func (r reply) head() string {
	if len(r.body) == 0 {
		return ""
	}
	return ": " + r.excerpt(string(r.body))
}

// excerptBytes is how much of a body is shown to a person.
const excerptBytes = 160

func (r reply) excerpt(s string) string {
	return diag.Clip(r.hide.from(s), excerptBytes)
}

// slow is the cause of a look that reached its own deadline.
type slow struct{ after time.Duration }

func (s slow) Error() string { return fmt.Sprintf("no answer within %s", span(s.after)) }

// span writes a duration as systemd does: 3 s, 250 ms.
func span(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return fmt.Sprintf("%d ms", d/time.Millisecond)
}

// broken turns an error of the exchange into an answer: Refused for errors of a server that is
// starting, stopping or hanging; Nonsense for an answer that is not HTTP. An unknown error is
// Nonsense, which ends a wait soonest.
func broken(ctx context.Context, err error, inBody bool) *facts.Answer {
	if e, ok := errors.AsType[*net.DNSError](err); ok && ctx.Err() == nil {
		return &facts.Answer{Kind: facts.Refused, Detail: "cannot resolve " + diag.Clean(e.Name), NoHost: true}
	}
	if detail, ok := network(ctx, err, inBody); ok {
		return &facts.Answer{Kind: facts.Refused, Detail: detail, Late: ctx.Err() != nil}
	}
	return &facts.Answer{Kind: facts.Nonsense, Detail: diag.Clean(diag.Clip(err.Error(), excerptBytes))}
}

// network returns the text of a network error or a timeout.
func network(ctx context.Context, err error, inBody bool) (string, bool) {
	when := "before answering"
	if inBody {
		when = "in the middle of the answer"
	}
	switch {
	case ctx.Err() != nil:
		return expired(ctx), true
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused", true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset the connection " + when, true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed the connection " + when, true
	}
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e.Error(), true
	}
	if e, ok := errors.AsType[net.Error](err); ok {
		return diag.Clean(e.Error()), true
	}
	return "", false
}

// expired returns which deadline was reached: the look's, or that of the whole
// wait.
func expired(ctx context.Context) string {
	if own, ok := errors.AsType[slow](context.Cause(ctx)); ok {
		return own.Error()
	}
	return "the wait ended before an answer came"
}
