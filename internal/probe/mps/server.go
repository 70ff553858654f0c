// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"justnews/internal/facts"
)

// Servers lists the servers that the daemon reports. The answer is that of the
// list; without it the servers are not valid.
func (p Prober) Servers(ctx context.Context) ([]facts.MPSServer, facts.MPSAnswer) {
	list := p.Ask(ctx, "get_server_list")
	if list.Kind != facts.MPSAnswered {
		return nil, list
	}
	var servers []facts.MPSServer
	for _, line := range list.Lines {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || pid <= 0 {
			return nil, facts.MPSAnswer{Kind: facts.MPSNonsense, Detail: fmt.Sprintf("get_server_list: %q", line)}
		}
		servers = append(servers, p.server(ctx, pid))
	}
	return servers, list
}

func (p Prober) server(ctx context.Context, pid int) facts.MPSServer {
	s := facts.MPSServer{PID: pid, UID: -1}
	// The name is checked as well, since the PID may have been reused.
	if one, ok := p.process(pid); ok && one.State != "Z" && p.named(pid) {
		s.UID, s.Alive = one.UID, true
	}
	status := p.Ask(ctx, "get_server_status "+strconv.Itoa(pid))
	switch {
	case status.Kind != facts.MPSAnswered:
		s.Err = status.Detail
	case len(status.Lines) == 1 && strings.HasPrefix(status.Lines[0], "Unknown command"):
		// 535 has no such query; being alive has to suffice.
	case len(status.Lines) == 1:
		s.State = strings.TrimSpace(status.Lines[0])
	default:
		s.Err = fmt.Sprintf("get_server_status: %q", strings.Join(status.Lines, "; "))
	}
	return s
}

// StartServer requests a server for a user from the daemon, which answers
// before the server runs.
func (p Prober) StartServer(ctx context.Context, uid int) facts.MPSAnswer {
	return p.Ask(ctx, "start_server -uid "+strconv.Itoa(uid))
}
