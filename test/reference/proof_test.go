// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func lacks(text string) func(*testing.T, *Server) {
	return func(t *testing.T, s *Server) {
		got := status(t, s)
		if got.status != 200 || strings.Contains(got.body, text) || !json.Valid([]byte(got.body)) || !strings.Contains(got.body, `"all_ready":true`) {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
}

func exactly(code int, body string) func(*testing.T, *Server) {
	return func(t *testing.T, s *Server) {
		if got := status(t, s); got.err != nil || got.status != code || got.body != body {
			t.Errorf("%d %q %v", got.status, got.body, got.err)
		}
	}
}

func header(code int, key, value string) proof {
	return proof{"", func(t *testing.T, s *Server) {
		if got := status(t, s); got.status != code || got.header.Get(key) != value {
			t.Errorf("%d %s: %q", got.status, key, got.header.Get(key))
		}
	}}
}

func identityChanges(t *testing.T, s *Server) {
	seen := map[string]bool{}
	for range 3 {
		_, after, _ := strings.Cut(status(t, s).body, `"started_at":`)
		seen[after] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d identities in 3 looks", len(seen))
	}
}

// sequence proves which looks say ready.
func sequence(want ...bool) func(*testing.T, *Server) {
	return func(t *testing.T, s *Server) {
		for i, ready := range want {
			if got := status(t, s); strings.Contains(got.body, `"all_ready":true`) != ready {
				t.Errorf("look %d: %s", i+1, got.body)
			}
		}
	}
}

func regressesToFailed(t *testing.T, s *Server) {
	sequence(true, false)(t, s)
	answers(200, `"in_progress":false`, `"failed":1`, `"errors":[{`).check(t, s)
}

func accepted(t *testing.T, s *Server) {
	if got := trigger(t, s, `{}`); got.status != 202 || !strings.Contains(got.body, summary16) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func cutInHalf(t *testing.T, s *Server) {
	got := status(t, s)
	if got.err != nil || json.Valid([]byte(got.body)) || !strings.HasPrefix(got.body, `{"all_ready":true`) {
		t.Errorf("%q %v", got.body, got.err)
	}
}

// hangs proves that a connection is taken and no byte comes, until the server
// behaves: reading is tried for a moment only.
func hangs(t *testing.T, s *Server) {
	c := dial(t, s)
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes, %v", n, err)
	}
}

// moment is long enough for an answer that is on its way.
const moment = 250 * time.Millisecond

// dial sends a request for /models/status over a bare connection, whose reads
// end after a moment.
func dial(t *testing.T, s *Server) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", statusPath, s.Address()); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(moment)); err != nil {
		t.Fatal(err)
	}
	return c
}

func hangsInBody(t *testing.T, s *Server) {
	data, err := io.ReadAll(dial(t, s))
	head, body, found := bytes.Cut(data, []byte("\r\n\r\n"))
	if !errors.Is(err, os.ErrDeadlineExceeded) || !found || !bytes.Contains(head, []byte("Content-Length: ")) || !bytes.HasPrefix(body, []byte(`{"all_ready"`)) || json.Valid(body) {
		t.Errorf("%q %v", data, err)
	}
}

func drips(want string) func(*testing.T, *Server) {
	return func(t *testing.T, s *Server) {
		data, err := io.ReadAll(dial(t, s))
		if !errors.Is(err, os.ErrDeadlineExceeded) || !bytes.Contains(data, []byte(want)) || bytes.Contains(data, []byte("\r\n\r\n")) {
			t.Errorf("%q %v", data, err)
		}
	}
}

// dripsBody counts the pieces in which the body comes.
func dripsBody(t *testing.T, s *Server) {
	resp, err := http.Get(s.URL() + statusPath)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	pieces, buf, body := 0, make([]byte, 4096), ""
	for err == nil {
		var n int
		n, err = resp.Body.Read(buf)
		body += string(buf[:n])
		pieces++
	}
	if pieces < 10 || !json.Valid([]byte(body)) {
		t.Errorf("%d pieces of %s", pieces, body)
	}
}

func answersAfter(least time.Duration) func(*testing.T, *Server) {
	return func(t *testing.T, s *Server) {
		begun := time.Now()
		got := status(t, s)
		if took := time.Since(begun); got.status != 200 || took < least {
			t.Errorf("%d after %v", got.status, took)
		}
	}
}

func secondFails(is func(error) bool) func(*testing.T, *Server) {
	return func(t *testing.T, s *Server) {
		for i := range 6 {
			got := ask(t, s, "POST", "/health", "{}") // a POST is not tried again by the client itself
			if spoiled := i%2 == 1; spoiled != (got.err != nil) || spoiled && !is(got.err) {
				t.Errorf("request %d: %d %v", i+1, got.status, got.err)
			}
		}
	}
}

func fatBy(mib int) func(*testing.T, *Server) {
	return func(t *testing.T, s *Server) {
		got := status(t, s)
		if len(got.body) < mib*mebibyte || !json.Valid([]byte(got.body)) || !strings.Contains(got.body, summary16) {
			t.Errorf("%d bytes", len(got.body))
		}
	}
}

func endlessly(t *testing.T, s *Server) {
	resp, err := http.Get(s.URL() + statusPath)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if n, err := io.CopyN(io.Discard, resp.Body, 8*mebibyte); err != nil {
		t.Errorf("it ended after %d bytes: %v", n, err)
	}
}

func pours(want string) func(*testing.T, *Server) {
	return func(t *testing.T, s *Server) {
		c := dial(t, s)
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		data := make([]byte, 2*mebibyte)
		if n, err := io.ReadFull(bufio.NewReader(c), data); err != nil {
			t.Fatalf("it ended after %d bytes: %v", n, err)
		}
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("no %q in %.200q", want, data)
		}
	}
}
