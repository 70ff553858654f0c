// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server is one orchestrator or bus. It stays the same over restarts: its
// address and its counters outlive them, everything else does not.
type Server struct {
	opt     Options
	address string
	begun   time.Time
	conduct conduct
	ledger  ledger
	stop    context.Context
	cancel  context.CancelFunc

	starting sync.Mutex     // held while work grows: none may once stop is done
	work     sync.WaitGroup // every goroutine and every handler

	mu     sync.Mutex
	life   *life
	opened chan struct{} // closed once the present life's port is open
}

// life is the state that is lost with a process.
type life struct {
	server *Server
	ctx    context.Context
	cancel context.CancelFunc
	app    app
	http   *http.Server
	door   *door // nil while the port is closed
}

// app answers requests; it is forgotten at each restart.
type app interface {
	answer(r *request) answer
}

// Start starts a server. It returns at once, even if the port stays closed for
// a while: see Open.
func Start(o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{opt: o, begun: time.Now()}
	if err := s.conduct.set(o.Misbehave); err != nil {
		return nil, err
	}
	if err := s.checkScript(); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	s.address = l.Addr().String()
	s.stop, s.cancel = context.WithCancel(context.Background())
	s.spawn(s.play)
	s.begin(l)
	return s, nil
}

// spawn runs f concurrently, unless the server is closed.
func (s *Server) spawn(f func()) {
	if s.enter() {
		go func() {
			defer s.work.Done()
			f()
		}()
	}
}

// enter adds one to what Close waits for. False: the server is closed.
func (s *Server) enter() bool {
	s.starting.Lock()
	defer s.starting.Unlock()
	if s.stop.Err() != nil {
		return false
	}
	s.work.Add(1)
	return true
}

// begin starts a life. l is the listener to use if the port may open at once.
func (s *Server) begin(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life != nil || s.stop.Err() != nil { // two restarts at once are one
		return
	}
	lf := &life{server: s}
	lf.ctx, lf.cancel = context.WithCancel(s.stop)
	if s.opt.Role == Bus {
		lf.app = newBus(s)
	} else {
		lf.app = newOrchestrator(lf.ctx, s)
	}
	s.life, s.opened = lf, make(chan struct{})
	if s.opt.BusURL == "" && s.closedFor() == 0 {
		s.open(lf, l)
		return
	}
	if l != nil {
		_ = l.Close()
	}
	s.spawn(func() {
		if s.pause(lf.ctx, s.closedFor()) && s.register(lf.ctx) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.open(lf, nil)
		}
	})
}

// open opens the port; s.mu is held.
func (s *Server) open(lf *life, l net.Listener) {
	if lf.ctx.Err() != nil {
		return
	}
	for l == nil {
		var err error
		if l, err = net.Listen("tcp", s.address); err != nil {
			s.opt.Log("cannot listen yet: %v", err)
			if !s.pause(lf.ctx, 10*time.Millisecond) {
				return
			}
		}
	}
	gone := make(chan struct{})
	context.AfterFunc(lf.ctx, func() { close(gone) })
	lf.door = newDoor(l, s, gone)
	lf.http = &http.Server{
		Handler:     lf,
		IdleTimeout: s.opt.IdleTimeout,
		ErrorLog:    log.New(io.Discard, "", 0),
	}
	s.ledger.note(func(c *Counters) { c.OpenedNS = append(c.OpenedNS, Monotonic()) })
	s.opt.Log("listening on %s", s.address)
	s.spawn(func() { _ = lf.http.Serve(lf.door) })
	close(s.opened)
	s.spawn(func() { s.stage(StageOpen) })
}

// end ends the present life, if there is one: what SIGKILL would do.
func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	lf := s.life
	if lf == nil {
		return
	}
	s.life = nil
	lf.cancel()
	if lf.door == nil {
		return
	}
	lf.door.slam()
	_ = lf.http.Close()
	s.ledger.note(func(c *Counters) { c.ClosedNS = append(c.ClosedNS, Monotonic()) })
}

// Restart replaces the process: the port closes, every connection dies, all
// state is forgotten, and after down a new life begins.
func (s *Server) Restart(down time.Duration) {
	s.end()
	s.ledger.note(func(c *Counters) { c.Restarts++ })
	s.spawn(func() {
		if s.pause(s.stop, down) {
			s.begin(nil)
		}
	})
}

// Crash ends the process with status 1, by Options.Exit where it is set. Only
// Restart brings it back.
func (s *Server) Crash() { s.leave(1) }

func (s *Server) leave(status int) {
	s.end()
	if s.opt.Exit != nil {
		s.opt.Exit(status)
	}
}

// Close ends the server permanently and waits for what it started.
func (s *Server) Close() {
	s.starting.Lock()
	s.cancel()
	s.starting.Unlock()
	s.end()
	s.work.Wait()
}

// Address is host:port, the same over restarts.
func (s *Server) Address() string { return s.address }

// URL is the server's base URL.
func (s *Server) URL() string { return "http://" + s.address }

// Open waits until the port is open.
func (s *Server) Open(ctx context.Context) error {
	for {
		s.mu.Lock()
		opened, lf := s.opened, s.life
		s.mu.Unlock()
		if lf == nil { // between two lives
			if err := s.stop.Err(); err != nil {
				return err
			}
			if !s.pause(ctx, time.Millisecond) {
				return ctx.Err()
			}
			continue
		}
		select {
		case <-opened:
			return nil
		case <-lf.ctx.Done():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Misbehave replaces all behaviours that are in force; none: behave.
func (s *Server) Misbehave(specs ...string) error { return s.conduct.set(specs) }

// Misbehaving lists what is in force.
func (s *Server) Misbehaving() []string { return s.conduct.list() }

// Release ends hold and ready-after: the last model may load.
func (s *Server) Release() {
	s.conduct.drop(hold)
	s.conduct.drop(readyAfter)
}

// Counters returns what the server has seen so far.
func (s *Server) Counters() Counters { return s.ledger.read() }
