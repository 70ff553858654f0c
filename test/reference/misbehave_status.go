// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"strconv"
)

const (
	typeJSON = "application/json"
	typeHTML = "text/html; charset=utf-8"
	typeText = "text/plain; charset=utf-8"
)

const errorPage = "<html>\r\n<head><title>%s</title></head>\r\n<body><center><h1>%s</h1></center><hr><center>nginx</center></body>\r\n</html>\r\n"

// statusBehaviours answer in place of the server, like a proxy, another server on the port or a
// failing framework: the request is not carried out.
var statusBehaviours = []Behaviour{
	{Name: "400", refuse: detail(400, `"There was an error parsing the body"`), Doc: "400, detail as text"},
	{Name: "401", refuse: withHeader(detail(401, `"Not authenticated"`), "Www-Authenticate", "Bearer"), Doc: "401 with WWW-Authenticate"},
	{Name: "403", refuse: detail(403, `"Forbidden"`), Doc: "403"},
	{Name: "404", refuse: detail(404, `"Not Found"`), Doc: "404: not served"},
	{Name: "404-html", refuse: page(404, "404 Not Found"), Doc: "404 as a page: another server on the port"},
	{Name: "422", refuse: detail(422, `[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]`), Doc: "422 with detail as a list"},
	{Name: "429", refuse: withHeader(detail(429, `"Too Many Requests"`), "Retry-After", "3600"), Doc: "429 with Retry-After of an hour"},
	{Name: "500", refuse: plain(500, "Internal Server Error"), Doc: "500 in plain text, like uvicorn"},
	{Name: "500-json", refuse: detail(500, `"'GPUOrchestratorEngine' object has no attribute '_NVML_SUPPORTED'"`), Doc: "500 with detail as text"},
	{Name: "502", refuse: page(502, "502 Bad Gateway"), Doc: "502 as a page"},
	{Name: "503", refuse: plain(503, "Service Unavailable"), Doc: "503 in plain text, without a state"},
	{Name: "503-json", refuse: detail(503, `"Service Unavailable"`), Doc: "503 with detail as text"},
	{Name: "503-list", refuse: detail(503, `[{"type":"unavailable","loc":[],"msg":"busy","input":null}]`), Doc: "503 with detail as a list"},
	{Name: "503-null", refuse: detail(503, `null`), Doc: "503 with detail null"},
	{Name: "503-empty", refuse: plain(503, ""), Doc: "503 without a body"},
	{Name: "504", refuse: page(504, "504 Gateway Time-out"), Doc: "504 as a page"},
	{Name: "redirect", Value: "where to, default a closed port", refuse: redirect, Doc: "307 to another URL, which must not be requested"},
	{Name: "301", Value: "where to, default a closed port", refuse: moved, Doc: "301 to another URL"},
	{Name: "html", refuse: page(200, "Welcome"), Doc: "200 with a page: a captive portal"},
	{Name: "empty", refuse: func(string) rendered { return rendered{status: 200, header: typed(typeJSON)} }, Doc: "200 without a body"},
	{Name: "204", refuse: func(string) rendered { return rendered{status: 204} }, Doc: "204: no content"},
}

// dressBehaviours change the bytes of the true answer: the request is carried out.
var dressBehaviours = []Behaviour{
	{Name: "202", Paths: []string{preloadPath}, dress: code(202), Doc: "202 with the state, which the runbook documents and no server sends"},
	{Name: "503-state", Paths: modelPaths, dress: wrap(503), Doc: "503 with the state under detail, in any state"},
	{Name: "500-state", Paths: modelPaths, dress: wrap(500), Doc: "500 with the state under detail"},
	{Name: "503-bare-state", Paths: modelPaths, dress: code(503), Doc: "503 with the state itself, not under detail"},
	{Name: "404-state", Paths: modelPaths, dress: code(404), Doc: "404 with a state in the body"},
	{Name: "array", Paths: modelPaths, dress: around("[", "]"), Doc: "the state in an array"},
	{Name: "scalar", Paths: modelPaths, dress: func(r *rendered, _ string) { r.body = []byte("true") }, Doc: "true"},
	{Name: "quoted", Paths: modelPaths, dress: func(r *rendered, _ string) { r.body = appendString(nil, string(r.body)) }, Doc: "the state as a JSON string"},
	{Name: "trailing-bytes", dress: around("", "\n{}"), Doc: "a second JSON value after the first"},
	{Name: "trailing-junk", dress: around("", "\x00junk"), Doc: "bytes after the answer that are not JSON"},
	{Name: "bom", dress: around("\xef\xbb\xbf", ""), Doc: "a byte order mark before the answer"},
	{Name: "invalid-utf8", dress: invalidUTF8, Doc: "invalid UTF-8 in a string"},
	{Name: "cut", dress: func(r *rendered, _ string) { r.body = r.body[:len(r.body)/2] }, Doc: "half the JSON, with the length of that half"},
	{Name: "text-plain", dress: func(r *rendered, _ string) { r.header = typed(typeText) }, Doc: "the right JSON as text/plain"},
	{Name: "gzip", dress: zip, Doc: "compressed although it was not requested"},
}

func typed(contentType string) map[string]string {
	return map[string]string{"Content-Type": contentType}
}

func plain(status int, text string) func(string) rendered {
	return func(string) rendered {
		return rendered{status: status, header: typed(typeText), body: []byte(text)}
	}
}

func detail(status int, json string) func(string) rendered {
	return func(string) rendered {
		return rendered{status: status, header: typed(typeJSON), body: []byte(`{"detail":` + json + `}`)}
	}
}

func page(status int, title string) func(string) rendered {
	return func(string) rendered {
		body := bytes.ReplaceAll([]byte(errorPage), []byte("%s"), []byte(title))
		return rendered{status: status, header: typed(typeHTML), body: body}
	}
}

func withHeader(f func(string) rendered, name, value string) func(string) rendered {
	return func(v string) rendered {
		r := f(v)
		r.header[name] = value
		return r
	}
}

func redirect(where string) rendered { return toward(307, where) }
func moved(where string) rendered    { return toward(301, where) }

// toward uses port 1 (tcpmux, which is never used) if no target is given.
func toward(status int, where string) rendered {
	return rendered{status: status, header: map[string]string{"Location": cmp.Or(where, "http://127.0.0.1:1/")}}
}

func code(status int) func(*rendered, string) {
	return func(r *rendered, _ string) { r.status = status }
}

// wrap puts the state under detail, once.
func wrap(status int) func(*rendered, string) {
	return func(r *rendered, _ string) {
		r.status = status
		if !bytes.HasPrefix(r.body, []byte(`{"detail":`)) {
			r.body = []byte(`{"detail":` + string(r.body) + `}`)
		}
	}
}

func around(before, after string) func(*rendered, string) {
	return func(r *rendered, _ string) { r.body = []byte(before + string(r.body) + after) }
}

func invalidUTF8(r *rendered, _ string) {
	r.body = bytes.Replace(r.body, []byte("{"), []byte("{\"note\":\"\xff\xfe\","), 1)
}

func zip(r *rendered, _ string) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(r.body) // a bytes.Buffer cannot fail
	_ = w.Close()
	r.body = out.Bytes()
	r.header = typed(typeJSON)
	r.header["Content-Encoding"] = "gzip"
}

func atoi(value string, fallback int) int {
	if n, err := strconv.Atoi(value); err == nil {
		return n
	}
	return fallback
}
