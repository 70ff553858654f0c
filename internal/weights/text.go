// SPDX-License-Identifier: Apache-2.0

package weights

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxJSON is the longest text that is checked, in bytes: tokenizers of large
// vocabularies have 20 MB.
const maxJSON = 32 << 20

// jsonText checks that a text is JSON as Python's json module reads it: NaN and
// the infinities are numbers, a byte order mark is an error.
func jsonText(r io.ReaderAt, size int64) (Finding, error) {
	if size > maxJSON {
		return Finding{Kind: Opaque}, nil
	}
	text, err := io.ReadAll(io.NewSectionReader(r, 0, size))
	if err != nil {
		return Finding{}, err
	}
	if json.Valid(text) && utf8.Valid(text) {
		return Finding{Kind: Sound}, nil
	}
	if !utf8.Valid(text) {
		return Finding{NotJSON, "it is not UTF-8"}, nil
	}
	plain := withoutNaN(text)
	if json.Valid(plain) {
		return Finding{Kind: Sound}, nil
	}
	var value json.RawMessage
	err = json.Unmarshal(plain, &value)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		line := 1 + bytes.Count(plain[:min(max(syntax.Offset-1, 0), int64(len(plain)))], []byte("\n"))
		return Finding{NotJSON, fmt.Sprintf("line %d: %v", line, syntax)}, nil
	}
	return Finding{NotJSON, fmt.Sprint(err)}, nil
}

// withoutNaN puts zeros of the same length in the place of NaN and Infinity
// outside of strings.
func withoutNaN(text []byte) []byte {
	out := bytes.Clone(text)
	inside := false
	for i := 0; i < len(out); i++ {
		switch {
		case inside && out[i] == '\\':
			i++
		case out[i] == '"':
			inside = !inside
		case inside:
		case bytes.HasPrefix(out[i:], []byte("NaN")):
			copy(out[i:], "0  ")
		case bytes.HasPrefix(out[i:], []byte("Infinity")):
			copy(out[i:], "0       ")
		}
	}
	return out
}

// torch checks what torch.save wrote: since 1.6 a zip archive, whose directory
// stands at its end and is missing where the file was cut.
func torch(head []byte, r io.ReaderAt, size int64) (Finding, error) {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		noted := &noting{r: r}
		_, err := zip.NewReader(noted, size)
		switch {
		case noted.err != nil:
			return Finding{}, noted.err
		case err != nil:
			return Finding{Truncated, "the archive has no directory at its end: " + strings.TrimPrefix(err.Error(), "zip: ")}, nil
		}
		return Finding{Kind: Sound}, nil
	case head[0] == 0x80: // a pickle, the older form: it has no length
		return Finding{Kind: Opaque}, nil
	}
	return Finding{Header, fmt.Sprintf("begins with % x: neither an archive nor a pickle", head[:min(len(head), 4)])}, nil
}

// noting remembers an error of reading.
type noting struct {
	r   io.ReaderAt
	err error
}

func (n *noting) ReadAt(b []byte, at int64) (int, error) {
	k, err := n.r.ReadAt(b, at)
	if err != nil && !errors.Is(err, io.EOF) {
		n.err = err
	}
	return k, err
}
