// SPDX-License-Identifier: Apache-2.0

package contents

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Notice is what a compiled file says about its own terms, where they are not
// those of its module.
type Notice struct {
	File string // relative to its module
	SPDX string // "" if the file only refers to terms elsewhere
	Text string // verbatim, without comment markers
}

// comments matches the comments of Go, C and assembler at the start of lines.
var comments = regexp.MustCompile(`(?m)(?:^[ \t]*//.*\n?)+|(?s:/\*.*?\*/)`)

// marker matches what makes a line a part of a comment.
var marker = regexp.MustCompile(`(?m)^[ \t]*(?://|/\*+|\*+/|\*)[ \t]?|[ \t]*\*/$`)

// ofModule matches comments that refer to the terms of the module or of Go,
// both of which are listed anyway.
var ofModule = regexp.MustCompile(`license that can be found (?:in|src) the (?:LICENSE file|Go distribution)|See LICENSE for licensing information`)

// named matches comments that name a licence, which may not be that of the module: its
// files may be copied from elsewhere.
var named = regexp.MustCompile(`SPDX-License-Identifier: (.+?)(?: Copyright| Licensed|$)|Licensed under the (Apache License, Version 2\.0)`)

// knownNotices are the terms that files are known to carry; the expression
// matches what has to be reproduced. LicenseRef-NVIDIA-NVML is the notice of
// nvml.h: it has to be "in the user documentation".
var knownNotices = []struct {
	spdx string
	text *regexp.Regexp
}{
	{"LicenseRef-NVIDIA-NVML", regexp.MustCompile(`(?s)Copyright [^\n]*NVIDIA Corporation.*hereby granted a nonexclusive, royalty-free license.*U\.S\. Government End Users Notice\.`)},
	{"SunPro", regexp.MustCompile(`(?s)Copyright \(C\) \d+ by Sun Microsystems, Inc\..*?freely granted, provided that this notice\s+is preserved\.`)},
	{"LicenseRef-Cephes", regexp.MustCompile(`(?s)Cephes Math Library.*?no support or\s+guarantee\.`)},
	{"MIT", regexp.MustCompile(`(?s)[ \t]*Copyright © 1994-1999 Lucent Technologies.*OTHER DEALINGS IN\s+THE SOFTWARE\.`)},
	{"BSD-1-Clause", regexp.MustCompile(`(?s)[ \t]*Copyright \(c\) 2015-2020 The fiat-crypto Authors\..*POSSIBILITY OF SUCH DAMAGE\.`)},
	{"BSD-3-Clause", regexp.MustCompile(`(?s)Copyright (?:\(c\) )?\d{4}[^\n]*\n.*Neither the name of.*POSSIBILITY OF SUCH DAMAGE\.`)},
	{"", regexp.MustCompile(`(?s)Copied from https?://\S+\s+License: https?://\S+`)},
	{"", regexp.MustCompile(`This code is from https?://\S+\. MIT license\.`)},
}

// aboutTerms matches comments that could be a notice.
var aboutTerms = regexp.MustCompile(`(?i)copyright[ \t]+(?:©|\(c\)|\d)|\blicense(?:\.|: http|-identifier)|permission is hereby granted`)

// notices returns the notices in one compiled file of a module with the given licence, each
// only once. A comment about terms that is not known is an error.
func notices(dir, name, spdx string) ([]Notice, error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("cannot read the notices in a linked file: %w", err)
	}
	var found []Notice
	for _, comment := range comments.FindAllString(string(text), -1) {
		if !aboutTerms.MatchString(comment) {
			continue
		}
		n, ok := noticeOf(marker.ReplaceAllString(comment, ""), spdx)
		if !ok {
			return nil, fmt.Errorf("cannot tell the terms in %s: teach noticeOf about\n%s", filepath.Join(dir, name), comment)
		}
		if n.Text != "" && !slices.Contains(found, n) {
			found = append(found, n)
		}
	}
	return found, nil
}

// noticeOf returns the notice in a comment, which is empty if the comment only
// refers to the terms of the module.
func noticeOf(comment, spdx string) (Notice, bool) {
	for _, known := range knownNotices {
		if text := known.text.FindString(comment); text != "" {
			return Notice{SPDX: known.spdx, Text: strings.TrimRight(text, "\n")}, true
		}
	}
	text := strings.Join(strings.Fields(comment), " ")
	if m := named.FindStringSubmatch(text); m != nil {
		return Notice{}, m[1] == spdx || m[2] != "" && spdx == ours
	}
	return Notice{}, ofModule.MatchString(text)
}
