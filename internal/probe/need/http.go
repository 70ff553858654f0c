// SPDX-License-Identifier: Apache-2.0

package need

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"justnews/internal/facts"
)

// maxBody is how much of an answer is read, in bytes; its content does not
// matter.
const maxBody = 64 << 10

// client never uses a proxy, never follows a redirect, and keeps no connection
// between attempts: an old one does not prove which server would answer now.
var client = &http.Client{
	Transport: &http.Transport{
		Proxy:                  nil,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxBody,
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// get passes if the answer to GET is 2xx. The deadline is ctx's, including the
// body.
func get(ctx context.Context, url string) facts.Need {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return facts.Need{Detail: err.Error()}
	}
	request.Header.Set("User-Agent", "justnews-gate")
	response, err := client.Do(request)
	if err != nil {
		return facts.Need{Detail: err.Error()}
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return facts.Need{Detail: fmt.Sprintf("%s answers %d", url, response.StatusCode)}
	}
	// A server that fails during its answer is not up.
	if _, err := io.CopyN(io.Discard, response.Body, maxBody); err != nil && !errors.Is(err, io.EOF) {
		return facts.Need{Detail: fmt.Sprintf("%s answers %d, then: %v", url, response.StatusCode, err)}
	}
	return facts.Need{OK: true, Detail: fmt.Sprintf("%s answers %d", url, response.StatusCode)}
}
