// SPDX-License-Identifier: Apache-2.0

package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
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
// the infinities are numbers, a byte order mark is an error. Settings have to be
// an object.
func jsonText(name string, r io.ReaderAt, size int64) (Finding, error) {
	if size > maxJSON {
		return Finding{Kind: Opaque}, nil
	}
	text, err := io.ReadAll(io.NewSectionReader(r, 0, size))
	if err != nil {
		return Finding{}, err
	}
	switch {
	case !utf8.Valid(text):
		return Finding{NotJSON, "it is not UTF-8"}, nil
	case bytes.HasPrefix(text, []byte("\ufeff")):
		return Finding{NotJSON, "it begins with a byte order mark"}, nil
	}
	plain := text
	if !json.Valid(text) {
		plain = withoutNaN(text)
	}
	if json.Valid(plain) {
		if strings.HasSuffix(name, "config.json") && !bytes.HasPrefix(bytes.TrimSpace(plain), []byte("{")) {
			return Finding{NotJSON, "it is not an object"}, nil
		}
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

// withoutNaN replaces NaN and Infinity by zeros of the same length. Inside strings that
// makes nothing valid or invalid.
func withoutNaN(text []byte) []byte {
	text = bytes.ReplaceAll(text, []byte("NaN"), []byte("0  "))
	return bytes.ReplaceAll(text, []byte("Infinity"), []byte("0       "))
}

// torch checks what torch.save wrote: since 1.6 a zip archive, whose directory
// is at its end and is missing if the file was truncated.
func torch(head []byte, r io.ReaderAt, size int64) (Finding, error) {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		noted := &noting{r: r, left: maxDirectory}
		if n := entries(noted, size); n > maxArchived {
			return Finding{Header, fmt.Sprintf("its directory claims to have %d entries, at most %d are read", n, maxArchived)}, nil
		}
		_, err := zip.NewReader(noted, size)
		switch {
		case errors.Is(noted.err, errDirectory):
			return Finding{Header, noted.err.Error()}, nil
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

// What is read of an archive's directory: torch.save writes an entry of some
// hundred bytes for each tensor. Package zip allocates as many entries as the
// end of the file claims.
const (
	maxArchived  = 1_000_000
	maxDirectory = 256 << 20 // bytes
)

var errDirectory = fmt.Errorf("its directory has more than %d bytes", maxDirectory)

// entries returns how many entries an archive claims to have, 0 if these are fewer than
// 65,536: only the larger record (ZIP64), whose locator precedes the end, can claim more.
func entries(r io.ReaderAt, size int64) uint64 {
	const locator, end, most = 20, 22, 22 + 1<<16
	tail := make([]byte, min(size, locator+most))
	if n, _ := r.ReadAt(tail, size-int64(len(tail))); n < len(tail) {
		return 0
	}
	at := bytes.LastIndex(tail[:max(len(tail)-end+4, 0)], []byte("PK\x05\x06")) - locator
	if at < 0 || !bytes.HasPrefix(tail[at:], []byte("PK\x06\x07")) {
		return 0
	}
	var record [56]byte
	where := binary.LittleEndian.Uint64(tail[at+8:])
	if where > uint64(size) { //nolint:gosec // a size
		return 0
	}
	if k, _ := r.ReadAt(record[:], int64(where)); k < len(record) || !bytes.HasPrefix(record[:], []byte("PK\x06\x06")) { //nolint:gosec // below size
		return 0
	}
	return binary.LittleEndian.Uint64(record[32:])
}

// noting records an error of reading, and limits what is read.
type noting struct {
	r    io.ReaderAt
	left int
	err  error
}

func (n *noting) ReadAt(b []byte, at int64) (int, error) {
	if n.left -= len(b); n.left < 0 {
		n.err = errDirectory
		return 0, n.err
	}
	k, err := n.r.ReadAt(b, at)
	if err != nil && !errors.Is(err, io.EOF) {
		n.err = err
	}
	return k, err
}
