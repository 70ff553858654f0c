// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"bufio"
	"io"
	"path/filepath"
)

// Print writes what Write would, each file under a line "# path", a link as
// "# path -> target".
func Print(w io.Writer, dir string, files []File) error {
	out := bufio.NewWriter(w)
	for i, f := range files {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString("# " + filepath.Join(dir, f.Path()))
		if f.Link != "" {
			out.WriteString(" -> " + f.Link)
		}
		out.WriteByte('\n')
		out.Write(f.Text)
	}
	return out.Flush()
}
