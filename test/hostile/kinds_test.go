// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"justnews/internal/diag"
)

// kindRow is one answer of another kind of model server, and the gate's verdict. The
// expected model is "m".
type kindRow struct {
	kind, name string
	// answers are by path: a status and a body, or "hang". The rest is 404.
	answers map[string]string
	device  string // models.device
	status  diag.Status
	code    diag.Code
	loads   int // requests to load, at most
}

// The servers' own answers, as recorded (llama.cpp) or as documented by them.
const (
	good        = `200 {"status":"ok"}`
	loadingOne  = `503 {"error":{"message":"Loading model","type":"unavailable_error","code":503}}`
	oneModel    = `200 {"object":"list","data":[{"id":"m","object":"model","owned_by":"llamacpp"}]}`
	otherModel  = `200 {"object":"list","data":[{"id":"other","object":"model"}]}`
	noModels    = `200 {"object":"list","data":[]}`
	completed   = `200 {"object":"text_completion","choices":[{"text":"a","index":0,"finish_reason":"length"}]}`
	noChoices   = `200 {"object":"text_completion","choices":[]}`
	engineDead  = `500 {"error":{"message":"EngineCore died","type":"InternalServerError","code":500}}`
	success     = `200 {"success":true}`
	noFile      = `404 {"error":{"message":"File Not Found","type":"not_found_error","code":404}}`
	wrongKey    = `401 {"error":{"message":"Invalid API Key","type":"authentication_error","code":401}}`
	pulled      = `200 {"models":[{"name":"m:latest","model":"m:latest","size":100}]}`
	psNone      = `200 {"models":[]}`
	notPulled   = `404 {"error":"model 'm' not found"}`
	ollamaLoads = `200 {"model":"m","done":true,"done_reason":"load"}`
	ollamaFails = `500 {"error":"llama runner process has terminated: cudaMalloc failed: out of memory"}`
	metadata    = `200 {"name":"m","inputs":[{"name":"x","datatype":"FP32","shape":[-1,4]}],"outputs":[]}`
	outputs     = `200 {"model_name":"m","outputs":[{"name":"y","datatype":"FP32","shape":[1],"data":[0]}]}`
)

// inCenturies stands for the current time plus the longest duration.
const inCenturies = "NOW+292y"

func router(status string) string {
	return `200 {"object":"list","data":[{"id":"m","object":"model","status":` + status + `}]}`
}

func ps(vram int, expires ...string) string { return sized(100, vram, expires...) }

// sized is the answer of Ollama that lists a model once for each time.
func sized(size, vram int, expires ...string) string {
	var entries []string
	for _, at := range expires {
		entries = append(entries, fmt.Sprintf(`{"name":"m:latest","model":"m:latest","size":%d,"size_vram":%d,"expires_at":%q}`, size, vram, at))
	}
	return `200 {"models":[` + strings.Join(entries, ",") + `]}`
}

func index(entries string) string { return "200 [" + entries + "]" }

