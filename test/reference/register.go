// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
)

// register announces the orchestrator to the bus, as JustNews does while it
// starts: with its port closed, and on with the start although it failed.
// False: the process is gone.
func (s *Server) register(ctx context.Context) bool {
	if s.opt.BusURL == "" {
		return ctx.Err() == nil
	}
	err := s.registerOnce(ctx)
	for _, wait := range s.opt.Backoff {
		if err == nil {
			break
		}
		s.opt.Log("cannot register at the bus, again in %v: %v", wait, err)
		if !s.pause(ctx, wait) {
			return false
		}
		err = s.registerOnce(ctx)
	}
	if err != nil {
		s.opt.Log("cannot register at the bus, going on without: %v", err)
	}
	return ctx.Err() == nil
}

func (s *Server) registerOnce(ctx context.Context) error {
	if s.opt.BusURL == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.RegisterTimeout)
	defer cancel()
	body := appendJSON(nil, &object{
		{"name", "gpu_orchestrator"},
		{"address", "http://" + s.address},
		{"tools", []any{"health", "gpu_info", "get_policy"}},
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.opt.BusURL+"/register", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", typeJSON)
	resp, err := direct.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the bus answers %s", resp.Status)
	}
	return nil
}

// direct asks without a proxy and keeps no connection.
var direct = &http.Transport{DisableKeepAlives: true}
