// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// Control is the handler of a separate listener (a unix socket, another port),
// never of the public port:
//
//	GET  /counters          Counters
//	GET  /behaviours        the table
//	GET  /misbehave         what is in force, one a line
//	PUT  /misbehave         replaces it: one NAME[=VALUE][@PATH][*TIMES] a line
//	POST /release           ends hold
//	POST /restart?down=2s   replaces the process
//	POST /crash             ends the process
func (s *Server) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /counters", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Counters()) })
	mux.HandleFunc("GET /behaviours", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(Table())) })
	mux.HandleFunc("GET /misbehave", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(strings.Join(append(s.Misbehaving(), ""), "\n")))
	})
	mux.HandleFunc("PUT /misbehave", s.controlMisbehave)
	mux.HandleFunc("POST /release", func(w http.ResponseWriter, _ *http.Request) {
		s.Release()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /restart", func(w http.ResponseWriter, r *http.Request) {
		s.Restart(duration(r.FormValue("down"), 0))
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /crash", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		_ = http.NewResponseController(w).Flush()
		time.AfterFunc(0, s.Crash)
	})
	return mux
}

func (s *Server) controlMisbehave(w http.ResponseWriter, r *http.Request) {
	var text strings.Builder
	if _, err := io.Copy(&text, io.LimitReader(r.Body, maxRequest)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := s.Misbehave(strings.Fields(text.String())...); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", typeJSON)
	_ = json.NewEncoder(w).Encode(v)
}

// Table is every behaviour with what it does, one a line.
func Table() string {
	var b strings.Builder
	for _, be := range Behaviours() {
		b.WriteString(be.Name)
		if be.Value != "" {
			b.WriteString("=<" + be.Value + ">")
		}
		b.WriteString("\t" + be.Doc + "\n")
	}
	return b.String()
}