func kindRows() []kindRow {
	const ready, soon = "2318-01-01T00:00:00+01:00", "2026-01-01T00:00:00Z"
	llama := func(health, models string, more ...string) map[string]string {
		return paths(append([]string{"/health", health, "/models", models, "/v1/completions", completed}, more...)...)
	}
	vllm := func(health, models, completion string) map[string]string {
		return paths("/health", health, "/v1/models", models, "/v1/completions", completion)
	}
	ollama := func(ps, generate string) map[string]string {
		return paths("/api/version", `200 {"version":"0.12.3"}`, "/api/ps", ps, "/api/tags", pulled, "/", "200 Ollama is running",
			"/api/generate", generate, "/v1/completions", completed)
	}
	triton := func(index, load, infer string) map[string]string {
		return paths("/v2/health/live", "200 ", "/v2/health/ready", "200 ", "/v2/repository/index", index,
			"/v2/repository/models/m/load", load, "/v2/models/m", metadata, "/v2/models/m/infer", infer)
	}
	openai := func(models, completion string) map[string]string {
		return paths("/v1/models", models, "/v1/completions", completion)
	}
	return []kindRow{
		{kind: "llamacpp", name: "one model, loaded and answering", answers: llama(good, oneModel)},
		{kind: "llamacpp", name: "lists the model while it is loading", answers: llama(loadingOne, oneModel), status: diag.StatusTimeout, code: diag.ModelsTimeout},
		{kind: "llamacpp", name: "another model", answers: llama(good, otherModel, "/models/load", noFile), status: diag.StatusNonsense, code: diag.PreloadRefused, loads: 1},
		{kind: "llamacpp", name: "no model", answers: llama(good, noModels, "/models/load", noFile), status: diag.StatusNonsense, code: diag.PreloadRefused, loads: 1},
		{kind: "llamacpp", name: "loaded, and its engine answers with an error", answers: llama(good, oneModel, "/v1/completions", engineDead), status: diag.StatusFailed, code: diag.ModelCanary},
		{kind: "llamacpp", name: "loaded, and its engine hangs", answers: llama(good, oneModel, "/v1/completions", "hang"), status: diag.StatusFailed, code: diag.ModelCanary},
		{kind: "llamacpp", name: "another API key", answers: llama(good, wrongKey), status: diag.StatusNonsense, code: diag.OrchestratorNonsense},
		{kind: "llamacpp", name: "router, loaded", answers: llama(good, router(`{"value":"loaded"}`))},
		{kind: "llamacpp", name: "router, loaded, and expected by an alias", answers: llama(good, `200 {"data":[{"id":"other","aliases":["m"],"status":{"value":"loaded"}}]}`)},
		{kind: "llamacpp", name: "router, never loads it", answers: llama(good, router(`{"value":"unloaded"}`), "/models/load", success), status: diag.StatusTimeout, code: diag.PreloadTimeout, loads: 1},
		{kind: "llamacpp", name: "router, always loading", answers: llama(good, router(`{"value":"loading"}`)), status: diag.StatusTimeout, code: diag.ModelsTimeout},
		{kind: "llamacpp", name: "router, could not load it", answers: llama(good, router(`{"value":"unloaded","exit_code":1,"failed":true}`), "/models/load", success), status: diag.StatusFailed, code: diag.ModelFailed, loads: 1},
		{kind: "llamacpp", name: "router, a status of no kind", answers: llama(good, router(`true`)), status: diag.StatusNonsense, code: diag.OrchestratorNonsense},
		{kind: "llamacpp", name: "router, listed twice, unloaded and loaded", answers: llama(good, `200 {"data":[{"id":"m","status":{"value":"unloaded"}},{"id":"m","status":{"value":"loaded"}}]}`, "/models/load", success), status: diag.StatusTimeout, code: diag.PreloadTimeout, loads: 1},
		{kind: "llamacpp", name: "the same key twice", answers: llama(good, `200 {"data":[{"id":"m"}],"data":[]}`), status: diag.StatusNonsense, code: diag.OrchestratorNonsense},
		{kind: "llamacpp", name: "device = gpu without a GPU", answers: llama(good, oneModel), device: "gpu", status: diag.StatusFailed, code: diag.ModelsOnCPU},

		{kind: "ollama", name: "loaded for good", answers: ollama(ps(100, ready), "hang")},
		{kind: "ollama", name: "on the disk only", answers: ollama(psNone, notPulled), status: diag.StatusNonsense, code: diag.PreloadRefused, loads: 1},
		{kind: "ollama", name: "answers that it loaded, and did not", answers: ollama(psNone, ollamaLoads), status: diag.StatusTimeout, code: diag.PreloadTimeout, loads: 1},
		{kind: "ollama", name: "unloads it soon", answers: ollama(ps(100, soon), ollamaLoads), status: diag.StatusTimeout, code: diag.PreloadTimeout, loads: 1},
		{kind: "ollama", name: "lists the model while it is loading", answers: ollama(ps(100, inCenturies), "hang"), status: diag.StatusTimeout, code: diag.ModelsTimeout},
		{kind: "ollama", name: "cannot load it", answers: ollama(psNone, ollamaFails), status: diag.StatusFailed, code: diag.ModelMemory, loads: 2},
		{kind: "ollama", name: "half of it in GPU memory", answers: ollama(ps(50, ready), "hang"), device: "gpu", status: diag.StatusFailed, code: diag.ModelsOnCPU},
		{kind: "ollama", name: "all of it in GPU memory", answers: ollama(ps(100, ready), "hang"), device: "gpu"},
		{kind: "ollama", name: "no size, and nothing in GPU memory", answers: ollama(sized(0, 0, ready), "hang"), device: "gpu", status: diag.StatusFailed, code: diag.ModelsOnCPU},
		{kind: "ollama", name: "listed twice, one unloaded soon", answers: ollama(ps(100, soon, ready), ollamaLoads), status: diag.StatusTimeout, code: diag.PreloadTimeout, loads: 1},
		{kind: "ollama", name: "listed twice, both for good", answers: ollama(ps(100, ready, "2319-01-01T00:00:00Z"), "hang")},
		{kind: "ollama", name: "is running, and nothing else", answers: paths("/api/version", "200 Ollama is running"), status: diag.StatusNonsense, code: diag.OrchestratorNonsense},

		{kind: "vllm", name: "loaded and answering", answers: vllm("200 ", oneModel, completed)},
		{kind: "vllm", name: "another model", answers: vllm("200 ", otherModel, completed), status: diag.StatusTimeout, code: diag.ModelsTimeout},
		{kind: "vllm", name: "no model", answers: vllm("200 ", noModels, completed), status: diag.StatusTimeout, code: diag.ModelsTimeout},
		{kind: "vllm", name: "a dead engine", answers: vllm("503 ", oneModel, completed), status: diag.StatusUnavailable, code: diag.OrchestratorUnreachable},
		{kind: "vllm", name: "a hung engine", answers: vllm("200 ", oneModel, "hang"), status: diag.StatusFailed, code: diag.ModelCanary},
		{kind: "vllm", name: "completes nothing", answers: vllm("200 ", oneModel, noChoices), status: diag.StatusFailed, code: diag.ModelCanary},
		{kind: "vllm", name: "an API key is missing", answers: vllm("200 ", wrongKey, completed), status: diag.StatusNonsense, code: diag.OrchestratorNonsense},
		{kind: "vllm", name: "health is 404", answers: paths("/v1/models", oneModel, "/v1/completions", completed), status: diag.StatusNonsense, code: diag.OrchestratorNonsense},

		{kind: "triton", name: "READY and inferring", answers: triton(index(`{"name":"m","version":"1","state":"READY"}`), success, outputs)},
		{kind: "triton", name: "ready over no models", answers: triton(index(``), success, outputs), status: diag.StatusTimeout, code: diag.PreloadTimeout, loads: 1},
		{kind: "triton", name: "unloaded", answers: triton(index(`{"name":"m","version":"1","state":"UNAVAILABLE","reason":"unloaded"}`), success, outputs), status: diag.StatusTimeout, code: diag.PreloadTimeout, loads: 1},
		{kind: "triton", name: "unloaded after a new version was loaded", answers: triton(index(`{"name":"m","version":"1","state":"UNAVAILABLE","reason":"unloaded"},{"name":"m","version":"2","state":"READY"}`), success, outputs)},
		{kind: "triton", name: "never loaded", answers: triton(index(`{"name":"m"}`), `400 {"error":"explicit model load / unload is not allowed if polling is enabled"}`, outputs), status: diag.StatusNonsense, code: diag.PreloadRefused, loads: 1},
		{kind: "triton", name: "always LOADING", answers: triton(index(`{"name":"m","version":"1","state":"LOADING"}`), success, outputs), status: diag.StatusTimeout, code: diag.ModelsTimeout},
		{kind: "triton", name: "one of two versions failed", answers: triton(index(`{"name":"m","version":"1","state":"READY"},{"name":"m","version":"2","state":"UNAVAILABLE","reason":"Internal: failed to load"}`), success, outputs), status: diag.StatusFailed, code: diag.ModelFailed, loads: 1},
		{kind: "triton", name: "failed, and loads nothing on request", answers: triton(index(`{"name":"m","version":"1","state":"UNAVAILABLE","reason":"Internal: failed to load"}`), `400 {"error":"explicit model load / unload is not allowed if polling is enabled"}`, outputs), status: diag.StatusFailed, code: diag.ModelFailed, loads: 1},
		{kind: "triton", name: "READY, and infers nothing", answers: triton(index(`{"name":"m","version":"1","state":"READY"}`), success, engineDead), status: diag.StatusFailed, code: diag.ModelCanary},
		{kind: "triton", name: "bytes after the index", answers: triton(index(`{"name":"m","version":"1","state":"READY"}`)+`,"x":1`, success, outputs), status: diag.StatusNonsense, code: diag.OrchestratorNonsense},

		{kind: "openai", name: "listed and answering", answers: openai(oneModel, completed)},
		{kind: "openai", name: "an empty list", answers: openai(noModels, completed), status: diag.StatusTimeout, code: diag.ModelsTimeout},
		{kind: "openai", name: "listed, and answers nothing", answers: openai(oneModel, noChoices), status: diag.StatusFailed, code: diag.ModelCanary},
		{kind: "openai", name: "listed, and no endpoint answers", answers: openai(oneModel, noFile), status: diag.StatusFailed, code: diag.ModelCanary},
		{kind: "openai", name: "a web page", answers: openai("200 <html></html>", completed), status: diag.StatusNonsense, code: diag.OrchestratorNonsense},
	}
}

