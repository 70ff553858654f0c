// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// The behaviours that the door looks up by name.
const (
	hangAccept  = "hang-accept"
	resetAccept = "reset-accept"
)

// wireBehaviours damage the bytes in transit. The request is carried out first: if the answer
// to a trigger is lost, the job still runs.
var wireBehaviours = []Behaviour{
	{Name: hangAccept, Doc: "the kernel accepts the connection, the server never does"},
	{Name: resetAccept, Doc: "a new connection is reset at once"},
	{Name: "hang-headers", deliver: hangHeaders, Doc: "the request is read, no answer ever comes"},
	{Name: "hang-body", deliver: hangBody, Doc: "headers and half the body, then silence"},
	{Name: "drip-headers", Value: "time between two bytes, default 200ms", check: checkDuration, deliver: dripHeaders, Doc: "an endless header, byte by byte"},
	{Name: "drip-body", Value: "time between two bytes, default 200ms", check: checkDuration, deliver: dripBody, Doc: "the right answer, byte by byte"},
	{Name: "late", Value: "duration, default 2s", check: checkDuration, deliver: late, Doc: "the right answer, late"},
	{Name: "truncated", deliver: truncated, Doc: "half of the announced body, then the end"},
	{Name: "reset", deliver: reset, Doc: "the connection is reset instead of an answer"},
	{Name: "reset-body", deliver: resetBody, Doc: "headers and half the body, then a reset"},
	{Name: "drop", deliver: drop, Doc: "the connection is closed instead of an answer"},
	{Name: "reset-second", deliver: second(reset), Doc: "every second request is reset"},
	{Name: "drop-second", deliver: second(drop), Doc: "every second request ends without an answer"},
	{Name: "502-second", deliver: second(badGateway), Doc: "every second request is answered with 502"},
	{Name: "fat", Value: "MiB, default 50", check: checkCount, deliver: fat, Doc: "the right answer with an additional field of that size"},
	{Name: "endless", deliver: endless, Doc: "a body that never ends, as fast as it is read"},
	{Name: "endless-header", deliver: endlessHeader, Doc: "headers that never end, as fast as they are read"},
	{Name: "informational", deliver: informational, Doc: "102 Processing, endlessly"},
	{Name: "not-http", deliver: notHTTP, Doc: "the banner of another protocol"},
	{Name: "two-lengths", deliver: twoLengths, Doc: "two different Content-Length headers"},
	{Name: "second-answer", deliver: secondAnswer, Doc: "the right answer, followed by an unrequested one of 4 KiB"},
	{Name: "bad-chunk", deliver: badChunk, Doc: "a chunk whose length is not a number"},
}

// delivery is one answer being sent.
type delivery struct {
	w    http.ResponseWriter
	r    *http.Request
	out  rendered
	life context.Context
}

// send is the usual way.
func (d *delivery) send() {
	h := d.w.Header()
	for k, v := range d.out.header {
		h.Set(k, v)
	}
	if d.out.status != http.StatusNoContent {
		h.Set("Content-Length", fmt.Sprint(len(d.out.body)))
	}
	d.w.WriteHeader(d.out.status)
	_, _ = d.w.Write(d.out.body) // the client may have gone away
}

// begin sends the headers and the first n bytes of the body.
func (d *delivery) begin(n int) {
	h := d.w.Header()
	for k, v := range d.out.header {
		h.Set(k, v)
	}
	h.Set("Content-Length", fmt.Sprint(len(d.out.body)))
	d.w.WriteHeader(d.out.status)
	_, _ = d.w.Write(d.out.body[:n])
	_ = http.NewResponseController(d.w).Flush()
}

// silence lasts until the client or the server is gone.
func (d *delivery) silence() {
	select {
	case <-d.r.Context().Done():
	case <-d.life.Done():
	}
}

func (d *delivery) wait(t time.Duration) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-d.r.Context().Done():
	case <-d.life.Done():
	}
	return false
}

// abort ends the connection immediately, without the rest of the answer.
func abort() { panic(http.ErrAbortHandler) }

// take passes the raw connection to use, and closes it afterwards.
func (d *delivery) take(use func(net.Conn)) {
	c, _, err := http.NewResponseController(d.w).Hijack()
	if err != nil {
		abort()
	}
	defer func() { _ = c.Close() }()
	stop := context.AfterFunc(d.life, func() { _ = c.Close() })
	defer stop()
	use(c)
}

func hangHeaders(d *delivery, _ *spec) bool {
	d.silence()
	abort()
	return true
}

func hangBody(d *delivery, _ *spec) bool {
	d.begin(len(d.out.body) / 2)
	d.silence()
	abort()
	return true
}

