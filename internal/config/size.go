// SPDX-License-Identifier: Apache-2.0

package config

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// parseSize reads a whole number above 0 with one of the suffixes B, K, M, G, T
// (multiples of 1024), or none, in bytes.
func parseSize(s string) (uint64, bool) {
	number, shift := s, 0
	if s != "" {
		if i := strings.IndexByte("BKMGT", s[len(s)-1]); i >= 0 {
			number, shift = s[:len(s)-1], 10*i
		}
	}
	if number == "" || !only(number, digit) || number[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || n > math.MaxInt64>>shift {
		return 0, false
	}
	return n << shift, true
}

// mpsMemory is what CUDA_MPS_PINNED_DEVICE_MEM_LIMIT takes after "0=": the
// suffix is needed there.
func mpsMemory(s string) bool {
	_, ok := parseSize(s)
	return ok && len(s) <= 10 && (strings.HasSuffix(s, "M") || strings.HasSuffix(s, "G"))
}

func gpuMemory(s string) bool { _, ok := parseSize(s); return ok }

// memoryMax is MemoryMax= of systemd.resource-control(5), without fractions.
func memoryMax(s string) bool {
	if s == "infinity" {
		return true
	}
	if percent, ok := strings.CutSuffix(s, "%"); ok {
		n, valid := parseSize(percent)
		return valid && n <= 100 && only(percent, digit)
	}
	_, ok := parseSize(s)
	return ok && !strings.HasSuffix(s, "B")
}

// formatSize writes bytes with the largest suffix that gives a whole number.
func formatSize(n uint64) string {
	i := 0
	if n > 0 {
		i = min(bits.TrailingZeros64(n)/10, 4)
	}
	return strconv.FormatUint(n>>(10*i), 10) + [...]string{"", "K", "M", "G", "T"}[i]
}

// addSizes adds and saturates instead of overflowing.
func addSizes(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}
