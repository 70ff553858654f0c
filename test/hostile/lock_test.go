// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"context"
	"sync"

	"justnews/internal/gate"
)

// lock is a host's lock; its file may be removed under the holder.
type lock struct {
	mu     sync.Mutex
	holder *ticket
	free   chan struct{}
	broken error // TryExclusive fails
	stolen bool  // StillMine is always false
}

type ticket struct{ lock *lock }

func newLock() *lock { return &lock{free: make(chan struct{})} }

func (l *lock) remove() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
}

func (l *lock) drop() {
	l.holder = nil
	close(l.free)
	l.free = make(chan struct{})
}

func (t *ticket) TryExclusive() (bool, error) {
	t.lock.mu.Lock()
	defer t.lock.mu.Unlock()
	if t.lock.broken != nil {
		return false, t.lock.broken
	}
	if t.lock.holder == nil || t.lock.holder == t {
		t.lock.holder = t
		return true, nil
	}
	return false, nil
}

func (t *ticket) WaitShared(ctx context.Context) error {
	t.lock.mu.Lock()
	free, held := t.lock.free, t.lock.holder != nil
	t.lock.mu.Unlock()
	if !held {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-free:
		return nil
	}
}

func (t *ticket) StillMine() bool {
	t.lock.mu.Lock()
	defer t.lock.mu.Unlock()
	return t.lock.holder == t && !t.lock.stolen
}

func (t *ticket) Unlock() {
	t.lock.mu.Lock()
	defer t.lock.mu.Unlock()
	if t.lock.holder == t {
		t.lock.drop()
	}
}

// memory is a host's record.
type memory struct {
	mu      sync.Mutex
	history gate.History
	broken  error
}

func (m *memory) Load() (gate.History, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.history, nil
}

func (m *memory) Save(h gate.History) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken == nil {
		m.history = h
	}
	return m.broken
}
