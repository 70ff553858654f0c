// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/report"
)

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// inSeconds rounds to microseconds.
func inSeconds(d time.Duration) float64 { return math.Round(d.Seconds()*1e6) / 1e6 }

// printTrees prints a row for each version, and the sum.
func printTrees(out io.Writer, v *report.Verification) {
	if len(v.Trees) == 0 {
		return
	}
	var bytes, read int64
	files := 0
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, t := range v.Trees {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", report.Brief(cmp.Or(t.Agent, t.Path)), report.Brief(t.Label()), diag.Count(t.Models, "model"), check.Size(t.Bytes), t.Word())
		bytes, read, files = bytes+t.Bytes, read+t.Read, files+t.Files
	}
	_ = w.Flush()
	fmt.Fprintf(out, "%s, %s, %s, of which %s were read, in %s\n",
		diag.Count(len(v.Models), "model"), diag.Count(files, "file"), check.Size(bytes), check.Size(read), report.Span(seconds(v.Elapsed)))
}