// paths makes a map of pairs; a later pair replaces an earlier one.
func paths(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

const kindConfiguration = `[gate]
timeout = "%ds"

[orchestrator]
kind = %q
url = %q
unit = ""

[bus]
instance = ""

[models]
expected = ["m"]
canary = true
device = %q

[instances.scout]
port = 18002
require_bus = false
`

// kindTime is the timeout of a row: longer than three looks, shorter than the time in which
// a requested job has to appear. A longer one measures the requests of a waiting gate.
var kindTime = flag.Duration("kindtime", 3*time.Second, "timeout of a gate in TestKinds")

// The real program against the answers of the other kinds of model servers, and against
// servers that say ready but are not.
func TestKinds_NoModelServerFoolsTheProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("most rows wait for a timeout of seconds")
	}
	for _, r := range kindRows() {
		t.Run(r.kind+" "+r.name, func(t *testing.T) {
			t.Parallel()
			again(t, func() []string { return r.broken(t) })
		})
	}
}

// broken runs the row once, and returns what is not as it says.
func (r kindRow) broken(t *testing.T) (broken []string) {
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	var mu sync.Mutex
	requests, loads := 0, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		answer, ok := r.answers[q.URL.Path]
		mu.Lock()
		requests++
		if strings.HasSuffix(q.URL.Path, "/load") || q.URL.Path == "/api/generate" {
			loads++
		}
		mu.Unlock()
		switch {
		case !ok:
			http.NotFound(w, q)
		case answer == "hang":
			_, _ = io.Copy(io.Discard, q.Body) // so that the server sees the end of the connection
			<-q.Context().Done()
		default:
			var status int
			code, body, _ := strings.Cut(answer, " ")
			if _, err := fmt.Sscan(code, &status); err != nil {
				t.Error(err)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, strings.ReplaceAll(body, inCenturies, time.Now().Add(math.MaxInt64).Format(time.RFC3339Nano)))
		}
	}))
	t.Cleanup(server.Close)
	device := r.device
	if device == "" {
		device = "any"
	}
	text := fmt.Sprintf(kindConfiguration, int(kindTime.Seconds()), r.kind, server.URL, device)
	if device == "gpu" && r.kind != "ollama" { // a unit that cannot be queried
		text = strings.Replace(text, `unit = ""`, `unit = "nothing.service"`, 1)
	}
	e := call{timeout: *kindTime, text: text}.run(t)
	if e.status == int(diag.StatusReady) && r.status != diag.StatusReady {
		t.Errorf("opened\n%s", e.stderr)
	}
	if e.status != int(r.status) || r.code != "" && !e.has(r.code) {
		say("status %d, want %d with %s\n%s", e.status, r.status, r.code, e.stderr)
	}
	if loads > r.loads {
		say("%d requests to load, want at most %d", loads, r.loads)
	}
	t.Logf("%d requests in %v", requests, e.took.Round(time.Millisecond))
	if limit := burst + int(e.took.Seconds()*perSecond*2); requests > limit { // these kinds answer a look with two requests
		say("%d requests in %v", requests, e.took)
	}
	return append(broken, e.explained()...)
}

// line is the row in the page.
func (r kindRow) line() string {
	verdict, code := "refuses", string(r.code)
	if r.status == diag.StatusReady {
		verdict, code = "**opens**", "-"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %d | %s |", r.kind, r.name, verdict, r.status, code)
}