const dripPause = 200 * time.Millisecond

func dripHeaders(d *delivery, s *spec) bool {
	pause := duration(s.value, dripPause)
	d.take(func(c net.Conn) {
		if _, err := c.Write([]byte("HTTP/1.1 200 OK\r\nX-Drip: ")); err != nil {
			return
		}
		for {
			time.Sleep(pause) // the connection dies with the server: no other wake-up is needed
			if _, err := c.Write([]byte{'x'}); err != nil {
				return
			}
		}
	})
	return true
}

func dripBody(d *delivery, s *spec) bool {
	pause := duration(s.value, dripPause)
	d.begin(0)
	for i := range d.out.body {
		if !d.wait(pause) {
			abort()
		}
		_, _ = d.w.Write(d.out.body[i : i+1])
		_ = http.NewResponseController(d.w).Flush()
	}
	return true
}

func late(d *delivery, s *spec) bool {
	if !d.wait(duration(s.value, 2*time.Second)) {
		abort()
	}
	return false
}

func truncated(d *delivery, _ *spec) bool {
	d.begin(len(d.out.body) / 2)
	abort()
	return true
}

func reset(d *delivery, _ *spec) bool {
	d.take(linger0)
	return true
}

// linger0 makes the next close a reset.
func linger0(c net.Conn) {
	if t, ok := c.(*conn); ok {
		c = t.Conn
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
}

func resetBody(d *delivery, _ *spec) bool {
	d.take(func(c net.Conn) {
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(d.out.body), d.out.body[:len(d.out.body)/2])
		time.Sleep(20 * time.Millisecond) // what was sent must arrive before the reset discards it
		linger0(c)
	})
	return true
}

func drop(d *delivery, _ *spec) bool {
	d.take(func(net.Conn) {})
	return true
}

func badGateway(d *delivery, _ *spec) bool {
	d.out = rendered{status: http.StatusBadGateway, body: []byte("Bad Gateway")}
	return false
}

func second(spoil func(*delivery, *spec) bool) func(*delivery, *spec) bool {
	return func(d *delivery, s *spec) bool { return s.seen%2 == 0 && spoil(d, s) }
}

const mebibyte = 1 << 20

func fat(d *delivery, s *spec) bool {
	size := atoi(s.value, 50) * mebibyte
	open, rest := `{"padding":"`, `",`+strings.TrimPrefix(string(d.out.body), "{")
	d.w.Header().Set("Content-Type", typeJSON)
	d.w.Header().Set("Content-Length", fmt.Sprint(len(open)+size+len(rest)))
	d.w.WriteHeader(d.out.status)
	_, _ = d.w.Write([]byte(open))
	block := []byte(strings.Repeat("x", mebibyte))
	for range size / mebibyte {
		if _, err := d.w.Write(block); err != nil {
			abort()
		}
	}
	_, _ = d.w.Write([]byte(rest))
	return true
}

func endless(d *delivery, _ *spec) bool {
	d.w.Header().Set("Content-Type", typeJSON)
	d.w.WriteHeader(d.out.status)
	block := []byte(strings.Repeat(" ", 64<<10))
	for {
		if _, err := d.w.Write(block); err != nil {
			abort()
		}
	}
}

func endlessHeader(d *delivery, _ *spec) bool {
	return pour(d, "HTTP/1.1 200 OK\r\n", "X-Pad: "+strings.Repeat("x", 1000)+"\r\n")
}
func informational(d *delivery, _ *spec) bool { return pour(d, "", "HTTP/1.1 102 Processing\r\n\r\n") }

// pour writes first, then again and again what follows.
func pour(d *delivery, first, again string) bool {
	d.take(func(c net.Conn) {
		_, err := c.Write([]byte(first))
		block := []byte(strings.Repeat(again, 1+16<<10/len(again)))
		for err == nil {
			_, err = c.Write(block)
		}
	})
	return true
}

func notHTTP(d *delivery, _ *spec) bool { return verbatim(d, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n") }

func twoLengths(d *delivery, _ *spec) bool {
	return verbatim(d, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: %d\r\n\r\n%s", len(d.out.body), d.out.body))
}

func secondAnswer(d *delivery, _ *spec) bool {
	return verbatim(d, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%sHTTP/1.1 200 OK\r\nX-Pad: %s\r\n\r\n",
		len(d.out.body), d.out.body, strings.Repeat("\x1b[2J", 1024)))
}

func badChunk(d *delivery, _ *spec) bool {
	return verbatim(d, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")
}

func verbatim(d *delivery, text string) bool {
	d.take(func(c net.Conn) { _, _ = c.Write([]byte(text)) })
	return true
}
